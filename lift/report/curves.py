"""Training curves: what each ablation's training logged."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.errors import UserError
from lift.report.results import Results

COLUMNS = ("step", "epoch", "loss", "psnr", "ssim")


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What one training logged."""

    step: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]
    """Training loss at `step`."""
    validated: npt.NDArray[np.float64]
    """Steps of the validations."""
    psnr: npt.NDArray[np.float64]
    """Validation PSNR at `validated`, dB."""
    ssim: npt.NDArray[np.float64]


def read_curves(results: Results) -> dict[str, Curves]:
    """Read the curves of every declared ablation that has them, in the order of params.yaml.

    Raises:
        UserError: A file is no table of curves.
    """
    found = {}
    for name in results.config.ablations:
        path = results.data / "training" / name / "curves.csv"
        if not path.is_file():
            continue
        try:
            table = pd.read_csv(path, dtype=np.float64)
            step, loss, psnr, ssim = (table[key].to_numpy() for key in ("step", "loss", "psnr", "ssim"))
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{path}: expected numbers in columns {', '.join(COLUMNS)}; train again"
            ) from error
        logged, checked = ~np.isnan(loss), ~np.isnan(psnr)
        found[name] = Curves(
            step=step[logged],
            loss=loss[logged],
            validated=step[checked],
            psnr=psnr[checked],
            ssim=ssim[checked],
        )
    return found
