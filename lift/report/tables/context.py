"""Tables of the context itself: how it is weighted, and what a method loses without it.

Evaluation measures the second (lift/evaluation/probes.py): the references stay as they are, so the gain of
the whole window over a probe is what the frames beyond them gave. Intervals are over source videos.
"""

import numpy as np

from lift.report.comparisons import describe
from lift.report.names import words
from lift.report.reading import read_table
from lift.report.results import Results, unit_means
from lift.report.tables.table import Row, Table, interval, table
from lift.report.traces import entropies, weighted


def alpha(results: Results) -> Table | None:
    """Return the entropy of α against equal weights, by method and population; None: no method has any."""
    rows: list[Row] = []
    base: dict[str, Row] = {}
    for method, found in weighted(results).items():
        means = entropies(found).groupby("benchmark").mean(numeric_only=True)
        for benchmark in (name for name in results.populations if name in means.index):
            own = means.loc[benchmark]
            row: Row = {"frames": own["frames"], "entropy": 100 * own["share"], "equal": 200 / own["frames"]}
            row |= {"effective": own["effective"], "references": 100 * own["references"]}
            rows.append(results.named(method) | {"benchmark": results.title(benchmark)} | row)
            if method == results.base:
                base[benchmark] = row
    return table("alpha", results, rows, base=base)


def probes(results: Results) -> Table | None:
    """Return the gain of the whole window over each probe, by method and kind; None: nothing was probed."""
    rows: list[Row] = []
    asked: dict[str, None] = {}
    text, numbers = ("benchmark", "clip", "group", "kind", "probe"), ("seed", "whole", "psnr", "moved")
    for method in results.config.models:
        found = read_table(results.data / "results" / method / "probes.csv", text, numbers)
        found = found[found["benchmark"].isin(list(results.config.benchmarks))]
        for (benchmark, taken), own in found.groupby(["benchmark", "probe"], sort=False):
            asked[str(benchmark)] = None
            kinds = {kind: part for kind, part in own.groupby("kind", sort=False) if kind}
            for kind, part in {"all": own, **kinds}.items():
                difference = (part["whole"] - part["psnr"]).to_numpy(np.float64)
                (effect,) = describe(results, unit_means(difference, part["group"].to_numpy(np.str_)))
                row: Row = {"method": method, "benchmark": results.title(str(benchmark)), "n": effect.n}
                row |= {"taken": words(str(taken)), "kind": words(str(kind))}
                rows.append(row | {"moved": float(part["moved"].mean())} | interval("gain", effect))
    return table("probes", results, rows, benchmarks=list(asked))
