"""A video file as a stream of frames, with the packets of its sound and subtitles."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.stream import Disposition
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.files import address
from lift.video.colour import Look
from lift.video.frame import Frame
from lift.video.span import WHOLE, Span
from lift.video.turn import turner

MICROSECONDS = 1_000_000  # the unit of a container's times
DECLARING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")  # whose headers hold the true duration
CUT_OFF = Fraction(1, 4)  # seconds missing from which a file counts as cut off


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What is known of a file before it is read."""

    index: int
    """Which stream is the video."""
    size: tuple[int, int]
    rate: Fraction
    unit: Fraction
    frames: int | None
    begin: Fraction
    """The file's first time, seconds."""
    stored: tuple[int, int]
    """(W, H) before turning."""
    turn: Callable[[av.VideoFrame], av.VideoFrame]
    timed: bool
    """False: its timestamps are of no use, as in AVI, which stores none, with frames out of order."""
    look: Look
    matrix: list[int] | None
    """How the picture is to be turned when shown: FFmpeg's display matrix, 9 numbers."""


class VideoSource:
    """A video file; times are counted from its beginning, or from `span.start`.

    Attributes:
        size: (H, W), pixels, as stored (not turned).
        rate: Mean frame rate, per second.
        unit: Seconds of which all times are multiples.
        total: How many frames there are, as far as the header tells.
        origin: What is zero in the output, on the file's own clock, seconds.
        trouble: What is wrong with the file, known once it is read; None: nothing.
        leftover: Packets of other streams after the last frame.
        warnings: What the user should know of the file, a line each.
    """

    warnings: tuple[str, ...] = ()

    def __init__(self, path: Path, span: Span, *, turn: bool = False) -> None:
        """Look into the file.

        Args:
            path: The file.
            span: Which part of it is wanted.
            turn: Turn the pixels as the file says they are to be shown; False: `matrix` says it further on.

        Raises:
            UserError: It is no video, has none, or is cut off.
        """
        facts = _look_into(path, turn=turn)
        self.path, self.span = path, span
        self.size, self.rate, self.unit = facts.size, facts.rate, facts.unit
        self.look, self.matrix = facts.look, facts.matrix
        self._stored, self._turn, self._timed = facts.stored, facts.turn, facts.timed
        self.origin = facts.begin + span.start
        self.total = _count(facts, span)
        self.trouble: str | None = None
        self.leftover: list[Any] = []
        self._reached = Fraction(0)  # end of the packets read so far, seconds
        self.container = av.open(address(path))
        self.video = cast(VideoStream, self.container.streams[facts.index])
        self.video.thread_type = "AUTO"
        self.others = [s for s in self.container.streams if s.type in ("audio", "subtitle")]
        if span.start:
            # A file that cannot seek is decoded from its beginning, and what is not wanted is dropped.
            with contextlib.suppress(av.FFmpegError):
                self.container.seek(int(self.origin * MICROSECONDS))

    def frames(self) -> Iterator[Frame]:
        """Decode, once, with the packets of other streams attached to the frame that follows them.

        Raises:
            UserError: The size changes.
        """
        seen, latest = 0, Fraction(-1)
        try:
            for item in self._items():
                if not isinstance(item, av.VideoFrame):
                    self.leftover.append(item)
                    continue
                time = self._time(item, latest)
                if time < 0:
                    continue
                if self.span.end is not None and time >= self.span.end - self.span.start:
                    return
                parcels, self.leftover = self.leftover, []
                seen, latest = seen + 1, time
                yield self._frame(item, time, parcels)
        except av.FFmpegError as error:
            self.trouble = f"{self.path}: damaged after frame {seen} ({_why(error)})"
        if self.trouble is None:
            self._check_end(seen)

    def _items(self) -> Iterator[Any]:
        """Give the video's frames and the other streams' packets, in the file's order."""
        for packet in self.container.demux(self.video, *self.others):
            if packet.pts is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                self._reached = max(self._reached, end)
            if packet.stream.index == self.video.index:
                yield from packet.decode()
            elif packet.size:  # FFmpeg ends every stream with an empty packet
                yield packet

    def _time(self, picture: av.VideoFrame, latest: Fraction) -> Fraction:
        following = latest + 1 / self.rate if latest >= 0 else Fraction(0)
        if picture.pts is None or not self._timed:
            return following
        time = picture.pts * (picture.time_base or self.unit) - self.origin
        return following if 0 <= time <= latest else time

    def _frame(self, picture: av.VideoFrame, time: Fraction, parcels: list[Any]) -> Frame:
        if (picture.width, picture.height) != self._stored:
            width, height = self._stored
            raise UserError(
                f"{self.path}: the size changes at {float(time):.2f} s, from {width} x {height} to "
                f"{picture.width} x {picture.height} pixels; split the video there and smooth the parts"
            )
        picture = self._turn(picture)
        if picture.is_corrupt and self.trouble is None:
            self.trouble = f"{self.path}: damaged pictures from {float(time):.2f} s on"
        look = Look.of(picture)
        return Frame(
            image=look.to_rgb(picture), time=time, picture=look.convert(picture, self.look), parcels=parcels
        )

    def _check_end(self, seen: int) -> None:
        """Notice a file that ends long before its header says."""
        declared = self.container.duration
        if declared is None or self.span.end is not None or self.container.format.name not in DECLARING:
            return
        end = Fraction((self.container.start_time or 0) + declared, MICROSECONDS)
        if end - self._reached > max(CUT_OFF, 2 / self.rate):
            self.trouble = (
                f"{self.path}: cut off: it ends after frame {seen}, at {float(self._reached):.2f} of "
                f"{float(end):.2f} s"
            )

    def close(self) -> None:
        """Close the file."""
        self.container.close()


