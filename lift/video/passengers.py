"""What a file carries beside its pictures: sound, subtitles, data, fonts and cover art.

A stream is copied as it is where the output's container takes it, else converted, else left out with one
line. What a container takes is tried out before any work is done: the stream's first packets are written to
memory and read back. They come from a reader of their own, by the clock and not by the pictures: how many of
those are shown is no matter.
"""

import contextlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import count
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.stream import Disposition

from lift.video.clock import Clock, may_restart
from lift.video.file import MICROSECONDS, VideoSource, why
from lift.video.media import read, rehearse

KINDS = ("audio", "subtitle", "data")
SOUND = {  # muxer: encoders that its players know, the best first
    "mp4": ("aac",),
    "mov": ("aac",),
    "matroska": ("libopus", "aac"),
    "webm": ("libopus",),
    "avi": ("libmp3lame", "ac3"),
    "mpegts": ("aac", "mp2"),
}
TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
BITS = {"aac": 96_000, "libopus": 96_000, "libmp3lame": 96_000, "ac3": 112_000, "mp2": 128_000}
"""Bits per second and channel at which a conversion is not heard."""
LAYOUTS = ("mono", "stereo", "2.1", "quad", "5.0", "5.1", "6.1", "7.1")
RATE = 48_000  # samples per second that every encoder takes
LAG = 10  # seconds that a stream may lie behind the others in a file; FFmpeg's muxers let them
TRIED, SEARCHED = 8, 4000  # packets of a stream that are tried out, and read at most to find them
COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
Carrier = Callable[[Any], Iterable[Any]]
Maker = Callable[[Any, Any], tuple[Any, Carrier]]
"""Adds a stream to an output for one of the input; gives it, and what turns packets into its packets."""


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
        self._length = None if source.span.end is None else source.span.end - source.span.start
        self._input = read(source.path)
        self._carriers: dict[int, Carrier] = {}
        self._last: dict[int, int] = {}  # decoding time of a stream's last packet, in its unit
        self._left: Counter[str] = Counter()
        self._covers: list[Any] = []
        streams = [stream for stream in self._input.streams if stream.type in KINDS]
        if wanted and streams:
            with read(source.path) as trial:
                samples = _samples(trial, streams)
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
        muxer, name = self._container.format.name, _name(stream)
        if (name, muxer) == ("tmcd", "mov"):
            return  # made anew of the video's "timecode"
        for maker, warning in _makers(muxer, stream):
            if _arrives(muxer, maker, trial, samples):
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
        name, kind = COVERS.get(_name(stream), ("", ""))
        with read(self._source.path) as container:
            picture = bytes(next(container.demux(container.streams[stream.index])))
        if not name or not picture:
            return False
        if muxer == "matroska":
            given = stream.metadata
            self._container.add_attachment(given.get("filename", name), given.get("mimetype", kind), picture)
        elif muxer in ("mp4", "mov"):
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
        """Give the packets up to a time of the output, seconds; None: all that there are."""
        yield from self._covers
        self._covers = []
        while not self._ended and (time is None or not self._past(time, LAG)):
            self._advance()
        while self._queue and (time is None or self._queue[0][0] <= time):
            yield from self._carried(heapq.heappop(self._queue)[2])

    def _past(self, time: Fraction, lag: int | None) -> bool:
        """Tell whether all up to a time was read, as far as streams lie `lag` seconds apart at most.

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
        if index in self._carriers and packet.size:
            if packet.is_corrupt:
                self._note(f"damaged sound at {float(time + self._span.start):.2f} s")
            if self._within(packet, time):
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
        """Give packets in the file's order, from before the start on."""
        streams = [self._input.streams[index] for index in (*self._carriers, self._source.index)]
        try:
            if may_restart(self._input):
                clock = Clock()
                for packet in self._input.demux():
                    clock.settle(packet)
                    yield packet
                return
            if self._span.start:
                yield from self._sought(streams)
            yield from self._input.demux(streams)
        except av.FFmpegError:
            return  # the video's reader says what is wrong with the file

    def _sought(self, streams: list[Any]) -> Iterator[Any]:
        """Go to before the start, and give the first packet there."""
        for place in (self._source.origin - LAG, Fraction(0)):
            self._input.seek(max(0, int(place * MICROSECONDS)))
            first = next(self._input.demux(streams))
            stamp = first.pts if first.dts is None else first.dts
            if stamp is not None and stamp * first.time_base <= self._source.origin:
                yield first
                return

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
            self._note(f"stream {index} ({packet.stream.type}) is damaged ({why(error)})")

    def _note(self, trouble: str) -> None:
        self.trouble = self.trouble or f"{self._source.path}: {trouble}"

    def flush(self) -> Iterator[Any]:
        """Give what encoders still hold."""
        for carrier in self._carriers.values():
            if isinstance(carrier, _Sound):
                yield from carrier.flush()

    def close(self) -> None:
        """Close the reader."""
        self._input.close()


