"""The pictures that the stage `pictures` kept of the worst and of a middling clip of each benchmark."""

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

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
        order = int(self.rank.removeprefix("worst"))
        return (
            "worst one"
            if order == 1
            else f"{order}{'nd' if order == 2 else 'rd' if order == 3 else 'th'} worst one"
        )


def read(results: Results) -> list[Shown]:
    """Read all pictures, of benchmarks that were measured; none are asked for where `report.worst` is 0.

    Raises:
        UserError: They are not there, or broken.
    """
    path = results.data / FILE
    if not results.config.report.worst:
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            index = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
            return [_shown(results, archive, row) for row in index if results.measured(row["benchmark"])]
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: not found; run `dvc repro`, or `dvc checkout` for what it made last"
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: broken ({error!r}); run the stage `pictures` again") from error


def _shown(results: Results, archive: zipfile.ZipFile, row: Mapping[str, str]) -> Shown:
    pictures, psnr = {}, {}
    for name in row["pictures"].split():
        data = np.frombuffer(archive.read(f"{row['benchmark']}/{row['rank']}/{name}.png"), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{row['benchmark']}/{row['rank']}/{name}.png")
        pictures[name] = np.ascontiguousarray(image[..., ::-1]).astype(np.uint8)
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
