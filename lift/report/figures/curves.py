"""Figures of curves: training, SNU-FILM by difficulty, context weights by position."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lift.report.comparisons import compared
from lift.report.curves import Curves
from lift.report.figures.style import BLACK, BLUE, DASHES, GREY, MARKERS, SERIES, WIDTH
from lift.report.names import DIFFICULTIES, STRATA, words
from lift.report.results import Results


def training(results: Results, curves: Mapping[str, Curves]) -> Figure:
    """Draw training loss and validation PSNR by step; compared ablations in colour, the others in grey.

    Lines are means over training seeds; of compared ablations the range over seeds is shaded.
    """
    chosen = compared(results, list(curves))[: len(SERIES)]
    figure = Figure(figsize=(WIDTH, 2.7))
    left, right = figure.subplots(1, 2)
    rest = [name for name in curves if name not in chosen]
    for name in [*rest, *chosen]:
        own = curves[name]
        look = _look(chosen.index(name)) if name in chosen else {"color": GREY, "linewidth": 0.6}
        label = name if name in chosen else ("other ablations" if name == rest[0] else None)
        smooth = np.stack([_smooth(loss) for loss in own.loss])
        left.plot(own.step, smooth.mean(axis=0), **(look | {"marker": ""}), label=label)
        right.plot(own.validated, own.psnr.mean(axis=0), **look)
        if name in chosen and len(own.loss) > 1:
            for axes, step, values in ((left, own.step, smooth), (right, own.validated, own.psnr)):
                ends = (values.min(axis=0), values.max(axis=0))
                axes.fill_between(step, *ends, color=look["color"], alpha=0.15, linewidth=0)
    left.set_yscale("log")
    left.set(xlabel="optimiser step", ylabel="training loss, smoothed")
    right.set(xlabel="optimiser step", ylabel="validation PSNR (dB)")
    for axes in (left, right):
        axes.grid(axis="y")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


_HEADROOM = 1.12  # of an axis from zero over the highest point, whose marker must not be cut


def _look(index: int) -> dict[str, Any]:
    return {"color": SERIES[index], "linestyle": DASHES[index], "marker": MARKERS[index], "markersize": 3}


def _smooth(values: np.ndarray) -> np.ndarray:
    """Average over a twentieth of the run, so that thirteen noisy lines can be told apart."""
    return np.asarray(pd.Series(values).rolling(max(1, len(values) // 20), min_periods=1, center=True).mean())


def difficulty(results: Results, benchmark: str) -> Figure:
    """Draw PSNR, and its distance to the base, by SNU-FILM difficulty.

    The right panel spans the compared methods; the best two are named wherever they are.
    """
    kinds = results.kinds(benchmark)
    present = [kind for kind in DIFFICULTIES if (kinds == kind).any()]
    means = _by_kind(results, benchmark, present)
    chosen = compared(results, list(means))[: len(SERIES)]
    figure = Figure(figsize=(WIDTH, 2.7))
    left, right = figure.subplots(1, 2)
    rest = [m for m in means if m not in chosen]
    beyond = beyond_axis(results, benchmark)
    best = sorted(means, key=lambda m: -float(means[m].mean()))[:2]
    for method in [*rest, *chosen]:
        look = _look(chosen.index(method)) if method in chosen else {"color": GREY, "linewidth": 0.6}
        label = method if method in chosen else ("other methods" if method == rest[0] else None)
        left.plot(range(len(present)), means[method], **look, label=label)
        if results.base in means and method not in beyond:
            right.plot(range(len(present)), means[method] - means[results.base], **look)
    _name_ends(left, {m: float(means[m][-1]) for m in best if m in rest}, len(present) - 1)
    if results.base in means:
        near = np.array([means[m] - means[results.base] for m in chosen if m not in beyond])
        room = 0.12 * float(np.ptp(near)) or 1.0
        right.set_ylim(float(near.min()) - room, float(near.max()) + room)
    for axes in (left, right):
        axes.set_xticks(range(len(present)), present)
        axes.grid(axis="y")
    left.set_ylabel("PSNR (dB)")
    right.set_ylabel(f"PSNR minus that of {results.base} (dB)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _by_kind(results: Results, benchmark: str, present: list[str]) -> dict[str, np.ndarray]:
    kinds = results.kinds(benchmark)
    return {
        m: np.array([results.values(m, benchmark, "psnr")[kinds == kind].mean() for kind in present])
        for m in results.measured(benchmark)
    }


def beyond_axis(results: Results, benchmark: str) -> list[str]:
    """Name the compared methods without a model: what is merely shown again would squeeze all others."""
    return [m for m in compared(results, results.measured(benchmark)) if m not in results.configs]


def _name_ends(axes: Axes, ends: Mapping[str, float], at: float) -> None:
    """Write names to the right of their lines' ends, the upper one above where two would meet."""
    order = sorted(ends, key=lambda m: ends[m])
    for place, method in enumerate(order):
        axes.annotate(
            method, xy=(at, ends[method]), xytext=(4, 4 if place else -4 if len(order) > 1 else 0),
            textcoords="offset points", fontsize=6, va="center", color=BLACK, annotation_clip=False,
        )  # fmt: skip


