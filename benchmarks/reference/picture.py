"""The same crops from several methods: `python -m benchmarks.reference.picture OUT [BENCHMARK ...]`.

OUT is the folder of a reference run; OUT/pictures/<benchmark>.png shows, of every BENCHMARK (default:
davis, ucf101, scenes), the clips on which the best model is worst, middling and best by PSNR, cropped where
the references' average is furthest from the truth. Pictures of footage that is not yours stay in OUT.
"""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot
from numpy.typing import NDArray

from benchmarks.reference import profile
from lift import weights
from lift.config import Config, load_all, window
from lift.data.dataset import ClipDataset
from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.evaluation.method import Method, of_model
from lift.metrics import psnr
from lift.models import build
from stages.common import PARAMS, data_folder

SHOWN = ("davis", "ucf101", "scenes")
BESIDE = ("rife", "dis")
SIDE = 112  # pixels of a crop
INCHES = 1.6
Image = NDArray[np.float32]


def main(out: Path, benchmarks: list[str]) -> None:
    """Draw every benchmark's picture.

    Raises:
        UserError: OUT is no reference run, or has no such model or no results yet.
    """
    run = profile.run_in(out / PARAMS)
    with contextlib.chdir(out):
        base, configs = load_all(PARAMS, run)
        declared = base.report.comparisons[0]
        columns = (declared.against, declared.method, *BESIDE)
        for name in columns:
            if name not in BASELINES and not _weights(run, name).is_file():
                raise UserError(
                    f"{out}: no model {name}, which is shown; run python -m benchmarks.reference with it"
                )
        for benchmark in benchmarks or SHOWN:
            rows = [
                _row(base, configs, benchmark, index, columns)
                for index in chosen(data_folder(run) / "results" / declared.method / "clips.csv", benchmark)
            ]
            _draw(rows, ("truth", *columns), Path("pictures") / f"{benchmark}.png")


def chosen(path: Path, benchmark: str) -> list[str]:
    """Name the clips of lowest, middle and highest PSNR.

    Raises:
        UserError: There are no such results.
    """
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["benchmark"])
    own = table[table["benchmark"] == benchmark]
    if own.empty:
        raise UserError(f"{path}: no results on {benchmark}; run python -m benchmarks.reference first")
    means = own.groupby("clip")["psnr"].mean().sort_values()
    return [str(means.index[i]) for i in (0, len(means) // 2, -1)]


def _row(
    base: Config, configs: Mapping[str, Config], benchmark: str, clip: str, columns: tuple[str, ...]
) -> list[tuple[str, Image]]:
    """Give a title and a crop of the truth, and of each method."""
    folder = data_folder(base.profile) / "clips" / benchmark
    near = ClipDataset(folder, (-1, 1))
    index = [row.clip for row in near.rows].index(clip)
    truth = near[index]["target"]
    area = _hardest(truth, near[index]["frames"].mean(dim=0))
    cells = [(clip.replace("/", " ").split("@")[0][-26:], _crop(truth, area))]
    for name in columns:
        config = configs.get(name)
        sampling = base.benchmarks[benchmark].sampling
        offsets = (
            window(config.clip.before, config.clip.after, sampling or config.clip.sampling)
            if config
            else (-1, 1)
        )
        with torch.inference_mode():
            frame = _method(base, config, name)(ClipDataset(folder, offsets)[index]).frame.cpu()
        cells.append((f"{psnr(frame, truth, data_range=1.0):.2f} dB", _crop(frame, area)))
    return cells


def _method(base: Config, config: Config | None, name: str) -> Method:
    if config is None:
        return BASELINES[name]
    seeded = config.seeded(config.train.seeds[0])
    model = build(config.model, task=config.clip.task, pretrained=False)
    weights.load(_weights(base.profile, name), model, seeded.digestible())
    return of_model(model)


def _weights(run: str, name: str) -> Path:
    return data_folder(run) / "models" / name / "best.safetensors"


def _hardest(truth: torch.Tensor, average: torch.Tensor) -> tuple[slice, slice]:
    """Choose the square in which the average of the references is furthest from the truth."""
    error = (truth - average).abs().mean(dim=0).numpy()
    side = min(SIDE, *error.shape)
    means = cv2.boxFilter(error, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = means[: error.shape[0] - side + 1, : error.shape[1] - side + 1]
    top, left = (int(at) for at in np.unravel_index(int(inside.argmax()), inside.shape))
    return slice(top, top + side), slice(left, left + side)


def _crop(frame: torch.Tensor, area: tuple[slice, slice]) -> Image:
    return np.asarray(frame[:, area[0], area[1]].permute(1, 2, 0).clamp(0, 1).numpy(), np.float32)


def _draw(rows: list[list[tuple[str, Image]]], titles: tuple[str, ...], path: Path) -> None:
    size = (INCHES * len(titles), (INCHES + 0.25) * len(rows))
    figure, axes = pyplot.subplots(len(rows), len(titles), figsize=size, squeeze=False, layout="constrained")
    for line, row in zip(axes, rows, strict=True):
        for axis, title, (text, picture) in zip(line, titles, row, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_title(f"{title}\n{text}", fontsize=6)
            axis.set_axis_off()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=200, metadata={"Software": None})
    pyplot.close(figure)
    print(path.resolve())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m benchmarks.reference.picture OUT [BENCHMARK ...]")
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except UserError as error:
        sys.exit(f"error: {error}")
