"""What the output is to be like, how it is encoded, and what a reader finds of it."""

import contextlib
import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from lift.video import aspect
from lift.video.filters import palettized
from lift.video.hdr import Light
from lift.video.look import Look
from lift.video.media import decoder, rehearse, start
from lift.video.source import Format

PICTURES = 3  # of fewer, x265 leaves the times of decoding to chance
OF_STREAM = re.compile("alpha_mode|duration|encoder|bps|number_of|_statistics|rotate", re.IGNORECASE)
"""Metadata that tells how a stream was stored, which is not how ours is."""
CONSTANT = ("avi",)  # muxers that count frames and store neither times nor an order other than the shown one
os.environ.setdefault("SVT_LOG", "1")  # errors alone; SVT-AV1 takes it from nowhere else


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How the output is encoded."""

    muxer: str
    codec: str
    look: Look
    unit: Fraction
    """Seconds per tick of the encoder's clock."""
    options: dict[str, str]
    wish: Format
    warnings: tuple[str, ...] = ()
    """What a reader will not find."""

    def open(self, container: OutputContainer, metadata: dict[str, str]) -> VideoStream:
        """Add the stream to a container, with the metadata given.

        Raises:
            ValueError: The container does not take the codec.
        """
        wish = self.wish
        stream = cast(VideoStream, container.add_stream(self.codec, rate=wish.rate))
        context = stream.codec_context
        context.height, context.width = wish.size
        context.pix_fmt = self.look.format
        context.time_base, context.framerate = self.unit, wish.rate
        if self.muxer in CONSTANT:
            context.max_b_frames = 0
        context.color_range = self.look.range
        context.colorspace = self.look.matrix
        context.color_primaries = self.look.primaries
        context.color_trc = self.look.transfer
        context.sample_aspect_ratio = wish.aspect
        context.options = dict(self.options)
        context.flags |= Flags.frame_duration
        if wish.matrix is not None:
            stream.set_display_matrix(wish.matrix)
        if wish.chapters:
            container.set_chapters(wish.chapters)
        stream.metadata.update({key: text for key, text in metadata.items() if not OF_STREAM.match(key)})
        aspect.reserve(stream, self.muxer, wish.aspect)
        return stream


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a reader of the output finds."""

    look: Look
    aspect: Fraction
    light: Light
    chapters: int


def shifted(chapters: list[Any], origin: Fraction, length: Fraction | None, factor: int) -> list[Any]:
    """Move chapters with the video: by where it starts, cut where it ends, `factor` times as long."""
    moved = []
    for chapter in chapters:
        unit = chapter["time_base"]
        start, end = (chapter[key] * unit - origin for key in ("start", "end"))
        end = end if length is None else min(end, length)
        if end > max(start, 0):
            times = {"start": max(0, round(start / unit)), "end": round(end / unit)}
            moved.append({**chapter, **{key: ticks * factor for key, ticks in times.items()}})
    return moved


def _blank(size: tuple[int, int], form: str) -> av.VideoFrame:
    """Make a picture that shines through nearly everywhere, where its format has alpha."""
    black = np.zeros((*size, 4), np.uint8)
    black[0, 0] = 255
    picture = av.VideoFrame.from_ndarray(black, format="rgba")
    return palettized(picture) if form == "pal8" else picture.reformat(format=form)


def rehearsed(coding: Coding) -> Found | None:
    """Write a few pictures as `coding` says and read them back; None: something refuses."""
    wish = coding.wish

    def fill(container: OutputContainer) -> None:
        stream = coding.open(container, {})
        start(container)
        for number in range(PICTURES):
            tick = number * max(1, round(1 / wish.rate / coding.unit))
            picture = _blank(wish.size, coding.look.format)
            coding.look.tag(picture)
            picture.pts, picture.time_base = tick, coding.unit
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))

    container = rehearse(coding.muxer, fill, lambda file: aspect.store(file, coding.muxer, wish.aspect))
    if container is None:
        return None
    with container, contextlib.suppress(av.FFmpegError, IndexError):
        video = container.streams.video[0]
        context, first = decoder(video), None
        for packet in container.demux(video):
            first = next(iter(context.decode(packet)), None)
            if first is not None:
                return Found(
                    look=Look.of(first),
                    aspect=Fraction(video.sample_aspect_ratio or 1),
                    light=Light.of(first),
                    chapters=len(container.chapters()),
                )
    return None
