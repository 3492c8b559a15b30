"""Tables of what was measured: every metric by benchmark, and SNU-FILM by difficulty.

Means are over clips, the field's convention and that of metrics.json; the interval beside them is over source
videos, whose clips are resampled together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lift.report.names import DIFFICULTIES, METRICS, MISSING, NONE, TWO, TWO_FRAMES, kind, narrow, sampling
from lift.report.published import attach
from lift.report.results import Results, clip_mean_parts
from lift.report.statistics import bootstrap_interval
from lift.report.tables.table import Column, Row, Table
from lift.seeds import generator

METHOD, FRAMES = Column("method", "Method"), Column("window", "Frames (before+after)")
_HEAD = [METHOD, FRAMES, Column("weights", "Weights"), Column("sampling", "Sampling")]
MARKS = (
    f"{TWO} Best in bold, second best underlined (italic in Markdown), among rows that are given the same: "
    f"the two references ({TWO_FRAMES}), a dense window, or a uniform one."
)


def of_benchmark(results: Results, benchmark: str) -> Table:
    """Return every metric of every declared method; one without results is a row that says so."""
    keys = [key for key in METRICS if any(results.has(m, benchmark, key) for m in results.methods)]
    spreads = _spreads(results, benchmark, keys)
    rows = [
        _start(results, method, benchmark)
        | {key: _mean(results, method, benchmark, key) for key in keys}
        | spreads.get(method, {})
        for method in results.methods
    ]
    count, least = len(set(results.videos(benchmark))), results.config.report.least_interval
    if spreads:
        told = f"Mean over clips with its {results.coverage} cluster bootstrap interval over source videos."
    else:
        told = f"Mean over clips; no interval: {count} source videos cannot bound it (fewer than {least})."
    table = Table(
        name=f"results_{benchmark}",
        caption=f"{results.title(benchmark)}: {counts(results, benchmark)}{results.footage(benchmark)}",
        columns=[
            *_HEAD,
            *(Column(key, METRICS[key].heading, METRICS[key].digits, METRICS[key].better) for key in keys),
        ],
        rows=rows,
        notes=[f"Protocol: {results.config.benchmarks[benchmark].protocol}.", told, MARKS],
        sources=results.sources(results.methods),
    )
    return _ranked(results, benchmark, table)


def by_difficulty(results: Results, benchmark: str = "snu_film") -> Table | None:
    """Return PSNR and SSIM by difficulty of SNU-FILM; None where nothing was measured."""
    if benchmark not in results.config.benchmarks or not results.measured(benchmark):
        return None
    kinds = results.kinds(benchmark)
    present = [kind for kind in DIFFICULTIES if (kinds == kind).any()]
    pairs = [(METRICS[key], kind) for key in ("psnr", "ssim") for kind in present]
    rows = [
        _start(results, method, benchmark)
        | {f"{m.key}_{kind}": _mean(results, method, benchmark, m.key, kinds == kind) for m, kind in pairs}
        for method in results.methods
    ]
    sizes = ", ".join(f"{kind} {int((kinds == kind).sum())}" for kind in present)
    table = Table(
        name=f"{benchmark}_difficulty",
        caption=f"{results.title(benchmark)} by difficulty, clips: {sizes}{results.footage(benchmark)}",
        columns=[
            *_HEAD,
            *(
                Column(f"{m.key}_{kind}", f"{m.title} {kind} {m.arrow}", m.digits, m.better)
                for m, kind in pairs
            ),
        ],
        rows=rows,
        notes=[f"Protocol: {results.config.benchmarks[benchmark].protocol}.", "PSNR in dB.", MARKS],
        sources=results.sources(results.methods),
    )
    return _ranked(results, benchmark, table)


def data(results: Results) -> Table:
    """Return what each clip set is, so that whoever has the same files can tell."""
    rows: list[Row] = []
    for name, procedural in results.procedural.items():
        rules, methods = results.protocols.get(name, {}), results.measured(name)
        footage = "procedural" if procedural else "the data set's own"
        row: Row = {"set": name, "footage": "not given" if name in results.absent else footage}
        row |= {"manifest": rules.get("clips", NONE), "protocol": NONE, "clips": NONE, "videos": NONE}
        if methods:
            units = results.videos(name)
            row |= {"clips": len(units), "videos": len(np.unique(units))}
            row["protocol"] = f"{rules['protocol']}; sampling: {rules['sampling']}"
        rows.append(row)
    return Table(
        name="data",
        caption="Clip sets: footage, clips and protocol",
        columns=[
            Column("set", "Clip set"),
            Column("footage", "Footage"),
            Column("clips", "Clips", 0),
            Column("videos", "Source videos", 0),
            Column("manifest", "Digest of the clips"),
            Column("protocol", "Protocol"),
        ],
        rows=rows,
        notes=["Digest: start of the SHA-256 of the set's clips.csv, as the results name it."],
        sources=[f"clips/{name}/summary.json" for name in results.procedural],
    )


def counts(results: Results, benchmark: str) -> str:
    """Say how many clips and source videos a benchmark has."""
    units = results.videos(benchmark)
    return f"n = {len(units)} clips of {len(np.unique(units))} source videos"


def _start(results: Results, method: str, benchmark: str) -> Row:
    row, forced = results.named(method), results.config.benchmarks[benchmark].sampling
    frame, declared = results.frame(method, benchmark), results.configs.get(method)
    if frame is not None and declared is not None and not narrow(results.configs, method):
        least, most = int(frame["context"].min()), int(frame["context"].max())
        if least < len(declared.clip.offsets):  # the benchmark's videos have fewer than its window
            row["window"] = f"{row['window']}, here {least}" + (
                "" if least == most else f"–{most}, mean {frame['context'].mean():.1f}"
            )
    row["sampling"] = sampling(results.configs, method, forced)
    return row | {"weights": kind(results.config, method)}


def _mean(
    results: Results, method: str, benchmark: str, metric: str, chosen: npt.NDArray[np.bool_] | None = None
) -> float | str:
    if results.frame(method, benchmark) is None:
        return MISSING
    if not results.has(method, benchmark, metric):
        return NONE
    values = results.values(method, benchmark, metric)
    return float(values.mean() if chosen is None else values[chosen].mean())


def _spreads(results: Results, benchmark: str, metrics: Sequence[str]) -> dict[str, Row]:
    """Return the interval of each method's mean over clips, of every metric; none of few videos.

    Of few and skewed values the studentised interval is far wider than the values can be, and no other one
    has its coverage.
    """
    report, units = results.config.report, results.videos(benchmark)
    if len(set(units)) < report.least_interval:
        return {}
    asked = [
        (m, key) for m in results.measured(benchmark) for key in metrics if results.has(m, benchmark, key)
    ]
    columns = [clip_mean_parts(results.values(method, benchmark, key), units) for method, key in asked]
    ends = bootstrap_interval(
        [np.stack(columns, axis=1)],
        confidence=report.confidence,
        resamples=report.resamples,
        rng=generator(results.config.seed, "report", "bootstrap"),
    )
    found: dict[str, Row] = {}
    for (method, key), low, high in zip(asked, *ends, strict=True):
        found.setdefault(method, {}).update({f"{key}_low": float(low), f"{key}_high": float(high)})
    return found


def _ranked(results: Results, benchmark: str, table: Table) -> Table:
    """Mark the best rows among those that are given the same, and put published ones below.

    Dense restores a dropped frame, uniform doubles a frame rate; two references are the same in both, and
    less than either.
    """
    groups: dict[object, list[int]] = {}
    for index, given in enumerate(table.frame["sampling"]):
        groups.setdefault(given, []).append(index)
    table.mark(groups.values())
    return attach(results, benchmark, table)
