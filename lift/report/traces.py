"""What trainings and models leave beside their metrics: curves of training, and how the context is weighted.

The entropy of α, −Σ α ln α, is ln n where all n frames weigh the same and 0 where one has all the weight; its
exponential is how many equally weighted frames would have as much (Hill, "Diversity and Evenness", Ecology
1973).
"""

import numpy as np
import pandas as pd

from lift.errors import UserError
from lift.report.reading import read_table
from lift.report.results import Results

_LOGGED = ("seed", "step", "epoch", "loss", "psnr", "ssim")
Curves = dict[str, pd.DataFrame]
"""`loss` and `psnr` of one ablation: a row for each step at which it was logged, a column for each seed."""
_CLIP = ["benchmark", "clip", "seed"]


def read_curves(results: Results) -> dict[str, Curves]:
    """Read the curves of every declared ablation that has them, in the order of params.yaml.

    Raises:
        UserError: A file is no table of curves, or not of the seeds that params.yaml names.
    """
    found = {}
    for name in results.config.ablations:
        path = results.data / "training" / name / "curves.csv"
        if not path.is_file():
            continue
        seeds = list(results.configs[name].train.seeds)
        try:
            table = pd.read_csv(path, dtype=float)
            if not table["seed"].isin(seeds).all():
                raise ValueError("rows of another seed")
            found[name] = {key: _by_seed(table, key, seeds) for key in ("loss", "psnr")}
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{path}: expected numbers in columns {', '.join(_LOGGED)}, the same steps for each seed of "
                "train.seeds; train again"
            ) from error
    return found


def _by_seed(table: pd.DataFrame, key: str, seeds: list[int]) -> pd.DataFrame:
    logged = table.dropna(subset=[key])
    wide = logged.pivot(index="step", columns="seed", values=key).reindex(columns=seeds)
    if wide.isna().any(axis=None):
        raise ValueError(f"{key}: seeds were logged at different steps")
    return wide


def read_weights(results: Results, method: str) -> pd.DataFrame:
    """Read a method's context weights: a row per clip, training seed and valid position; empty: it has none.

    Raises:
        UserError: The file is no table of weights.
    """
    path = results.data / "results" / method / "alpha.csv"
    return read_table(path, ("benchmark", "clip", "kind"), ("seed", "offset", "alpha"))


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
    alpha = table["alpha"]
    terms = table.assign(
        entropy=-alpha * np.log(alpha.where(alpha > 0, 1)),
        references=alpha.where(table["offset"].abs() == 1, 0),
    )
    found = terms.groupby(_CLIP, dropna=False).agg(
        frames=("alpha", "size"), entropy=("entropy", "sum"), references=("references", "sum")
    )
    found["share"] = (found["entropy"] / np.log(found["frames"])).where(found["frames"] > 1, 1.0)
    return found.assign(effective=np.exp(found["entropy"])).reset_index()
