"""Which container, codec, pixel format and time base the output gets."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.codec.codec import UnknownCodecError, find_best_pix_fmt_of_list
from av.video.codeccontext import VideoCodecContext

from lift.errors import UserError
from lift.video.colour import Look

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
OPTIONS: dict[
    str, dict[str, str]
] = {  # near lossless to the eye, since the input was compressed once already
    "libx264": {"crf": "16", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium", "x265-params": "log-level=error"},
    "libvpx-vp9": {"crf": "20", "b": "0", "row-mt": "1", "cpu-used": "3"},
    "libsvtav1": {"crf": "20", "preset": "7"},
    "mpeg4": {"qscale": "2"},
}
CONSTANT = ("avi",)  # muxers that count frames and store neither times nor an order other than the shown one
ALIASES = {"h264": "libx264", "h265": "libx265", "hevc": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How the output is encoded."""

    muxer: str
    codec: str
    look: Look
    unit: Fraction
    """Seconds per tick of the encoder's clock."""
    options: dict[str, str]


def container_of(path: Path) -> tuple[str, str]:
    """Give muxer and default codec by the file's suffix.

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


def choose_coding(
    path: Path, codec: str | None, look: Look, size: tuple[int, int], unit: Fraction, rate: Fraction
) -> Coding:
    """Find a coding that the encoder opens, as near to the input's as there is.

    Pixel formats are tried from the input's own on (an odd size needs one without shared colour samples in
    most codecs), and the exact clock before one that counts frames.

    Args:
        path: The output.
        codec: FFmpeg's name of an encoder, or h264, h265, vp9, av1; None: the container's default.
        look: The input's.
        size: (H, W).
        unit: Seconds of which all times are multiples.
        rate: Mean frame rate of the output.

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
    formats = [option.name for option in encoder.video_formats or []]
    for candidate in _formats(look.format, formats):
        for tick in (1 / rate,) if muxer in CONSTANT else dict.fromkeys((unit, 1 / rate)):
            coding = Coding(
                muxer=muxer,
                codec=name,
                look=replace(look, format=candidate),
                unit=tick,
                options=OPTIONS.get(name, {}),
            )
            if _opens(coding, size, rate):
                return coding
    raise UserError(
        f"--codec {name}: the encoder takes no frames of {size[1]} x {size[0]} pixels like the input's "
        f"({look.format}); try --codec ffv1 with an .mkv file"
    )


def _formats(wanted: str, offered: list[str]) -> list[str]:
    """Order pixel formats by nearness to `wanted`."""
    left, order = list(offered) or [wanted], [wanted] if wanted in offered or not offered else []
    left = [name for name in left if name not in order]
    while left:
        best, _ = find_best_pix_fmt_of_list(left, wanted)
        if best is None:
            break
        order.append(best.name)
        left.remove(best.name)
    return order


def _opens(coding: Coding, size: tuple[int, int], rate: Fraction) -> bool:
    context = av.CodecContext.create(coding.codec, "w")
    assert isinstance(context, VideoCodecContext)
    set_up(context, coding, size, rate)
    try:
        context.open()
    except (av.FFmpegError, ValueError, OverflowError):
        return False
    return True


def set_up(context: VideoCodecContext, coding: Coding, size: tuple[int, int], rate: Fraction) -> None:
    """Give an encoder its parameters, before it is opened."""
    context.height, context.width = size
    context.pix_fmt = coding.look.format
    context.time_base, context.framerate = coding.unit, rate
    if coding.muxer in CONSTANT:
        context.max_b_frames = 0
    context.color_range = coding.look.range
    context.colorspace = coding.look.matrix
    context.color_primaries = coding.look.primaries
    context.color_trc = coding.look.transfer
    context.options = dict(coding.options)
