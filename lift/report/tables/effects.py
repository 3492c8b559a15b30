"""Tables of differences: the declared comparisons, every ablation against the base, gains by stratum."""

import math
from collections.abc import Sequence

from lift.report.comparisons import Tested, describe, gains
from lift.report.names import changes, sampling, words
from lift.report.results import Results
from lift.report.statistics import Effect
from lift.report.strata import Stratum
from lift.report.tables.results import METHOD, MISSING, TWO, named, stand_in, title
from lift.report.tables.table import Cell, Column, Table

GAIN = "Gains are oriented: positive is better for the method named first, whatever the metric's direction."


def of_family(results: Results, family: str, tests: Sequence[Tested]) -> Table:
    """Return every test of one declared family."""
    report = results.config.report
    level = 1 - report.confidence
    benchmark = report.benchmark
    columns = [
        Column(key="comparison", title="Comparison", numeric=False),
        Column(key="metric", title="Metric", numeric=False),
        Column(key="n", title="n", digits=0),
        Column(key="gain", title=f"Mean gain [{_percent(results)} interval]", digits=4, signed=True),
        *([SEEDS] if _seeded(tests) else []),
        Column(key="p", title="p", digits=4, least=True),
        Column(key="p_holm", title="p (Holm)", digits=4, least=True),
        Column(key="rank_biserial", title="Rank-biserial", digits=2, signed=True),
        Column(key="detectable", title="Detectable gain"),
        Column(key="result", title="Result", numeric=False),
    ]
    rows = [
        [
            Cell(text=_versus(results, test)),
            Cell(text=test.metric.title + (f" ({test.metric.unit})" if test.metric.unit else "")),
            *_numbers(test, _seeded(tests)),
            Cell(text=_result(test, level)),
        ]
        for test in tests
    ]
    return Table(
        name=f"comparisons_{family}",
        title=f"Declared comparisons: {words(family)}",
        caption=f"Declared comparisons on {title(results, benchmark)}: "
        f"{words(family)}{stand_in(results, benchmark)}",
        columns=columns,
        rows=rows,
        notes=[
            GAIN + " Unit of analysis: source video (its clips are averaged).",
            f"Interval: studentised cluster bootstrap, {report.resamples} resamples. p: Wilcoxon "
            "signed-rank, two-sided; Holm over "
            f"all rows of this table. Result at level {level:.3g}. {_trainings(results, tests)}",
            "Detectable gain: what this n would find with 80 % power as the smallest p of the family "
            "(none: no gain, however large).",
        ],
        sources=_sources(results, [m for t in tests for m in (t.comparison.method, t.comparison.against)]),
    )


SEEDS = Column(key="with_seeds", title="Interval with seeds", digits=4, signed=True)


def _seeded(tests: Sequence[Tested]) -> bool:
    return any(not math.isnan(end) for test in tests for end in test.seeds)


def _trainings(results: Results, tests: Sequence[Tested]) -> str:
    methods = dict.fromkeys(m for t in tests for m in (t.comparison.method, t.comparison.against))
    trained = {m: results.configs[m].train.seeds for m in methods if m in results.config.ablations}
    told = "Training seeds: " + (", ".join(f"{m} {len(s)}" for m, s in trained.items()) or "none") + "."
    if _seeded(tests):
        told += (
            " Gains are averaged over seeds; the interval with seeds counts their variance as well (t "
            "intervals over videos and over seeds, half widths added in squares)."
        )
    return told


def _result(test: Tested, level: float) -> str:
    if test.effect is None:
        return test.reason
    found = test.found(level)
    if test.passes(level) and not found:
        return "unclear: mean and ranks disagree"
    if found and test.seeds[0] <= 0 <= test.seeds[1]:  # false for NaN
        return f"{'better' if found > 0 else 'worse'}, within the spread of seeds"
    return {1: "better", -1: "worse", 0: "no difference shown"}[found]


def _versus(results: Results, test: Tested) -> str:
    forced = results.config.benchmarks[results.config.report.benchmark].sampling
    names = (test.comparison.method, test.comparison.against)
    return " − ".join(f"{name} ({sampling(results.configs, name, forced)})" for name in names)


def _numbers(test: Tested, seeded: bool) -> list[Cell]:
    effect = test.effect
    if effect is None:
        return [Cell(text="–") for _ in range(7 if seeded else 6)]
    digits = test.metric.digits + 1
    low, high = test.seeds
    known = not math.isnan(low)
    with_seeds = Cell(value=effect.mean, low=low, high=high, digits=digits) if known else Cell(text="–")
    return [
        Cell(value=effect.n),
        _gain(effect, digits),
        *([with_seeds] if seeded else []),
        Cell(value=effect.p),
        Cell(value=test.p_holm),
        Cell(value=effect.rank_biserial),
        Cell(value=test.detectable, digits=digits),
    ]


def _gain(effect: Effect, digits: int | None = None) -> Cell:
    return Cell(value=effect.mean, low=effect.low, high=effect.high, digits=digits)


