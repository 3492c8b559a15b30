"""The report's figures: which there are, what each says, and how they are written (PNG, PDF, SVG)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from lift.report.comparisons import Tested, compared
from lift.report.curves import Curves
from lift.report.figures import curves as lines
from lift.report.figures import forest, strips
from lift.report.figures.style import Drawing, write
from lift.report.names import narrow
from lift.report.pictures import Shown
from lift.report.results import Results
from lift.report.strata import Stratum
from lift.report.tables.results import percent, sources, stand_in, title
from lift.report.weights import read_weights

__all__ = ["Drawing", "plan", "strips_of", "write_all"]


def plan(
    results: Results,
    tests: Sequence[Tested],
    strata: Sequence[Stratum],
    curves: Mapping[str, Curves],
    pictures: Sequence[Shown],
) -> list[Drawing]:
    """List every figure that the results allow, in the order of the page."""
    return [
        *_declared(results, tests),
        *_width(results),
        *_strata(results, strata),
        *_time(results),
        *_weights(results),
        *_training(results, curves),
        *strips_of(results, pictures),
    ]


def strips_of(results: Results, pictures: Sequence[Shown]) -> list[Drawing]:
    """List the strips of kept clips, the middling one of each benchmark first."""
    order = sorted(
        pictures, key=lambda one: (one.benchmark != (pictures[0].benchmark), one.benchmark, one.rank)
    )
    return [_strip(results, shown) for shown in order]


def write_all(drawings: Sequence[Drawing], folder: Path) -> None:
    """Write each figure in its three formats."""
    folder.mkdir(parents=True)
    for drawing in drawings:
        write(drawing, folder)


def _populations(results: Results) -> str:
    return ", ".join(f"{title(results, name)}{stand_in(results, name)}" for name in results.populations)


def _declared(results: Results, tests: Sequence[Tested]) -> list[Drawing]:
    if not any(test.effect for test in tests):
        return []
    found = [
        Drawing(
            name="comparisons",
            title="Declared comparisons",
            caption=f"Mean gain in PSNR with {percent(results)} bootstrap interval over source videos: "
            f"{_populations(results)}. Right of zero the method named first is better. Filled: a verdict, "
            f"over all "
            "outcomes, as the table has it; arrows: beyond the axis, with mean and interval.",
            alt="Forest plot of the gain of each declared comparison on each population.",
            sources=tuple(sources(results, compared(results, results.methods))),
            draw=partial(forest.comparisons, results, tests),
        )
    ]
    asked = [t for t in tests if t.benchmark == results.populations[0]]
    if any(test.effect for test in asked):
        found.append(
            Drawing(
                name="outcomes",
                title="All outcomes",
                caption=f"The same on "
                f"{title(results, results.populations[0])}{stand_in(results, results.populations[0])} "
                "in each outcome, whatever its direction: right of zero is better. Filled: better or worse "
                "in this outcome.",
                alt="Forest plot of the gain of each declared comparison in each metric.",
                sources=tuple(sources(results, compared(results, results.methods))),
                draw=partial(forest.outcomes, results, asked),
            )
        )
    return found


def _width(results: Results) -> list[Drawing]:
    methods = results.config.report.curve
    if sum(bool(results.rows.get(method)) for method in methods) < 3:
        return []
    return [
        Drawing(
            name="width",
            title="Gain against the width of the window",
            caption="Mean gain in PSNR and LPIPS over the references alone, by how many frames of the "
            "window take part (the "
            f"missing one counted, as in its name), with {percent(results)} interval over source videos: "
            f"{_populations(results)}. Windows are dense. Points are not independent: they are of the same "
            "videos.",
            alt="Gain in PSNR and in LPIPS by number of frames, one line for each population.",
            sources=tuple(sources(results, methods)),
            draw=partial(lines.width, results),
        )
    ]


def _strata(results: Results, rows: Sequence[Stratum]) -> list[Drawing]:
    rows = [row for row in rows if row.metric == "psnr"]
    if not rows:
        return []
    return [
        Drawing(
            name="strata",
            title="Gain by kind of video",
            caption=f"Gain in PSNR of {results.called(results.base)} by kind of video, mean and "
            f"{percent(results)} interval over "
            f"videos: {_populations(results)}. Filled: the corrected test finds the gain to be another "
            f"than in the control "
            "(plain scenes; real video without judder).",
            alt="Mean gain with interval for each kind of video.",
            sources=tuple(sources(results, [results.base, *(row.against for row in rows)])),
            draw=partial(forest.strata, results, rows),
        )
    ]


def _time(results: Results) -> list[Drawing]:
    shown = [m for m in results.config.models if m in results.timings.frames and results.rows.get(m)]
    if len(shown) < 2 or not results.populations:
        return []
    asked = results.populations[0]
    return [
        Drawing(
            name="time",
            title="Quality against time",
            caption=f"Mean PSNR and LPIPS on {title(results, asked)}{stand_in(results, asked)} against "
            f"processor time for one frame "
            "of 256 × 448 (the table of costs says on what). Upper left is better in PSNR, lower left in "
            "LPIPS.",
            alt="Scatter plots of PSNR and LPIPS against time, one marker per model.",
            sources=tuple(sources(results, shown)),
            draw=partial(lines.time, results, shown, asked),
        )
    ]


def _weights(results: Results) -> list[Drawing]:
    if not results.populations:
        return []
    asked = results.populations[0]
    tables = {
        m: read_weights(results, m)
        for m in results.config.models
        if results.rows.get(m) and not narrow(results.configs, m)
    }
    tables = {m: table for m, table in tables.items() if (table["benchmark"] == asked).any()}
    chosen = compared(results, list(tables)) or list(tables)[:2]
    if not chosen:
        return []
    return [
        Drawing(
            name="weights",
            title="Context weights by position",
            caption=f"Aggregation weight α of each context frame on "
            f"{title(results, asked)}{stand_in(results, asked)}, over "
            "clips. The missing frame is at offset 0; the dashed line is what equal weights would be.",
            alt="Weight by offset for each method.",
            sources=tuple(f"results/{m}/weights.csv" for m in chosen),
            draw=partial(lines.weights, results, {m: tables[m] for m in chosen}, asked),
        )
    ]


def _training(results: Results, curves: Mapping[str, Curves]) -> list[Drawing]:
    if not curves:
        return []
    missing = [name for name in results.config.ablations if name not in curves]
    note = f" Missing: {', '.join(missing)}." if missing else ""
    most = max(len(results.configs[name].train.seeds) for name in curves)
    seeds = (
        f"means over up to {most} training seeds, shaded: their range" if most > 1 else "one training seed"
    )
    return [
        Drawing(
            name="training",
            title="Training curves",
            caption=f"Training loss and validation PSNR by "
            f"step{' (procedural stand-ins)' if results.stand_in('train') else ''}; "
            f"{seeds}.{note}",
            alt="Loss falls and validation PSNR rises with training steps.",
            sources=tuple(f"training/{name}/curves.csv" for name in curves),
            draw=partial(lines.training, results, curves),
        )
    ]


def _strip(results: Results, shown: Shown) -> Drawing:
    rival = results.called(results.config.report.strips[0]) if results.config.report.strips else "the average"
    return Drawing(
        name=f"strip_{shown.benchmark}_{shown.rank}",
        title=f"{title(results, shown.benchmark)}, {shown.place}",
        caption=f"{shown.clip}{stand_in(results, shown.benchmark)}: the {shown.place} of all by the gain of "
        f"{results.called(results.base)} over {rival} ({shown.gain:+.2f} dB). PSNR above each frame; "
        f"below, errors "
        f"{strips.GAIN} times enlarged; insets: where {results.called(results.base)} errs most.".replace(
            "-", "−"
        ),
        alt="Truth, frames of several methods, and what each has wrong.",
        sources=("pictures/pictures.zip",),
        draw=partial(strips.strip, results, shown),
    )
