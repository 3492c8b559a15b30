"""The comparisons that params.yaml declares, tested: per family, every outcome of every one, none left out.

A gain is oriented so that positive is better for the method named first, whatever the metric's direction. The
Wilcoxon tests of all outcomes of all comparisons in a family are corrected together (Holm), so that a family
errs at most at 1 - confidence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lift.config import Comparison
from lift.report.names import Metric
from lift.report.results import Results, unit_means
from lift.report.statistics import Effect, detectable, effects, holm, seed_interval
from lift.seeds import generator

OUTCOMES = ("psnr", "ssim", "lpips", "ie")
"""PICO's outcomes; the flow is the fifth: `epe` where the truth is known, `warping` elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Tested:
    """One outcome of one declared comparison."""

    comparison: Comparison
    metric: Metric
    effect: Effect | None
    """None: not measured."""
    reason: str
    """Why there is no effect; empty where there is one."""
    p_holm: float
    """NaN: not tested."""
    detectable: float
    """Smallest gain that this n finds with 80 % power as its family's smallest p, in the metric's unit."""

    seeds: tuple[float, float]
    """Interval of the mean gain over videos and training seeds; NaN where a method was trained once."""

    def passes(self, level: float) -> bool:
        """Say whether the corrected test passes at `level`, in whichever direction."""
        return self.effect is not None and self.p_holm < level  # false for NaN

    def found(self, level: float) -> int:
        """Say what the test found at `level`: +1 a gain, -1 a loss, 0 neither.

        The test is one of ranks and the gain a mean: where they point to different sides, as a few extreme
        videos can bring about, nothing is found.
        """
        if self.effect is None or not self.passes(level):
            return 0
        signs = (self.effect.rank_biserial > 0, self.effect.mean > 0)
        return 0 if signs[0] != signs[1] else (1 if signs[0] else -1)


def gains(
    results: Results, benchmark: str, metric: str, method: str, against: str, kind: str | None = None
) -> npt.NDArray[np.float64]:
    """Return the gain of `method` over `against` per source video, positive where `method` is better.

    Args:
        results: Results in which both methods have `metric` on `benchmark`.
        benchmark: Test set.
        metric: Column.
        method: The method of which the gain is.
        against: What it is compared with.
        kind: Only clips of this kind; None: all.
    """
    better = results.metrics[metric].better
    difference = better * (
        results.values(method, benchmark, metric) - results.values(against, benchmark, metric)
    )
    units = results.videos(benchmark)
    if kind is not None:
        chosen = results.kinds(benchmark) == kind
        difference, units = difference[chosen], units[chosen]
    return unit_means(difference, units)


def declared(results: Results) -> dict[str, list[Tested]]:
    """Test every declared comparison: family -> its tests, comparisons in the order of params.yaml."""
    families = dict.fromkeys(comparison.family for comparison in results.config.report.comparisons)
    return {family: _test_family(results, family) for family in families}


def _test_family(results: Results, family: str) -> list[Tested]:
    report = results.config.report
    flow = "epe" if results.has(results.base, report.benchmark, "epe") else "warping"
    asked = [
        (comparison, results.metrics[key])
        for comparison in report.comparisons
        if comparison.family == family
        for key in (*OUTCOMES, flow)
    ]
    reasons = [_why_not(results, comparison, metric) for comparison, metric in asked]
    columns = [
        gains(results, report.benchmark, metric.key, comparison.method, comparison.against)
        for (comparison, metric), reason in zip(asked, reasons, strict=True)
        if not reason
    ]
    found = iter(describe(results, columns, family))
    measured = [None if reason else next(found) for reason in reasons]
    adjusted = holm([effect.p if effect else math.nan for effect in measured])
    level = (1 - report.confidence) / max(
        len(columns), 1
    )  # Holm's first step: what an effect alone has to pass
    return [
        Tested(
            comparison=comparison,
            metric=metric,
            effect=effect,
            reason=reason,
            p_holm=p,
            detectable=detectable(effect.n, effect.deviation, level) if effect else math.nan,
            seeds=_over_seeds(results, comparison, metric) if effect else (math.nan, math.nan),
        )
        for (comparison, metric), effect, reason, p in zip(asked, measured, reasons, adjusted, strict=True)
    ]


def _over_seeds(results: Results, comparison: Comparison, metric: Metric) -> tuple[float, float]:
    benchmark, methods = results.config.report.benchmark, (comparison.method, comparison.against)
    return seed_interval(
        gains(results, benchmark, metric.key, *methods),
        [results.seed_means(method, benchmark, metric.key) for method in methods],
        confidence=results.config.report.confidence,
    )


def compared(results: Results, available: Sequence[str]) -> list[str]:
    """List the available methods that the declared comparisons name, in their order: the base first."""
    asked = [m for c in results.config.report.comparisons for m in (c.method, c.against)]
    return [method for method in dict.fromkeys(asked) if method in available]


def describe(results: Results, columns: Sequence[npt.NDArray[np.float64]], *keys: str) -> list[Effect]:
    """Describe columns of gains over the same videos with the configured bootstrap, seeded by `keys`."""
    if not columns:
        return []
    report = results.config.report
    return effects(
        np.stack(columns, axis=1),
        confidence=report.confidence,
        resamples=report.resamples,
        rng=generator(results.config.seed, "report", *keys),
    )


def _why_not(results: Results, comparison: Comparison, metric: Metric) -> str:
    benchmark = results.config.report.benchmark
    for method in (comparison.method, comparison.against):
        if results.frame(method, benchmark) is None:
            return f"{method} has no results yet"
        if not results.has(method, benchmark, metric.key):
            return f"{method} has no flow"
    return ""
