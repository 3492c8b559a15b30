"""The comparisons that params.yaml declares, tested: in every outcome, on every population, by kind of video.

A gain is oriented so that positive is better for the method named first, whatever the metric's direction. The
Wilcoxon tests of all outcomes of all comparisons of a family on one population are corrected together (Holm).

A verdict needs more than a small p: enough videos, an interval without 0 on the side of the ranks, methods
that do better than the references as they are, and for parts that were learnt here several trainings, all of
the same sign. What lacks one of the last three is measured and not judged.

Kinds of video are about the claim of specification section 1, an interaction: not that the gain is positive
on hard scenes, but that it is larger than on plain ones. Real video has one kind of its own, judder.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.config import Config
from lift.report.results import Results, unit_means
from lift.report.statistics import (
    Effect,
    bootstrap_interval,
    detectable,
    detectable_between,
    effects,
    holm,
    permutation_p,
    seed_interval,
)
from lift.report.texts import CONTROL, METRICS, STRATA, listing, number, times
from lift.seeds import derive, generator

OUTCOMES = ("psnr", "ssim", "lpips", "ie")
"""PICO's outcomes; the flow is the fifth: `epe` where the truth is known, `warping` elsewhere."""
BETTER, WORSE, NONE = "better", "worse", "no difference shown"
WIDTH, POSITION, ROBUSTNESS, METHOD = "width", "position", "robustness", "method"
EXPLORATORY = "exploratory"
COMPARISON = ["benchmark", "family", "method", "against"]
"""Columns that tell one comparison on one population."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Results of both tasks, and what follows from them, worked out once."""

    results: Results
    predicted: Results
    """Of methods that predict."""
    planned: tuple[Config, Mapping[str, Config]]
    """The thesis profile and its models, for what they would cost."""

    @cached_property
    def tests(self) -> pd.DataFrame:
        """The declared comparisons, tested."""
        return declared(self.results)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """What comes of them."""
        return decided(self.results, self.tests)

    @cached_property
    def strata(self) -> pd.DataFrame:
        """The base's gain by kind of video."""
        return by_stratum(self.results)


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
    level = 1 - report.confidence
    flow = "epe" if results.has(results.base, benchmark, "epe") else "warping"
    untested = dict.fromkeys(("p_holm", "detectable", "low", "high"), math.nan) | {"effect": None}
    rows: list[dict[str, Any]] = [
        dict(zip(COMPARISON, (benchmark, family, c.method, c.against), strict=True))
        | {"metric": metric, **untested, "agree": True, "level": level}
        for c in report.comparisons
        if c.family == family
        for metric in (*OUTCOMES, flow)
    ]
    for row in rows:
        row["withheld"] = _missing(results, row)
    there = [row for row in rows if not row["withheld"]]
    columns = [gains(results, benchmark, row["metric"], row["method"], row["against"]) for row in there]
    found = describe(results, *columns)
    adjusted = holm([effect.p for effect in found])
    for row, gain, effect, p in zip(there, columns, found, adjusted, strict=True):
        pair = row["method"], row["against"]
        means = {method: results.seed_means(method, benchmark, row["metric"]) for method in pair}
        trained = [own for method, own in means.items() if results.trainings.get(method)]
        row |= {"effect": effect, "p_holm": p, "withheld": _withheld(results, row, effect, gate)}
        # Holm's first step: what an effect alone has to pass.
        row["detectable"] = detectable(effect.n, effect.deviation, level / len(there))
        row["low"], row["high"] = seed_interval(gain, trained, confidence=report.confidence)
        row["agree"] = bool(np.ptp(np.sign(np.subtract.outer(*means.values()))) == 0)
    yield from (row | {"verdict": verdict(row)} for row in rows)


def _missing(results: Results, row: Mapping[str, Any]) -> str:
    for method in (row["method"], row["against"]):
        if results.frame(method, row["benchmark"]) is None:
            return f"{results.called(method)} has no results yet"
        if not results.has(method, row["benchmark"], row["metric"]):
            return f"{results.called(method)} has no flow"
    return ""


def _withheld(
    results: Results, row: Mapping[str, Any], effect: Effect, gate: Mapping[tuple[str, str], Effect]
) -> str:
    report, pair = results.config.report, (row["method"], row["against"])
    if effect.n < report.least_videos:
        return f"not judged: fewer than {report.least_videos} videos"
    # Two models that are both worse than an average of two frames say nothing about windows.
    if any((row["benchmark"], method) in gate for method in pair):
        return f"not judged: no better than the {results.called(report.gate[row['benchmark']])}"
    least = min((results.trainings[m] for m in pair if results.trainings.get(m)), default=report.least_seeds)
    return f"not judged: trained {times(least)}" if least < report.least_seeds else ""


def verdict(test: Mapping[str, Any]) -> str:
    """Return BETTER, WORSE or NONE of one row of `declared`; why it is withheld where none is given."""
    effect: Effect | None = test["effect"]
    if test["withheld"] or effect is None:
        return str(test["withheld"])
    # Of a skewed gain the mean can lie on one side and most videos on the other: then neither is shown.
    sides = {np.sign(v) for v in (effect.low, effect.mean, effect.high, effect.rank_biserial)}
    if not (test["p_holm"] < test["level"] and len(sides) == 1 and test["agree"]):
        return NONE
    return BETTER if effect.mean > 0 else WORSE


