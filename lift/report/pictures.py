"""The pictures that the stage `pictures` kept of the worst and of a middling clip of each benchmark."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.errors import UserError
from lift.report.results import Results

Image = npt.NDArray[np.uint8]
FILE = Path("pictures/pictures.zip")
"""Below data/<profile>."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One clip whose pictures were kept."""

    benchmark: str
    clip: str
    rank: str
    """middle, or worst1, worst2, …"""
    gain: float
    """By which the clip was chosen, dB."""
    pictures: Mapping[str, Image]
    """uint8 RGB [H, W, 3]: before, target, and each method's frame by its name."""
    psnr: Mapping[str, float]
    """Of each method's frame, dB."""

    @property
    def place(self) -> str:
        """Its rank in words."""
        if self.rank == "middle":
            return "middle one"
        order = self.rank.removeprefix("worst")
        ordinal = {"1": "", "2": "2nd ", "3": "3rd "}.get(order, f"{order}th ")
        return f"{ordinal}worst one"


def read(results: Results) -> list[Shown]:
    """Read all pictures, of benchmarks that were measured; none are asked for where `report.worst` is 0.

    Returns:
        Those of the first benchmark first, and of each the middling one.

    Raises:
        UserError: They are not there, or broken.
    """
    path = results.data / FILE
    if not results.config.report.worst:
        return []
    try:
        with zipfile.ZipFile(path) as archive, archive.open("index.csv") as index:
            rows = pd.read_csv(index, dtype={"clip": str}).to_dict("records")
            found = [_shown(results, archive, row) for row in rows if results.measured(row["benchmark"])]
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: not found; run `dvc repro`, or `dvc checkout` for what it made last"
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserError(f"{path}: broken ({error!r}); run the stage `pictures` again") from error
    return sorted(found, key=lambda one: (one.benchmark != found[0].benchmark, one.benchmark, one.rank))


def _shown(results: Results, archive: zipfile.ZipFile, row: Mapping[Any, Any]) -> Shown:
    pictures, psnr = {}, {}
    for name in row["pictures"].split():
        file = f"{row['benchmark']}/{row['rank']}/{name}.png"
        image = cv2.imdecode(np.frombuffer(archive.read(file), np.uint8), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise ValueError(file)
        pictures[name] = image.astype(np.uint8)
        frame = results.frame(name, row["benchmark"])
        if frame is not None:
            psnr[name] = float(frame.loc[frame["clip"] == row["clip"], "psnr"].iloc[0])
    return Shown(
        benchmark=row["benchmark"],
        clip=row["clip"],
        rank=row["rank"],
        gain=float(row["gain"]),
        pictures=pictures,
        psnr=psnr,
    )
