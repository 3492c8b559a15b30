"""Training curves: what each ablation's trainings logged."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.errors import UserError
from lift.report.predictions import Predictions
from lift.report.results import Results

COLUMNS = ("seed", "step", "epoch", "loss", "psnr", "ssim")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What the trainings of one ablation logged; s seeds, in the order of `train.seeds`."""

    step: Array
    """(n)."""
    loss: Array
    """Training loss at `step`, (s, n)."""
    validated: Array
    """Steps of the validations, (v)."""
    psnr: Array
    """Validation PSNR at `validated`, dB, (s, v)."""


def read_curves(results: Results | Predictions) -> dict[str, Curves]:
    """Read the curves of every declared ablation that has them, in the order of params.yaml.

    Raises:
        UserError: A file is no table of curves, or not of the seeds that params.yaml names.
    """
    found = {}
    for name in results.config.ablations:
        path = results.data / "training" / name / "curves.csv"
        if not path.is_file():
            continue
        try:
            table = pd.read_csv(path, dtype=np.float64)
            seeds = [table[table["seed"] == seed] for seed in results.configs[name].train.seeds]
            if sum(map(len, seeds)) != len(table):
                raise ValueError("rows of another seed")
            step, loss = _column(seeds, "loss")
            validated, psnr = _column(seeds, "psnr")
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{path}: expected numbers in columns {', '.join(COLUMNS)}, the same steps for each seed of "
                "train.seeds; train again"
            ) from error
        found[name] = Curves(step=step, loss=loss, validated=validated, psnr=psnr)
    return found


def _column(seeds: list[pd.DataFrame], key: str) -> tuple[Array, Array]:
    """Return the steps (n) at which a column has values, and these by seed (s, n)."""
    logged = [table[table[key].notna()] for table in seeds]
    steps = [table["step"].to_numpy() for table in logged]
    if any(not np.array_equal(own, steps[0]) for own in steps):
        raise ValueError(f"{key}: seeds were logged at different steps")
    return steps[0], np.stack([table[key].to_numpy() for table in logged])
