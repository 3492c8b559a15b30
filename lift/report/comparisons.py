"""The comparisons that params.yaml declares, tested: every outcome of every one on every population.

A gain is oriented so that positive is better for the method named first, whatever the metric's direction. The
Wilcoxon tests of all outcomes of all comparisons of a family on one population are corrected together (Holm).

A verdict needs more than a small p: enough videos, an interval without 0 on the side of the ranks, methods
that do better than the references as they are, and for parts that were learnt here several trainings, all of
the same sign. What lacks one of the last three is measured and not judged.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.report.names import METRICS, listing, times
from lift.report.results import Results, unit_means
from lift.report.statistics import Effect, detectable, effects, holm, seed_interval
from lift.seeds import derive

OUTCOMES = ("psnr", "ssim", "lpips", "ie")
"""PICO's outcomes; the flow is the fifth: `epe` where the truth is known, `warping` elsewhere."""
BETTER, WORSE, NONE = "better", "worse", "no difference shown"
WIDTH, POSITION, ROBUSTNESS, METHOD = "width", "position", "robustness", "method"
EXPLORATORY = "exploratory"
COMPARISON = ["benchmark", "family", "method", "against"]
"""Columns that tell one comparison on one population."""


def declared(results: Results) -> pd.DataFrame:
    """Test every declared comparison, by population and family, in the order of params.yaml.

    Returns:
        One row for each outcome, by its metric's key: `effect` (None: not measured), `p_holm` (NaN: not
        tested), `detectable`, the smallest gain that this n finds with 80 % power as its family's smallest
        p, `low` and `high` of the gain over videos and training seeds (NaN where a method was trained
        once), `agree`, whether the gain has the same sign for every seed, `withheld`, why no verdict is
        given (empty where one is), and `verdict`.
    """
    families = dict.fromkeys(comparison.family for comparison in results.config.report.comparisons)
    gate = gated(results)
    rows = [row for b in results.populations for f in families for row in _tested(results, b, f, gate)]
    return pd.DataFrame(rows, columns=[*COMPARISON, "metric", *_MEASURED])


_MEASURED = ["effect", "p_holm", "detectable", "low", "high", "agree", "withheld", "level", "verdict"]


def _tested(
    results: Results, benchmark: str, family: str, gate: Mapping[tuple[str, str], Effect]
) -> Iterator[dict[str, Any]]:
    report = results.config.report
    flow = "epe" if results.has(results.base, benchmark, "epe") else "warping"
    asked = [
        (pair, metric)
        for pair in ((c.method, c.against) for c in report.comparisons if c.family == family)
        for metric in (*OUTCOMES, flow)
    ]
    reasons = [_missing(results, benchmark, pair, metric) for pair, metric in asked]
    columns = [gains(results, benchmark, m, *p) for (p, m), no in zip(asked, reasons, strict=True) if not no]
    found = iter(describe(results, *columns))
    measured = [None if reason else next(found) for reason in reasons]
    adjusted = holm([effect.p if effect else math.nan for effect in measured])
    level = 1 - report.confidence
    first = level / max(len(columns), 1)  # Holm's first step: what an effect alone has to pass
    for (pair, metric), effect, reason, p in zip(asked, measured, reasons, adjusted, strict=True):
        row: dict[str, Any] = dict(zip(COMPARISON, (benchmark, family, *pair), strict=True))
        row |= {"metric": metric, "effect": effect, "p_holm": p, "level": level, "detectable": math.nan}
        row |= {"low": math.nan, "high": math.nan, "agree": True}
        row["withheld"] = reason or _withheld(results, benchmark, pair, effect, gate)
        if effect is not None:
            row["detectable"] = detectable(effect.n, effect.deviation, first)
            seeds = [results.seed_means(method, benchmark, metric) for method in pair]
            row["low"], row["high"] = seed_interval(
                gains(results, benchmark, metric, *pair), seeds, confidence=report.confidence
            )
            one, two = (_means(results, m, benchmark, metric) for m in pair)
            row["agree"] = bool(np.ptp(np.sign(one[:, None] - two[None])) == 0)
        yield row | {"verdict": verdict(row)}


def verdict(test: Mapping[str, Any]) -> str:
    """Return BETTER, WORSE or NONE of one row of `declared`; why it is withheld where none is given."""
    effect: Effect | None = test["effect"]
    if test["withheld"] or effect is None:
        return str(test["withheld"])
    sides = {np.sign(v) for v in (effect.low, effect.mean, effect.high, effect.rank_biserial)}
    if not (test["p_holm"] < test["level"] and len(sides) == 1 and test["agree"]):
        return NONE
    return BETTER if effect.mean > 0 else WORSE


