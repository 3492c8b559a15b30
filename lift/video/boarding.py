"""How a stream beside the video gets into an output, copied or converted; tried out before work begins."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import av
from av.container import InputContainer, OutputContainer

from lift.video.filters import Chain
from lift.video.media import rehearse

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
Maker = Callable[[Any, Any], tuple[Any, Carrier]]
"""Adds a stream to an output for one of the input; gives it, and what turns packets into its packets."""


def first_packets(container: InputContainer, streams: list[Any]) -> dict[int, list[Any]]:
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


def name_of(stream: Any) -> str:
    """Return the name of a stream's codec, the same for all its encoders and decoders."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    return str(getattr(stream, "name", None) or "unknown codec")


def makers(muxer: str, stream: Any) -> Iterator[tuple[Maker, str]]:
    """Yield ways of taking a stream along, the best first, each with what the user is told of it."""
    yield _copy, ""
    context, name = stream.codec_context, name_of(stream)
    if context is None:
        return
    if stream.type == "audio":
        for codec in SOUND.get(muxer, ()):
            for layout, rate in _sounds(codec, context):
                fewer = "" if layout.nb_channels == context.layout.nb_channels else f", {layout.name}"
                warning = f"sound ({name}) is converted to {codec}{fewer}: {muxer} takes no copy"
                yield partial(Sound.add, codec, layout, rate), warning
    if stream.type == "subtitle" and context.codec.text_sub and muxer in TEXT:
        codec = TEXT[muxer]
        yield partial(_text, codec), f"subtitles ({name}) are converted to {codec}: {muxer} takes no copy"


def _sounds(codec: str, context: Any) -> Iterator[tuple[av.AudioLayout, int]]:
    """Yield channel layouts and sample rates for a conversion, the input's own first."""
    known = av.Codec(codec, "w").audio_rates or []
    rates = [context.sample_rate] if not known or context.sample_rate in known else []
    layouts = [context.layout]
    layouts += [
        layout for name in LAYOUTS if (layout := av.AudioLayout(name)).nb_channels == context.channels
    ]
    for layout in (*layouts, av.AudioLayout("stereo")):
        for rate in (*rates, RATE):
            yield layout, rate


def arrives(muxer: str, maker: Maker, stream: Any, samples: list[Any]) -> bool:
    """Return whether a reader of the output finds the stream, with something in it that it can decode."""
    wanted: list[str] = []

    def fill(container: OutputContainer) -> None:
        copy, carrier = maker(container, stream)
        wanted.append(name_of(copy))
        container.start_encoding()
        for packet in samples or [_stand_in(stream)]:
            for carried in carrier(_twin(packet)):
                container.mux(carried)
        if isinstance(carrier, Sound):
            container.mux(list(carrier.drain()))

    made = rehearse(muxer, fill)
    if made is None:
        return False
    with made:
        there = [s for s in made.streams if s.type == stream.type and name_of(s) == wanted[0]]
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


class Sound:
    """Converts sound; gaps are filled with silence, so that it stays with the pictures."""

    def __init__(self, stream: Any, copy: Any) -> None:
        self._stream, self._copy = stream, copy
        self._chain: Chain | None = None
        self._kind: tuple[Any, ...] = ()

    @classmethod
    def add(
        cls, codec: str, layout: av.AudioLayout, rate: int, container: OutputContainer, stream: Any
    ) -> tuple[Any, "Sound"]:
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
            yield from self._through(None)
            self._kind, context = kind, self._copy.codec_context
            wanted = (
                f"sample_fmts={context.format.name}:sample_rates={context.sample_rate}"
                f":channel_layouts={context.layout.name}"
            )
            self._chain = Chain(frame, frame.time_base, [("aresample", "async=1"), ("aformat", wanted)])
        yield from self._through(frame)

    def _through(self, frame: Any) -> Iterator[Any]:
        for made in () if self._chain is None else self._chain.push(frame):
            yield from self._copy.encode(made)

    def flush(self) -> Iterator[Any]:
        """Yield all that is still held."""
        for frame in self._stream.decode(None):
            yield from self._encoded(frame)
        yield from self.drain()

    def drain(self) -> Iterator[Any]:
        """Yield what the encoder and the filters still hold."""
        yield from self._through(None)
        yield from self._copy.encode(None)