def weights(results: Results, by_method: Mapping[str, pd.DataFrame], benchmark: str) -> Figure:
    """Draw α by offset, one panel per method: median, middle half and middle nine tenths over clips."""
    figure = Figure(figsize=(WIDTH, 0.7 + 1.15 * len(by_method)))
    grid = figure.subplots(len(by_method), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (method, table) in zip(grid, by_method.items(), strict=True):
        _weights_panel(axes, table[table["benchmark"] == benchmark])
        axes.set_title(f"{method} ({results.configs[method].clip.sampling})")
        axes.set_ylabel("weight α")
    grid[-1].set_xlabel("offset from the missing frame (frames)")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    return figure


def _weights_panel(axes: Axes, table: pd.DataFrame) -> None:
    offsets = sorted(set(table["offset"]))
    by_offset = [table["weight"][table["offset"] == o].to_numpy(dtype=np.float64) for o in offsets]
    tenth = np.array([np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)) for values in by_offset])
    axes.axvline(0, color=GREY, linestyle=":", linewidth=0.8)
    for offset, (low, below, middle, above, high) in zip(offsets, tenth, strict=True):
        first = offset == offsets[0]
        axes.plot(
            [offset] * 2,
            [low, high],
            color=BLUE,
            linewidth=0.7,
            label="middle 90 % of clips" if first else None,
        )
        axes.plot(
            [offset] * 2, [below, above], color=BLUE, linewidth=3, solid_capstyle="butt",
            label="middle 50 %" if first else None,
        )  # fmt: skip
        axes.plot(
            [offset],
            [middle],
            "o",
            color="white",
            markeredgecolor=BLUE,
            markersize=3.5,
            clip_on=False,
            label="median" if first else None,
        )
    axes.axhline(1 / len(offsets), color=GREY, linewidth=0.6, linestyle="--", label="equal weights")
    axes.set_ylim(0, _HEADROOM * max(float(tenth.max()), 1 / len(offsets)))


def weights_by_stratum(results: Results, table: pd.DataFrame) -> Figure:
    """Draw the base's mean α by offset in each kind of scene."""
    scenes = table[table["benchmark"] == "scenes"]
    figure = Figure(figsize=(WIDTH, 2.4))
    axes = figure.subplots()
    kinds = [kind for kind in STRATA if (scenes["kind"] == kind).any()]
    for index, kind in enumerate(kinds):
        means = scenes[scenes["kind"] == kind].groupby("offset")["weight"].mean()
        for side in (means[means.index < 0], means[means.index > 0]):  # no line across the missing frame
            axes.plot(side.index, side, **_look(index), label=words(kind) if side.index[0] < 0 else None)
    axes.axvline(0, color=GREY, linestyle=":", linewidth=0.8)
    axes.set(xlabel="offset from the missing frame (frames)", ylabel="mean weight α")
    axes.set_ylim(0, _HEADROOM * axes.dataLim.ymax)
    axes.legend(loc="upper left", ncols=2)
    return figure