def ablation_effects(results: Results, benchmark: str, metric: str = "psnr") -> dict[str, Effect]:
    """Return each method's gain over the base on `benchmark`, for methods that were measured there."""
    measured = results.measured(benchmark)
    if results.base not in measured:
        return {}
    others = [m for m in measured if m != results.base and results.has(m, benchmark, metric)]
    columns = [gains(results, benchmark, metric, other, results.base) for other in others]
    return dict(zip(others, describe(results, columns, "ablations", benchmark, metric), strict=True))


def of_ablations(results: Results, benchmarks: Sequence[str]) -> Table:
    """Return what each ablation changes and what that does to PSNR, against the base."""
    psnr = results.metrics["psnr"]
    found = {name: ablation_effects(results, name) for name in benchmarks}
    columns = [METHOD, Column(key="change", title="Change", numeric=False)] + [
        Column(key=name, title=f"{title(results, name)} (dB)", digits=psnr.digits, signed=True)
        for name in benchmarks
    ]
    base = results.configs.get(results.base)
    rows = []
    for method in (m for m in results.methods if m != results.base):
        config = results.configs.get(method)
        modelled = method in results.config.models
        change = changes(base, config) if modelled and base and config else "no training"
        if method in results.config.released:
            change = f"released; {change}"
        cells = [_gain(found[n][method]) if method in found[n] else Cell(text=MISSING) for n in benchmarks]
        rows.append([named(results, method)[0], Cell(text=change), *cells])
    said = [stand_in(results, name) for name in benchmarks]
    return Table(
        name="ablations",
        title="Ablations against the base",
        caption=f"Mean PSNR of each method minus that of {results.base}, with {_percent(results)} "
        "interval over source videos" + next((text for text in said if text), ""),
        columns=columns,
        rows=rows,
        notes=[
            "Positive: better than the base. Intervals are not corrected for their number: they "
            "describe, they do not test.",
            TWO,
        ],
        sources=_sources(results, results.methods),
    )


def of_strata(results: Results, rows: Sequence[Stratum]) -> Table | None:
    """Return gains by kind of scene with the interaction; None where there is nothing to show."""
    if not rows:
        return None
    columns = [
        Column(key="against", title=f"{results.base} against", numeric=False),
        Column(key="metric", title="Metric", numeric=False),
        Column(key="kind", title="Scenes", numeric=False),
        Column(key="n", title="n", digits=0),
        Column(key="gain", title="Mean gain", digits=3, signed=True),
        Column(key="excess", title="Gain beyond plain", digits=3, signed=True),
        Column(key="p_holm", title="p (Holm)", digits=4, least=True),
        Column(key="detectable", title="Detectable excess", digits=3),
        Column(key="result", title="Result", numeric=False),
    ]
    body = []
    for row in rows:
        metric = results.metrics[row.metric]
        excess = (
            Cell(text="–") if math.isnan(row.excess) else Cell(value=row.excess, low=row.low, high=row.high)
        )
        body.append(
            [
                Cell(text=row.against),
                Cell(text=metric.title + (f" ({metric.unit})" if metric.unit else "")),
                Cell(text=words(row.kind)),
                Cell(value=row.effect.n),
                _gain(row.effect),
                excess,
                *(_number(value) for value in (row.p_holm, row.detectable)),
                Cell(text=_interaction(row, 1 - results.config.report.confidence)),
            ]
        )
    return Table(
        name="strata",
        title="Gain by stratum",
        caption=f"Gain of {results.base} by kind of scene, with {_percent(results)} intervals (procedural "
        "scenes)",
        columns=columns,
        rows=body,
        notes=[
            GAIN,
            "Gain beyond plain is the interaction: the gain here minus the gain in plain scenes. p: "
            "permutation test of Welch's t, two-sided; Holm over all "
            f"{sum(not math.isnan(row.p) for row in rows)} interactions of this table. An interaction "
            "is a benefit only where the gain itself is positive "
            "(interval above 0). Intervals are not corrected.",
            "Detectable excess: what these scenes find with 80 % power as the smallest p of the family.",
            "Sampling: "
            f"{results.configs[results.base].clip.sampling if results.base in results.configs else '–'}.",
        ],
        sources=_sources(results, [results.base, *(row.against for row in rows)]),
    )


def _number(value: float) -> Cell:
    return Cell(text="–") if math.isnan(value) else Cell(value=value)


def _interaction(row: Stratum, level: float) -> str:
    if math.isnan(row.p_holm):
        return "–"
    if row.benefits(level):
        return "a larger gain than in plain"
    found = row.found(level)
    return {1: "more than in plain, but no gain", -1: "less than in plain", 0: "no difference shown"}[found]


def _percent(results: Results) -> str:
    return f"{100 * results.config.report.confidence:g} %"


def _sources(results: Results, methods: Sequence[str]) -> list[str]:
    return [f"results/{m}/clips.csv" for m in dict.fromkeys(methods) if m not in results.missing]
