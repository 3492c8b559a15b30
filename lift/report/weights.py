"""How a method weights its context: α of each frame, and how far that is from weighting all alike.

The entropy of α, −Σ α ln α, is ln n where all n frames weigh the same and 0 where one has all the weight; its
exponential is how many equally weighted frames would have as much (Hill, "Diversity and Evenness", Ecology
1973).
"""

import numpy as np
import pandas as pd

from lift.report.reading import read_table
from lift.report.results import Results

_CLIP = ["benchmark", "clip", "seed"]


def read_weights(results: Results, method: str) -> pd.DataFrame:
    """Read a method's context weights: a row per clip, training seed and valid position; empty: it has none.

    Raises:
        UserError: The file is no table of weights.
    """
    path = results.data / "results" / method / "weights.csv"
    return read_table(path, ("benchmark", "clip", "kind"), ("seed", "offset", "weight"))


def weighted(results: Results) -> dict[str, pd.DataFrame]:
    """Read the weights of every method that was measured and sees more than the references."""
    wide = [m for m in results.methods if results.rows.get(m) and not results.narrow(m)]
    return {m: table for m in wide if len(table := read_weights(results, m))}


def entropies(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the weights of each clip and training seed come to.

    Args:
        table: Of one method, as `read_weights` gives it.

    Returns:
        One row for each benchmark, clip and seed: `frames` (n), `share` (entropy over ln n; 1: all alike),
        `effective` (its exponential, frames), `references` (α of the frames at offsets −1 and +1 together).
    """
    alpha = table["weight"]
    terms = table.assign(
        entropy=-alpha * np.log(alpha.where(alpha > 0, 1)),
        references=alpha.where(table["offset"].abs() == 1, 0),
    )
    found = terms.groupby(_CLIP, dropna=False).agg(
        frames=("weight", "size"), entropy=("entropy", "sum"), references=("references", "sum")
    )
    found["share"] = (found["entropy"] / np.log(found["frames"])).where(found["frames"] > 1, 1.0)
    return found.assign(effective=np.exp(found["entropy"])).reset_index()
