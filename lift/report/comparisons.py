"""The comparisons that params.yaml declares, tested: every outcome of every one on every population.

A gain is oriented so that positive is better for the method named first, whatever the metric's direction. The
Wilcoxon tests of all outcomes of all comparisons of a family on one population are corrected together (Holm).

A verdict needs more than a small p: enough videos, an interval without 0 on the side of the ranks, methods
that do better than the references as they are, and for parts that were learnt here several trainings, all of
the same sign. What lacks one of the last three is measured and not judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lift.config import Comparison
from lift.report.names import METRICS, Metric, number, number_of
from lift.report.results import Results, unit_means
from lift.report.statistics import Effect, detectable, effects, holm, seed_interval
from lift.seeds import generator

OUTCOMES = ("psnr", "ssim", "lpips", "ie")
"""PICO's outcomes; the flow is the fifth: `epe` where the truth is known, `warping` elsewhere."""
BETTER, WORSE, NONE = "better", "worse", "no difference shown"


@dataclass(frozen=True, kw_only=True)
class Tested:
    """One outcome of one declared comparison on one population."""

    comparison: Comparison
    benchmark: str
    metric: Metric
    effect: Effect | None
    """None: not measured."""
    withheld: str
    """Why no verdict is given; empty where one is."""
    p_holm: float
    """NaN: not tested."""
    detectable: float
    """Smallest gain that this n finds with 80 % power as its family's smallest p, in the metric's unit."""
    seeds: tuple[float, float]
    """Interval of the mean gain over videos and training seeds; NaN where a method was trained once."""
    agree: bool
    """Whether the gain has the same sign for every training seed."""
    level: float
    """The family's error."""

    @property
    def verdict(self) -> str:
        """BETTER, WORSE or NONE; why it is withheld where none is given."""
        if self.withheld or self.effect is None:
            return self.withheld
        ends = {
            np.sign(v)
            for v in (self.effect.low, self.effect.mean, self.effect.high, self.effect.rank_biserial)
        }
        if not (self.p_holm < self.level and len(ends) == 1 and self.agree):
            return NONE
        return BETTER if self.effect.mean > 0 else WORSE

    @property
    def found(self) -> int:
        """+1: better; -1: worse; 0: neither, or not judged."""
        return {BETTER: 1, WORSE: -1}.get(self.verdict, 0)


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
        kind: Only videos of this kind; None: all.
    """
    one, two = (results.values(name, benchmark, metric) for name in (method, against))
    difference, units = METRICS[metric].better * (one - two), results.videos(benchmark)
    if kind is not None:
        chosen = results.kinds(benchmark) == kind
        difference, units = difference[chosen], units[chosen]
    return unit_means(difference, units)


def gated(results: Results) -> dict[str, str]:
    """Name the models not shown to be better than the references as they are, each with a sentence."""
    found = {}
    for benchmark, least in results.config.report.gate.items():
        for method in results.config.models:
            if method == least or not all(results.has(name, benchmark, "psnr") for name in (method, least)):
                continue
            (gain,) = describe(results, [gains(results, benchmark, "psnr", method, least)], "gate", method)
            if gain.low > 0 or (math.isnan(gain.low) and gain.mean > 0):
                continue
            times = results.trainings.get(method, 0)
            taught = f", trained {_times(times)} here" if times else ""
            found[method] = (
                f"{results.called(method)}{taught}, is not better than the {results.called(least)} on "
                f"{results.config.benchmarks[benchmark].title} ({number(gain.mean, 2, True)} dB, "
                f"{number_of(gain.n, 'video')}): no verdict about it is given"
            )
    return found


def declared(results: Results) -> list[Tested]:
    """Test every declared comparison, by population and family, in the order of params.yaml."""
    families = dict.fromkeys(comparison.family for comparison in results.config.report.comparisons)
    gate = gated(results)
    return [
        t for name in results.populations for family in families for t in _tested(results, name, family, gate)
    ]


def _tested(results: Results, benchmark: str, family: str, gate: dict[str, str]) -> list[Tested]:
    report = results.config.report
    flow = "epe" if results.has(results.base, benchmark, "epe") else "warping"
    asked = [
        (comparison, METRICS[key])
        for comparison in report.comparisons
        if comparison.family == family
        for key in (*OUTCOMES, flow)
    ]
    reasons = [_missing(results, benchmark, comparison, metric) for comparison, metric in asked]
    columns = [
        gains(results, benchmark, metric.key, comparison.method, comparison.against)
        for (comparison, metric), reason in zip(asked, reasons, strict=True)
        if not reason
    ]
    found = iter(describe(results, columns, benchmark, family))
    measured = [None if reason else next(found) for reason in reasons]
    adjusted = holm([effect.p if effect else math.nan for effect in measured])
    level = 1 - report.confidence
    first = level / max(len(columns), 1)  # Holm's first step: what an effect alone has to pass
    return [
        Tested(
            comparison=comparison,
            benchmark=benchmark,
            metric=metric,
            effect=effect,
            withheld=reason or _withheld(results, comparison, effect, gate),
            p_holm=p,
            detectable=detectable(effect.n, effect.deviation, first) if effect else math.nan,
            seeds=_over_seeds(results, benchmark, comparison, metric) if effect else (math.nan, math.nan),
            agree=effect is None or _agree(results, benchmark, comparison, metric),
            level=level,
        )
        for (comparison, metric), effect, reason, p in zip(asked, measured, reasons, adjusted, strict=True)
    ]


def _missing(results: Results, benchmark: str, comparison: Comparison, metric: Metric) -> str:
    for method in (comparison.method, comparison.against):
        if results.frame(method, benchmark) is None:
            return f"{results.called(method)} has no results yet"
        if not results.has(method, benchmark, metric.key):
            return f"{results.called(method)} has no flow"
    return ""


def _withheld(results: Results, comparison: Comparison, effect: Effect | None, gate: dict[str, str]) -> str:
    report, pair = results.config.report, (comparison.method, comparison.against)
    if effect is None or effect.n < report.least_videos:
        return f"not judged: fewer than {report.least_videos} videos"
    if any(method in gate for method in pair):
        return "not judged: no better than the references as they are"
    least = min((results.trainings[m] for m in pair if results.trainings.get(m)), default=report.least_seeds)
    return f"not judged: trained {_times(least)}" if least < report.least_seeds else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _over_seeds(
    results: Results, benchmark: str, comparison: Comparison, metric: Metric
) -> tuple[float, float]:
    methods = (comparison.method, comparison.against)
    return seed_interval(
        gains(results, benchmark, metric.key, *methods),
        [results.seed_means(method, benchmark, metric.key) for method in methods],
        confidence=results.config.report.confidence,
    )


def _agree(results: Results, benchmark: str, comparison: Comparison, metric: Metric) -> bool:
    means = []
    for method in (comparison.method, comparison.against):
        own = results.seed_means(method, benchmark, metric.key)
        units = results.videos(benchmark)
        alone = unit_means(results.values(method, benchmark, metric.key), units).mean()
        means.append(np.array([alone]) if own is None else own)
    return bool(np.ptp(np.sign(means[0][:, None] - means[1][None])) == 0)


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
