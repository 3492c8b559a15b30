"""Tables of differences: verdicts, every declared test, gains, strata, the worst videos."""

import math
from collections.abc import Sequence

import numpy as np

from lift.report.answer import EXPLORATORY, by_comparison, judged, reading
from lift.report.comparisons import BETTER, WORSE, Tested, compared, describe, gains
from lift.report.names import METRICS, sampling, words
from lift.report.results import Results, unit_means
from lift.report.statistics import Effect
from lift.report.strata import Stratum
from lift.report.tables.results import METHOD, TWO, counts, named, percent, sources, stand_in, title
from lift.report.tables.table import GAIN, LOSS, Cell, Column, Table

ORIENTED = (
    "Gains are oriented: positive is better for the method named first, whatever the metric's direction."
)
_WORST = 5


def verdicts(results: Results, tests: Sequence[Tested]) -> Table | None:
    """Return a row for each declared comparison and population: one verdict, and what it rests on."""
    rows = []
    for group in by_comparison(tests):
        comparison, psnr = group[0].comparison, group[0]
        by_key = {t.metric.key: t for t in group}
        if psnr.effect is None:
            continue
        times = [results.trainings.get(m, 0) for m in (comparison.method, comparison.against)]
        family = EXPLORATORY if comparison.family == EXPLORATORY else reading(results, comparison)
        rows.append(
            [
                Cell(text=_versus(results, psnr), key=f"{comparison.method} - {comparison.against}"),
                Cell(text=family),
                Cell(text=title(results, psnr.benchmark)),
                Cell(value=psnr.effect.n),
                *(_gain(by_key[key]) for key in ("psnr", "lpips")),
                Cell(value=psnr.detectable),
                Cell(text=" / ".join(map(str, times)) if any(times) else "–"),
                Cell(text=judged(group), mark=_MARKS.get(judged(group), "")),
            ]
        )
    if not rows:
        return None
    return Table(
        name="verdicts",
        caption="Declared comparisons: one verdict for each population",
        columns=[
            Column(key="comparison", title="Comparison", numeric=False),
            Column(key="reading", title="Reading", numeric=False),
            Column(key="population", title="Population", numeric=False),
            Column(key="n", title="n", digits=0),
            Column(key="psnr", title=f"Gain in PSNR, dB [{percent(results)} interval]", signed=True),
            Column(key="lpips", title="Gain in LPIPS", digits=4, signed=True),
            Column(key="detectable", title="Detectable, dB"),
            Column(key="trainings", title="Trainings", numeric=False),
            Column(key="verdict", title="Verdict", numeric=False),
        ],
        rows=rows,
        notes=[
            f"{ORIENTED} n: source videos. Detectable: gain in PSNR that this n finds with 80 % power as the "
            f"smallest p of "
            "its family (none: no gain, however large). Trainings: of what was learnt here, of the two "
            "methods; "
            "– where nothing was. Reading: what the two differ in (robustness: the sampling alone; "
            "method: all but the window).",
            "The verdict is over PSNR, SSIM, LPIPS, interpolation error and flow error: better or worse in "
            "at least one "
            "and the opposite in none. All tests: comparisons.csv.",
        ],
        sources=sources(results, compared(results, results.methods)),
    )


_MARKS = {BETTER: GAIN, WORSE: LOSS}


