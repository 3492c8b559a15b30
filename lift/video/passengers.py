"""What a file carries beside its pictures: sound, subtitles, data, fonts and cover art.

A stream is copied as it is where the output's container takes it, else converted, else left out with one
line. What a container takes is tried out before any work is done: the stream's first packets are written to
memory and read back. They come from a reader of their own, by the clock and not by the pictures: how many of
those are shown is no matter.
"""

import contextlib
import heapq
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Discard, Disposition

from lift.video.boarding import Carrier, Sound, arrives, first_packets, makers, name_of
from lift.video.clock import may_restart, settled
from lift.video.facts import MICROSECONDS, why
from lift.video.file import VideoSource
from lift.video.media import read

KINDS = ("audio", "subtitle", "data")
LAG = 10  # seconds that a stream may lie behind the others in a file; FFmpeg's muxers let them
COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}


class Passengers:
    """The output's streams beside the video.

    Attributes:
        warnings: What could not come along as it was, and why.
        trouble: What of it was damaged or refused on the way; None: nothing.
    """

    def __init__(self, source: VideoSource, container: OutputContainer, *, wanted: bool) -> None:
        """Add streams to `container` for those of `source`; `wanted` False: none that have a clock."""
        self.warnings: list[str] = []
        self.trouble: str | None = None
        self._source, self._span, self._container = source, source.span, container
        self._length = source.length
        self._input = read(source.path)
        self._carriers: dict[int, Carrier] = {}
        self._last: dict[int, int] = {}  # decoding time of a stream's last packet, in its unit
        self._left: Counter[str] = Counter()
        self._covers: list[Any] = []
        streams = [  # chapters of MP4 are told apart
            stream for stream in self._input.streams if stream.type in KINDS and stream.discard != Discard.all
        ]
        if wanted and streams:
            with read(source.path) as trial:
                samples = first_packets(trial, streams)
                for stream in streams:
                    self._board(stream, trial.streams[stream.index], samples[stream.index])
        elif streams:
            self.warnings.append(
                "sound and subtitles are left out: they would not last as long as the slow motion"
            )
        self._attach()
        muxer = container.format.name
        for what, number in self._left.items():
            several = f" ({number} of them)" if number > 1 else ""
            self.warnings.append(f"{what}{several} is left out: {muxer} takes none")
        self._steady = {i for i in self._carriers if self._input.streams[i].type == "audio"}
        self._queue: list[tuple[Fraction, int, Any]] = []
        self._order = count()
        self._packets = self._read()
        self._reached: dict[int, Fraction] = {}  # time of the last packet read, by stream, seconds
        self._ended = not self._carriers

    def _board(self, stream: Any, trial: Any, samples: list[Any]) -> None:
        muxer, name = self._container.format.name, name_of(stream)
        if (name, muxer) == ("tmcd", "mov"):
            return  # made anew of the video's "timecode"
        for maker, warning in makers(muxer, stream):
            if arrives(muxer, maker, trial, samples):
                copy, self._carriers[stream.index] = maker(self._container, stream)
                copy.metadata.update(stream.metadata)
                copy.disposition = stream.disposition
                self.warnings += filter(None, [warning])
                return
        self._left[f"{'sound' if stream.type == 'audio' else stream.type} ({name})"] += 1

    def _attach(self) -> None:
        """Take fonts and cover art along where the container has a place for them."""
        muxer = self._container.format.name
        stream: Any
        for stream in self._input.streams:
            if stream.type == "attachment" and muxer == "matroska":
                self._container.add_attachment(
                    stream.name or "file", stream.mimetype or "application/octet-stream", stream.data
                )
            elif stream.type == "attachment":
                self._left[f"the attached file {stream.name}"] += 1
            elif stream.disposition & Disposition.attached_pic and not self._cover(stream, muxer):
                self._left["cover art"] += 1

    def _cover(self, stream: Any, muxer: str) -> bool:
        name, kind = COVERS.get(name_of(stream), ("", ""))
        with read(self._source.path) as container:
            picture = bytes(next(container.demux(container.streams[stream.index])))
        if not name or not picture:
            return False
        if muxer == "matroska":
            given = stream.metadata
            self._container.add_attachment(given.get("filename", name), given.get("mimetype", kind), picture)
        elif muxer == "mp4":
            copy = self._container.add_stream_from_template(stream, opaque=True)
            copy.disposition = Disposition.attached_pic
            packet = av.Packet(picture)
            packet.pts = packet.dts = 0
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 90_000), copy, True
            self._covers.append(packet)
        else:
            return False
        return True

    def until(self, time: Fraction | None) -> Iterator[Any]:
        """Yield the packets up to a time of the output, seconds; None: all that there are."""
        yield from self._covers
        self._covers = []
        while not self._ended and (time is None or not self._past(time, LAG)):
            self._advance()
        while self._queue and (time is None or self._queue[0][0] <= time):
            yield from self._carried(heapq.heappop(self._queue)[2])

    def _past(self, time: Fraction, lag: int | None) -> bool:
        """Return whether all up to a time was read, as far as streams lie `lag` seconds apart at most.

        Args:
            time: Of the output, seconds.
            lag: How long to wait for sound; None: to the file's end.
        """
        furthest = max(self._reached.values(), default=Fraction(-1))
        if lag is not None and furthest >= time + lag:
            return True
        sound = [self._reached.get(index, Fraction(-1)) for index in self._steady]
        if lag is None and self._steady != set(self._carriers) and furthest < time + LAG:
            return False
        return min(sound, default=furthest) >= time

    def _advance(self) -> None:
        packet = next(self._packets, None)
        if packet is None:
            self._ended = True
            return
        index = packet.stream.index
        stamp = packet.pts if packet.dts is None else packet.dts
        time = self._reached.get(index, Fraction(0))
        if stamp is not None:
            time = stamp * packet.time_base - self._source.origin
        self._reached[index] = max(time, self._reached.get(index, time))
        if index in self._carriers and packet.size and self._within(packet, time):
            heapq.heappush(self._queue, (time, next(self._order), packet))
        self._ended = self._length is not None and self._past(self._length, None)

    def _within(self, packet: Any, time: Fraction) -> bool:
        """Clip to the span; a text that is on the screen when it begins stays on it."""
        if self._length is not None and time >= self._length:
            return False
        if time >= 0 or not self._span.start:
            return True
        over = time + (packet.duration or 0) * packet.time_base
        if packet.stream.type != "subtitle" or over <= 0:
            return False
        packet.duration = int(over / packet.time_base)
        packet.pts = packet.dts = round(self._source.origin / packet.time_base)
        return True

    def _read(self) -> Iterator[Any]:
        """Yield packets in the file's order, from before the start on."""
        wanted = [*self._carriers, self._source.index]
        try:
            if may_restart(self._input):
                yield from settled(self._input)
                return
            if self._span.start:
                self._go_to_start(wanted)
            yield from self._input.demux([self._input.streams[index] for index in wanted])
        except av.FFmpegError:
            return  # the video's reader says what is wrong with the file

    def _go_to_start(self, streams: list[int]) -> None:
        """Go to before the start, if it can be sought: tried out with a reader that is thrown away."""
        place = max(0, int((self._source.origin - LAG) * MICROSECONDS))
        with contextlib.suppress(av.FFmpegError), read(self._source.path) as trial:
            trial.seek(place)
            first = next(trial.demux([trial.streams[index] for index in streams]))
            stamp = first.pts if first.dts is None else first.dts
            if stamp is not None and stamp * first.time_base <= self._source.origin:
                self._input.seek(place)

    def _carried(self, packet: Any) -> Iterator[Any]:
        index = packet.stream.index
        shift = round(self._source.origin / packet.time_base)
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is not None:
            packet.pts = (stamp if packet.pts is None else packet.pts) - shift
            packet.dts = stamp - shift
        try:
            for carried in self._carriers[index](packet):
                if carried.dts is not None:  # a muxer takes no time twice; FFmpeg's program moves it as well
                    carried.dts = max(carried.dts, self._last.get(index, carried.dts - 1) + 1)
                    carried.pts = max(carried.dts, carried.dts if carried.pts is None else carried.pts)
                    self._last[index] = carried.dts
                yield carried
        except av.FFmpegError as error:
            damaged = f"stream {index} ({packet.stream.type}) is damaged ({why(error)})"
            self.trouble = self.trouble or f"{self._source.path}: {damaged}"

    def flush(self) -> Iterator[Any]:
        """Yield what encoders still hold."""
        for carrier in self._carriers.values():
            if isinstance(carrier, Sound):
                yield from carrier.flush()

    def close(self) -> None:
        """Close the reader."""
        self._input.close()
