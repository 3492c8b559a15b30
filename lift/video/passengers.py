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
from av.stream import Discard, Disposition

from lift.video.file import VideoSource
from lift.video.media import Chain, packets, read, rehearse, time_of, why

KINDS = ("audio", "subtitle", "data")
LAG = 10  # seconds that a stream may lie behind the others in a file; FFmpeg's muxers let them
COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
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
TRIED, SEARCHED = 8, 4000  # packets of a stream that are tried out, and read at most to find them
Carrier = Callable[[Any], Iterable[Any]]
"""Turns a packet of the input into those of the output; None: into what is still held."""
Maker = Callable[[Any, Any], tuple[Any, Carrier]]
"""Adds a stream to an output for one of the input; gives it, and its carrier."""


class Passengers:
    """The output's streams beside the video.

    Attributes:
        warnings: What could not come along as it was, and why.
        trouble: What of it was damaged on the way; None: nothing.
    """

    def __init__(self, source: VideoSource, container: OutputContainer, *, wanted: bool) -> None:
        """Add streams to `container` for those of `source`; `wanted` False: none that have a clock."""
        self.warnings: list[str] = []
        self.trouble: str | None = None
        self._source, self._container, self._muxer = source, container, container.format.name
        self._input = read(source.path)
        self._carriers: dict[int, Carrier] = {}
        self._last: dict[int, int] = {}  # decoding time of a stream's last packet, in its unit
        self._covers: list[Any] = []
        streams = [  # chapters of MP4 are told apart
            stream for stream in self._input.streams if stream.type in KINDS and stream.discard != Discard.all
        ]
        left = list(self._board(streams)) if wanted and streams else []
        if streams and not wanted:
            self.warnings.append(
                "sound and subtitles are left out: they would not last as long as the slow motion"
            )
        for what, number in Counter([*left, *self._attach()]).items():
            several = f" ({number} of them)" if number > 1 else ""
            self.warnings.append(f"{what}{several} is left out: {self._muxer} takes none")
        self._queue: list[tuple[Fraction, int, Any]] = []
        self._order = count()
        start = max(source.begin, source.origin - LAG) if source.span.start else None
        self._packets = packets(source.path, [*self._carriers, source.index], start)
        self._furthest = Fraction(0)  # time of the output up to which packets were read, seconds
        self._ended = not self._carriers

    def _board(self, streams: list[Any]) -> Iterator[str]:
        """Take streams along that have a clock; yield what could not come."""
        with read(self._source.path) as trial:
            samples = _first_packets(trial, streams)
            for stream in streams:
                name = _name_of(stream)
                if (name, self._muxer) == ("tmcd", "mov"):
                    continue  # made anew of the video's "timecode"
                what = f"{'sound' if stream.type == 'audio' else stream.type} ({name})"
                for maker, other in _makers(self._muxer, stream):
                    if _arrives(self._muxer, maker, trial.streams[stream.index], samples[stream.index]):
                        copy, self._carriers[stream.index] = maker(self._container, stream)
                        copy.metadata.update(stream.metadata)
                        copy.disposition = stream.disposition
                        if other:
                            converted = f"{what} is converted to {other}: {self._muxer} takes no copy"
                            self.warnings.append(converted)
                        break
                else:
                    yield what

    def _attach(self) -> Iterator[str]:
        """Take fonts and cover art along where there is a place for them; yield what could not come."""
        stream: Any
        for stream in self._input.streams:
            if stream.type == "attachment" and self._muxer == "matroska":
                kind = stream.mimetype or "application/octet-stream"
                self._container.add_attachment(stream.name or "file", kind, stream.data)
            elif stream.type == "attachment":
                yield f"the attached file {stream.name}"
            elif stream.disposition & Disposition.attached_pic and not self._cover(stream):
                yield "cover art"

    def _cover(self, stream: Any) -> bool:
        name, kind = COVERS.get(_name_of(stream), ("", ""))
        with read(self._source.path) as container:
            picture = bytes(next(container.demux(container.streams[stream.index])))
        if not name or not picture or self._muxer not in ("matroska", "mp4"):
            return False
        if self._muxer == "matroska":
            given = stream.metadata
            self._container.add_attachment(given.get("filename", name), given.get("mimetype", kind), picture)
            return True
        copy = self._container.add_stream_from_template(stream, opaque=True)
        copy.disposition = Disposition.attached_pic
        self._covers.append(_packet(picture, copy, Fraction(1, 90_000), 0))
        return True

    def until(self, time: Fraction | None, *, last: bool = False) -> Iterator[Any]:
        """Yield the packets up to a time of the output, seconds; None: all that there are.

        `last`: and what carriers still hold.
        """
        yield from self._covers
        self._covers = []
        while not self._ended and (time is None or self._furthest < time + LAG):
            self._advance()
        while self._queue and (time is None or self._queue[0][0] <= time):
            yield from self._carried(heapq.heappop(self._queue)[2])
        for carrier in self._carriers.values() if last else ():
            yield from carrier(None)

    def _advance(self) -> None:
        packet, length = None, self._source.length
        with contextlib.suppress(av.FFmpegError):  # the video's reader says what is wrong with the file
            packet = next(self._packets, None)
        if packet is None or (length is not None and self._furthest >= length + LAG):
            self._ended = True
            return
        stamp = time_of(packet)
        time = self._furthest if stamp is None else stamp - self._source.origin
        self._furthest = max(self._furthest, time)
        packet.stream = self._input.streams[packet.stream.index]  # whose file stays open
        if packet.stream.index in self._carriers and packet.size and self._within(packet, time):
            heapq.heappush(self._queue, (time, next(self._order), packet))

    def _within(self, packet: Any, time: Fraction) -> bool:
        """Clip to the span; a text that is on the screen when it begins stays on it."""
        if self._source.length is not None and time >= self._source.length:
            return False
        if time >= 0 or not self._source.span.start:
            return True
        over = time + (packet.duration or 0) * packet.time_base
        if packet.stream.type != "subtitle" or over <= 0:
            return False
        packet.duration = int(over / packet.time_base)
        packet.pts = packet.dts = round(self._source.origin / packet.time_base)
        return True

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

    def close(self) -> None:
        """Close the reader."""
        self._input.close()
        self._packets.close()