def doubt(test: Mapping[Any, Any]) -> str:
    """Say why one row of `declared` shows no difference though its interval is without 0; else nothing."""
    effect: Effect | None = test["effect"]
    if test["verdict"] != NONE or effect is None or not effect.low * effect.high > 0:
        return ""
    if not test["agree"]:
        return "trainings disagree"
    if test["p_holm"] >= test["level"]:
        return f"corrected p {number(test['p_holm'], 2)}"
    return "most videos on the other side"


def decided(results: Results, tests: pd.DataFrame) -> pd.DataFrame:
    """Sum up each comparison on each population over its outcomes, of those that were measured.

    Returns:
        One row for each: `reading`, the reading of the question on which it bears; `effect` in PSNR and
        `lpips`; `detectable`, the gain in PSNR; `verdict`, better or worse where no outcome is the opposite;
        `doubt`, of PSNR.
    """
    rows = []
    for keys, group in tests.groupby(COMPARISON, sort=False):
        row: dict[str, Any] = dict(zip(COMPARISON, keys, strict=True))
        effects = dict(zip(group["metric"], group["effect"], strict=True))
        if effects["psnr"] is not None:
            about = _reading(results, row["method"], row["against"])
            row |= {"reading": EXPLORATORY if row["family"] == EXPLORATORY else about}
            row |= {"effect": effects["psnr"], "lpips": effects["lpips"], "verdict": _judged(group)}
            psnr = group.iloc[0].to_dict()
            rows.append(row | {"detectable": psnr["detectable"], "doubt": doubt(psnr)})
    return pd.DataFrame(rows, columns=[*COMPARISON, *_DECIDED])


_DECIDED = ["reading", "effect", "lpips", "detectable", "verdict", "doubt"]


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
) -> Array:
    """Return the gain of `method` over `against` per source video (of `kind`), positive where it is better.

    Both must have `metric` on `benchmark`.
    """
    one, two = (results.values(name, benchmark, metric) for name in (method, against))
    difference, units = METRICS[metric].better * (one - two), results.videos(benchmark)
    chosen = slice(None) if kind is None else results.kinds(benchmark) == kind
    return unit_means(difference[chosen], units[chosen])


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


def describe(results: Results, *columns: Array) -> list[Effect]:
    """Describe columns of gains over the same videos with the configured bootstrap.

    The same videos are drawn wherever as many are described: a gain has one interval in the whole report.
    """
    return effects(np.stack(columns, axis=1), **_drawn(results)) if columns else []


def _drawn(results: Results) -> dict[str, Any]:
    report = results.config.report
    seed = derive(results.config.seed, "report", "bootstrap")
    return {"confidence": report.confidence, "resamples": report.resamples, "seed": seed}


def opponents(results: Results) -> list[str]:
    """List the methods of the two references alone that the base is compared with by declaration."""
    asked = [c.against for c in results.config.report.comparisons if c.method == results.base]
    return [m for m in dict.fromkeys(asked) if results.narrow(m)]


_BY_KIND = ["benchmark", "against", "metric", "kind", "effect"]
_BEYOND = ["excess", "low", "high", "p", "detectable", "p_holm", "found"]


def by_stratum(results: Results) -> pd.DataFrame:
    """Return the base's gain in every kind of video of each population that has kinds, interactions tested.

    The tests of all kinds, comparisons and metrics of a population are one family (Holm).

    Returns:
        One row for each population, opponent, metric and kind: `effect`, the gain; `excess`, how much it is
        beyond that in the control (the interaction), with the interval `low`, `high`; `p` and `p_holm`,
        two-sided and corrected over the population; `detectable`, the smallest excess that these videos
        find with 80 % power as the family's smallest p; all NaN for the control itself. `found`: +1 where
        the corrected test finds the gain to be larger than in the control, -1 smaller, 0 neither. It is a
        benefit only where the gain itself is positive, for a loss can be smaller than another.
    """
    rows = [row for name in results.populations for row in _of_kinds(results, name)]
    return pd.DataFrame(rows, columns=[*_BY_KIND, *_BEYOND])


def _of_kinds(results: Results, benchmark: str) -> list[dict[str, Any]]:
    present = set(results.kinds(benchmark)) if results.frame(results.base, benchmark) is not None else set()
    kinds = [*(kind for kind in STRATA if kind in present), *sorted(present - set(STRATA))]
    control = CONTROL if CONTROL in present else ""
    if len(kinds) < 2 or control not in present:
        return []
    asked = [
        (metric, against)
        for metric in ("psnr", "epe")
        for against in opponents(results)
        if all(results.has(method, benchmark, metric) for method in (results.base, against))
    ]
    resamples, rows = results.config.report.resamples, []
    level = 1 - results.config.report.confidence
    smallest = level / max(1, len(asked) * (len(kinds) - 1))
    for metric, against in asked:
        plain = gains(results, benchmark, metric, results.base, against, control)
        for kind in kinds:
            here = gains(results, benchmark, metric, results.base, against, kind)
            (effect,) = describe(results, here)
            row: dict[str, Any] = dict(zip(_BY_KIND, (benchmark, against, metric, kind, effect), strict=True))
            row |= dict.fromkeys(_BEYOND, math.nan)
            rows.append(row)
            if kind == control:
                continue
            (low,), (high,) = bootstrap_interval([here[:, None], plain[:, None]], **_drawn(results))
            row |= {"excess": float(here.mean() - plain.mean()), "low": float(low), "high": float(high)}
            rng = generator(results.config.seed, "report", "permutation")
            row["p"] = permutation_p(here, plain, resamples=resamples, rng=rng)
            row["detectable"] = detectable_between(here, plain, smallest, resamples)
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row |= {"p_holm": p, "found": (1 if row["excess"] > 0 else -1) if p < level else 0}  # 0 for NaN
    return rows
