"""Which container, codec, pixel format and time base the output gets: tried out before any work is done."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.codec.codec import UnknownCodecError, find_best_pix_fmt_of_list
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.video import aspect
from lift.video.look import CONVERTIBLE, USUAL, Look
from lift.video.media import first_frame, palettized, rehearse, start
from lift.video.source import Format

CONTAINERS = {  # suffix: FFmpeg's muxer, default codec
    ".mp4": ("mp4", "libx264"),
    ".m4v": ("mp4", "libx264"),
    ".mov": ("mov", "libx264"),
    ".mkv": ("matroska", "libx264"),
    ".webm": ("webm", "libvpx-vp9"),
    ".avi": ("avi", "libx264"),
    ".ts": ("mpegts", "libx264"),
    ".gif": ("gif", "gif"),
}
TICKS = {"gif": 100, "matroska": 1000, "webm": 1000, "mpegts": 90_000}
"""Parts of a second that containers with a clock of their own count in."""
CONSTANT = ("avi",)  # muxers that count frames and store neither times nor an order other than the shown one
# Near lossless to the eye, since the input was compressed once already.
OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"crf": "16", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium", "x265-params": "log-level=error"},
    "libvpx-vp9": {"crf": "20", "b": "0", "row-mt": "1", "cpu-used": "3"},
    "libsvtav1": {"crf": "20", "preset": "7"},
    "mpeg4": {"qscale": "2"},
}
HIDING = {"auto-alt-ref": "0"}  # libvpx takes no alpha beside frames that are never shown
ALIASES = {"h264": "libx264", "h265": "libx265", "hevc": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
SMOOTHEST_GIF = 50  # frames per second; browsers slow a GIF of more down to 10
PICTURES = 3  # that are tried out: of fewer, x265 leaves the times of decoding to chance
OF_STREAM = re.compile("alpha_mode|duration|encoder|bps|number_of|_statistics|rotate", re.IGNORECASE)
"""Metadata that tells how a stream was stored, which is not how ours is."""
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

    def open(self, container: OutputContainer) -> VideoStream:
        """Add the stream to a container.

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
        context.color_range, context.colorspace = self.look.range, self.look.matrix
        context.color_primaries, context.color_trc = self.look.primaries, self.look.transfer
        context.sample_aspect_ratio = wish.aspect
        context.options = dict(self.options)
        context.flags |= Flags.frame_duration
        if wish.matrix is not None:
            stream.set_display_matrix(wish.matrix)
        if wish.chapters:
            container.set_chapters(wish.chapters)
        container.metadata.update(wish.metadata)
        named = {key: text for key, text in wish.stream_metadata.items() if not OF_STREAM.match(key)}
        stream.metadata.update(named)
        aspect.reserve(stream, self.muxer, wish.aspect)
        return stream

    def rehearsed(self) -> Format | None:
        """Write a few pictures and return what a reader finds; None: something refuses."""
        ratio = self.wish.aspect
        container = rehearse(self.muxer, self._fill, lambda file: aspect.store(file, self.muxer, ratio))
        if container is None:
            return None
        with container, contextlib.suppress(av.FFmpegError, IndexError):
            video = container.streams.video[0]
            return Format.of(container, video, first_frame(container, video))
        return None

    def _fill(self, container: OutputContainer) -> None:
        stream = self.open(container)
        start(container)
        black = np.zeros((*self.wish.size, 4), np.uint8)  # shines through nearly everywhere
        black[0, 0] = 255
        for number in range(PICTURES):
            picture = av.VideoFrame.from_ndarray(black, format="rgba")
            form = self.look.format
            picture = palettized(picture) if form == "pal8" else picture.reformat(format=form)
            self.look.tag(picture)
            picture.pts = number * max(1, round(1 / self.wish.rate / self.unit))
            picture.time_base = self.unit
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def container_of(path: Path) -> tuple[str, str]:
    """Return muxer and default codec by the file's suffix.

    Raises:
        UserError: The suffix is not known.
    """
    known = CONTAINERS.get(path.suffix.lower())
    if known is None:
        raise UserError(
            f"{path}: no known kind of video ({', '.join(CONTAINERS)}); without a suffix: a folder of "
            f"pictures"
        )
    return known


def choose_coding(path: Path, codec: str | None, wish: Format) -> Coding:
    """Find a coding that the encoder and the container take, as near to the input's as there is.

    Pixel formats are tried from the input's own on (an odd size needs one without shared colour samples in
    most codecs), and the exact clock before a coarser one. Each is tried out: a few pictures are written to
    memory and read back. Where a reader finds another matrix or range than meant, since codec or container
    has no place for it, pixels are converted to what it finds. `codec` is FFmpeg's name of an encoder, or
    h264, h265, vp9, av1; None: the container's default.

    Raises:
        UserError: There is no such encoder, it does not fit the container, or it takes no such frames.
    """
    muxer, default = container_of(path)
    name = ALIASES.get(codec or default, codec or default)
    try:
        encoder = av.Codec(name, "w")
    except UnknownCodecError as error:
        raise UserError(
            f"--codec {name}: FFmpeg has no such encoder here; try h264, h265, vp9, av1 or ffv1 (lossless)"
        ) from error
    if encoder.type != "video":
        raise UserError(f"--codec {name}: not a video codec but {encoder.type}")
    for coding in _candidates(muxer, encoder, wish):
        seen = coding.rehearsed()
        if seen is not None and seen.look.conversion != coding.look.conversion and not seen.look.rgb:
            look = replace(coding.look, matrix=seen.look.matrix, range=seen.look.range)
            coding = replace(coding, look=look)
            seen = coding.rehearsed()
        if seen is None or (wish.transparent and not seen.look.alpha):
            continue
        if coding.look.rgb and not wish.look.matrixless and wish.look.matrix not in CONVERTIBLE:
            raise UserError(
                f"the input stores colours by matrix {wish.look.matrix} of ITU-T H.273, which cannot be "
                f"turned into RGB here; take a codec that keeps them, such as h265 or ffv1"
            )
        warnings = list(losses(wish, seen, f"{coding.codec} in {muxer}"))
        if coding.codec == "gif" and wish.rate > SMOOTHEST_GIF:
            slow = f"browsers show a GIF of more than {SMOOTHEST_GIF} frames per second at 10"
            warnings.append(f"{slow}; this one will have {float(wish.rate):g}")
        return replace(coding, warnings=tuple(warnings))
    raise _refusal(path, muxer, encoder, wish)


