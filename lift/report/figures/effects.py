"""Figures of differences: the declared comparisons, the ablations, the strata, the trends."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lift.report.comparisons import Tested
from lift.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    RED,
    SERIES,
    WIDTH,
    Bar,
    bars,
    zero_line,
)
from lift.report.names import CONTROL, RELEASED, STRATA, TRAINED, UNTAUGHT, kind, words
from lift.report.results import Results
from lift.report.statistics import Effect
from lift.report.strata import Stratum, Trend
from lift.report.tables.results import title

_ROW = 0.21  # inches between two rows of a forest
_FAMILY_GAP = 0.6  # rows


def forest(results: Results, families: Mapping[str, Sequence[Tested]]) -> Figure:
    """Draw every declared comparison: one panel per metric, one row per comparison, families apart."""
    level = 1 - results.config.report.confidence
    tests = [test for family in families.values() for test in family]
    metrics = list(dict.fromkeys(test.metric.key for test in tests))
    places, labels = _rows(families)
    columns = 3
    rows = math.ceil(len(metrics) / columns)
    height = rows * (0.75 + _ROW * (max(places.values()) + 1))
    figure = Figure(figsize=(WIDTH, height))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, key in zip(grid.flat, metrics, strict=False):
        own = [test for test in tests if test.metric.key == key]
        _forest_panel(axes, own, places, level)
        axes.set_title(
            own[0].metric.title if len(own[0].metric.title) < 18 else own[0].metric.title.replace(" (", "\n(")
        )
        axes.set_xlabel(f"gain ({own[0].metric.unit})" if own[0].metric.unit else "gain")
    first = grid.flat[0]
    first.set_yticks(list(places.values()), labels)
    first.set_ylim(max(places.values()) + 0.6, -0.6)
    for axes in list(grid.flat)[len(metrics) :]:
        axes.axis("off")
        axes.legend(
            handles=_forest_legend(level),
            loc="center",
            title="right of 0: method named first is better",
            title_fontsize=7,
        )
    return figure


def _rows(families: Mapping[str, Sequence[Tested]]) -> tuple[dict[tuple[str, str, str], float], list[str]]:
    places: dict[tuple[str, str, str], float] = {}
    place = 0.0
    for family, tests in families.items():
        for test in tests:
            key = (family, test.comparison.method, test.comparison.against)
            if key not in places:
                places[key] = place
                place += 1
        place += _FAMILY_GAP
    return places, [f"{method} − {against}" for _, method, against in places]


def _forest_panel(
    axes: Axes, tests: Sequence[Tested], places: Mapping[tuple[str, str, str], float], level: float
) -> None:
    rows = []
    for test in tests:
        place = places[test.comparison.family, test.comparison.method, test.comparison.against]
        if test.effect is None:
            axes.text(0, place, " not tested", color=GREY, fontsize=6, va="center")
            continue
        found = test.found(level)
        rows.append(_bar(test.effect, place, {1: BLUE, -1: RED, 0: BLACK}[found], filled=found != 0))
    bars(axes, rows, digits=tests[0].metric.digits)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _bar(effect: Effect, place: float, colour: str, marker: str = "o", filled: bool = True) -> Bar:
    return Bar(
        place=place,
        mean=effect.mean,
        low=effect.low,
        high=effect.high,
        colour=colour,
        marker=marker,
        filled=filled,
    )


def _forest_legend(level: float) -> list[Line2D]:
    kinds = (
        (BLUE, True, f"better, Holm p < {level:.3g}"),
        (RED, True, f"worse, Holm p < {level:.3g}"),
        (BLACK, False, "no difference shown"),
    )
    return [
        Line2D([], [], color=colour, marker="o", markerfacecolor=colour if full else "white", label=text)
        for colour, full, text in kinds
    ]


_LOOKS = {TRAINED: (BLUE, "o"), RELEASED: (GREEN, "D"), UNTAUGHT: (ORANGE, "s")}


def ablations(results: Results, found: Mapping[str, Mapping[str, Effect]]) -> Figure:
    """Draw what each method loses or wins in PSNR against the base, one panel per benchmark."""
    methods = [method for method in results.methods if method != results.base]
    figure = Figure(figsize=(WIDTH, 0.8 + 0.17 * len(methods)))
    grid = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, (benchmark, by_method) in zip(grid, found.items(), strict=True):
        axes.set_title(title(results, benchmark))
        axes.set_xlabel(f"PSNR minus that of {results.base} (dB)")
        rows = []
        for place, method in enumerate(methods):
            if method not in by_method:
                axes.text(0, place, " missing", color=GREY, fontsize=6, va="center")
                continue
            rows.append(_bar(by_method[method], place, *_LOOKS[kind(results.config, method)]))
        bars(axes, rows)
        axes.grid(axis="x")
    grid[0].set_yticks(range(len(methods)), methods)
    grid[0].set_ylim(len(methods) - 0.4, -0.6)
    shown = dict.fromkeys(kind(results.config, method) for method in methods)
    handles = [
        Line2D([], [], color=_LOOKS[name][0], marker=_LOOKS[name][1], label=f"weights: {name}")
        for name in shown
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def strata(results: Results, rows: Sequence[Stratum]) -> Figure:
    """Draw the base's gain by kind of scene and, below, what of it is beyond plain scenes (the interaction).

    One column of panels per metric, one marker per narrower method; filled where the corrected test of the
    interaction finds something.
    """
    metrics = list(dict.fromkeys(row.metric for row in rows))
    opponents = list(dict.fromkeys(row.against for row in rows))
    level = 1 - results.config.report.confidence
    kinds = [kind for kind in STRATA if any(row.kind == kind for row in rows)]
    beyond = [kind for kind in kinds if kind != CONTROL]
    figure = Figure(figsize=(WIDTH, 1.3 + 0.3 * (len(kinds) + len(beyond))))
    grid = figure.subplots(
        2, len(metrics), sharey="row", squeeze=False, height_ratios=[len(kinds), max(1, len(beyond))]
    )
    looks = {name: (SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]) for i, name in enumerate(opponents)}
    shift = {name: 0.22 * (i - (len(opponents) - 1) / 2) for i, name in enumerate(opponents)}
    for (upper, lower), key in zip(grid.T, metrics, strict=True):
        own = [row for row in rows if row.metric == key]
        bars(
            upper,
            [_bar(r.effect, kinds.index(r.kind) + shift[r.against], *looks[r.against]) for r in own],
        )
        tested = [row for row in own if not math.isnan(row.excess)]
        bars(
            lower,
            [
                _bar(
                    dataclasses.replace(r.effect, mean=r.excess, low=r.low, high=r.high),
                    beyond.index(r.kind) + shift[r.against],
                    *looks[r.against],
                    filled=r.found(level) != 0,
                )
                for r in tested
            ],
        )
        metric = results.metrics[key]
        upper.set_xlabel(metric.gain)
        lower.set_xlabel(f"{metric.gain} beyond plain")
    for axes in grid.flat:
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(4))
    for axes, names in ((grid[0, 0], kinds), (grid[1, 0], beyond)):
        axes.set_yticks(range(len(names)), [words(name) for name in names])
        axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    handles = [
        Line2D([], [], color=colour, marker=marker, label=f"{results.base} − {name}")
        for name, (colour, marker) in looks.items()
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


_PROPERTY = {"motion": "motion of the references (0–255)", "occluded": "occluded share of pixels"}


def trends(results: Results, found: Sequence[Trend]) -> Figure:
    """Draw gain against motion or occlusion: one point per source video, and means of equal-sized groups."""
    figure = Figure(figsize=(WIDTH, 2.4))
    grid = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, trend in zip(grid, found, strict=True):
        zero_line(axes, horizontal=True)
        axes.plot(trend.x, trend.gain, "o", color=GREY, markersize=2.5, label="source video")
        axes.plot(*_grouped(trend), "s-", color=BLUE, label="mean of a group of neighbours")
        rho, low, high = trend.correlation
        told = f"\nρ = {rho:.2f} [{low:.2f}, {high:.2f}]".replace("-", "−") if not math.isnan(rho) else ""
        axes.set_title(f"{title(results, trend.benchmark)}{told}")
        axes.set_xlabel(_PROPERTY[trend.property])
    grid[0].set_ylabel(f"gain over {found[0].against} in PSNR (dB)")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


def _grouped(trend: Trend, size: int = 5, most: int = 6) -> tuple[list[float], list[float]]:
    """Average neighbours along x in groups of at least `size`, so that a mean means something."""
    order = np.argsort(trend.x, kind="stable")
    groups = np.array_split(order, max(1, min(most, len(order) // size)))
    return [float(trend.x[g].mean()) for g in groups], [float(trend.gain[g].mean()) for g in groups]
