"""The light of HDR10 video: of the display that it was graded on (SMPTE ST 2086), and its own (CTA-861.3).

Encoders that write it into their stream take it as parameters, since PyAV reaches no other place for it.
"""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from lift.video.media import side_data_of

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
    """What a video tells of its light; empty: nothing."""

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


DARK = Light()
"""Nothing is known."""
