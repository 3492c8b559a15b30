"""What the report calls things: metrics with unit and direction, window sizes, offsets, kinds of clips."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lift.config import Config
from lift.config.abilities import predicts

DIFFICULTIES = ("easy", "medium", "hard", "extreme")
"""Kinds of SNU-FILM, from the smallest gap to the widest."""
CONTROL = "plain"
"""The stratum of `scenes` with none of the four properties of the claim in architecture section 1.1."""
REFERENCES = "references only"
TRAINED, RELEASED, UNTAUGHT = "trained here", "released", "none"
"""Whose weights a method has: this run's, those that the repository carries, nobody's."""
TWO_FRAMES = "†"
"""Sign behind the name of a method that sees the two references at most."""
NONE = "–"
"""Shown where there is nothing to measure."""
MISSING = "missing"
"""Shown where nothing was measured yet."""
TWO = f"{TWO_FRAMES} sees the two references at most."
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


def of_task(config: Config, configs: Mapping[str, Config], task: str) -> Config:
    """Return the configuration with the methods of one task alone."""

    def has(name: str) -> bool:
        return predicts(configs.get(name, config), name) == (task == "predict")

    return dataclasses.replace(
        config,
        ablations=tuple(filter(has, config.ablations)),
        released=tuple(filter(has, config.released)),
        baselines=tuple(filter(has, config.baselines)),
    )


def kind(config: Config, method: str) -> str:
    """Say whose weights a method has."""
    if method in config.ablations:
        return TRAINED
    return RELEASED if method in config.released else UNTAUGHT


def narrow(configs: Mapping[str, Config], method: str) -> bool:
    """Whether a method sees the two references alone."""
    return (
        method not in configs
        or len(configs[method].clip.offsets) == 2
        or not configs[method].model.use_context
    )


def sampling(configs: Mapping[str, Config], method: str, forced: str | None) -> str:
    """Name the sampling of a method's context: none, what the protocol forces, or the method's own."""
    if narrow(configs, method):
        return REFERENCES
    return forced or configs[method].clip.sampling


def window(configs: Mapping[str, Config], method: str) -> str:
    """Describe a window by its frames, those before and after the gap, as in `14 (8+6), 4 used`."""
    if narrow(configs, method):
        return "2 (1+1)"
    clip = configs[method].clip
    seen = used(configs[method]) - 1
    told = f", {seen} used" if seen < len(clip.offsets) else ""
    return f"{len(clip.offsets)} ({clip.before}+{clip.after}){told}"


def used(config: Config) -> int:
    """Count the frames of a method's window that take part, the missing one with them, as its name does."""
    clip, model = config.clip, config.model
    if model.name != "lift" or (model.use_context and model.refinement not in ("none", "fusion")):
        return len(clip.offsets) + 1
    near = {"rife": model.lift_rife.reach, "matching": model.matching.reach}.get(model.flow, 0)
    return 3 + min(near, clip.before - 1) + min(near, clip.after - 1)


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
    """Join parts as in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


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
