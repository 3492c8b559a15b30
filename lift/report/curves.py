"""Training curves: what each ablation's trainings logged."""

import pandas as pd

from lift.errors import UserError
from lift.report.results import Results

COLUMNS = ("seed", "step", "epoch", "loss", "psnr", "ssim")
Curves = dict[str, pd.DataFrame]
"""`loss` and `psnr` of one ablation: a row for each step at which it was logged, a column for each seed."""


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
                f"{path}: expected numbers in columns {', '.join(COLUMNS)}, the same steps for each seed of "
                "train.seeds; train again"
            ) from error
    return found


def _by_seed(table: pd.DataFrame, key: str, seeds: list[int]) -> pd.DataFrame:
    logged = table.dropna(subset=[key])
    wide = logged.pivot(index="step", columns="seed", values=key).reindex(columns=seeds)
    if wide.isna().any(axis=None):
        raise ValueError(f"{key}: seeds were logged at different steps")
    return wide
