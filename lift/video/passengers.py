"""Sound and subtitles: copied as they are where the container takes them, sound converted where not."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream

from lift.video.file import VideoSource

Carrier = Callable[[Any], list[Any]]


class Passengers:
    """The output's streams beside the video.

    Attributes:
        warnings: What could not come along, and why.
    """

    def __init__(self, source: VideoSource, container: Any, *, wanted: bool) -> None:
        """Add streams to `container` for those of `source`; `wanted` False: none."""
        self.warnings: list[str] = []
        self._container, self._origin, self._clipped = container, source.origin, source.span.start > 0
        self._carriers: dict[int, Carrier] = {}
        self._converted: list[tuple[AudioStream, AudioStream]] = []
        for stream in source.others:
            if wanted:
                self._board(stream)
        if source.others and not wanted:
            self.warnings.append(
                "sound and subtitles are left out: they would not last as long as the slow motion"
            )

    def _board(self, stream: Any) -> None:
        try:
            copy = self._container.add_stream_from_template(stream)
            self._carriers[stream.index] = lambda packet: [self._copied(packet, copy)]
        except (ValueError, av.FFmpegError):
            if stream.type != "audio" or self._container.default_audio_codec in (None, "none"):
                name = stream.codec_context.name if stream.codec_context else "unknown"
                self.warnings.append(
                    f"{stream.type} ({name}) is left out: {self._container.format.name} takes none"
                )
                return
            copy = self._converter(stream)
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition

    def _converter(self, stream: AudioStream) -> AudioStream:
        codec = self._container.default_audio_codec
        codec = {"opus": "libopus", "vorbis": "libopus", "mp3": "libmp3lame"}.get(codec, codec)
        copy: AudioStream = self._container.add_stream(
            codec, rate=stream.rate if codec != "libopus" else 48000
        )
        copy.layout = stream.layout
        self.warnings.append(
            f"sound ({stream.codec_context.name}) is converted to {codec} for this container"
        )
        self._converted.append((stream, copy))
        self._carriers[stream.index] = lambda packet: list(self._recoded(packet, stream, copy))
        return copy

    def carry(self, packet: Any) -> list[Any]:
        """Turn an input's packet into packets of the output, none for a stream that stayed behind."""
        carrier = self._carriers.get(packet.stream.index)
        early = self._clipped and packet.pts is not None and packet.pts * packet.time_base < self._origin
        return [] if carrier is None or early else carrier(packet)

    def _copied(self, packet: Any, copy: Any) -> Any:
        shift = round(self._origin / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = copy
        return packet

    def _recoded(self, packet: Any, stream: AudioStream, copy: AudioStream) -> Iterator[Any]:
        for frame in packet.decode():
            if frame.pts is not None:
                frame.pts -= round(self._origin / frame.time_base)
            yield from copy.encode(frame)

    def flush(self) -> list[Any]:
        """Give what encoders still hold."""
        packets: list[Any] = []
        for stream, copy in self._converted:
            for frame in stream.decode(None):
                packets += copy.encode(frame)
            packets += copy.encode(None)
        return packets


def shifted(chapters: list[Any], origin: Fraction, factor: int) -> list[Any]:
    """Move chapters with the video: by where it starts, stretched by `factor`."""
    moved = []
    for chapter in chapters:
        shift = round(origin / chapter["time_base"])
        start, end = ((chapter[key] - shift) * factor for key in ("start", "end"))
        if end > 0:
            moved.append({**chapter, "start": max(0, start), "end": end})
    return moved
