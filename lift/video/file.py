"""A video file as a stream of frames."""

import contextlib
import math
import zlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from lift.video.clock import may_restart, settled
from lift.video.facts import COMBED, MICROSECONDS, count, look_into, why
from lift.video.filters import Chain
from lift.video.frame import Frame
from lift.video.look import Look
from lift.video.media import decoder, read
from lift.video.source import Source, Span

DECLARING = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")  # whose headers hold the true duration
CUT_OFF = Fraction(1, 4)  # seconds missing from which a file counts as cut off
FOOTER = 8  # bytes behind a slice of FFV1: size, status, CRC
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
EARLIER = (0, 2, 10, 60)  # seconds before the start to which it is sought, until a key frame lies there


class VideoSource(Source):
    """A video file."""

    def __init__(self, path: Path, span: Span, *, turn: bool = False, deinterlace: bool = False) -> None:
        """Open the file and read what it says of itself.

        Args:
            path: The file.
            span: Which part of it is wanted.
            turn: Turn the pixels as the file says they are to be shown; False: `matrix` says it further on.
            deinterlace: Make a whole picture of each field.

        Raises:
            UserError: It is no video, has none, or is cut off.
        """
        super().__init__(path, span, look_into(path, turn=turn, deinterlace=deinterlace))
        self._combed = self.interlaced or deinterlace
        self.total = count(self, span)
        self._reached = Fraction(0)  # end of the packets read so far, seconds
        self._count_from = Fraction(0)  # when the first is shown where pictures have no times, seconds
        self.container, self.video = self._open()
        self._running = self._pictures()
        self._first = self._begin()
        self.length = None if span.end is None else self.begin + span.end - self.origin

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container = read(self.path)
        return container, cast(VideoStream, container.streams[self.index])

    def _begin(self) -> av.VideoFrame | None:
        """Go to the first picture that is wanted, and let the clock of the output begin with it.

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
            return picture
        return None

    def frames(self) -> Iterator[Frame]:
        """Decode, once.

        What cannot be decoded is left out, and a picture of another size ends the video: `trouble` says so.
        """
        latest: Fraction | None = None
        seen = 0
        for picture in chain(() if self._first is None else [self._first], self._running):
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

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Decode and filter; the first picture of a size that the others have not ends it."""
        filters: Chain | None = None
        width, height = self.stored
        for picture in self._decoded():
            if (picture.width, picture.height) != (width, height):
                self._note(
                    f"the size changes from {width} x {height} to {picture.width} x {picture.height} pixels "
                    f"{self._where(picture)}; split the video there and smooth the parts"
                )
                break
            if not self.filters:
                yield picture
                continue
            filters = filters or Chain(picture, picture.time_base or self.unit, self.filters)
            yield from filters.push(picture)
        if filters is not None:
            yield from filters.push(None)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        context = decoder(self.video)
        context.thread_type = "AUTO"
        check, first, last = SliceCheck(self.video), True, None
        try:
            for packet in self._packets():
                if not packet.size:  # a picture that AVI does not repeat, or the file's end
                    last = packet
                    continue
                if not check.sound(packet):
                    self._note(f"damaged {self._where(packet)} or before: a checksum does not fit")
                if first and (packet.pts is None or not self.timed):
                    begin = self.begin if packet.dts is None else packet.dts * packet.time_base
                    self._count_from = begin - self.origin
                first = False
                try:
                    yield from context.decode(packet)
                except av.FFmpegError as error:
                    self._note(f"damaged {self._where(packet)} ({why(error)})")
        except av.FFmpegError as error:
            self._note(f"damaged after {float(self._reached):.2f} s ({why(error)})")
        if last is not None:
            with contextlib.suppress(av.FFmpegError):
                yield from context.decode(last)

    def _packets(self) -> Iterator[Any]:
        """Yield the video's packets from the last key frame at or before the start."""
        held: list[Any] = []
        waiting = self.span.start > 0
        for packet in self._settled():
            if packet.pts is not None:
                self._reached = max(self._reached, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if not waiting or not packet.size:
                yield packet
                continue
            stamp = _stamp(packet)
            if stamp is None or stamp >= self.origin:
                waiting = False
            elif packet.is_keyframe and (packet.pts is None or packet.pts * packet.time_base <= self.origin):
                held.clear()
            held.append(packet)
            if not waiting:
                yield from held
                held.clear()
        yield from held

    def _settled(self) -> Iterator[Any]:
        """Yield the video's packets from near the start on, all on one clock."""
        if may_restart(self.container):  # where times repeat, none can be sought
            yield from (one for one in settled(self.container) if one.stream.index == self.index)
            return
        for earlier in EARLIER if self.span.start else ():
            base = self.video.time_base or self.unit
            with contextlib.suppress(av.FFmpegError):
                self.container.seek(int((self.origin - earlier) / base), stream=self.video)
                packets = self.container.demux(self.video)
                first = next(packets)
                stamp = _stamp(first, shown=True)
                if first.is_keyframe and stamp is not None and stamp <= self.origin:
                    yield first
                    yield from packets
                    return
            self.container.close()
            self.container, self.video = self._open()
        yield from self.container.demux(self.video)

    def _time(self, picture: av.VideoFrame, latest: Fraction | None) -> Fraction:
        if picture.pts is None or not self.timed:
            return self._count_from if latest is None else latest + 1 / self.rate
        time = picture.pts * (picture.time_base or self.unit) - self.origin
        return time if latest is None else latest + 1 / self.rate if time <= latest else time

    def _where(self, item: Any) -> str:
        stamp = item.pts if item.pts is not None else item.dts
        if stamp is None:
            return "somewhere"
        return f"at {float(stamp * (item.time_base or self.unit) - self.begin):.2f} s"

    def _note(self, trouble: str) -> None:
        """Remember the first problem."""
        if self.trouble is None:
            self.trouble = f"{self.path}: {trouble}"

    def _check_end(self, seen: int) -> None:
        """Notice a file that ends long before its header says."""
        declared = self.container.duration
        if declared is None or self.span.end is not None or self.container.format.name not in DECLARING:
            return
        end = Fraction((self.container.start_time or 0) + declared, MICROSECONDS)
        if end - self._reached > max(CUT_OFF, 2 / self.rate):
            self._note(
                f"cut off: it ends after frame {seen}, at {float(self._reached):.2f} of {float(end):.2f} s"
            )

    def close(self) -> None:
        """Close the file."""
        self.container.close()


def _stamp(packet: Any, *, shown: bool = False) -> Any:
    """Return when a packet is decoded, or shown, seconds; None: it does not say."""
    one, other = (packet.pts, packet.dts) if shown else (packet.dts, packet.pts)
    stamp = other if one is None else one
    return None if stamp is None else stamp * packet.time_base


class SliceCheck:
    """Tests FFV1's own checksums: a decoder shows a slice that fails its test without a sign that reaches us.

    From version 3 on, a packet is a row of slices, each of which ends with its size (24 bits), an error
    status and a CRC with which the CRC of the whole slice is zero (RFC 9043, sections 4.8 and 4.9.3). That a
    stream has checksums shows when a packet passes.
    """

    def __init__(self, stream: Any) -> None:
        """Watch a video stream of any codec."""
        self._has_slices = stream.codec_context.name == "ffv1"
        self._passed = self._failed = False

    def sound(self, packet: Any) -> bool:
        """Return whether a packet and those before it pass, as far as is known."""
        if not self._has_slices or not packet.size:
            return True
        passed = _passes(bytes(packet))
        self._passed |= passed
        self._failed |= not passed
        return not (self._passed and self._failed)


def _passes(data: bytes) -> bool:
    end = len(data)
    while end > 0:
        size = int.from_bytes(data[end - FOOTER : end - FOOTER + 3], "big") + FOOTER
        if size > end:
            return False
        # By the polynomial 0x04C11DB7 from zero on, highest bit first; zlib's has the lowest first.
        mirrored = data[end - size : end].translate(_MIRRORED)
        if zlib.crc32(mirrored, 0xFFFFFFFF) != 0xFFFFFFFF:
            return False
        end -= size
    return True
