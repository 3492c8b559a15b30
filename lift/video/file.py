"""A video file as a stream of frames."""

import contextlib
import math
import re
import zlib
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.video.frame import Frame
from lift.video.joined import joined
from lift.video.look import Look
from lift.video.media import (
    MICROSECONDS,
    TRANSPORT,
    Chain,
    Filter,
    angle,
    decoder,
    first_frame,
    packets,
    read,
    side_data_of,
    sideways,
    stores_turning,
    time_of,
    turning,
    why,
)
from lift.video.source import WHOLE, Format, Source, Span

FIELDS = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}  # FFmpeg's AVFieldOrder: which field is shown first
COMBED = (
    "{}: its pictures are combs of two moments, and so is all that is made of them; --deinterlace makes "
    "whole pictures of them first"
)
LATE = "it was joined, and what comes later has streams that its beginning lacks: they are left out"
UNMARKED = "not marked as interlaced; deinterlaced all the same, upper field first"
SPHERE = {"SPHERICAL": "what makes it a sphere (360°)", "STEREO3D": "what makes it stereo (3D)"}
DECLARING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")  # whose headers hold the true duration
CUT_OFF = Fraction(1, 4)  # seconds missing from which a file counts as cut off
TAGGED = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)")  # h:mm:ss.s, as Matroska's DURATION
FOOTER = 8  # bytes behind a slice of FFV1: size, status, CRC
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class VideoSource(Source):
    """A video file."""

    def __init__(
        self, path: Path, span: Span, *, muxer: str | None = None, deinterlace: bool = False
    ) -> None:
        """Read what the file says of itself, and go to the first picture that is wanted.

        Pixels are turned where `muxer`, the output's, cannot say how pictures are to be turned (None: no
        output can); else `matrix` says it further on. `deinterlace`: a whole picture is made of each field.

        Raises:
            UserError: It is no video, has none, or is cut off.
        """
        try:
            with read(path) as container:
                videos = _videos(path, container)
                first = first_frame(container, videos[0])
                like = Format.of(container, videos[0], first)
                super().__init__(**vars(like), path=path, span=span, total=None, warnings=[])
                self._look_into(container, videos, first)
                self._choose_filters(videos[0], first, muxer, deinterlace=deinterlace)
                if container.format.name == TRANSPORT and joined(path).lost:
                    self.warnings.append(LATE)
        except av.EOFError as error:
            raise UserError(f"{path}: no frames in it") from error
        except (av.FFmpegError, ValueError) as error:
            raise UserError(f"{path}: not a video that FFmpeg can read, or cut off ({why(error)})") from error
        if self.total is not None and span != WHOLE:
            whole = self.total / self.rate
            end = whole if span.end is None else min(span.end, whole)
            self.total = max(0, round((end - span.start) * self.rate))
        self._reached = Fraction(0)  # end of the packets read so far, seconds
        self._count_from = Fraction(0)  # when the first is shown where pictures have no times, seconds
        self._running = self._pictures()
        self._first = list(self._begin())

    def _look_into(self, container: InputContainer, videos: list[VideoStream], first: av.VideoFrame) -> None:
        """Take over what the header says of times and of what is left out."""
        video, length = videos[0], Fraction(container.duration or 0, MICROSECONDS)
        self.total = video.frames or round(length * self.rate) or None
        # The container's own first time is rounded.
        timed = [s for s in container.streams if s.type == "audio" or s is video]
        begins = [s.start_time * s.time_base for s in timed if s.start_time is not None and s.time_base]
        if first.pts is not None and first.time_base:
            begins.append(first.pts * first.time_base)
        self.begin = min(begins, default=Fraction(0))
        self.origin = self.begin + self.span.start
        if len(videos) > 1:
            more = f"it has {len(videos)} videos; the first one is taken, the others are left out"
            self.warnings.append(more)
        self.warnings += [
            f"{SPHERE[kind]} is left out" for kind in sorted(SPHERE.keys() & side_data_of(first))
        ]
        self.sounds = any(s.type in ("audio", "subtitle") for s in container.streams)
        self.index, self._stored = video.index, (first.width, first.height)
        self._declared = _declared(container, video)
        # AVI stores no times: they are of no use where pictures lie in another order than they are shown in.
        self._timed = container.format.name != "avi" or not video.codec_context.has_b_frames

    def _choose_filters(
        self, video: VideoStream, first: av.VideoFrame, muxer: str | None, *, deinterlace: bool
    ) -> None:
        """Choose what is to be done to pictures, and describe them as they are then."""
        self._filters: list[Filter] = []
        marked, order = first.interlaced_frame, video.codec_context.field_order
        interlaced = marked or order in FIELDS
        self._combed = interlaced or deinterlace  # there is nothing more to say of it
        if deinterlace:
            # Where pictures say themselves which of them are interlaced, those alone.
            parity = "auto" if marked or not interlaced else FIELDS[order]
            which = "interlaced" if marked else "all"
            self._filters.append(("bwdif", f"mode=send_field:parity={parity}:deint={which}"))
            self.rate, self.unit, self.total = self.rate * 2, self.unit / 2, self.total and self.total * 2
            self.warnings += [UNMARKED] * (not interlaced)
        elif interlaced:
            self.warnings.append(COMBED.format("interlaced"))
        matrix = self.matrix
        filters = [] if matrix is None else turning(matrix)
        if matrix is None or (filters and muxer is not None and stores_turning(muxer, matrix)):
            return
        self.matrix = None
        self._filters += filters or []
        if filters is None:
            self.warnings.append(f"it is to be shown turned by {angle(matrix)} degrees, which is left out")
        elif sideways(matrix):
            self.aspect, self.size = 1 / self.aspect, self.size[::-1]

    def _begin(self) -> Iterator[av.VideoFrame]:
        """Yield the first picture that is wanted, and let the clock of the output begin with it.

        So the output's ticks fall on the input's pictures. Where the sound begins more than a picture
        earlier, the output begins with it, a whole number of pictures before the first.
        """
        for picture in self._running:
            time = self._time(picture, None)
            if time < 0 and self.span.start:
                self._count_from += 1 / self.rate
                continue
            lead = time * self.rate
            if not self.span.start and lead >= 1:
                time -= 2 * math.ceil(lead / 2) / self.rate  # even, so that 60 per second still fits 24
            self.origin += time
            self._count_from -= time
            yield picture
            return

    def frames(self) -> Iterator[Frame]:
        """Decode, once.

        What cannot be decoded is left out, and a picture of another size ends the video: `trouble` says so.
        """
        latest: Fraction | None = None
        seen = 0
        for picture in chain(self._first, self._running):
            time = self._time(picture, latest)
            if time < 0:
                continue
            if self.length is not None and time >= self.length:
                return
            seen, latest = seen + 1, time
            if picture.is_corrupt:
                self._note(f"damaged pictures {self._where(picture)}")
            if picture.interlaced_frame and not self._combed:
                self._combed = True
                self.remarks.append(COMBED.format(f"interlaced from {float(time):.2f} s on"))
            look = Look.of(picture)
            yield Frame(image=look.to_rgb(picture), time=time, picture=look.convert(picture, self.look))
        self._check_end(seen)

    def _pictures(self) -> Generator[av.VideoFrame, None, None]:
        """Decode and filter; the first picture of a size that the others have not ends it."""
        filters: Chain | None = None
        width, height = self._stored
        for picture in self._decoded():
            if (picture.width, picture.height) != (width, height):
                self._note(
                    f"the size changes from {width} x {height} to {picture.width} x {picture.height} pixels "
                    f"{self._where(picture)}; split the video there and smooth the parts"
                )
                break
            if not self._filters:
                yield picture
                continue
            filters = filters or Chain(picture, picture.time_base or self.unit, self._filters)
            yield from filters.push(picture)
        if filters is not None:
            yield from filters.push(None)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        context, check, last = None, SliceCheck(), None
        try:
            for packet in self._packets():
                if not packet.size:  # a picture that AVI does not repeat, or the file's end
                    last = packet
                    continue
                if not check.sound(packet):
                    self._note(f"damaged {self._where(packet)} or before: a checksum does not fit")
                if context is None:
                    context = decoder(packet.stream)
                    context.thread_type = "AUTO"
                    if packet.pts is None or not self._timed:
                        begin = self.begin if packet.dts is None else packet.dts * packet.time_base
                        self._count_from = begin - self.origin
                try:
                    yield from context.decode(packet)
                except av.FFmpegError as error:
                    self._note(f"damaged {self._where(packet)} ({why(error)})")
        except av.FFmpegError as error:
            self._note(f"damaged after {float(self._reached):.2f} s ({why(error)})")
        if context is not None and last is not None:
            with contextlib.suppress(av.FFmpegError):
                yield from context.decode(last)

    def _packets(self) -> Iterator[Any]:
        """Yield the video's packets from the last key frame at or before the start."""
        held: list[Any] = []
        waiting = self.span.start > 0
        for packet in packets(self.path, [self.index], self.origin if waiting else None):
            if packet.pts is not None:
                self._reached = max(self._reached, (packet.pts + (packet.duration or 0)) * packet.time_base)
            time = time_of(packet)
            if waiting and packet.is_keyframe and time is not None and time <= self.origin:
                held.clear()
            waiting = waiting and time is not None and time < self.origin
            held.append(packet)
            if not waiting:
                yield from held
                held.clear()

    def _time(self, picture: av.VideoFrame, latest: Fraction | None) -> Fraction:
        """Return when a picture is shown in the output, after `latest`."""
        if picture.pts is None or not self._timed:
            return self._count_from if latest is None else latest + 1 / self.rate
        time = picture.pts * (picture.time_base or self.unit) - self.origin
        return time if latest is None or time > latest else latest + 1 / self.rate

    def _where(self, item: Any) -> str:
        time = time_of(item)
        return "somewhere" if time is None else f"at {float(time - self.begin):.2f} s"

    def _note(self, trouble: str) -> None:
        """Remember the first problem."""
        self.trouble = self.trouble or f"{self.path}: {trouble}"

    def _check_end(self, seen: int) -> None:
        """Notice a file that ends long before its header says."""
        end = self._declared
        if end is not None and end - self._reached > max(CUT_OFF, 2 / self.rate) and self.span.end is None:
            self._note(
                f"cut off: it ends after frame {seen}, at {float(self._reached):.2f} of {float(end):.2f} s"
            )

    def close(self) -> None:
        """Close the file."""
        self._running.close()


