"""Tables of what was measured: every metric by benchmark, and SNU-FILM by difficulty.

Means are over clips, the field's convention and that of metrics.json; the interval beside them is over source
videos, whose clips are resampled together.
"""

from collections.abc import Sequence

from lift.report.comparisons import describe
from lift.report.names import DIFFICULTIES, METRICS, MISSING, NONE, RELEASED, TRAINED, UNTAUGHT
from lift.report.results import Results, clip_mean_parts
from lift.report.tables import published
from lift.report.tables.table import Column, Row, Table, interval, table


def of_benchmark(results: Results, benchmark: str) -> Table | None:
    """Return every metric of every declared method; one without results is a row that says so."""
    keys = [key for key in METRICS if any(results.has(m, benchmark, key) for m in results.methods)]
    spreads, name = _spreads(results, benchmark, keys), f"results_{benchmark}"
    rows = [
        _start(results, method, benchmark)
        | {k: results.values(method, benchmark, k).mean() for k in keys if results.has(method, benchmark, k)}
        | spreads.get(method, {})
        for method in results.methods
    ]
    metrics = [METRICS[key] for key in keys]
    return table(
        "results",
        results,
        rows,
        columns={"metrics": [Column(m.key, m.heading, m.digits, m.better) for m in metrics]},
        block=published.block(results, benchmark, name, results.title(benchmark)),
        benchmark=benchmark,
        spread=bool(spreads),
    )


def by_difficulty(results: Results, benchmark: str = "snu_film") -> Table | None:
    """Return PSNR and SSIM by difficulty of SNU-FILM; None where nothing was measured."""
    if benchmark not in results.config.benchmarks or not results.measured(benchmark):
        return None
    kinds, name = results.kinds(benchmark), f"{benchmark}_difficulty"
    present = [kind for kind in DIFFICULTIES if (kinds == kind).any()]
    pairs = [(METRICS[key], kind) for key in ("psnr", "ssim") for kind in present]
    rows = [
        _start(results, method, benchmark)
        | {
            f"{m.key}_{kind}": results.values(method, benchmark, m.key)[kinds == kind].mean()
            for m, kind in pairs
            if results.has(method, benchmark, m.key)
        }
        for method in results.methods
    ]
    metrics = [Column(f"{m.key}_{k}", f"{m.title} {k} {m.arrow}", m.digits, m.better) for m, k in pairs]
    return table(
        "difficulty",
        results,
        rows,
        columns={"metrics": metrics},
        block=published.block(results, benchmark, name, f"{results.title(benchmark)} by difficulty"),
        benchmark=benchmark,
        sizes=", ".join(f"{kind} {int((kinds == kind).sum())}" for kind in present),
    )


def data(results: Results) -> Table | None:
    """Return what each clip set is, so that whoever has the same files can tell."""
    rows: list[Row] = []
    for name, procedural in results.procedural.items():
        rules = results.protocols.get(name, {})
        footage = "procedural" if procedural else "the data set's own"
        row: Row = {"set": name, "footage": "not given" if name in results.absent else footage}
        if results.measured(name):
            row |= {"clips": len(results.videos(name)), "videos": results.many(name)}
            row["manifest"] = rules.get("clips", NONE)
            row["protocol"] = f"{rules['protocol']}; sampling: {rules['sampling']}"
        rows.append(row)
    return table("data", results, rows, results.procedural)


def _start(results: Results, method: str, benchmark: str) -> Row:
    row = results.named(method) | {"sampling": results.sampling(method, benchmark), "weights": UNTAUGHT}
    if method in results.config.models:
        row["weights"] = TRAINED if method in results.config.ablations else RELEASED
    frame = results.frame(method, benchmark)
    if frame is None:
        row["absent"] = MISSING
    elif not results.narrow(method):
        least, most = int(frame["context"].min()), int(frame["context"].max())
        if least < len(results.configs[method].clip.offsets):  # the benchmark's videos have fewer
            mean = "" if least == most else f"–{most}, mean {frame['context'].mean():.1f}"
            row["window"] = f"{row['window']}, here {least}{mean}"
    return row


def _spreads(results: Results, benchmark: str, metrics: Sequence[str]) -> dict[str, Row]:
    """Return the interval of each method's mean over clips, of every metric; none of few videos.

    Of few and skewed values the studentised interval is far wider than the values can be, and no other one
    has its coverage.
    """
    if results.many(benchmark) < results.config.report.least_interval:
        return {}
    asked = [
        (m, key) for m in results.measured(benchmark) for key in metrics if results.has(m, benchmark, key)
    ]
    units, found = results.videos(benchmark), dict[str, Row]()
    columns = (clip_mean_parts(results.values(method, benchmark, key), units) for method, key in asked)
    for (method, key), effect in zip(asked, describe(results, *columns), strict=True):
        found.setdefault(method, {}).update(interval(key, effect))
    return found
