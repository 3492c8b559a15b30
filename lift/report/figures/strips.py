"""A strip: one clip's truth, each method's frame, and below it what that has wrong.

The stage `pictures` kept the frames, of the worst and of a middling clip of each benchmark.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from lift.errors import UserError
from lift.report.figures import style
from lift.report.figures.style import Drawing, drawing
from lift.report.results import Results
from lift.report.texts import number

Image = npt.NDArray[np.uint8]
GAIN = 4  # errors are shown this many times as large as they are
_WINDOW = 5  # an inset shows a window of a fifth of the frame's shorter side
_SHARE = 0.45  # of the panel's height that the inset takes


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

    Those of the first benchmark come first, and of each the middling one.

    Raises:
        UserError: They are not there, or broken.
    """
    path = results.data / "pictures" / "pictures.zip"
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
    told = {key: row[key] for key in ("benchmark", "clip", "rank")}
    return Shown(**told, gain=float(row["gain"]), pictures=pictures, psnr=psnr)


def drawn(results: Results, pictures: Sequence[Shown]) -> list[Drawing]:
    """Draw the strip of each clip."""
    with style.style():
        return [_strip(results, shown) for shown in pictures]


def _strip(results: Results, shown: Shown) -> Drawing:
    """Show a clip: the truth and every frame, with its PSNR, above; the errors below."""
    truth, strips = shown.pictures["target"], results.config.report.strips
    frames = {m: shown.pictures[m] for m in (*strips, results.base) if m in shown.pictures}
    height, width = truth.shape[:2]
    cell = style.WIDTH / (1 + len(frames))
    figure, grid = style.panels(2 * cell * height / width + 0.35, 2, 1 + len(frames))
    window = _densest(np.abs(frames[results.base].astype(np.int16) - truth).mean(axis=2))
    _show(grid[0, 0], "truth", truth, window)
    _show(grid[1, 0], "", shown.pictures["before"], None)
    grid[1, 0].set_xlabel("frame before", fontsize=6)
    for upper, lower, (method, frame) in zip(grid[0, 1:], grid[1, 1:], frames.items(), strict=True):
        _show(upper, f"{results.called(method)}\n{shown.psnr[method]:.2f} dB", frame, window)
        error = np.clip(GAIN * np.abs(frame.astype(np.int16) - truth).mean(axis=2), 0, 255).astype(np.uint8)
        _show(lower, "", np.repeat(error[..., None], 3, axis=2), None)
        lower.set_xlabel(f"error × {GAIN}", fontsize=6)
    words = {"shown": shown, "gain": number(shown.gain, 2, True), "base": results.called(results.base)}
    words["rival"] = results.called(strips[0]) if strips else "the average"
    return drawing("strip", results, [], figure, **words, enlarged=GAIN)


def _show(axes: Axes, name: str, image: Image, window: tuple[int, int, int] | None) -> None:
    height, width = image.shape[:2]
    axes.imshow(image)
    axes.set_title(name, fontsize=6)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=style.GREY)
    if window is None:
        return
    top, left, side = window
    line: dict[str, Any] = {"linewidth": 0.8, "path_effects": [withStroke(linewidth=1.8, foreground="black")]}
    axes.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor="white", **line))
    wide = _SHARE * height / width
    x = 0.0 if left + side / 2 > width / 2 else 1 - wide
    y = 0.0 if top + side / 2 < height / 2 else 1 - _SHARE
    corner = axes.inset_axes((x, y, wide, _SHARE))
    corner.imshow(image)
    corner.set(xlim=(left, left + side), ylim=(top + side, top), xticks=[], yticks=[])
    corner.spines[:].set(visible=True, color="white", **line)


def _densest(values: npt.NDArray[np.floating]) -> tuple[int, int, int]:
    """Find the window of largest mean: top, left, side in pixels."""
    side = max(16, min(values.shape) // _WINDOW)
    sums = cv2.boxFilter(values.astype(np.float32), -1, (side, side), anchor=(0, 0))
    sums = sums[: values.shape[0] - side + 1, : values.shape[1] - side + 1]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(top), int(left), side