def _first_packets(container: InputContainer, streams: list[Any]) -> dict[int, list[Any]]:
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


def _name_of(stream: Any) -> str:
    """Return the name of a stream's codec, the same for all its encoders and decoders."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    return str(getattr(stream, "name", None) or "unknown codec")


def _makers(muxer: str, stream: Any) -> Iterator[tuple[Maker, str]]:
    """Yield ways of taking a stream along, the best first, each with what becomes of it; nothing: a copy."""
    yield _copy, ""
    context = stream.codec_context
    if stream.type == "audio" and context is not None:
        for codec in SOUND.get(muxer, ()):
            for layout, rate in _sounds(codec, context):
                fewer = "" if layout.nb_channels == context.layout.nb_channels else f", {layout.name}"
                yield partial(_sound, codec, layout, rate), f"{codec}{fewer}"
    if stream.type == "subtitle" and context is not None and context.codec.text_sub and muxer in TEXT:
        yield partial(_text, TEXT[muxer]), TEXT[muxer]


def _sounds(codec: str, context: Any) -> Iterator[tuple[av.AudioLayout, int]]:
    """Yield channel layouts and sample rates for a conversion, the input's own first."""
    known = av.Codec(codec, "w").audio_rates or []
    rates = [context.sample_rate] if not known or context.sample_rate in known else []
    alike = [layout for layout in map(av.AudioLayout, LAYOUTS) if layout.nb_channels == context.channels]
    for layout in (context.layout, *alike, av.AudioLayout("stereo")):
        for rate in (*rates, RATE):
            yield layout, rate