def _candidates(muxer: str, encoder: av.Codec, wish: Format) -> Iterator[Coding]:
    name, options = encoder.name, OPTIONS.get(encoder.name, {})
    light = wish.light.options(name)
    joined = {key: ":".join(filter(None, (options.get(key), value))) for key, value in light.items()}
    frame, tick = 1 / wish.rate, Fraction(muxer in TICKS, TICKS.get(muxer, 1))
    units = (frame,) if muxer in CONSTANT else (max(wish.unit, tick), max(frame, tick))
    for form in _formats(wish.look, encoder):
        look = wish.look.stored_as(form)
        special = HIDING if look.alpha and name.startswith("libvpx") else {}
        for unit in dict.fromkeys(unit for unit in units if unit <= frame):
            own = {**options, **joined, **special}
            yield Coding(muxer=muxer, codec=name, look=look, unit=unit, options=own, wish=wish)


def _formats(look: Look, encoder: av.Codec) -> list[str]:
    """Order an encoder's pixel formats by nearness to the input's.

    RGB and gray become YUV where the codec is lossy, with colours at half the resolution: the one kind that
    all players show.
    """
    wanted, offered = look.format, [option.name for option in encoder.video_formats or []]
    if encoder.lossy and look.matrixless:
        wanted = ("yuva420p" if look.alpha else "yuv420p") + ("10le" if look.deep else "")
    left = ["pal8"] if encoder.name == "gif" else offered or [wanted]
    order = [wanted] if wanted in left else []
    while left := [name for name in left if name not in order]:
        best, _ = find_best_pix_fmt_of_list(left, wanted, has_alpha=look.alpha)
        if best is None:
            break
        order.append(best.name)
    return order


def losses(wish: Format, seen: Format, name: str) -> Iterator[str]:
    """Yield what a reader of `name` does not find of what was wished for, one line each."""
    look, there = wish.look, seen.look
    if abs(seen.aspect / wish.aspect - 1) > Fraction(1, 50):  # GIF and MPEG-2 store it coarsely
        yield f"pixels of {wish.aspect} become square in {name}; the picture will look squeezed"
    if look.bits > there.bits:
        yield f"{look.bits} bits a colour become {there.bits}: {name} stores no more"
    if there.coarseness > look.coarseness and not look.gray:
        yield f"colours are stored at a lower resolution ({there.format} for {look.format}): {name}"
    given, got = wish.light, seen.light
    light = ["the mastering display's light (HDR10)"] * (bool(given.display) and not got.display)
    light += ["the pictures' light levels (HDR10)"] * (bool(given.content) and not got.content)
    light += sorted(given.dynamic)
    if light:
        yield f"{', '.join(light)} left out: {name} takes none"
    if look.primaries not in USUAL and (look.primaries, look.transfer) != (there.primaries, there.transfer):
        meant = f"primaries {look.primaries}, transfer {look.transfer} of ITU-T H.273"
        yield f"how its colours are meant ({meant}) is left out: {name}"
    if wish.chapters and not seen.chapters:
        yield f"{len(wish.chapters)} chapters are left out: {name} takes none"


def _refusal(path: Path, muxer: str, encoder: av.Codec, wish: Format) -> UserError:
    """Return why no coding was accepted: the first thing without which one would have been."""
    name = encoder.name

    def taken(other: Format) -> bool:
        return any(coding.rehearsed() is not None for coding in _candidates(muxer, encoder, other))

    if wish.transparent and taken(wish):
        return UserError(
            f"{path}: the input is transparent, and {name} in {muxer} is not; take .webm, .gif, .mov with "
            f"--codec prores_ks or png, .mkv with --codec ffv1, or a folder of pictures"
        )
    slow = replace(wish, rate=Fraction(25), unit=Fraction(1, 25))
    if taken(slow):
        return UserError(
            f"{path}: {float(wish.rate):g} frames per second are more than {name} in {muxer} takes; give a "
            f"lower --factor or --fps, or another container"
        )
    if not taken(replace(slow, size=(64, 64))):
        return UserError(f"--codec {name}: does not fit into {muxer}; try an .mkv file")
    return UserError(
        f"--codec {name}: the encoder takes no frames of {wish.size[1]} x {wish.size[0]} pixels like the "
        f"input's ({wish.look.format}); try --codec ffv1 with an .mkv file"
    )
