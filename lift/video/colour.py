"""Decoded frames <-> RGB arrays, by the frame's own matrix and range.

What a file does not tell is assumed the same both ways: a frame that goes to RGB and back stays as it was but
for rounding.
"""

from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from lift.video.frame import Image

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
HIGH_DEFINITION = 720  # rows from which BT.709 is meant where a file does not say (as players do)
UNSPECIFIED, FULL = 2, 2


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
        return cls(
            format=frame.format.name,
            matrix=frame.colorspace,
            range=FULL if frame.format.name.startswith("yuvj") else frame.color_range,
            primaries=frame.color_primaries,
            transfer=frame.color_trc,
            high=frame.height >= HIGH_DEFINITION,
        )

    @property
    def deep(self) -> bool:
        """Whether a colour has more than 8 bits."""
        return any(part.bits > 8 for part in av.VideoFormat(self.format).components)

    @property
    def _conversion(self) -> tuple[Colorspace, ColorRange]:
        fallback = Colorspace.ITU709 if self.high else Colorspace.ITU601
        return MATRICES.get(self.matrix, fallback), ColorRange.JPEG if self.range == FULL else ColorRange.MPEG

    def to_rgb(self, frame: av.VideoFrame) -> Image:
        """Convert a frame of this look to RGB [H, W, 3], uint8, or uint16 where it is deep."""
        matrix, span = self._conversion
        rgb = frame.reformat(
            format="rgb48le" if self.deep else "rgb24",
            src_colorspace=matrix,
            src_color_range=span,
            dst_color_range=ColorRange.JPEG,
            interpolation=EXACT,
        )
        return rgb.to_ndarray()  # type: ignore[return-value] # one of the two types by the format

    def from_rgb(self, image: Image) -> av.VideoFrame:
        """Convert RGB [H, W, 3], uint8 or uint16, to a frame of this look."""
        matrix, span = self._conversion
        rgb = av.VideoFrame.from_ndarray(image, format="rgb48le" if image.dtype == np.uint16 else "rgb24")
        return rgb.reformat(
            format=self.format,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=matrix,
            dst_color_range=span,
            interpolation=EXACT,
        )

    def convert(self, frame: av.VideoFrame, other: "Look") -> av.VideoFrame:
        """Convert a frame of this look to another pixel format; the frame itself where it has it."""
        if other.format == self.format:
            return frame
        matrix, span = self._conversion
        _, other_span = other._conversion
        return frame.reformat(
            format=other.format,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=span,
            dst_color_range=other_span,
            interpolation=EXACT,
        )