def _look_into(path: Path, *, turn: bool) -> _Facts:
    """Read the header and decode the first frame, which knows more than the header.

    The file is opened anew afterwards: not every format can be wound back.
    """
    try:
        with av.open(address(path)) as container:
            videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not videos:
                kinds = ", ".join(sorted({s.type for s in container.streams})) or "no streams"
                raise UserError(f"{path}: no video in it, only {kinds}")
            video = videos[0]
            first = next(container.decode(video), None)
            if first is None:
                raise UserError(f"{path}: no frames in it")
            unturned, turning = first, turner(first, video.time_base or Fraction(1, 25))
            if turn:
                first = turning(first)
            rate = video.average_rate or video.guessed_rate or Fraction(25)
            length = container.duration
            return _Facts(
                index=video.index,
                size=(first.height, first.width),
                rate=rate,
                unit=video.time_base or 1 / rate,
                frames=video.frames or (round(Fraction(length, MICROSECONDS) * rate) if length else None),
                begin=Fraction(container.start_time or 0, MICROSECONDS),
                timed=container.format.name != "avi" or not video.codec_context.has_b_frames,
                look=Look.of(first),
                stored=(unturned.width, unturned.height),
                turn=turning if turn else lambda frame: frame,
                matrix=None if turn else _display(unturned),
            )
    except av.EOFError as error:
        raise UserError(f"{path}: no frames in it") from error
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"{path}: not a video that FFmpeg can read, or cut off ({_why(error)})") from error


def _count(facts: _Facts, span: Span) -> int | None:
    """Estimate how many frames lie in the span."""
    if facts.frames is None or span == WHOLE:
        return facts.frames
    whole = facts.frames / facts.rate
    end = whole if span.end is None else min(span.end, whole)
    return max(0, round((end - span.start) * facts.rate))


def _display(frame: av.VideoFrame) -> list[int] | None:
    with contextlib.suppress(KeyError):
        data = cast(Any, frame.side_data)["DISPLAYMATRIX"]
        return [int(value) for value in np.frombuffer(bytes(data), np.int32)]
    return None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
