"""A strip: one clip's truth, each method's frame, and below it what that has wrong."""

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lift.report.figures import style
from lift.report.figures.style import Drawing, drawing
from lift.report.names import number
from lift.report.pictures import Image, Shown
from lift.report.results import Results

GAIN = 4  # errors are shown this many times as large as they are
_WINDOW = 5  # an inset shows a window of a fifth of the frame's shorter side
_SHARE = 0.45  # of the panel's height that the inset takes


def strip(results: Results, shown: Shown) -> Drawing:
    """Show a clip: the truth and every frame, with its PSNR, above; the errors below."""
    rivals = [results.called(method) for method in results.config.report.strips[:1]]
    words = {"shown": shown, "gain": number(shown.gain, 2, True), "base": results.called(results.base)}
    words |= {"rival": rivals[0] if rivals else "the average", "enlarged": GAIN}
    return drawing("strip", results, [], lambda: _strip(results, shown), **words)


def _strip(results: Results, shown: Shown) -> Figure:
    truth = shown.pictures["target"]
    frames = {
        m: shown.pictures[m] for m in (*results.config.report.strips, results.base) if m in shown.pictures
    }
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
    return figure


def _show(axes: Axes, name: str, image: Image, window: tuple[int, int, int] | None) -> None:
    height, width = image.shape[:2]
    axes.imshow(image)
    axes.set_title(name, fontsize=6)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=style.GREY)
    if window is None:
        return
    top, left, side = window
    axes.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor="white", linewidth=0.7))
    wide = _SHARE * height / width
    x = 0.0 if left + side / 2 > width / 2 else 1 - wide
    y = 0.0 if top + side / 2 < height / 2 else 1 - _SHARE
    corner = axes.inset_axes((x, y, wide, _SHARE))
    corner.imshow(image)
    corner.set(xlim=(left, left + side), ylim=(top + side, top), xticks=[], yticks=[])
    corner.spines[:].set(visible=True, color="white", linewidth=0.8)


def _densest(values: npt.NDArray[np.floating]) -> tuple[int, int, int]:
    """Find the window of largest mean: top, left, side in pixels."""
    side = max(16, min(values.shape) // _WINDOW)
    sums = cv2.boxFilter(values.astype(np.float32), -1, (side, side), anchor=(0, 0))
    sums = sums[: values.shape[0] - side + 1, : values.shape[1] - side + 1]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(top), int(left), side
