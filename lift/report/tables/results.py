"""Tables of what was measured: one per benchmark, an overview, SNU-FILM by difficulty.

Means are over clips, the field's convention and that of metrics.json; the interval beside them is over source
videos, whose clips are resampled together.
"""

from collections.abc import Sequence

import numpy as np

from lift.report.names import DIFFICULTIES, TWO_FRAMES, kind, narrow, sampling, window
from lift.report.published import attach
from lift.report.results import Results, clip_mean_parts
from lift.report.statistics import bootstrap_interval
from lift.report.tables.table import Cell, Column, Table
from lift.seeds import generator

METHOD = Column(key="method", title="Method", numeric=False)
WINDOW = Column(key="window", title="Frames (before+after)", numeric=False)
WEIGHTS = Column(key="weights", title="Weights", numeric=False)
SAMPLING = Column(key="sampling", title="Sampling", numeric=False)
TWO = f"{TWO_FRAMES} sees the two references at most."
MARKS = (
    f"{TWO} Best in bold, second best underlined (italic in Markdown), among rows that are given the same: "
    f"the two references ({TWO_FRAMES}), a dense window, or a uniform one."
)
MISSING = "missing"


def of_benchmark(results: Results, benchmark: str) -> Table:
    """Return every metric of every declared method; one without results is a row that says so."""
    keys = [key for key in results.metrics if any(results.has(m, benchmark, key) for m in results.methods)]
    known = [results.metrics[key] for key in keys]
    columns = [METHOD, WINDOW, WEIGHTS, SAMPLING] + [
        Column(key=m.key, title=m.heading, better=m.better, digits=m.digits) for m in known
    ]
    spreads = _spreads(results, benchmark, keys)
    rows = []
    for method in results.methods:
        row = _start(results, method, benchmark)
        for metric in known:
            cell = _mean(results, method, benchmark, metric.key)
            cell.low, cell.high = spreads.get((method, metric.key), (None, None))
            row.append(cell)
        rows.append(row)
    table = Table(
        name=f"results_{benchmark}",
        caption=f"{title(results, benchmark)}: {counts(results, benchmark)}{stand_in(results, benchmark)}",
        columns=columns,
        rows=rows,
        notes=[
            f"Protocol: {results.config.benchmarks[benchmark].protocol}.",
            _interval(results, benchmark),
            MARKS,
        ],
        sources=sources(results, results.methods),
    )
    table.mark(_comparable(results, benchmark))
    return attach(results, benchmark, table)


def overview(results: Results) -> Table:
    """Return mean PSNR of every method on every benchmark."""
    psnr = results.metrics["psnr"]
    names = [name for name in results.config.benchmarks if results.measured(name)]
    stand_ins = [name for name in names if results.stand_in(name)]
    columns = [METHOD, WINDOW, WEIGHTS, SAMPLING] + [
        Column(key=name, title=results.config.benchmarks[name].title, better=1, digits=psnr.digits)
        for name in names
    ]
    rows = [
        [
            *_start(results, method, None),
            *(_mean(results, method, name, "psnr") for name in names),
        ]
        for method in results.methods
    ]
    table = Table(
        name="overview",
        caption=f"Mean {psnr.heading} by benchmark" + (" (procedural stand-ins)" if stand_ins else ""),
        columns=columns,
        rows=rows,
        notes=[
            *(
                f"{results.config.benchmarks[n].title}: {counts(results, n)}{stand_in(results, n)}."
                f"{_short(results, n)}"
                for n in names
            ),
            *not_given(results),
            MARKS,
        ],
        sources=sources(results, results.methods),
    )
    for name in names:
        table.mark(_comparable(results, name), name)
    return table


def not_given(results: Results) -> list[str]:
    """Say which benchmarks were not measured, or not measured again, because their data sets are not here."""
    kept, profile = results.kept, results.config.profile
    absent = [title(results, name) for name in results.absent if name not in kept]
    told = [f"Not given in profile {profile}, so not measured: {', '.join(absent)}."] if absent else []
    if kept:
        names = ", ".join(title(results, name) for name in kept)
        told.append(f"Kept from an earlier evaluation, as the footage is not here: {names}.")
    return told


def by_difficulty(results: Results, benchmark: str = "snu_film") -> Table | None:
    """Return PSNR and SSIM by difficulty of SNU-FILM; None where nothing was measured."""
    if benchmark not in results.config.benchmarks or not results.measured(benchmark):
        return None
    kinds = results.kinds(benchmark)
    present = [kind for kind in DIFFICULTIES if (kinds == kind).any()]
    pairs = [(results.metrics[key], kind) for key in ("psnr", "ssim") for kind in present]
    columns = [METHOD, WINDOW, WEIGHTS, SAMPLING] + [
        Column(key=f"{m.key}_{kind}", title=f"{m.title} {kind} {m.arrow}", better=m.better, digits=m.digits)
        for m, kind in pairs
    ]
    rows = [
        _start(results, method, benchmark)
        + [_mean(results, method, benchmark, m.key, kinds == kind) for m, kind in pairs]
        for method in results.methods
    ]
    sizes = ", ".join(f"{kind} {int((kinds == kind).sum())}" for kind in present)
    table = Table(
        name=f"{benchmark}_difficulty",
        caption=f"{title(results, benchmark)} by difficulty, clips: {sizes}{stand_in(results, benchmark)}",
        columns=columns,
        rows=rows,
        notes=[f"Protocol: {results.config.benchmarks[benchmark].protocol}.", "PSNR in dB.", MARKS],
        sources=sources(results, results.methods),
    )
    table.mark(_comparable(results, benchmark))
    return attach(results, benchmark, table)


