"""How a method weights its context: α of each frame, and how far that is from weighting all alike.

The entropy of α, −Σ α ln α, is ln n where all n frames weigh the same and 0 where one has all the weight; its
exponential is how many equally weighted frames would have as much (Hill, "Diversity and Evenness", Ecology
1973).
"""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.errors import UserError
from lift.report.results import Results

Array = npt.NDArray[np.float64]


def read_weights(results: Results, method: str) -> pd.DataFrame:
    """Read a method's context weights: a row per clip, training seed and valid position; empty: it has none.

    Raises:
        UserError: The file is no table of weights.
    """
    path = results.data / "results" / method / "weights.csv"
    columns = ["benchmark", "clip", "kind", "seed", "offset", "weight"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype={"kind": str, "seed": str})[columns]
        return table.astype({"offset": np.int64, "weight": np.float64})
    except (KeyError, ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"{path}: expected columns {', '.join(columns)} with numbers in the last two; evaluate again"
        ) from error


def entropies(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the weights of each clip and training seed come to.

    Args:
        table: Of one method, as `read_weights` gives it.

    Returns:
        One row for each benchmark, clip and seed: `frames` (n), `share` (entropy over ln n; 1: all alike),
        `effective` (its exponential, frames), `references` (α of the frames at offsets −1 and +1 together).
    """
    rows = []
    for (benchmark, clip, seed), own in table.groupby(["benchmark", "clip", "seed"], sort=True):
        weights: Array = own["weight"].to_numpy(np.float64)
        positive = weights[weights > 0]
        entropy = float(-(positive * np.log(positive)).sum())
        alike = math.log(len(weights))
        rows.append(
            {
                "benchmark": benchmark,
                "clip": clip,
                "seed": seed,
                "frames": len(weights),
                "share": entropy / alike if alike else 1.0,
                "effective": math.exp(entropy),
                "references": float(weights[own["offset"].abs() == 1].sum()),
            }
        )
    columns = ["benchmark", "clip", "seed", "frames", "share", "effective", "references"]
    return pd.DataFrame(rows, columns=columns)
