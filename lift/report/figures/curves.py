"""Figures of curves: gain by width of the window, quality by time, training, context weights by position."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from lift.report.comparisons import compared, describe, gains
from lift.report.curves import Curves
from lift.report.figures.style import BLACK, BLUE, DASHES, GREY, MARKERS, ORANGE, SERIES, WIDTH, zero_line
from lift.report.names import METRICS, narrow, used
from lift.report.results import Results
from lift.report.tables.results import title


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
        label = results.called(name) if name in chosen else ("other ablations" if name == rest[0] else None)
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


def weights(results: Results, by_method: Mapping[str, pd.DataFrame], benchmark: str) -> Figure:
    """Draw α by offset, one panel per method: median, middle half and middle nine tenths over clips."""
    figure = Figure(figsize=(WIDTH, 0.7 + 1.15 * len(by_method)))
    grid = figure.subplots(len(by_method), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (method, table) in zip(grid, by_method.items(), strict=True):
        _weights_panel(axes, table[table["benchmark"] == benchmark])
        axes.set_title(f"{results.called(method)} ({results.configs[method].clip.sampling})")
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


def width(results: Results) -> Figure:
    """Draw the gain over the narrowest window by how many frames take part, one line for each population."""
    methods = [m for m in results.config.report.curve if results.rows.get(m)]
    frames = [used(results.configs[m]) for m in methods]
    figure = Figure(figsize=(WIDTH, 2.5))
    for axes, key in zip(figure.subplots(1, 2), ("psnr", "lpips"), strict=True):
        zero_line(axes, horizontal=True)
        for index, name in enumerate(
            n for n in results.populations if results.frame(methods[0], n) is not None
        ):
            columns = [gains(results, name, key, m, methods[0]) for m in methods[1:]]
            found = describe(results, columns, "width", name, key)
            means, lows, highs = ([0.0, *(getattr(e, end) for e in found)] for end in ("mean", "low", "high"))
            # Beside each other: intervals at the same number of frames would hide one another.
            places = np.array(frames) + 0.18 * (index - 1)
            errors = np.stack((np.subtract(means, lows), np.subtract(highs, means)))
            axes.errorbar(
                places,
                means,
                errors,
                **(_look(index) | {"linewidth": 0.9}),
                elinewidth=0.9,
                label=title(results, name),
            )
        axes.set_xticks(frames)
        axes.set(xlabel="frames that take part", ylabel=METRICS[key].gain)
        axes.grid(axis="y")
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(results.populations)
    )
    return figure


def time(results: Results, methods: Sequence[str], benchmark: str) -> Figure:
    """Draw PSNR and LPIPS against processor time per frame, one named marker per model."""
    figure = Figure(figsize=(WIDTH, 3.0))
    grid = figure.subplots(1, 2)
    seconds = {m: results.timings.frames[m].milliseconds / 1000 for m in methods}
    for axes, key in zip(grid, ("psnr", "lpips"), strict=True):
        quality = {m: float(results.values(m, benchmark, key).mean()) for m in methods}
        for number, method in enumerate(methods, 1):
            colour = ORANGE if narrow(results.configs, method) else BLUE
            filled = colour if method == results.base else "none"
            axes.plot(seconds[method], quality[method], "o", color=colour, markerfacecolor=filled)
            axes.annotate(
                str(number),
                (seconds[method], quality[method]),
                (3, 3),
                textcoords="offset points",
                fontsize=6,
                color=BLACK,
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter("")
        axes.set(xlabel="seconds per frame", ylabel=METRICS[key].heading)
        axes.grid(axis="both")
        axes.margins(0.12)
    handles = [
        Line2D([], [], linestyle="", marker="o", markerfacecolor=c if m == results.base else "none", color=c,
               label=f"{number} {results.called(m)}")
        for number, m in enumerate(methods, 1)
        for c in [ORANGE if narrow(results.configs, m) else BLUE]
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=6)
    return figure
