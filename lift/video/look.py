"""How a video stores its pixels and its light; decoded frames <-> RGB arrays by the frame's matrix and range.

What a file does not tell is assumed the same both ways: a frame that goes to RGB and back stays as it was but
for rounding. Where another pixel format needs another matrix or range, pixels are converted to it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from lift.video.frame import Image
from lift.video.media import side_data_of

EXACT = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
MATRICES = {  # FFmpeg's AVColorSpace (ITU-T H.273, table 4) to the matrix of the conversion
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
# BT.709 is meant from this width, or above this height, where a file does not say (mpv).
WIDE, TALL = 1280, 576
RGB, BT709, UNSPECIFIED, SMPTE170M = 0, 1, 2, 6  # matrices
CONVERTIBLE = {*MATRICES, RGB, UNSPECIFIED}
LIMITED, FULL = 1, 2  # ranges
SRGB = 13  # transfer
USUAL = {1, 2, 5, 6, 7}  # primaries (ITU-T H.273) that a player takes for granted by a picture's size

CHROMATICITY, LUMINANCE = 50_000, 10_000  # units per 1 and per cd/m² in which encoders count (ST 2086)
DYNAMIC = {  # what changes from picture to picture, which no encoder here takes
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}
PARAMETERS = {  # encoder: what takes parameters, of the display, of the content
    "libx264": ("x264-params", "mastering-display", "cll"),
    "libx265": ("x265-params", "master-display", "max-cll"),
    "libsvtav1": ("svtav1-params", "mastering-display", "content-light"),
}


@dataclass(frozen=True, kw_only=True)
class Light:
    """What HDR10 tells of a video's light; empty: nothing.

    Encoders that write it into their stream take it as parameters: PyAV reaches no other place for it.
    """

    display: tuple[Fraction, ...] = ()
    """x and y of red, green, blue and white, then least and most luminance, cd/m²."""
    content: tuple[int, ...] = ()
    """Most light of a pixel, and of a picture's mean, cd/m²."""
    dynamic: frozenset[str] = frozenset()
    """Names of what is stored for each picture."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Light":
        """Return what a frame tells of it."""
        there = side_data_of(frame)
        numbers = np.frombuffer(there.get("MASTERING_DISPLAY_METADATA", b""), np.int32)
        whole = len(numbers) and numbers[20] and numbers[21]  # primaries and luminance are both there
        content = np.frombuffer(there.get("CONTENT_LIGHT_LEVEL", b""), np.uint32)
        return cls(
            display=tuple(Fraction(int(n), int(d) or 1) for n, d in numbers[:20].reshape(-1, 2) if whole),
            content=tuple(int(number) for number in content[:2]),
            dynamic=frozenset(DYNAMIC[name] for name in there if name in DYNAMIC),
        )

    def options(self, codec: str) -> dict[str, str]:
        """Return an encoder's parameters that store it, none for an encoder that cannot."""
        if codec not in PARAMETERS:
            return {}
        key, display, content = PARAMETERS[codec]
        told = {display: self._display(codec), content: ",".join(map(str, self.content))}
        parts = [f"{name}={text}" for name, text in told.items() if text]
        return {key: ":".join(parts)} if parts else {}

    def _display(self, codec: str) -> str:
        if not self.display:
            return ""
        if codec == "libsvtav1":  # which takes numbers as they are
            shown = [f"{float(value):.5f}" for value in self.display]
        else:
            units = [CHROMATICITY] * 8 + [LUMINANCE] * 2
            shown = [str(round(value * unit)) for value, unit in zip(self.display, units, strict=True)]
        red, green, blue, white = (f"({shown[k]},{shown[k + 1]})" for k in (0, 2, 4, 6))
        return f"G{green}B{blue}R{red}WP{white}L({shown[9]},{shown[8]})"


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a video stores its pixels; numbers as in ITU-T H.273."""

    format: str
    """FFmpeg's name of the pixel format."""
    matrix: int
    range: int
    """0 unspecified, 1 limited, 2 full."""
    primaries: int
    transfer: int
    high: bool
    """Whether the video is of high definition."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Look":
        """Read a frame's."""
        look = cls(
            format=frame.format.name,
            matrix=frame.colorspace,
            range=frame.color_range,
            primaries=frame.color_primaries,
            transfer=frame.color_trc,
            high=frame.width >= WIDE or frame.height > TALL,
        )
        return look.stored_as(look.format)

    @classmethod
    def of_image(cls, image: Image, *, deep: bool = False) -> "Look":
        """Return that of an array [H, W, 3 or 4], of 16 bits or to become so: RGB, as sRGB has it."""
        return cls(
            format=_kind(deep=deep or image.dtype == np.uint16, alpha=image.shape[2] == 4),
            matrix=RGB,
            range=FULL,
            primaries=BT709,
            transfer=SRGB,
            high=image.shape[1] >= WIDE or image.shape[0] > TALL,
        )

    def stored_as(self, form: str) -> "Look":
        """Return how the same pictures are described in another pixel format.

        RGB has no matrix and the full range, and so has FFmpeg's gray; what was either gets the matrix of its
        size and the limited range in YUV, which is what most players take for granted.
        """
        other = replace(self, format=form)
        if other.rgb:
            return replace(other, matrix=RGB, range=FULL)
        if other.gray or form.startswith("yuvj"):
            return replace(other, range=FULL)
        if self.matrixless or self.matrix == RGB:
            return replace(other, matrix=BT709 if self.high else SMPTE170M, range=LIMITED)
        return other

    @property
    def deep(self) -> bool:
        """Whether a colour has more than 8 bits."""
        return self.bits > 8

    @property
    def bits(self) -> int:
        """Bits of the deepest part of a pixel."""
        return max((part.bits for part in self._parts), default=8)

    @property
    def rgb(self) -> bool:
        """Whether pixels are RGB, or colours of a palette."""
        form = av.VideoFormat(self.format)
        return form.is_rgb or form.has_palette

    @property
    def gray(self) -> bool:
        """Whether there is no colour."""
        return not self.rgb and len([part for part in self._parts if not part.is_alpha]) == 1

    @property
    def matrixless(self) -> bool:
        """Whether pixels are RGB or gray, which have no matrix of their own."""
        return self.rgb or self.gray

    @property
    def alpha(self) -> bool:
        """Whether pixels may be transparent."""
        return self.format == "pal8" or any(part.is_alpha for part in self._parts)

    @property
    def coarseness(self) -> int:
        """How many pixels share a colour."""
        if self.matrixless:
            return 1
        form = av.VideoFormat(self.format, 64, 64)
        return 64 * 64 // (form.chroma_width() * form.chroma_height())

    @property
    def _parts(self) -> tuple[av.video.format.VideoFormatComponent, ...]:
        return av.VideoFormat(self.format).components

    @property
    def conversion(self) -> tuple[Colorspace, ColorRange]:
        """Matrix and range that a reader goes by."""
        fallback = Colorspace.ITU709 if self.high else Colorspace.ITU601
        return MATRICES.get(self.matrix, fallback), ColorRange.JPEG if self.range == FULL else ColorRange.MPEG

    def to_rgb(self, frame: av.VideoFrame) -> Image:
        """Convert a frame of this look to RGB [H, W, 3], uint8, or uint16 where it is deep.

        With alpha it is [H, W, 4], and colours are premultiplied: what is not seen does not count.
        """
        pixels = self.unmixed(frame)
        return premultiplied(pixels) if self.alpha else pixels

    def unmixed(self, frame: av.VideoFrame) -> Image:
        """Convert a frame to RGB or RGBA as it is stored in pictures: colours do not depend on alpha."""
        rgb = self.convert(frame, self.stored_as(_kind(deep=self.deep, alpha=self.alpha)))
        return rgb.to_ndarray()  # type: ignore[return-value] # one of the two types by the format

    def from_rgb(self, image: Image) -> av.VideoFrame:
        """Convert RGB [H, W, 3], or premultiplied RGBA [H, W, 4], 8 or 16 bits, to a frame of this look."""
        mixed = self.alpha and image.shape[2] == 4
        pixels: Any = np.ascontiguousarray(straight(image) if mixed else image[..., :3])
        look = Look.of_image(pixels)
        return look.convert(av.VideoFrame.from_ndarray(pixels, format=look.format), self)

    def tag(self, frame: av.VideoFrame) -> None:
        """Set on a frame how it is stored: some encoders go by their frames."""
        frame.colorspace, frame.color_range = self.matrix, self.range
        frame.color_primaries, frame.color_trc = self.primaries, self.transfer

    def convert(self, frame: av.VideoFrame, other: "Look") -> av.VideoFrame:
        """Convert a frame of this look to another; the frame itself where they store alike."""
        (matrix, span), (other_matrix, other_span) = self.conversion, other.conversion
        if self.matrixless:
            matrix = other_matrix
        elif other.matrixless:
            other_matrix = matrix
        if other.format == self.format and (self.rgb or (matrix, span) == (other_matrix, other_span)):
            return frame
        return frame.reformat(
            format=other.format,
            src_colorspace=matrix,
            dst_colorspace=other_matrix,
            src_color_range=span,
            dst_color_range=other_span,
            interpolation=EXACT,
        )