def every_test(results: Results, tests: Sequence[Tested]) -> Table | None:
    """Return every outcome of every declared comparison on every population."""
    rows = [
        [
            Cell(text=t.comparison.family),
            Cell(text=_versus(results, t), key=f"{t.comparison.method} - {t.comparison.against}"),
            Cell(text=title(results, t.benchmark)),
            Cell(text=t.metric.title + (f" ({t.metric.unit})" if t.metric.unit else "")),
            *_numbers(t),
            Cell(text=t.verdict),
        ]
        for t in tests
    ]
    if not rows:
        return None
    report = results.config.report
    return Table(
        name="comparisons",
        caption="Declared comparisons: every outcome on every population",
        columns=[
            Column(key="family", title="Family", numeric=False),
            Column(key="comparison", title="Comparison", numeric=False),
            Column(key="population", title="Population", numeric=False),
            Column(key="metric", title="Metric", numeric=False),
            Column(key="n", title="n", digits=0),
            Column(key="gain", title=f"Mean gain [{percent(results)} interval]", digits=4, signed=True),
            Column(key="with_seeds", title="Interval with seeds", digits=4, signed=True),
            Column(key="p", title="p", digits=4, least=True),
            Column(key="p_holm", title="p (Holm)", digits=4, least=True),
            Column(key="rank_biserial", title="Rank-biserial", digits=2, signed=True),
            Column(key="detectable", title="Detectable gain"),
            Column(key="result", title="Result", numeric=False),
        ],
        rows=rows,
        notes=[
            ORIENTED + " Unit of analysis: source video (its clips are averaged).",
            f"Interval: studentised cluster bootstrap, {report.resamples} resamples. p: Wilcoxon "
            f"signed-rank, two-sided; "
            f"Holm over all rows of one family and population; level {1 - report.confidence:.3g}. The "
            f"interval with seeds "
            "counts their variance as well (t intervals over videos and over seeds, half widths added in "
            "squares).",
            "Detectable gain: what this n finds with 80 % power as the smallest p of the family.",
        ],
        sources=sources(results, compared(results, results.methods)),
    )


def _versus(results: Results, test: Tested) -> str:
    forced = results.config.benchmarks[test.benchmark].sampling
    names = (test.comparison.method, test.comparison.against)
    kinds = [sampling(results.configs, name, forced) for name in names]
    told = kinds if len(set(kinds)) > 1 and "uniform" in kinds else ["", ""]
    return " − ".join(results.called(n) + (f" ({k})" if k else "") for n, k in zip(names, told, strict=True))


def _numbers(test: Tested) -> list[Cell]:
    effect, digits = test.effect, test.metric.digits + 1
    if effect is None:
        return [Cell(text="–") for _ in range(7)]
    low, high = test.seeds
    return [
        Cell(value=effect.n),
        _gain(test, digits),
        Cell(text="–") if math.isnan(low) else Cell(value=effect.mean, low=low, high=high, digits=digits),
        Cell(value=effect.p),
        Cell(value=test.p_holm),
        Cell(value=effect.rank_biserial),
        Cell(value=test.detectable, digits=digits),
    ]


def _gain(test: Tested | Effect, digits: int | None = None) -> Cell:
    effect = test.effect if isinstance(test, Tested) else test
    if effect is None:
        return Cell(text="–")
    return Cell(value=effect.mean, low=effect.low, high=effect.high, digits=digits)


def gained(results: Results, benchmark: str) -> Table | None:
    """Return every method's gain over the base, the pictures' rival and the narrowest window."""
    report = results.config.report
    asked = dict.fromkeys((*report.strips[:1], *report.curve[:1], results.base))
    over = [m for m in asked if results.frame(m, benchmark) is not None]
    if not over:
        return None
    rows = []
    units = np.unique(results.videos(benchmark))
    for method in results.measured(benchmark):
        row = [*named(results, method)]
        row += [Cell(value=float(results.values(method, benchmark, key).mean())) for key in ("psnr", "lpips")]
        for other in over:
            if other == method:
                row += [Cell(text="–"), Cell(text="–")]
                continue
            gain = gains(results, benchmark, "psnr", method, other)
            (effect,) = describe(results, [gain], "gain", benchmark, method, other)
            row += [_gain(effect), Cell(value=float(gain.min()), text=_short(units[gain.argmin()]))]
        rows.append(row)
    psnr, lpips = METRICS["psnr"], METRICS["lpips"]
    return Table(
        name=f"gain_{benchmark}",
        caption=f"{title(results, benchmark)}: gain in PSNR (dB) with {percent(results)} interval over "
        f"videos, and the "
        f"worst video; {counts(results, benchmark)}{stand_in(results, benchmark)}",
        columns=[
            METHOD,
            Column(key="window", title="Frames", numeric=False),
            *(Column(key=m.key, title=m.heading, better=m.better, digits=m.digits) for m in (psnr, lpips)),
            *(
                column
                for m in over
                for column in (
                    Column(key=f"over_{m}", title=f"over {results.called(m)}", signed=True),
                    Column(key=f"worst_{m}", title="worst video", signed=True),
                )
            ),
        ],
        rows=rows,
        notes=[f"Intervals describe, they do not test: they are not corrected for their number. {TWO}"],
        sources=sources(results, results.measured(benchmark)),
    )


