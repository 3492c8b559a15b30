"""Pictures: a clip's references, truth, frames, errors and flow; and edges with and without s1."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lift.ops.flow_wheel import flow_to_rgb
from lift.report.examples import Example, Examples, Image
from lift.report.figures.style import BLACK, GREY, WIDTH

COLUMNS = 4
INSET = 6  # the inset of a strip shows a window of a sixth of the frame's shorter side
_SHARE = 0.45  # of the panel's height that the inset takes
ADDS = "adds"
GAIN = 4  # errors, and what a stage adds, are shown this many times as large as they are
_ZOOM = (
    3  # edges are shown in a window of a third of the frame's shorter side: single pixels can be told apart
)


def strip(examples: Examples, example: Example, base: str, others: Sequence[str]) -> Figure:
    """Draw one clip: references, truth, other methods, the base's frame as it comes about, errors, flow."""
    panels = _pictures(examples, example, base, others)
    flows = _flows(examples, example, base)
    height, width = panels[0][1].shape[:2]
    rows = -(-(len(panels) + len(flows)) // COLUMNS)
    cell = WIDTH / COLUMNS
    figure = Figure(figsize=(WIDTH, rows * (cell * height / width + 0.2)))
    grid = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    zoomed = _window_of(_needed(examples, base, example, "frame"), _needed(examples, base, example, "target"))
    for axes, (name, image) in zip(grid, panels, strict=False):
        _show(axes, name, image, (height, width))
        if not (name.startswith("error") or ADDS in name):
            _inset(axes, image, zoomed, (height, width))
    for axes, (name, image, longest) in zip(grid[len(panels) :], flows, strict=False):
        _show(axes, name, image, (height, width))
        _wheel(axes, longest)
    for axes in grid[len(panels) + len(flows) :]:
        axes.axis("off")
    return figure


def _pictures(
    examples: Examples, example: Example, base: str, others: Sequence[str]
) -> list[tuple[str, Image]]:
    truth = _needed(examples, base, example, "target")
    final = _needed(examples, base, example, "frame")
    frames = {method: examples.picture(method, example, "frame") for method in others}
    panels = [
        ("reference −1", examples.picture(base, example, "before")),
        ("truth", truth),
        ("reference +1", examples.picture(base, example, "after")),
        *frames.items(),
        *_stages(examples, example, base, final),
        *(
            (f"error of {m} ×{GAIN}", None if f is None else _error(f, truth))
            for m, f in frames.items()
            if m == "average"
        ),
        (f"error of {base} ×{GAIN}", _error(final, truth)),
    ]
    return [(name, image) for name, image in panels if image is not None]


def _stages(examples: Examples, example: Example, base: str, final: Image) -> list[tuple[str, Image | None]]:
    """Return the blend of warped references, what is added to it, and the frame that this comes to."""
    coarse = examples.picture(base, example, "coarse")
    if coarse is None:
        return [(f"{base}, final", final)]
    blend = examples.picture(base, example, "blend")
    return [
        (f"{base}, blend", coarse if blend is None else blend),
        (f"context {ADDS} ×{GAIN}", None if blend is None else _added(coarse, blend)),
        (f"{base}, coarse", None if blend is None else coarse),
        (f"refinement {ADDS} ×{GAIN}", _added(final, coarse)),
        (f"{base}, final", final),
    ]


def _added(more: Image, less: Image) -> Image:
    """Show what was added, enlarged, around mid grey."""
    if less.shape != more.shape:
        less = cv2.resize(less, more.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    shown: Image = np.clip(128 + GAIN * (more.astype(np.int16) - less), 0, 255).astype(np.uint8)
    return shown


def _needed(examples: Examples, method: str, example: Example, name: str) -> Image:
    image = examples.picture(method, example, name)
    if image is None:
        raise ValueError(f"{method} kept no {name} of {example.clip}")
    return image


def _error(frame: Image, truth: Image) -> Image:
    difference = np.abs(frame.astype(np.int16) - truth).mean(axis=2)
    grey = np.clip(GAIN * difference, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _flows(examples: Examples, example: Example, base: str) -> list[tuple[str, Image, float]]:
    """Return estimated and true flow to offset -1 in one scale, with the length of full colour in pixels."""
    estimated = examples.flow(base, example, "flow")
    if estimated is None:
        return []
    width = _needed(examples, base, example, "target").shape[1]
    full = {f"{base}, flow to −1": estimated * (width / estimated.shape[2])}
    true = examples.flow(base, example, "true_flow")
    if true is not None:
        full["true flow to −1"] = true
    # The truth sets the scale where it is known; a single wild estimate would wash out both otherwise.
    longest = max(_length(list(full.values())[-1]), 0.5)
    return [(name, flow_to_rgb(flow, longest), longest) for name, flow in full.items()]


def _length(flow: npt.NDArray[np.float32]) -> float:
    return float(np.quantile(np.hypot(*flow), 0.99))


def _show(axes: Axes, name: str, image: Image, size: tuple[int, int]) -> None:
    # One extent for all: a coarse frame or flow of a quarter of the size fills the same cell.
    axes.imshow(image, extent=(0, size[1], size[0], 0))
    axes.set_title(name, fontsize=7, fontweight="normal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GREY)


def _window_of(frame: Image, truth: Image) -> tuple[int, int, int]:
    """Find the window in which a frame errs most: top, left, side in pixels."""
    return _densest(np.abs(frame.astype(np.int16) - truth).mean(axis=2), INSET)


def _inset(axes: Axes, image: Image, window: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Frame a window and show it enlarged in the corner farthest from it."""
    top, left, side = window
    height, width = size
    axes.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor="white", linewidth=0.8))
    wide = _SHARE * height / width
    x = 0.0 if left + side / 2 > width / 2 else 1 - wide
    y = 0.0 if top + side / 2 < height / 2 else 1 - _SHARE
    corner = axes.inset_axes((x, y, wide, _SHARE))
    corner.imshow(image, extent=(0, width, height, 0))
    corner.set(xlim=(left, left + side), ylim=(top + side, top), xticks=[], yticks=[])
    for spine in corner.spines.values():
        spine.set(visible=True, color="white", linewidth=1.0)


def _wheel(axes: Axes, longest: float) -> None:
    """Put the colour key into the lower right corner: direction is hue, full colour is `longest` pixels."""
    y, x = np.mgrid[-1:1:41j, -1:1:41j].astype(np.float32)
    picture = flow_to_rgb(np.stack([x, y]), 1.0)
    alpha = np.where(np.hypot(x, y) <= 1, 255, 0).astype(np.uint8)[..., None]
    corner = axes.inset_axes((0.78, 0.02, 0.2, 0.28))
    corner.imshow(np.concatenate([picture, alpha], axis=2))
    corner.axis("off")
    axes.text(
        0.77, 0.04, f"{longest:.1f} px", transform=axes.transAxes, ha="right", fontsize=6, color=BLACK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
    )  # fmt: skip


def edges(examples: Examples, example: Example, methods: Sequence[str]) -> Figure:
    """Draw the sharpest edge of a clip, magnified: each method's coarse and final frame beside the truth."""
    truth = _needed(examples, methods[0], example, "target")
    top, left, side = _sharpest(truth)
    figure = Figure(figsize=(WIDTH, 1.55 * len(methods)))
    for axes_row, method in zip(figure.subplots(len(methods), COLUMNS, squeeze=False), methods, strict=True):
        final = _needed(examples, method, example, "frame")
        coarse = examples.picture(method, example, "coarse")
        shown = [
            ("coarse", coarse),
            ("final", final),
            ("truth", truth),
            (f"error ×{GAIN}", _error(final, truth)),
        ]
        for axes, (name, image) in zip(axes_row, shown, strict=True):
            if image is None:
                axes.axis("off")
                continue
            _show(axes, f"{method}, {name}" if name != "truth" else name, image, truth.shape[:2])
            axes.set_xlim(left, left + side)
            axes.set_ylim(top + side, top)
    return figure


def _sharpest(image: Image) -> tuple[int, int, int]:
    """Find the window of strongest gradients: top, left, side in pixels."""
    return _densest(np.hypot(*np.gradient(image.mean(axis=2))), _ZOOM)


def _densest(values: npt.NDArray[np.floating], share: int) -> tuple[int, int, int]:
    """Find the window of largest sum, 1/`share` of the shorter side, on the coarse frame's grid of 4."""
    height, width = values.shape
    side = max(16, min(height, width) // share // 4 * 4)
    sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    window = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(int(window[::4, ::4].argmax()), window[::4, ::4].shape)
    return 4 * int(top), 4 * int(left), side
