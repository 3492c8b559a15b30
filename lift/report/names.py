"""What the report calls things: metrics with unit and direction, kinds of clips, numbers as shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DIFFICULTIES = ("easy", "medium", "hard", "extreme")
"""Kinds of SNU-FILM, from the smallest gap to the widest."""
CONTROL = "plain"
"""The stratum of `scenes` with none of the four properties of the claim in specification section 1."""
REFERENCES = "references only"
TRAINED, RELEASED, UNTAUGHT = "trained here", "released", "none"
"""Whose weights a method has: this run's, those that the repository carries, nobody's."""
TWO_FRAMES = "†"
"""Sign behind the name of a method that sees the two references at most."""
NONE = "–"
"""Shown where there is nothing to measure."""
MISSING = "missing"
"""Shown where nothing was measured yet."""
STRATA = (CONTROL, "occlusion", "fast_motion", "repetition", "lighting")
JUDDER = "judder"
"""The stratum of real videos in which frames repeat while the scene moves; the others' kind is empty."""


@dataclass(frozen=True)
class Metric:
    """One column of clips.csv."""

    key: str
    title: str
    unit: str
    """Empty: none."""
    better: int
    """+1: higher is better; -1: lower is."""
    digits: int
    """Decimals that a reader is shown."""

    @property
    def arrow(self) -> str:
        """Direction of better."""
        return "↑" if self.better > 0 else "↓"

    @property
    def heading(self) -> str:
        """Title, unit and direction, for the head of a column."""
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.title}{unit} {self.arrow}"

    @property
    def gain(self) -> str:
        """Name of an axis or column on which larger is better for the method named first."""
        return f"gain in {self.title}" + (f" ({self.unit})" if self.unit else "")


METRICS = {
    metric.key: metric
    for metric in (
        Metric("psnr", "PSNR", "dB", 1, 2),
        Metric("ssim", "SSIM", "", 1, 4),
        Metric("ssim_matlab", "SSIM (MATLAB-like)", "", 1, 4),
        Metric("lpips", "LPIPS", "", -1, 4),
        Metric("ie", "IE", "0–255", -1, 2),
        Metric("ie_rms", "IE (RMS)", "0–255", -1, 2),
        Metric("ie_edges", "Error at edges", "0–255", -1, 2),
        Metric("ie_occluded", "Error where occluded", "0–255", -1, 2),
        Metric("warping", "Warping error", "0–255", -1, 2),
        Metric("epe", "EPE", "px", -1, 3),
    )
}
"""By column name."""
REQUIRED = ("psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms")
"""Metrics that every method has on every clip; the flow's two may be absent for a whole benchmark."""


def words(name: str) -> str:
    """Turn an identifier such as `fast_motion` into words; the kind of a video without judder is empty."""
    return name.replace("_", " ") or "even motion"


def number_of(count: int, thing: str) -> str:
    """Write a count with its noun, for example `1 source video` or `3 source videos`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """Say how often."""
    return "once" if count == 1 else f"{count} times"


def listing(parts: Sequence[str]) -> str:
    """Join parts as in a sentence; nothing of none."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def number(value: float, digits: int, signed: bool = False) -> str:
    """Write a number for readers, with a true minus sign; a dash for NaN, the word none for infinity."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "none"
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")
