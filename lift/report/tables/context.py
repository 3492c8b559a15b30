"""Tables of the context itself: how it is weighted, and what a method loses without it.

The entropy of α, −Σ α ln α, is ln n where all n frames weigh the same and 0 where one has all the weight; its
exponential is how many equally weighted frames would have as much (Hill, "Diversity and Evenness", Ecology
1973).

Evaluation measures the second (lift/evaluation/probes.py): the references stay as they are, so the gain of
the whole window over a probe is what the frames beyond them gave. Intervals are over source videos.
"""

import numpy as np
import pandas as pd

from lift.report.comparisons import describe
from lift.report.reading import read_alpha, read_table
from lift.report.results import Results, unit_means
from lift.report.tables.table import Row, Table, interval, table
from lift.report.texts import words


def entropies(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the weights of each clip and training seed come to, of one method's table of `read_alpha`.

    Returns:
        One row for each benchmark, clip and seed: `frames` (n), `share` (entropy over ln n; 1: all alike),
        `effective` (its exponential, frames), `references` (α of the frames at offsets −1 and +1 together).
    """
    alpha = table["alpha"]
    terms = table.assign(
        entropy=-alpha * np.log(alpha.where(alpha > 0, 1)),
        references=alpha.where(table["offset"].abs() == 1, 0),
    )
    found = terms.groupby(["benchmark", "clip", "seed"], dropna=False).agg(
        frames=("alpha", "size"), entropy=("entropy", "sum"), references=("references", "sum")
    )
    found["share"] = (found["entropy"] / np.log(found["frames"])).where(found["frames"] > 1, 1.0)
    return found.assign(effective=np.exp(found["entropy"])).reset_index()


def alpha(results: Results) -> Table | None:
    """Return the entropy of α against equal weights, by method and population; None: no method has any."""
    rows: list[Row] = []
    base: dict[str, Row] = {}
    for method, found in read_alpha(results).items():
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