def _samples(container: InputContainer, streams: list[Any]) -> dict[int, list[Any]]:
    """Read each stream's first packets, as far as they lie near the beginning."""
    samples: dict[int, list[Any]] = {stream.index: [] for stream in streams}
    steady = [samples[stream.index] for stream in streams if stream.type == "audio"]
    with contextlib.suppress(av.FFmpegError):
        for number, packet in enumerate(container.demux([container.streams[index] for index in samples])):
            found = samples[packet.stream.index]
            if packet.size and len(found) < TRIED:
                found.append(packet)
            if number > SEARCHED or (steady and all(len(packets) == TRIED for packets in steady)):
                break
    return samples


def _name(stream: Any) -> str:
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    return str(getattr(stream, "name", None) or "unknown codec")


def _makers(muxer: str, stream: Any) -> Iterator[tuple[Maker, str]]:
    """Give ways of taking a stream along, the best first, each with what the user is told of it."""
    yield _copy, ""
    context, name = stream.codec_context, _name(stream)
    if context is None:
        return
    if stream.type == "audio":
        for codec in SOUND.get(muxer, ()):
            for layout, rate in _sounds(codec, context):
                fewer = "" if layout.nb_channels == context.layout.nb_channels else f", {layout.name}"
                warning = f"sound ({name}) is converted to {codec}{fewer}: {muxer} takes no copy"
                yield partial(_Sound.add, codec, layout, rate), warning
    if stream.type == "subtitle" and context.codec.text_sub and muxer in TEXT:
        codec = TEXT[muxer]
        yield partial(_text, codec), f"subtitles ({name}) are converted to {codec}: {muxer} takes no copy"


def _sounds(codec: str, context: Any) -> Iterator[tuple[av.AudioLayout, int]]:
    """Give channel layouts and sample rates for a conversion, the input's own first."""
    known = av.Codec(codec, "w").audio_rates or []
    rates = [context.sample_rate] if not known or context.sample_rate in known else []
    layouts = [context.layout]
    layouts += [
        layout for name in LAYOUTS if (layout := av.AudioLayout(name)).nb_channels == context.channels
    ]
    for layout in (*layouts, av.AudioLayout("stereo")):
        for rate in (*rates, RATE):
            yield layout, rate


def _arrives(muxer: str, maker: Maker, stream: Any, samples: list[Any]) -> bool:
    """Tell whether a reader of the output finds the stream, with something in it that it can decode."""
    wanted: list[str] = []

    def fill(container: OutputContainer) -> None:
        copy, carrier = maker(container, stream)
        wanted.append(_name(copy))
        container.start_encoding()
        for packet in samples or [_stand_in(stream)]:
            for carried in carrier(_twin(packet)):
                container.mux(carried)
        if isinstance(carrier, _Sound):
            container.mux(list(carrier.drain()))

    made = rehearse(muxer, fill)
    if made is None:
        return False
    with made:
        there = [s for s in made.streams if s.type == stream.type and _name(s) == wanted[0]]
        if not there or stream.type != "audio" or not samples:
            return bool(there)
        with contextlib.suppress(av.FFmpegError):
            return any(packet.decode() for packet in made.demux(there[0]))
    return False


