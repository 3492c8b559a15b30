"""The gain of the declared wide window by kind of video: the claim of specification section 1 on hard scenes.

The claim is an interaction: not that the gain in a stratum is positive, but that it is larger than in plain
scenes. Its tests, of all kinds, comparisons and metrics of a benchmark, are one family (Holm); and an
interaction is a benefit only where the gain itself is positive, for a loss can be smaller than another. Real
video has one stratum, of frames that repeat while the scene moves (judder), against all other videos.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lift.report.comparisons import describe, gains
from lift.report.names import CONTROL, STRATA, narrow
from lift.report.results import Results
from lift.report.statistics import (
    Effect,
    bootstrap_interval,
    detectable_between,
    holm,
    permutation_p,
)
from lift.seeds import generator

METRICS = ("psnr", "epe")


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """The gain of the base over one method in one kind of video."""

    benchmark: str
    against: str
    metric: str
    kind: str
    effect: Effect
    excess: float
    """Gain here minus gain in the control (the interaction)."""
    low: float
    high: float
    """Ends of its bootstrap interval; NaN for the control itself, or where n is too small."""
    p: float
    """Permutation test of the excess, two-sided; NaN as above."""
    p_holm: float
    """Corrected over all strata, methods and metrics of the benchmark."""
    detectable: float
    """Smallest excess that these videos find with 80 % power as the family's smallest p."""

    def found(self, level: float) -> int:
        """Say what the corrected test found: +1 the gain is larger here than in the control, -1 smaller."""
        return int(np.sign(self.excess)) if self.p_holm < level else 0  # false for NaN

    def benefits(self, level: float) -> bool:
        """Whether the context helps more here: a larger gain, and a gain by its own interval."""
        return self.found(level) > 0 and self.effect.low > 0


def opponents(results: Results) -> list[str]:
    """List the methods of the two references alone that the base is compared with by declaration."""
    asked = [c.against for c in results.config.report.comparisons if c.method == results.base]
    return [m for m in dict.fromkeys(asked) if narrow(results.configs, m)]


def by_stratum(results: Results) -> list[Stratum]:
    """Return the base's gain in every kind of video of each benchmark that has kinds, interactions tested."""
    return [row for name in results.populations for row in _of(results, name)]


def _of(results: Results, benchmark: str) -> list[Stratum]:
    if results.frame(results.base, benchmark) is None:
        return []
    present = set(results.kinds(benchmark))
    kinds = [*(kind for kind in STRATA if kind in present), *sorted(present - set(STRATA))]
    control = CONTROL if CONTROL in present else ""
    if len(kinds) < 2 or control not in present:
        return []
    asked = [
        (metric, against)
        for metric in METRICS
        for against in opponents(results)
        if all(results.has(method, benchmark, metric) for method in (results.base, against))
    ]
    count = len(asked) * (len(kinds) - 1)
    rows = []
    for metric, against in asked:
        by_kind = {k: gains(results, benchmark, metric, results.base, against, k) for k in kinds}
        rows += [_stratum(results, benchmark, against, metric, k, by_kind, control, count) for k in kinds]
    adjusted = holm([row.p for row in rows])
    return [dataclasses.replace(row, p_holm=p) for row, p in zip(rows, adjusted, strict=True)]


def _stratum(
    results: Results,
    benchmark: str,
    against: str,
    metric: str,
    kind: str,
    by_kind: dict[str, npt.NDArray[np.float64]],
    control: str,
    count: int,
) -> Stratum:
    report, here, plain = results.config.report, by_kind[kind], by_kind[control]
    keys = (benchmark, metric, against, kind)
    (effect,) = describe(results, [here], "stratum", *keys)
    excess = low = high = p = least = math.nan
    if kind != control:
        ends = bootstrap_interval(
            [here[:, None], plain[:, None]],
            confidence=report.confidence,
            resamples=report.resamples,
            rng=generator(results.config.seed, "report", "interaction", *keys),
        )
        excess = float(here.mean() - plain.mean())
        low, high = (float(end[0]) for end in ends)
        rng = generator(results.config.seed, "report", "permutation", *keys)
        p = permutation_p(here, plain, resamples=report.resamples, rng=rng)
        least = detectable_between(here, plain, (1 - report.confidence) / count, report.resamples)
    return Stratum(
        benchmark=benchmark, against=against, metric=metric, kind=kind, effect=effect,
        excess=excess, low=low, high=high, p=p, p_holm=math.nan, detectable=least,
    )  # fmt: skip