def _declared(container: InputContainer, video: VideoStream) -> Fraction | None:
    """Return when a video ends by its file's header, seconds; None: it does not say. Its sound may go on."""
    if container.format.name not in DECLARING or container.duration is None:
        return None
    if video.duration is not None and video.time_base is not None:
        return ((video.start_time or 0) + video.duration) * video.time_base
    end = Fraction((container.start_time or 0) + container.duration, MICROSECONDS)
    # Anyone can write a tag, and an editor may leave an old one: it only tells where the pictures end sooner.
    tag = TAGGED.fullmatch(video.metadata.get("DURATION", ""))
    if tag is None:
        return end
    hours, minutes, seconds = map(Fraction, tag.groups())
    return min(end, hours * 3600 + minutes * 60 + seconds)


def _videos(path: Path, container: InputContainer) -> list[VideoStream]:
    """Return the videos, the one that is read first.

    Raises:
        UserError: There is none.
    """
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    videos.sort(key=lambda video: video.codec_context is None)
    if not videos or videos[0].codec_context is None:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "no streams"
        what = "none that FFmpeg can decode" if videos else f"only {kinds}"
        raise UserError(f"{path}: no video in it, {what}")
    return videos


class SliceCheck:
    """Tests FFV1's own checksums: a decoder shows a slice that fails its test without a sign that reaches us.

    From version 3 on, a packet is a row of slices, each of which ends with its size (24 bits), an error
    status and a CRC with which the CRC of the whole slice is zero (RFC 9043, sections 4.8 and 4.9.3). That a
    stream has checksums shows when a packet passes.
    """

    def __init__(self) -> None:
        self._found = set[bool]()

    def sound(self, packet: Any) -> bool:
        """Return whether a packet of a video stream and those before it pass, as far as is known."""
        if packet.stream.codec_context.name == "ffv1" and packet.size:
            self._found.add(_passes(bytes(packet)))
        return len(self._found) < 2


def _passes(data: bytes) -> bool:
    end = len(data)
    while end > 0:
        size = int.from_bytes(data[end - FOOTER : end - FOOTER + 3], "big") + FOOTER
        # By the polynomial 0x04C11DB7 from zero on, highest bit first; zlib's has the lowest first.
        mirrored = data[max(0, end - size) : end].translate(_MIRRORED)
        if size > end or zlib.crc32(mirrored, 0xFFFFFFFF) != 0xFFFFFFFF:
            return False
        end -= size
    return True