def _kind(*, deep: bool, alpha: bool) -> str:
    """Name the format of pictures in memory."""
    if alpha:
        return "rgba64le" if deep else "rgba"
    return "rgb48le" if deep else "rgb24"


def premultiplied(pixels: Image) -> Image:
    """Weight the colours of RGBA [H, W, 4] by alpha."""
    top = np.iinfo(pixels.dtype).max
    alpha = pixels[..., 3:].astype(np.uint32)
    if alpha.min() == top:
        return pixels
    colours = (pixels[..., :3] * alpha + top // 2) // top  # 65535² + 32767 still fits
    return np.concatenate((colours.astype(pixels.dtype), pixels[..., 3:]), axis=2)


def straight(pixels: Image) -> Image:
    """Undo `premultiplied`, up to rounding; where nothing is seen it is black."""
    top = np.iinfo(pixels.dtype).max
    alpha = pixels[..., 3:].astype(np.uint32)
    if alpha.min() == top:
        return pixels
    colours = (pixels[..., :3].astype(np.uint64) * top + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate((np.minimum(colours, top).astype(pixels.dtype), pixels[..., 3:]), axis=2)


def transparent(image: Image) -> bool:
    """Return whether an image [H, W, 3 or 4] has a pixel that is not opaque."""
    alpha: NDArray[np.integer] = image[..., 3:]
    return bool(alpha.size and alpha.min() < np.iinfo(image.dtype).max)
