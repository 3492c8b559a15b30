"""Tables of the context itself: how it is weighted, and what a method loses without it.

Evaluation measures the second (lift/evaluation/probes.py): the references stay as they are, so the gain of
the whole window over a probe is what the frames beyond them gave. Intervals are over source videos.
"""

import numpy as np

from lift.report.comparisons import describe
from lift.report.names import words
from lift.report.reading import read_table
from lift.report.results import Results, unit_means
from lift.report.tables.results import FRAMES, METHOD
from lift.report.tables.table import Column, Row, Table, interval
from lift.report.weights import entropies, weighted

BENCHMARK = Column("benchmark", "Benchmark")
TAKEN = {
    "order": "the frames beyond the references change places",
    "strangers": "they are of another clip",
    "references": "they are missing",
}
ALL = "all"


def weights(results: Results) -> Table | None:
    """Return the entropy of α against equal weights, by method and population; None: no method has any."""
    rows: list[Row] = []
    said = []
    for method, table in weighted(results).items():
        means = entropies(table).groupby("benchmark").mean(numeric_only=True)
        for benchmark in (name for name in results.populations if name in means.index):
            own = means.loc[benchmark]
            share, frames, equal = 100 * own["share"], own["frames"], 200 / own["frames"]
            cells = {
                "benchmark": results.title(benchmark),
                "frames": frames,
                "entropy": share,
                "equal": equal,
            }
            cells |= {"effective": own["effective"], "references": 100 * own["references"]}
            rows.append(results.named(method) | cells)
            if method == results.base:
                said.append(
                    f"On {results.title(benchmark)}{results.footage(benchmark)} α of "
                    f"{results.called(method)} has {share:.1f} % of the entropy of equal weights: as if "
                    f"{own['effective']:.1f} of {frames:.1f} frames weighed the same. The two references "
                    f"have {100 * own['references']:.1f} % of the weight; equal weights would give them "
                    f"{equal:.1f} %."
                )
    if not rows:
        return None
    return Table(
        name="weights",
        caption="Entropy of the context weights α against that of equal weights, means over clips"
        + results.footage(results.config.report.benchmark),
        columns=[
            METHOD,
            FRAMES,
            BENCHMARK,
            Column("frames", "Frames present", 1),
            Column("entropy", "Entropy over equal weights' (%)", 1),
            Column("effective", "Effective frames", 1),
            Column("references", "α of the references (%)", 1),
            Column("equal", "if equal (%)", 1),
        ],
        rows=rows,
        notes=[
            *said,
            "Entropy −Σ α ln α over ln n: 100 % is all n frames alike, as a plain average has them, 0 % "
            "one frame alone. Effective frames: its exponential.",
        ],
        sources=[
            f"results/{method}/weights.csv" for method in dict.fromkeys(str(row["method"]) for row in rows)
        ],
    )


def probes(results: Results) -> Table | None:
    """Return the gain of the whole window over each probe, by method and kind; None: nothing was probed."""
    rows: list[Row] = []
    asked: dict[str, None] = {}
    for method in results.config.models:
        path = results.data / "results" / method / "probes.csv"
        table = read_table(
            path, ("benchmark", "clip", "group", "kind", "probe"), ("seed", "whole", "psnr", "moved")
        )
        table = table[table["benchmark"].isin(list(results.config.benchmarks))]
        for keys, own in table.groupby(["benchmark", "probe"], sort=False):
            benchmark, taken = map(str, keys)
            asked[benchmark] = None
            for kind in (ALL, *(kind for kind in dict.fromkeys(own["kind"]) if kind)):
                part = own if kind == ALL else own[own["kind"] == kind]
                difference = (part["whole"] - part["psnr"]).to_numpy(np.float64)
                gain = unit_means(difference, part["group"].to_numpy(np.str_))
                (effect,) = describe(results, gain)
                cells: Row = {
                    "benchmark": results.title(benchmark),
                    "taken": words(taken),
                    "kind": words(kind),
                }
                cells |= {"n": effect.n, "moved": float(part["moved"].mean())} | interval("gain", effect)
                rows.append({"method": method, "method_shown": results.called(method)} | cells)
    if not rows:
        return None
    told = "; ".join(f"{words(name)}: {text}" for name, text in TAKEN.items())
    return Table(
        name="probes",
        caption="Gain in PSNR of each method over itself with something taken from its window, on "
        + "; ".join(f"{results.title(name)}{results.footage(name)}" for name in asked),
        columns=[
            METHOD,
            BENCHMARK,
            Column("taken", "Taken"),
            Column("kind", "Scenes"),
            Column("n", "n", 0),
            Column("gain", "Gain of the window (dB)", 3, signed=True),
            Column("moved", "Frame moves (0–255)", 3),
        ],
        rows=rows,
        notes=[
            f"Taken: {told}. The two references stay.",
            "Positive: the frames beyond the references help. Intervals are over source videos and are not "
            "corrected: they describe, they do not test. The frame moves by the mean absolute difference "
            "to that of the whole window; 0.5 is what rounding to bytes can hide.",
        ],
        sources=[
            f"results/{method}/probes.csv" for method in dict.fromkeys(str(row["method"]) for row in rows)
        ],
    )