def _stand_in(stream: Any) -> Any:
    """Make a packet for a stream whose first one comes late, as texts do."""
    packet = av.Packet(b"\0\1-")
    packet.pts = packet.dts = 0
    packet.duration, packet.time_base, packet.stream = 1, stream.time_base, stream
    return packet


def _twin(packet: Any) -> Any:
    """Copy a packet, since writing it changes it."""
    twin = av.Packet(bytes(packet))
    twin.pts, twin.dts, twin.duration = packet.pts, packet.dts, packet.duration
    twin.time_base, twin.stream, twin.is_keyframe = packet.time_base, packet.stream, packet.is_keyframe
    return twin


def _copy(container: OutputContainer, stream: Any) -> tuple[Any, Carrier]:
    copy = container.add_stream_from_template(stream)

    def carry(packet: Any) -> list[Any]:
        packet.stream = copy
        return [packet]

    return copy, carry


def _text(codec: str, container: OutputContainer, stream: Any) -> tuple[Any, Carrier]:
    """Convert subtitles that are text: by way of ASS, as FFmpeg does."""
    copy: Any = container.add_stream(codec)
    reader = stream.codec_context
    reader.open(strict=False)
    copy.codec_context.subtitle_header = reader.subtitle_header
    copy.codec_context.time_base = copy.time_base = Fraction(1, 1000)

    def carry(packet: Any) -> Iterator[Any]:
        shown = reader.decode2(packet)
        if shown is None or not len(shown):
            return
        made = copy.codec_context.encode_subtitle(shown)
        made.pts = made.dts = packet.pts
        made.duration, made.time_base, made.stream = packet.duration, packet.time_base, copy
        yield made

    return copy, carry


class _Sound:
    """Converts sound; gaps are filled with silence, so that it stays with the pictures."""

    def __init__(self, stream: Any, copy: Any) -> None:
        self._stream, self._copy = stream, copy
        self._graph: Graph | None = None
        self._kind: tuple[Any, ...] = ()

    @classmethod
    def add(
        cls, codec: str, layout: av.AudioLayout, rate: int, container: OutputContainer, stream: Any
    ) -> tuple[Any, "_Sound"]:
        """Add a stream of `codec` to `container`."""
        copy: Any = container.add_stream(codec, rate=rate)
        copy.layout = layout
        copy.bit_rate = BITS[codec] * layout.nb_channels * rate // RATE
        return copy, cls(stream, copy)

    def __call__(self, packet: Any) -> Iterator[Any]:
        """Convert a packet."""
        for frame in packet.decode():
            yield from self._encoded(frame)

    def _encoded(self, frame: Any) -> Iterator[Any]:
        kind = (frame.sample_rate, frame.format.name, frame.layout.name)
        if kind != self._kind:  # broadcasts change from stereo to surround and back
            yield from self._pulled(last=True)
            self._kind, self._graph = kind, self._chain(frame)
        assert self._graph is not None
        self._graph.push(frame)
        yield from self._pulled(last=False)

    def _chain(self, frame: Any) -> Graph:
        context, graph = self._copy.codec_context, Graph()
        wanted = (
            f"sample_fmts={context.format.name}:sample_rates={context.sample_rate}"
            f":channel_layouts={context.layout.name}"
        )
        nodes = [
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout.name,
                time_base=frame.time_base,
            ),
            graph.add("aresample", "async=1"),
            graph.add("aformat", wanted),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph

    def _pulled(self, *, last: bool) -> Iterator[Any]:
        if self._graph is None:
            return
        if last:
            self._graph.push(None)
        while True:
            try:
                made = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            yield from self._copy.encode(made)

    def flush(self) -> Iterator[Any]:
        """Give all that is still held."""
        for frame in self._stream.decode(None):
            yield from self._encoded(frame)
        yield from self.drain()

    def drain(self) -> Iterator[Any]:
        """Give what the encoder and the filters still hold."""
        yield from self._pulled(last=True)
        yield from self._copy.encode(None)
