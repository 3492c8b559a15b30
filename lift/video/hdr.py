"""The light of HDR10 video: of the display that it was graded on (SMPTE ST 2086), and its own (CTA-861.3).

Encoders that write it into their stream take it as parameters, since PyAV reaches no other place for it.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np

CHROMATICITY, LUMINANCE = 50_000, 10_000  # units per 1 and per cd/m² in which encoders count (ST 2086)
Values = tuple[Fraction, ...]
DYNAMIC = {  # what changes from picture to picture, which no encoder here takes
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}


@dataclass(frozen=True, kw_only=True)
class Light:
    """What a video tells of its light; empty: nothing."""

    display: Values = ()
    """x and y of red, green, blue and white, then least and most luminance, cd/m²."""
    content: tuple[int, ...] = ()
    """Most light of a pixel, and of a picture's mean, cd/m²."""
    dynamic: frozenset[str] = frozenset()
    """Names of what is stored for each picture."""

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Light":
        """Return what a frame tells of it."""
        data = cast(Any, frame.side_data)
        there = {entry.type.name: entry for entry in data if entry.type.name in _TYPES}
        display: Values = ()
        if _DISPLAY in there:
            numbers = np.frombuffer(bytes(there[_DISPLAY]), np.int32)  # AVMasteringDisplayMetadata
            if numbers[20] and numbers[21]:  # primaries and luminance are both there
                display = tuple(Fraction(int(n), int(d) or 1) for n, d in numbers[:20].reshape(-1, 2))
        content: tuple[int, ...] = ()
        if _CONTENT in there:
            content = tuple(int(number) for number in np.frombuffer(bytes(there[_CONTENT]), np.uint32)[:2])
        return cls(
            display=display,
            content=content,
            dynamic=frozenset(DYNAMIC[name] for name in there if name in DYNAMIC),
        )

    def options(self, codec: str) -> dict[str, str]:
        """Return an encoder's parameters that store it, none for an encoder that cannot."""
        if codec == "libsvtav1":
            display, light, key = self._display(1, 1), "content-light", "svtav1-params"
            master = "mastering-display"
        elif codec in ("libx264", "libx265"):
            display, key = self._display(CHROMATICITY, LUMINANCE), f"{codec[3:]}-params"
            master, light = (
                ("master-display", "max-cll") if codec == "libx265" else ("mastering-display", "cll")
            )
        else:
            return {}
        parts = [f"{master}={display}"] * bool(display)
        parts += [f"{light}={','.join(map(str, self.content))}"] * bool(self.content)
        return {key: ":".join(parts)} if parts else {}

    def _display(self, chromaticity: int, luminance: int) -> str:
        if not self.display:
            return ""
        scaled = [value * (chromaticity if k < 8 else luminance) for k, value in enumerate(self.display)]
        shown = [f"{float(v):.5f}" if luminance == 1 else str(round(v)) for v in scaled]
        red, green, blue, white = (f"({shown[k]},{shown[k + 1]})" for k in (0, 2, 4, 6))
        return f"G{green}B{blue}R{red}WP{white}L({shown[9]},{shown[8]})"


_DISPLAY, _CONTENT = "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"
_TYPES = {_DISPLAY, _CONTENT, *DYNAMIC}
DARK = Light()
"""Nothing is known."""
