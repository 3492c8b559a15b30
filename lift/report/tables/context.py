"""Tables of the context itself: how it is weighted, and how much of it clips have."""

from collections.abc import Sequence

import numpy as np

from lift.config import Clip
from lift.report.names import narrow
from lift.report.results import Results
from lift.report.tables.results import WINDOW, counts, named, stand_in, title
from lift.report.tables.table import Cell, Column, Table
from lift.report.weights import entropies, read_weights

METHOD = Column(key="method", title="Method", numeric=False)
BENCHMARK = Column(key="benchmark", title="Benchmark", numeric=False)


def weights(results: Results, benchmarks: Sequence[str]) -> Table | None:
    """Give the entropy of α against equal weights, by method and benchmark; None where no method has any."""
    rows: list[list[Cell]] = []
    sources, said = [], []
    for method in results.methods:
        if not results.rows.get(method) or narrow(results.configs, method):
            continue
        found = entropies(read_weights(results, method))
        for benchmark in benchmarks:
            own = found[found["benchmark"] == benchmark].mean(numeric_only=True)
            if not (found["benchmark"] == benchmark).any():
                continue
            sources.append(f"results/{method}/weights.csv")
            keys = ("frames", "share", "effective", "references")
            frames, share, effective, references = (float(own[key]) for key in keys)
            rows.append(
                [
                    *named(results, method),
                    Cell(text=title(results, benchmark)),
                    Cell(value=frames),
                    Cell(value=100 * share),
                    Cell(value=effective),
                    Cell(value=100 * references),
                    Cell(value=200 / frames),
                ]
            )
            if method == results.base:
                said.append(
                    f"On {title(results, benchmark)}{stand_in(results, benchmark)} α of "
                    f"{results.called(method)} has "
                    f"{100 * share:.1f} % of the entropy of equal weights: as if {effective:.1f} of "
                    f"{frames:.1f} frames weighed the same. The two references have {100 * references:.1f} % "
                    f"of the weight; equal weights would give them {200 / frames:.1f} %."
                )
    if not rows:
        return None
    return Table(
        name="weights",
        caption="Entropy of the context weights α against that of equal weights, means over clips"
        + stand_in(results, results.config.report.benchmark),
        columns=[
            METHOD,
            WINDOW,
            BENCHMARK,
            Column(key="frames", title="Frames present", digits=1),
            Column(key="entropy", title="Entropy over equal weights' (%)", digits=1),
            Column(key="effective", title="Effective frames", digits=1),
            Column(key="references", title="α of the references (%)", digits=1),
            Column(key="equal", title="if equal (%)", digits=1),
        ],
        rows=rows,
        notes=[
            *said,
            "Entropy −Σ α ln α over ln n: 100 % is all n frames alike, as a plain average has them, 0 % one "
            "frame alone. Effective frames: its exponential.",
        ],
        sources=list(dict.fromkeys(sources)),
    )


def given(results: Results) -> Table | None:
    """Say how many frames clips gave to each window that not all fill, and what is measured on those that do.

    Of methods with the same window the first stands for all. None where every clip fills every window.
    """
    rows: list[list[Cell]] = []
    opponents = [results.base, *_narrow(results)]
    for benchmark in (name for name in results.config.benchmarks if results.measured(name)):
        known = set[Clip]()
        for method in results.config.ablations:
            frame = results.frame(method, benchmark)
            if frame is None or narrow(results.configs, method) or results.configs[method].clip in known:
                continue
            known.add(results.configs[method].clip)
            context, wanted = frame["context"].to_numpy(np.int64), len(results.configs[method].clip.offsets)
            if (context == wanted).all():
                continue
            full = context == wanted
            units = len(np.unique(results.videos(benchmark)[full]))
            rows.append(
                [
                    *named(results, method),
                    Cell(text=f"{title(results, benchmark)}{stand_in(results, benchmark)}"),
                    *(Cell(value=float(v)) for v in (context.min(), np.median(context), context.max())),
                    Cell(text=f"{int(full.sum())} of {len(full)} ({units})"),
                    *(_psnr(results, name, benchmark, full) for name in (method, *opponents)),
                ]
            )
    if not rows:
        return None
    return Table(
        name="given",
        caption="How many frames clips gave to windows that not all of them fill, and PSNR on those that do",
        columns=[
            METHOD,
            WINDOW,
            BENCHMARK,
            *(
                Column(key=key, title=f"{key.capitalize()} given", digits=0)
                for key in ("least", "median", "most")
            ),
            Column(key="full", title="Clips with all (videos)", numeric=False),
            Column(key="psnr", title="PSNR on these (dB)", digits=2),
            *(
                Column(key=f"psnr_{name}", title=f"{results.called(name)} on the same", digits=2)
                for name in opponents
            ),
        ],
        rows=rows,
        notes=[
            "Each clip's own number stands in the column context of results/<method>/clips.csv. What a video "
            "does not have is masked. Methods with the same window as one above are left out.",
            *(
                f"{title(results, name)}: {counts(results, name)}."
                for name in results.config.benchmarks
                if results.measured(name)
            ),
        ],
        sources=[
            f"results/{method}/clips.csv" for method in results.config.ablations if results.rows.get(method)
        ],
    )


def _narrow(results: Results) -> list[str]:
    """Name the first declared opponent that sees the two references alone, for the full clips' sake."""
    declared = (c.against for c in results.config.report.comparisons if c.method == results.base)
    seen = [name for name in declared if name in results.configs and narrow(results.configs, name)]
    return seen[:1]


def _psnr(results: Results, method: str, benchmark: str, full: np.ndarray) -> Cell:
    if not full.any() or results.frame(method, benchmark) is None:
        return Cell(text="–")
    return Cell(value=float(results.values(method, benchmark, "psnr")[full].mean()))
