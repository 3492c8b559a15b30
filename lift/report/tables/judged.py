"""Tables of differences: verdicts, every declared test, gains, strata, the worst videos."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lift.report.comparisons import BETTER, WORSE, compared, describe, gains
from lift.report.names import METRICS, NONE, TWO, sampling, words
from lift.report.results import Results, unit_means
from lift.report.tables.results import METHOD, counts
from lift.report.tables.table import GAIN, LOSS, Column, Row, Table, interval

ORIENTED = (
    "Gains are oriented: positive is better for the method named first, whatever the metric's direction."
)
COMPARISON, POPULATION = Column("comparison", "Comparison"), Column("population", "Population")
_WORST = 5


def verdicts(results: Results, decided: pd.DataFrame) -> Table | None:
    """Return a row for each declared comparison and population: one verdict, and what it rests on."""
    rows = []
    for row in decided.to_dict("records"):
        times = [results.trainings.get(m, 0) for m in (row["method"], row["against"])]
        cells: Row = {key: row[key] for key in ("reading", "detectable", "verdict")}
        cells |= interval("psnr", row["effect"]) | interval("lpips", row["lpips"])
        cells |= {"n": row["effect"].n, "trainings": " / ".join(map(str, times)) if any(times) else NONE}
        cells["verdict_mark"] = {BETTER: GAIN, WORSE: LOSS}.get(row["verdict"], "")
        rows.append(_versus(results, row) | cells)
    if not rows:
        return None
    return Table(
        name="verdicts",
        caption="Declared comparisons: one verdict for each population",
        columns=[
            COMPARISON,
            Column("reading", "Reading"),
            POPULATION,
            Column("n", "n", 0),
            Column("psnr", f"Gain in PSNR, dB [{results.coverage} interval]", 2, signed=True),
            Column("lpips", "Gain in LPIPS", 4, signed=True),
            Column("detectable", "Detectable, dB", 2),
            Column("trainings", "Trainings"),
            Column("verdict", "Verdict"),
        ],
        rows=rows,
        notes=[
            f"{ORIENTED} n: source videos. Detectable: gain in PSNR that this n finds with 80 % power as "
            "the smallest p of its family (none: no gain, however large). Trainings: of what was learnt "
            f"here, of the two methods; {NONE} where nothing was. Reading: what the two differ in "
            "(robustness: the sampling alone; method: all but the window).",
            "The verdict is over PSNR, SSIM, LPIPS, interpolation error and flow error: better or worse in "
            "at least one and the opposite in none. All tests: comparisons.csv.",
        ],
        sources=results.sources(compared(results, results.methods)),
    )


def every_test(results: Results, tests: pd.DataFrame) -> Table | None:
    """Return every outcome of every declared comparison on every population."""
    if tests.empty:
        return None
    numbers = ("n", "gain", "with_seeds", "p", "p_holm", "rank_biserial", "detectable")
    rows: list[Row] = []
    for test in tests.to_dict("records"):
        metric, effect = METRICS[test["metric"]], test["effect"]
        row = _versus(results, test) | {"family": test["family"], "result": test["verdict"]}
        row |= {"metric": metric.title + (f" ({metric.unit})" if metric.unit else "")}
        rows.append(row | dict.fromkeys(numbers, NONE))
        if effect is None:
            continue
        digits = metric.digits + 1
        rows[-1] |= interval("gain", effect, digits) | {"detectable_digits": digits}
        rows[-1] |= {"n": effect.n, "p": effect.p, "rank_biserial": effect.rank_biserial}
        rows[-1] |= {"p_holm": test["p_holm"], "detectable": test["detectable"]}
        if not math.isnan(test["low"]):  # several trainings
            ends = {"with_seeds_low": test["low"], "with_seeds_high": test["high"]}
            rows[-1] |= {"with_seeds": effect.mean, "with_seeds_digits": digits, **ends}
    report = results.config.report
    return Table(
        name="comparisons",
        caption="Declared comparisons: every outcome on every population",
        columns=[
            Column("family", "Family"),
            COMPARISON,
            POPULATION,
            Column("metric", "Metric"),
            Column("n", "n", 0),
            Column("gain", f"Mean gain [{results.coverage} interval]", 4, signed=True),
            Column("with_seeds", "Interval with seeds", 4, signed=True),
            Column("p", "p", 4, least=True),
            Column("p_holm", "p (Holm)", 4, least=True),
            Column("rank_biserial", "Rank-biserial", 2, signed=True),
            Column("detectable", "Detectable gain", 2),
            Column("result", "Result"),
        ],
        rows=rows,
        notes=[
            ORIENTED + " Unit of analysis: source video (its clips are averaged).",
            f"Interval: studentised cluster bootstrap, {report.resamples} resamples. p: Wilcoxon "
            "signed-rank, two-sided; Holm over all rows of one family and population; level "
            f"{1 - report.confidence:.3g}. The interval with seeds counts their variance as well (t "
            "intervals over videos and over seeds, half widths added in squares).",
            "Detectable gain: what this n finds with 80 % power as the smallest p of the family.",
        ],
        sources=results.sources(compared(results, results.methods)),
    )


def _versus(results: Results, test: Mapping[Any, Any]) -> Row:
    """Name a comparison and its population; with the samplings, where these are what differs."""
    names, benchmark = (str(test["method"]), str(test["against"])), str(test["benchmark"])
    forced = results.config.benchmarks[benchmark].sampling
    kinds = [sampling(results.configs, name, forced) for name in names]
    told = kinds if len(set(kinds)) > 1 and "uniform" in kinds else ["", ""]
    shown = [results.called(n) + (f" ({k})" if k else "") for n, k in zip(names, told, strict=True)]
    key = " - ".join(names)
    return {"comparison": key, "comparison_shown": " − ".join(shown), "population": results.title(benchmark)}


def gained(results: Results, benchmark: str) -> Table | None:
    """Return every method's gain over the base, the pictures' rival and the narrowest window."""
    report = results.config.report
    asked = dict.fromkeys((*report.strips[:1], *report.curve[:1], results.base))
    over = [m for m in asked if results.frame(m, benchmark) is not None]
    if not over:
        return None
    rows, units = [], np.unique(results.videos(benchmark))
    for method in results.measured(benchmark):
        row = results.named(method)
        row |= {key: float(results.values(method, benchmark, key).mean()) for key in ("psnr", "lpips")}
        for other in over:
            if other == method:
                row |= {f"over_{other}": NONE, f"worst_{other}": NONE}
                continue
            gain = gains(results, benchmark, "psnr", method, other)
            (effect,) = describe(results, gain)
            row |= interval(f"over_{other}", effect) | {f"worst_{other}": float(gain.min())}
            row[f"worst_{other}_beside"] = _short(units[gain.argmin()])
        rows.append(row)
    return Table(
        name=f"gain_{benchmark}",
        caption=f"{results.title(benchmark)}: gain in PSNR (dB) with {results.coverage} interval over "
        f"videos, and the worst video; {counts(results, benchmark)}{results.footage(benchmark)}",
        columns=[
            METHOD,
            Column("window", "Frames"),
            *(Column(key, METRICS[key].heading, METRICS[key].digits) for key in ("psnr", "lpips")),
            *(
                column
                for m in over
                for column in (
                    Column(f"over_{m}", f"over {results.called(m)}", 2, signed=True),
                    Column(f"worst_{m}", "worst video", 2, signed=True),
                )
            ),
        ],
        rows=rows,
        notes=[f"Intervals describe, they do not test: they are not corrected for their number. {TWO}"],
        sources=results.sources(results.measured(benchmark)),
    )


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
        rows += [
            {
                "video": _short(names[i]),
                "population": results.title(benchmark),
                "kind": words(str(kinds[first[i]])) if kinds[first[i]] else NONE,
                "gain": float(gain[i]),
                **{m: float(means[m][i]) if m in means else NONE for m in shown},
            }
            for i in np.argsort(gain, kind="stable")[:_WORST]
        ]
    if not rows:
        return None
    return Table(
        name="worst",
        caption=f"Failure cases: the {_WORST} videos of each population on which {results.called(shown[0])} "
        f"loses most to, or gains least over, {results.called(shown[1])}",
        columns=[
            Column("video", "Video"),
            POPULATION,
            Column("kind", "Kind"),
            Column("gain", "Gain (dB)", 2, signed=True),
            *(Column(m, f"{results.called(m)}, dB", 2) for m in shown),
        ],
        rows=rows,
        notes=["Of all videos, not of a selection; mean PSNR of a video's clips."],
        sources=results.sources(shown),
    )


_FOUND = {
    1: "more than in the control, but no gain",
    -1: "less than in the control",
    0: "no difference shown",
}


def strata(results: Results, found: pd.DataFrame) -> Table | None:
    """Return gains by kind of video with the interaction; None where there is nothing to show."""
    if found.empty:
        return None
    rows = []
    for row in found.to_dict("records"):
        benefits = row["found"] > 0 and row["effect"].low > 0  # a loss can be smaller than another
        said = "a larger gain than in the control" if benefits else _FOUND[row["found"]]
        control = math.isnan(row["excess"])
        ends = {} if control else {"excess_low": row["low"], "excess_high": row["high"]}
        rows.append(
            interval("gain", row["effect"])
            | ends
            | {
                "population": results.title(row["benchmark"]),
                "against": row["against"],
                "against_shown": results.called(row["against"]),
                "metric": METRICS[row["metric"]].title,
                "kind": words(row["kind"]),
                "n": row["effect"].n,
                "excess": NONE if control else row["excess"],
                "p_holm": row["p_holm"],
                "detectable": row["detectable"],
                "result": NONE if math.isnan(row["p_holm"]) else said,
            }
        )
    return Table(
        name="strata",
        caption=f"Gain of {results.called(results.base)} by kind of video, with {results.coverage} intervals",
        columns=[
            POPULATION,
            Column("against", "Against"),
            Column("metric", "Metric"),
            Column("kind", "Kind"),
            Column("n", "n", 0),
            Column("gain", "Mean gain", 3, signed=True),
            Column("excess", "Gain beyond the control", 3, signed=True),
            Column("p_holm", "p (Holm)", 4, least=True),
            Column("detectable", "Detectable excess", 3),
            Column("result", "Result"),
        ],
        rows=rows,
        notes=[
            f"{ORIENTED} PSNR in dB, EPE in pixels. Control: plain scenes; of real video that in which no "
            "frame near the missing one repeats the one before it while the scene moves (judder).",
            "Gain beyond the control is the interaction. p: permutation test of Welch's t, two-sided; Holm "
            "over all interactions of one population. An interaction is a benefit only where the gain "
            "itself is positive (interval above 0).",
            "Detectable excess: what these videos find with 80 % power as the smallest p of the family.",
        ],
        sources=results.sources([results.base, *found["against"]]),
    )