def decided(results: Results, tests: pd.DataFrame) -> pd.DataFrame:
    """Sum up each comparison on each population over its outcomes, of those that were measured.

    Returns:
        One row for each: `reading`, the reading of the question on which it bears; `effect` in PSNR and
        `lpips`; `detectable`, the gain in PSNR; `verdict`, better or worse where no outcome is the opposite.
    """
    rows = []
    for keys, group in tests.groupby(COMPARISON, sort=False):
        row: dict[str, Any] = dict(zip(COMPARISON, keys, strict=True))
        effects = dict(zip(group["metric"], group["effect"], strict=True))
        if effects["psnr"] is not None:
            about = _reading(results, row["method"], row["against"])
            row |= {"reading": EXPLORATORY if row["family"] == EXPLORATORY else about}
            row |= {"effect": effects["psnr"], "lpips": effects["lpips"], "verdict": _judged(group)}
            rows.append(row | {"detectable": group["detectable"].iloc[0]})
    return pd.DataFrame(rows, columns=[*COMPARISON, "reading", "effect", "lpips", "detectable", "verdict"])


def _reading(results: Results, method: str, against: str) -> str:
    """Say which reading of the question a comparison bears on, by what its two methods differ in.

    The position where it is the shift alone, neither where it is the sampling alone (ROBUSTNESS) or where the
    windows are the same (METHOD), else the width.
    """
    if not {method, against} <= set(results.configs):
        return WIDTH
    one, two = (results.configs[name] for name in (method, against))
    clips = [dataclasses.asdict(config.clip) for config in (one, two)]
    differing = " ".join(key for key in clips[0] if clips[0][key] != clips[1][key])
    if not differing:
        return METHOD
    alike = all(getattr(one, part) == getattr(two, part) for part in ("model", "loss", "train"))
    return {"shift": POSITION, "sampling": ROBUSTNESS}.get(differing, WIDTH) if alike else WIDTH


def _judged(tests: pd.DataFrame) -> str:
    """Sum up one comparison over its outcomes: better or worse where none is the opposite.

    PSNR is the outcome whose gain stands beside the verdict, so where it is not decided the others are named.
    """
    found = {
        verdict: [METRICS[key].title for key in own["metric"]]
        for verdict, own in tests.groupby("verdict", sort=False)
    }
    decided = [verdict for verdict in (BETTER, WORSE) if verdict in found]
    if len(decided) == 2:
        return "mixed: " + "; ".join(f"{verdict} in {listing(found[verdict])}" for verdict in decided)
    if decided:
        (verdict,) = decided
        alone = METRICS["psnr"].title not in found[verdict]
        return f"{verdict} in {listing(found[verdict])} alone" if alone else verdict
    return NONE if NONE in found else str(tests["withheld"].iloc[0])


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


def gated(results: Results) -> dict[tuple[str, str], Effect]:
    """Return, by population and method, the gain of models not shown to be better than the gate's method."""
    found = {}
    for benchmark, least in results.config.report.gate.items():
        for method in results.config.models:
            if method == least or not all(results.has(name, benchmark, "psnr") for name in (method, least)):
                continue
            (gain,) = describe(results, gains(results, benchmark, "psnr", method, least))
            if not (gain.low > 0 or (math.isnan(gain.low) and gain.mean > 0)):
                found[benchmark, method] = gain
    return found


def _missing(results: Results, benchmark: str, pair: Sequence[str], metric: str) -> str:
    for method in pair:
        if results.frame(method, benchmark) is None:
            return f"{results.called(method)} has no results yet"
        if not results.has(method, benchmark, metric):
            return f"{results.called(method)} has no flow"
    return ""


def _withheld(
    results: Results,
    benchmark: str,
    pair: Sequence[str],
    effect: Effect | None,
    gate: Mapping[tuple[str, str], Effect],
) -> str:
    report = results.config.report
    if effect is None or effect.n < report.least_videos:
        return f"not judged: fewer than {report.least_videos} videos"
    for method in pair:
        if (benchmark, method) in gate:
            return f"not judged: no better than the {results.called(report.gate[benchmark])}"
    least = min((results.trainings[m] for m in pair if results.trainings.get(m)), default=report.least_seeds)
    return f"not judged: trained {times(least)}" if least < report.least_seeds else ""


def _means(results: Results, method: str, benchmark: str, metric: str) -> npt.NDArray[np.float64]:
    """Return the mean over videos with each training seed; of a method without training the one there is."""
    own = results.seed_means(method, benchmark, metric)
    alone = unit_means(results.values(method, benchmark, metric), results.videos(benchmark)).mean()
    return np.array([alone]) if own is None else own


def describe(results: Results, *columns: npt.NDArray[np.float64]) -> list[Effect]:
    """Describe columns of gains over the same videos with the configured bootstrap.

    The same videos are drawn wherever as many are described: a gain has one interval in the whole report.
    """
    if not columns:
        return []
    report = results.config.report
    return effects(
        np.stack(columns, axis=1),
        confidence=report.confidence,
        resamples=report.resamples,
        seed=derive(results.config.seed, "report", "bootstrap"),
    )
