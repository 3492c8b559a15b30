"""Tables of differences: verdicts, every declared test, gains, strata, the worst videos, and probes."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lift.report.comparisons import BETTER, WORSE, describe, gains
from lift.report.reading import read_table
from lift.report.results import Results, unit_means
from lift.report.tables.table import GAIN, LOSS, Column, Row, Table, interval, table
from lift.report.texts import METRICS, NONE, words

_WORST = 5


def verdicts(results: Results, decided: pd.DataFrame) -> Table | None:
    """Return a row for each declared comparison and population: one verdict, and what it rests on."""
    rows = []
    for one in decided.to_dict("records"):
        times = [results.trainings.get(m, 0) for m in (one["method"], one["against"])]
        row = _versus(results, one) | {key: one[key] for key in ("reading", "detectable", "verdict")}
        row |= interval("psnr", one["effect"]) | interval("lpips", one["lpips"])
        row |= {"n": one["effect"].n, "trainings": " / ".join(map(str, times)) if any(times) else NONE}
        if one["doubt"]:
            row["verdict_shown"] = f"{one['verdict']} (PSNR: {one['doubt']})"
        rows.append(row | {"verdict_mark": {BETTER: GAIN, WORSE: LOSS}.get(one["verdict"], "")})
    return table("verdicts", results, rows, results.compared)


def every_test(results: Results, tests: pd.DataFrame) -> Table | None:
    """Return every outcome of every declared comparison on every population."""
    rows: list[Row] = []
    for test in tests.to_dict("records"):
        metric, effect = METRICS[test["metric"]], test["effect"]
        row = _versus(results, test) | {"family": test["family"], "result": test["verdict"]}
        row["metric"] = metric.named
        rows.append(row)
        if effect is None:
            continue
        digits = metric.digits + 1
        row |= interval("gain", effect, digits) | {"detectable_digits": digits}
        row |= {"n": effect.n, "p": effect.p, "rank_biserial": effect.rank_biserial}
        row |= {"p_holm": test["p_holm"], "detectable": test["detectable"]}
        if not math.isnan(test["low"]):  # several trainings
            ends = {"with_seeds_low": test["low"], "with_seeds_high": test["high"]}
            row |= {"with_seeds": effect.mean, "with_seeds_digits": digits, **ends}
    return table("comparisons", results, rows, results.compared)


def _versus(results: Results, test: Mapping[Any, Any]) -> Row:
    """Name a comparison and its population; with the samplings, where these are what differs."""
    names, benchmark = (str(test["method"]), str(test["against"])), str(test["benchmark"])
    kinds = [results.sampling(name, benchmark) for name in names]
    told = kinds if len(set(kinds)) > 1 and "uniform" in kinds else ["", ""]
    shown = [results.called(n) + (f" ({k})" if k else "") for n, k in zip(names, told, strict=True)]
    key = " - ".join(names)
    return {"comparison": key, "comparison_shown": " − ".join(shown), "population": results.title(benchmark)}


def gained(results: Results, benchmark: str) -> Table | None:
    """Return every method's gain over the base, the pictures' rival and the narrowest window."""
    report = results.config.report
    asked = dict.fromkeys((*report.strips[:1], *report.curve[:1], results.base))
    over = [m for m in asked if results.frame(m, benchmark) is not None]
    rows, units = [], np.unique(results.videos(benchmark))
    for method in results.measured(benchmark):
        row = results.named(method)
        row |= {key: results.mean(method, benchmark, key) for key in ("psnr", "lpips")}
        for other in (other for other in over if other != method):
            gain = gains(results, benchmark, "psnr", method, other)
            (effect,) = describe(results, gain)
            row |= interval(f"over_{other}", effect) | {f"worst_{other}": float(gain.min())}
            row[f"worst_{other}_beside"] = _short(units[gain.argmin()])
        rows.append(row)
    columns = []
    for other in over:
        columns.append(Column(f"over_{other}", f"over {results.called(other)}", 2, signed=True))
        columns.append(Column(f"worst_{other}", "worst video", 2, signed=True))
    return table("gain", results, rows if over else [], columns={"over": columns}, benchmark=benchmark)


def _short(video: str) -> str:
    return str(video).rpartition("/")[2]


def worst(results: Results) -> Table | None:
    """Return the videos on which the base loses most to what strips show first, of each population."""
    shown = [results.base, *results.config.report.strips]
    rows: list[Row] = []
    for benchmark in results.populations:
        there = [m for m in shown if results.frame(m, benchmark) is not None]
        if there[:2] != shown[:2]:
            continue
        units, kinds = results.videos(benchmark), results.kinds(benchmark)
        names, first = np.unique(units, return_index=True)
        means = {m: unit_means(results.values(m, benchmark, "psnr"), units) for m in there}
        gain = means[shown[0]] - means[shown[1]]
        for i in np.argsort(gain, kind="stable")[:_WORST]:
            kind = str(kinds[first[i]])
            row: Row = {"video": _short(names[i]), "population": results.title(benchmark)}
            row |= {"kind": words(kind) if kind else NONE, "gain": float(gain[i])}
            rows.append(row | {method: float(own[i]) for method, own in means.items()})
    methods = [Column(m, f"{results.called(m)}, dB", 2) for m in shown]
    return table("worst", results, rows, shown, columns={"methods": methods}, shown=shown, count=_WORST)


_FOUND = {
    1: "more than in the control, but no gain",
    -1: "less than in the control",
    0: "no difference shown",
}


def strata(results: Results, found: pd.DataFrame) -> Table | None:
    """Return gains by kind of video with the interaction; None where there is nothing to show."""
    rows = []
    for one in found.to_dict("records"):
        benefits = one["found"] > 0 and one["effect"].low > 0  # a loss can be smaller than another
        row: Row = {"population": results.title(one["benchmark"]), "metric": METRICS[one["metric"]].title}
        row |= {"against": one["against"], "against_shown": results.called(one["against"])}
        row |= {"kind": words(one["kind"]), "n": one["effect"].n} | interval("gain", one["effect"])
        row |= {"p_holm": one["p_holm"], "detectable": one["detectable"]}
        if not math.isnan(one["excess"]):  # not the control itself
            row |= {"excess": one["excess"], "excess_low": one["low"], "excess_high": one["high"]}
        if not math.isnan(one["p_holm"]):
            row["result"] = "a larger gain than in the control" if benefits else _FOUND[one["found"]]
        rows.append(row)
    return table("strata", results, rows, [results.base, *found["against"]])


def probes(results: Results) -> Table | None:
    """Return the gain of the whole window over each probe, by method and kind; None: nothing was probed.

    A probe (lift/evaluation/probes.py) leaves the references as they are, so that the gain is what the frames
    beyond them gave.
    """
    rows: list[Row] = []
    asked: dict[str, None] = {}
    text, numbers = ("benchmark", "clip", "group", "kind", "probe"), ("seed", "whole", "psnr", "moved")
    for method in results.config.models:
        found = read_table(results.data / "results" / method / "probes.csv", text, numbers)
        found = found[found["benchmark"].isin(list(results.config.benchmarks))]
        for (benchmark, taken), own in found.groupby(["benchmark", "probe"], sort=False):
            asked[str(benchmark)] = None
            kinds = {kind: part for kind, part in own.groupby("kind", sort=False) if kind}
            for kind, part in {"all": own, **kinds}.items():
                difference = (part["whole"] - part["psnr"]).to_numpy(np.float64)
                (effect,) = describe(results, unit_means(difference, part["group"].to_numpy(np.str_)))
                row: Row = {"method": method, "benchmark": results.title(str(benchmark)), "n": effect.n}
                row |= {"taken": words(str(taken)), "kind": words(str(kind))}
                rows.append(row | {"moved": float(part["moved"].mean())} | interval("gain", effect))
    return table("probes", results, rows, benchmarks=list(asked))
