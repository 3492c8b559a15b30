"""Where the context helps: gains by stratum, by motion and by occlusion (architecture section 1.1).

The claim is an interaction: not that the gain in a stratum is positive, but that it is larger than in plain
scenes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lift.report.comparisons import describe, gains
from lift.report.names import CONTROL, STRATA, narrow
from lift.report.results import Results, unit_means
from lift.report.statistics import Effect, bootstrap_interval, rank_correlation
from lift.seeds import generator

SCENES = "scenes"


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


def narrow_methods(results: Results) -> list[str]:
    """List the base's own model with the two references alone: what its wide context has to beat.

    Other two-frame models differ in more than their context; the tables by benchmark hold them.
    """
    model = results.configs[results.base].model.name if results.base in results.configs else None
    return [
        name
        for name in results.config.ablations
        if name != results.base
        and narrow(results.configs, name)
        and results.configs[name].model.name == model
    ]


def by_stratum(results: Results, metric: str) -> list[Stratum]:
    """Give the base's gain over each narrow method in every kind of scene, with the interaction."""
    if results.frame(results.base, SCENES) is None:
        return []
    kinds = [kind for kind in STRATA if (results.kinds(SCENES) == kind).any()]
    rows = []
    for against in narrow_methods(results):
        if results.has(against, SCENES, metric):
            by_kind = {kind: gains(results, SCENES, metric, results.base, against, kind) for kind in kinds}
            rows += [_stratum(results, against, metric, kind, by_kind) for kind in kinds]
    return rows


def _stratum(
    results: Results, against: str, metric: str, kind: str, by_kind: dict[str, npt.NDArray[np.float64]]
) -> Stratum:
    report, here, plain = results.config.report, by_kind[kind], by_kind.get(CONTROL)
    (effect,) = describe(results, [here], "stratum", metric, against, kind)
    excess = low = high = float("nan")
    if plain is not None and kind != CONTROL:
        ends = bootstrap_interval(
            [here[:, None], plain[:, None]],
            confidence=report.confidence,
            resamples=report.resamples,
            rng=generator(results.config.seed, "report", "interaction", metric, against, kind),
        )
        excess = float(here.mean() - plain.mean())
        low, high = (float(end[0]) for end in ends)
    return Stratum(
        against=against, metric=metric, kind=kind, effect=effect, excess=excess, low=low, high=high
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
    """Give the points of a trend; None where one of the two methods, or the property, was not measured."""
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