def _arrives(muxer: str, maker: Maker, stream: Any, samples: list[Any]) -> bool:
    """Return whether a reader of the output finds the stream, with something in it that it can decode."""
    wanted = ""

    def fill(container: OutputContainer) -> None:
        nonlocal wanted
        copy, carrier = maker(container, stream)
        wanted = _name_of(copy)
        container.start_encoding()
        late = _packet(b"\0\1-", stream, stream.time_base, 0)  # stands in for a text that comes later
        late.duration = 1
        for packet in samples or [late]:
            container.mux(list(carrier(_twin(packet))))
        container.mux(list(carrier(None)))

    made = rehearse(muxer, fill)
    if made is None:
        return False
    with made:
        there = [s for s in made.streams if s.type == stream.type and _name_of(s) == wanted]
        if not there or stream.type != "audio" or not samples:
            return bool(there)
        with contextlib.suppress(av.FFmpegError):
            return any(packet.decode() for packet in made.demux(there[0]))
    return False


def _packet(data: bytes, stream: Any, unit: Fraction, time: int | None) -> Any:
    packet = av.Packet(data)
    packet.pts = packet.dts = time
    packet.time_base, packet.stream, packet.is_keyframe = unit, stream, True
    return packet


def _twin(packet: Any) -> Any:
    """Copy a packet, since writing it changes it."""
    twin = _packet(bytes(packet), packet.stream, packet.time_base, packet.dts)
    twin.pts, twin.duration, twin.is_keyframe = packet.pts, packet.duration, packet.is_keyframe
    return twin


def _copy(container: OutputContainer, stream: Any) -> tuple[Any, Carrier]:
    copy = container.add_stream_from_template(stream)

    def carry(packet: Any) -> Iterator[Any]:
        if packet is not None:
            packet.stream = copy
            yield packet

    return copy, carry


def _text(codec: str, container: OutputContainer, stream: Any) -> tuple[Any, Carrier]:
    """Convert subtitles that are text: by way of ASS, as FFmpeg does."""
    copy: Any = container.add_stream(codec)
    reader = stream.codec_context
    reader.open(strict=False)
    copy.codec_context.subtitle_header = reader.subtitle_header
    copy.codec_context.time_base = copy.time_base = Fraction(1, 1000)

    def carry(packet: Any) -> Iterator[Any]:
        shown = None if packet is None else reader.decode2(packet)
        if shown is None or not len(shown):
            return
        made = copy.codec_context.encode_subtitle(shown)
        made.pts = made.dts = packet.pts
        made.duration, made.time_base, made.stream = packet.duration, packet.time_base, copy
        yield made

    return copy, carry


def _sound(
    codec: str, layout: av.AudioLayout, rate: int, container: OutputContainer, stream: Any
) -> tuple[Any, Carrier]:
    """Convert sound; gaps are filled with silence, so that it stays with the pictures."""
    copy: Any = container.add_stream(codec, rate=rate)
    copy.layout, copy.bit_rate = layout, BITS[codec] * layout.nb_channels * rate // RATE
    filters: Chain | None = None
    kind: tuple[Any, ...] = ()

    def filtered(frame: Any) -> Iterator[Any]:
        for made in () if filters is None else filters.push(frame):
            yield from copy.encode(made)

    def carry(packet: Any) -> Iterator[Any]:
        nonlocal filters, kind
        for frame in stream.decode(packet):
            new = (frame.sample_rate, frame.format.name, frame.layout.name)
            if new != kind:  # broadcasts change from stereo to surround and back
                yield from filtered(None)
                kind, context = new, copy.codec_context
                wanted = (
                    f"sample_fmts={context.format.name}:sample_rates={context.sample_rate}"
                    f":channel_layouts={context.layout.name}"
                )
                filters = Chain(frame, frame.time_base, [("aresample", "async=1"), ("aformat", wanted)])
            yield from filtered(frame)
        if packet is None:
            yield from filtered(None)
            yield from copy.encode(None)
            stream.codec_context.flush_buffers()  # so that another conversion can be tried out

    return copy, carry