def _short(video: str) -> str:
    return str(video).rpartition("/")[2]


def worst(results: Results) -> Table | None:
    """Return the videos on which the base loses most to what strips show first, of each population."""
    report = results.config.report
    shown = [results.base, *report.strips]
    rows = []
    for benchmark in results.populations:
        there = [m for m in shown if results.frame(m, benchmark) is not None]
        if there[:2] != shown[:2]:
            continue
        units, kinds = results.videos(benchmark), results.kinds(benchmark)
        names, first = np.unique(units, return_index=True)
        means = {m: unit_means(results.values(m, benchmark, "psnr"), units) for m in there}
        gain = means[shown[0]] - means[shown[1]]
        for i in np.argsort(gain, kind="stable")[:_WORST]:
            rows.append(
                [
                    Cell(text=_short(names[i])),
                    Cell(text=title(results, benchmark)),
                    Cell(text=words(str(kinds[first[i]])) if kinds[first[i]] else "–"),
                    Cell(value=float(gain[i])),
                    *(Cell(value=float(means[m][i])) if m in means else Cell(text="–") for m in shown),
                ]
            )
    if not rows:
        return None
    return Table(
        name="worst",
        caption=f"Failure cases: the {_WORST} videos of each population on which "
        f"{results.called(shown[0])} loses most to, or "
        f"gains least over, {results.called(shown[1])}",
        columns=[
            Column(key="video", title="Video", numeric=False),
            Column(key="population", title="Population", numeric=False),
            Column(key="kind", title="Kind", numeric=False),
            Column(key="gain", title="Gain (dB)", signed=True),
            *(Column(key=m, title=f"{results.called(m)}, dB") for m in shown),
        ],
        rows=rows,
        notes=["Of all videos, not of a selection; mean PSNR of a video's clips."],
        sources=sources(results, shown),
    )


def strata(results: Results, rows: Sequence[Stratum]) -> Table | None:
    """Return gains by kind of video with the interaction; None where there is nothing to show."""
    if not rows:
        return None
    level = 1 - results.config.report.confidence
    body = [
        [
            Cell(text=title(results, row.benchmark)),
            Cell(text=results.called(row.against), key=row.against),
            Cell(text=METRICS[row.metric].title),
            Cell(text=words(row.kind)),
            Cell(value=row.effect.n),
            _gain(row.effect),
            Cell(text="–") if math.isnan(row.excess) else Cell(value=row.excess, low=row.low, high=row.high),
            Cell(value=row.p_holm),
            Cell(value=row.detectable),
            Cell(text=_interaction(row, level)),
        ]
        for row in rows
    ]
    return Table(
        name="strata",
        caption=f"Gain of {results.called(results.base)} by kind of video, with {percent(results)} intervals",
        columns=[
            Column(key="population", title="Population", numeric=False),
            Column(key="against", title="Against", numeric=False),
            Column(key="metric", title="Metric", numeric=False),
            Column(key="kind", title="Kind", numeric=False),
            Column(key="n", title="n", digits=0),
            Column(key="gain", title="Mean gain", digits=3, signed=True),
            Column(key="excess", title="Gain beyond the control", digits=3, signed=True),
            Column(key="p_holm", title="p (Holm)", digits=4, least=True),
            Column(key="detectable", title="Detectable excess", digits=3),
            Column(key="result", title="Result", numeric=False),
        ],
        rows=body,
        notes=[
            f"{ORIENTED} PSNR in dB, EPE in pixels. Control: plain scenes; of real video that in which no "
            f"frame near the "
            "missing one repeats the one before it while the scene moves (judder).",
            "Gain beyond the control is the interaction. p: permutation test of Welch's t, two-sided; Holm "
            "over all "
            "interactions of one population. An interaction is a benefit only where the gain itself is "
            "positive "
            "(interval above 0).",
            "Detectable excess: what these videos find with 80 % power as the smallest p of the family.",
        ],
        sources=sources(results, [results.base, *(row.against for row in rows)]),
    )


def _interaction(row: Stratum, level: float) -> str:
    if math.isnan(row.p_holm):
        return "–"
    if row.benefits(level):
        return "a larger gain than in the control"
    told = {
        1: "more than in the control, but no gain",
        -1: "less than in the control",
        0: "no difference shown",
    }
    return told[row.found(level)]
