"""The report's figures: which there are, what each says, and how they are written (PNG, PDF, SVG)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from lift.report.comparisons import Tested, compared
from lift.report.curves import Curves
from lift.report.figures import compute as costs
from lift.report.figures import curves as lines
from lift.report.figures import effects, pictures
from lift.report.figures.style import Drawing, write
from lift.report.names import narrow
from lift.report.results import Results
from lift.report.strata import SCENES, Stratum, narrow_methods, trend
from lift.report.tables.compute import SIZE, costed
from lift.report.tables.effects import ablation_effects
from lift.report.tables.results import stand_in, title
from lift.report.weights import read_weights

__all__ = ["Drawing", "plan", "write_all"]


def plan(
    results: Results,
    families: Mapping[str, Sequence[Tested]],
    strata: Sequence[Stratum],
    curves: Mapping[str, Curves],
) -> list[Drawing]:
    """List every figure that the results allow, in the order of the page."""
    found = [
        *_declared(results, families),
        *_strata(results, strata),
        *_trends(results),
        *_ablations(results),
        *_difficulty(results),
        *_weights(results),
        *_compute(results),
        *_training(results, curves),
        *pictures.plan(results),
    ]
    return found


def write_all(drawings: Sequence[Drawing], folder: Path) -> None:
    """Write each figure in its three formats."""
    folder.mkdir(parents=True)
    for drawing in drawings:
        write(drawing, folder)


def _clips_of(results: Results, methods: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"results/{m}/clips.csv" for m in dict.fromkeys(methods) if m not in results.missing)


def _percent(results: Results) -> str:
    return f"{100 * results.config.report.confidence:g} %"


def _declared(results: Results, families: Mapping[str, Sequence[Tested]]) -> list[Drawing]:
    benchmark = results.config.report.benchmark
    tests = [test for family in families.values() for test in family]
    if not any(test.effect for test in tests):
        return []
    methods = [m for t in tests for m in (t.comparison.method, t.comparison.against)]
    return [
        Drawing(
            name="comparisons",
            title="Declared comparisons",
            caption=f"Mean gain on {title(results, benchmark)}{stand_in(results, benchmark)} with "
            f"{_percent(results)} bootstrap "
            f"interval over source videos, by metric; families: {', '.join(families)}. Right of zero the "
            "method named first is "
            "better, whatever the metric's direction. Filled: significant after Holm's correction within "
            "the family; arrows: beyond the axis, with mean and interval.",
            alt="Forest plot of the gain of each declared comparison in each metric.",
            sources=_clips_of(results, methods),
            draw=partial(effects.forest, results, families),
        )
    ]


def _strata(results: Results, rows: Sequence[Stratum]) -> list[Drawing]:
    if not rows:
        return []
    return [
        Drawing(
            name="strata",
            title="Gain by stratum",
            caption=f"Gain of {results.base} by kind of scene (procedural scenes), mean and "
            f"{_percent(results)} interval over scenes; below, the gain beyond that in plain scenes, which "
            "architecture section 1.1 claims to be positive: filled where the corrected test of the "
            "interaction finds a difference. It is a benefit only where the gain above is positive as well.",
            alt="Mean gain, and gain beyond plain scenes, with interval for each kind of scene.",
            sources=_clips_of(results, [results.base, *(row.against for row in rows)]),
            draw=partial(effects.strata, results, rows),
        )
    ]


def _trends(results: Results) -> list[Drawing]:
    against = next(iter(narrow_methods(results)), None)
    if against is None:
        return []
    asked = ((results.config.report.benchmark, "motion"), (SCENES, "motion"), (SCENES, "occluded"))
    measured = [pair for pair in dict.fromkeys(asked) if results.measured(pair[0])]
    found = [t for benchmark, column in measured if (t := trend(results, benchmark, against, column))]
    if not found:
        return []
    said = [f"{title(results, b)}{stand_in(results, b)}" for b in dict.fromkeys(t.benchmark for t in found)]
    return [
        Drawing(
            name="trends",
            title="Gain against motion and occlusion",
            caption=f"Gain in PSNR of {results.base} over {against} against motion (mean absolute "
            "difference of the references) and against the true share of occluded pixels: "
            f"{', '.join(said)}. One grey point per source video; squares: means of groups of equal size; "
            f"ρ: Spearman's correlation with {_percent(results)} interval, not corrected: it "
            "describes, it does not test.",
            alt="Scatter plots of the gain against motion and occlusion.",
            sources=_clips_of(results, [results.base, against]),
            draw=partial(effects.trends, results, found),
        )
    ]


def _ablations(results: Results) -> list[Drawing]:
    benchmarks = dict.fromkeys((results.config.report.benchmark, SCENES))
    found = {name: ablation_effects(results, name) for name in benchmarks if results.measured(name)}
    found = {name: by_method for name, by_method in found.items() if by_method}
    if not found:
        return []
    said = ", ".join(f"{title(results, name)}{stand_in(results, name)}" for name in found)
    return [
        Drawing(
            name="ablations",
            title="Ablations against the base",
            caption=f"Mean PSNR of each method minus that of {results.base}, with {_percent(results)} "
            "interval over source videos: "
            f"{said}. Left of zero: worse than the base; arrows: beyond the axis.",
            alt="Difference in PSNR to the base with interval, for each method.",
            sources=_clips_of(results, results.methods),
            draw=partial(effects.ablations, results, found),
        )
    ]


def _difficulty(results: Results, benchmark: str = "snu_film") -> list[Drawing]:
    if benchmark not in results.config.benchmarks or not results.measured(benchmark):
        return []
    return [
        Drawing(
            name="difficulty",
            title=f"{title(results, benchmark)} by difficulty",
            caption=f"Mean PSNR on {title(results, benchmark)}{stand_in(results, benchmark)} by "
            "difficulty, and its distance to "
            f"{results.base}, over the range of the compared methods"
            f"{_without(lines.beyond_axis(results, benchmark))}. Of the two best methods those that are not "
            "compared are named at their lines' ends.",
            alt="PSNR falls with difficulty; one line per method.",
            sources=_clips_of(results, results.measured(benchmark)),
            draw=partial(lines.difficulty, results, benchmark),
        )
    ]


def _without(methods: Sequence[str]) -> str:
    return f" (without {', '.join(methods)})" if methods else ""


def _weights(results: Results) -> list[Drawing]:
    benchmark = results.config.report.benchmark
    methods = [m for m in compared(results, list(results.config.models)) if not narrow(results.configs, m)]
    tables = {m: read_weights(results, m) for m in methods}
    tables = {m: table for m, table in tables.items() if (table["benchmark"] == benchmark).any()}
    found = []
    if tables:
        found.append(
            Drawing(
                name="weights",
                title="Context weights by position",
                caption="Aggregation weight α of each context frame on "
                f"{title(results, benchmark)}{stand_in(results, benchmark)}, "
                "over clips. The missing frame is at offset 0; the dashed line is what equal weights "
                "would be.",
                alt="Weight by offset for each method.",
                sources=tuple(f"results/{m}/weights.csv" for m in tables),
                draw=partial(lines.weights, results, tables, benchmark),
            )
        )
    base = tables.get(results.base)
    if base is not None and (base["benchmark"] == SCENES).any():
        found.append(
            Drawing(
                name="weights_strata",
                title="Context weights by stratum",
                caption=f"Mean weight α of {results.base} by offset in each kind of scene (procedural "
                "scenes).",
                alt="Weight by offset, one line per kind of scene.",
                sources=(f"results/{results.base}/weights.csv",),
                draw=partial(lines.weights_by_stratum, results, base),
            )
        )
    return found


def _compute(results: Results) -> list[Drawing]:
    benchmark = results.config.report.benchmark
    shown = [m for m in costed(results) if results.frame(m, benchmark) is not None]
    if not shown:
        return []
    return [
        Drawing(
            name="compute",
            title="Quality against compute",
            caption=f"Mean PSNR on {title(results, benchmark)}{stand_in(results, benchmark)} against the "
            f"multiply-accumulates of one frame of {SIZE.replace('x', ' × ')} pixels with all frames of the "
            "window, and against the number of parameters. Filled: the base; a line leads from each "
            "name to its marker.",
            alt="Scatter plots of PSNR against operations and parameters, one marker per model.",
            sources=tuple(f"results/{m}/metrics.json" for m in shown) + _clips_of(results, shown),
            draw=partial(costs.compute, results, shown, benchmark),
        )
    ]


def _training(results: Results, curves: Mapping[str, Curves]) -> list[Drawing]:
    if not curves:
        return []
    missing = [name for name in results.config.ablations if name not in curves]
    note = f" Missing: {', '.join(missing)}." if missing else ""
    return [
        Drawing(
            name="training",
            title="Training curves",
            caption="Training loss and validation PSNR by "
            f"step{' (procedural stand-ins)' if results.stand_in('train') else ''}; "
            f"{_trainings(results, list(curves))}{note}",
            alt="Loss falls and validation PSNR rises with training steps.",
            sources=tuple(f"training/{name}/curves.csv" for name in curves),
            draw=partial(lines.training, results, curves),
        )
    ]


def _trainings(results: Results, methods: Sequence[str]) -> str:
    most = max(len(results.configs[name].train.seeds) for name in methods)
    if most == 1:
        return "one training per ablation, one seed."
    return f"means over up to {most} training seeds, shaded: their range."
