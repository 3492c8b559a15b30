"""The gain of a wide context by kind of scene, by motion and by occlusion (architecture section 1.1).

The claim is an interaction: not that the gain in a stratum is positive, but that it is larger than in plain
scenes. Its tests, of all kinds, methods and metrics, are one family (Holm); and an interaction is a benefit
only where the gain itself is positive, for a loss can be smaller than another.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lift.report.comparisons import describe, gains
from lift.report.names import CONTROL, STRATA, narrow
from lift.report.results import Results, unit_means
from lift.report.statistics import (
    Effect,
    bootstrap_interval,
    detectable_between,
    holm,
    permutation_p,
    rank_correlation,
)
from lift.seeds import generator

SCENES = "scenes"
METRICS = ("psnr", "epe")


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """The gain of the base over one narrower method in one kind of scene."""

    against: str
    metric: str
    kind: str
    effect: Effect
    excess: float
    """Gain here minus gain in plain scenes (the interaction)."""
    low: float
    high: float
    """Ends of its bootstrap interval; NaN for the plain scenes themselves, or where n is too small."""
    p: float
    """Permutation test of the excess, two-sided; NaN as above."""
    p_holm: float
    """Corrected over all strata, methods and metrics."""
    detectable: float
    """Smallest excess that these scenes find with 80 % power as the family's smallest p."""

    def found(self, level: float) -> int:
        """Say what the corrected test found: +1 the gain is larger here than in plain scenes, -1 smaller."""
        return int(np.sign(self.excess)) if self.p_holm < level else 0  # false for NaN

    def benefits(self, level: float) -> bool:
        """Whether the context helps more here: a larger gain, and a gain by its own interval."""
        return self.found(level) > 0 and self.effect.low > 0


def narrow_methods(results: Results) -> list[str]:
    """List the models that differ from the base in their context alone, and see the two references.

    Other two-frame models differ in more than that; the tables by benchmark hold them.
    """
    base = results.configs.get(results.base)
    if base is None:
        return []
    return [
        name
        for name in results.config.models
        if name != results.base
        and narrow(results.configs, name)
        and results.configs[name].loss == base.loss
        and results.configs[name].train == base.train
        and dataclasses.replace(results.configs[name].model, use_context=base.model.use_context) == base.model
    ]


def by_stratum(results: Results) -> list[Stratum]:
    """Return the base's gain over each narrow method in every kind of scene, with the interactions tested."""
    if results.frame(results.base, SCENES) is None:
        return []
    kinds = [kind for kind in STRATA if (results.kinds(SCENES) == kind).any()]
    asked = [
        (metric, against)
        for metric in METRICS
        for against in narrow_methods(results)
        if results.has(results.base, SCENES, metric) and results.has(against, SCENES, metric)
    ]
    count = len(asked) * len([kind for kind in kinds if kind != CONTROL])
    rows = []
    for metric, against in asked:
        by_kind = {kind: gains(results, SCENES, metric, results.base, against, kind) for kind in kinds}
        rows += [_stratum(results, against, metric, kind, by_kind, count) for kind in kinds]
    adjusted = holm([row.p for row in rows])
    return [dataclasses.replace(row, p_holm=p) for row, p in zip(rows, adjusted, strict=True)]


def _stratum(
    results: Results,
    against: str,
    metric: str,
    kind: str,
    by_kind: dict[str, npt.NDArray[np.float64]],
    count: int,
) -> Stratum:
    report, here, plain = results.config.report, by_kind[kind], by_kind.get(CONTROL)
    (effect,) = describe(results, [here], "stratum", metric, against, kind)
    excess = low = high = p = least = math.nan
    if plain is not None and kind != CONTROL:
        ends = bootstrap_interval(
            [here[:, None], plain[:, None]],
            confidence=report.confidence,
            resamples=report.resamples,
            rng=generator(results.config.seed, "report", "interaction", metric, against, kind),
        )
        excess = float(here.mean() - plain.mean())
        low, high = (float(end[0]) for end in ends)
        rng = generator(results.config.seed, "report", "permutation", metric, against, kind)
        p = permutation_p(here, plain, resamples=report.resamples, rng=rng)
        least = detectable_between(here, plain, (1 - report.confidence) / count, report.resamples)
    return Stratum(
        against=against,
        metric=metric,
        kind=kind,
        effect=effect,
        excess=excess,
        low=low,
        high=high,
        p=p,
        p_holm=math.nan,
        detectable=least,
    )


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The base's gain over one narrower method against a property of clips, one point per source video."""

    benchmark: str
    against: str
    property: str
    """`motion` (mean absolute difference of the references, 0-255) or `occluded` (share of pixels)."""
    x: npt.NDArray[np.float64]
    gain: npt.NDArray[np.float64]
    correlation: tuple[float, float, float]
    """Spearman's, with the ends of its interval; NaN where videos are too few."""


def trend(results: Results, benchmark: str, against: str, column: str, metric: str = "psnr") -> Trend | None:
    """Return the points of a trend; None where one of the two methods, or the property, was not measured."""
    if not (results.has(results.base, benchmark, column) and results.has(against, benchmark, metric)):
        return None
    x = unit_means(results.values(results.base, benchmark, column), results.videos(benchmark))
    gain = gains(results, benchmark, metric, results.base, against)
    return Trend(
        benchmark=benchmark,
        against=against,
        property=column,
        x=x,
        gain=gain,
        correlation=rank_correlation(x, gain, confidence=results.config.report.confidence),
    )