def title(results: Results, benchmark: str) -> str:
    """Return a benchmark's name for readers."""
    return results.config.benchmarks[benchmark].title


def stand_in(results: Results, benchmark: str) -> str:
    """Return the words that a caption must carry where the footage is rendered; empty for real footage."""
    if results.stand_in(benchmark):
        return " (procedural stand-ins)"
    return " (procedural scenes)" if results.procedural[benchmark] else ""


def counts(results: Results, benchmark: str) -> str:
    """Say how many clips and source videos a benchmark has."""
    units = results.videos(benchmark)
    return f"n = {len(units)} clips of {len(np.unique(units))} source videos"


def named(results: Results, method: str) -> list[Cell]:
    """Return the first two cells of a method's row: its name, signed where it sees two frames, and window."""
    sign = TWO_FRAMES if narrow(results.configs, method) else ""
    return [
        Cell(text=results.called(method), key=method, sign=sign),
        Cell(text=window(results.configs, method)),
    ]


def _start(results: Results, method: str, benchmark: str | None) -> list[Cell]:
    forced = results.config.benchmarks[benchmark].sampling if benchmark else None
    cells = named(results, method)
    if benchmark:
        cells[1].text += _seen(results, method, benchmark)
    return [
        *cells,
        Cell(text=kind(results.config, method)),
        Cell(text=sampling(results.configs, method, forced)),
    ]


def _seen(results: Results, method: str, benchmark: str) -> str:
    """Say how many frames a method was given where a benchmark's videos have fewer than its window."""
    frame, declared = results.frame(method, benchmark), results.configs.get(method)
    if frame is None or declared is None or narrow(results.configs, method):
        return ""
    least, most = int(frame["context"].min()), int(frame["context"].max())
    if least == len(declared.clip.offsets):
        return ""
    return (
        f", here {least}" if least == most else f", here {least}–{most}, mean {frame['context'].mean():.1f}"
    )


def _mean(
    results: Results, method: str, benchmark: str, metric: str, chosen: np.ndarray | None = None
) -> Cell:
    if results.frame(method, benchmark) is None:
        return Cell(text=MISSING)
    if not results.has(method, benchmark, metric):
        return Cell(text="–")
    values = results.values(method, benchmark, metric)
    return Cell(value=float(values.mean() if chosen is None else values[chosen].mean()))


def _interval(results: Results, benchmark: str) -> str:
    count, least = len(set(results.videos(benchmark))), results.config.report.least_interval
    if count < least:
        return f"Mean over clips; no interval: {count} source videos cannot bound it (fewer than {least})."
    return f"Mean over clips with its {percent(results)} cluster bootstrap interval over source videos."


def _spreads(
    results: Results, benchmark: str, metrics: Sequence[str]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the interval of each method's mean over clips, by method and metric; none of few videos.

    Of few and skewed values the studentised interval is far wider than the values can be, and no other one
    has its coverage.
    """
    asked = [
        (method, metric)
        for method in results.measured(benchmark)
        for metric in metrics
        if results.has(method, benchmark, metric)
    ]
    units = results.videos(benchmark)
    if len(set(units)) < results.config.report.least_interval:
        return {}
    columns = [clip_mean_parts(results.values(method, benchmark, key), units) for method, key in asked]
    report = results.config.report
    low, high = bootstrap_interval(
        [np.stack(columns, axis=1)],
        confidence=report.confidence,
        resamples=report.resamples,
        rng=generator(results.config.seed, "report", "spread", benchmark),
    )
    ends = zip(low, high, strict=True)
    return {pair: (float(a), float(b)) for pair, (a, b) in zip(asked, ends, strict=True)}


def _comparable(results: Results, benchmark: str | None) -> list[list[int]]:
    """Group the rows by what they are given: dense restores a dropped frame, uniform doubles a frame rate.

    Two references are the same in both, and less than either.
    """
    forced = results.config.benchmarks[benchmark].sampling if benchmark else None
    groups: dict[str, list[int]] = {}
    for index, method in enumerate(results.methods):
        groups.setdefault(sampling(results.configs, method, forced), []).append(index)
    return list(groups.values())


def _short(results: Results, benchmark: str) -> str:
    """Name the methods that a benchmark gives fewer frames than their window has."""
    given: dict[str, list[str]] = {}
    for method in results.methods:
        given.setdefault(_seen(results, method, benchmark).removeprefix(", here "), []).append(method)
    told = "; ".join(f"{seen} ({', '.join(methods)})" for seen, methods in given.items() if seen)
    return f" Frames given, fewer than the window: {told}." if told else ""


def percent(results: Results) -> str:
    """Return the coverage of intervals in words."""
    return f"{100 * results.config.report.confidence:g} %"


def sources(results: Results, methods: Sequence[str]) -> list[str]:
    """Name the files that the rows of some methods come from."""
    return [f"results/{m}/clips.csv" for m in dict.fromkeys(methods) if m not in results.missing]
