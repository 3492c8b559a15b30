"""Figures of differences with intervals: the declared comparisons, and gains by kind of video."""

import itertools
import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lift.report.comparisons import BETTER, WORSE
from lift.report.figures import style
from lift.report.figures.style import Bar, Drawing, drawing
from lift.report.results import Results
from lift.report.texts import METRICS, STRATA, words

_ROW = 0.2  # inches between two rows
_GAP = 0.5  # rows between two families
_COLOURS = {BETTER: style.BLUE, WORSE: style.RED}
_KEY = ["family", "method", "against"]


def comparisons(results: Results, decided: pd.DataFrame) -> Drawing | None:
    """Show every declared comparison in PSNR: one panel for each population, one row per comparison."""
    if decided.empty:
        return None
    figure = _forest(results, decided.assign(metric="psnr"), "benchmark", 1)
    return drawing("comparisons", results, results.compared, figure, benchmarks=decided["benchmark"])


def outcomes(results: Results, tests: pd.DataFrame) -> Drawing | None:
    """Show every declared comparison on the first population: one panel per metric."""
    own = tests[tests["benchmark"] == next(iter(results.populations), "")]
    if own["effect"].isna().all():
        return None
    figure = _forest(results, own, "metric", 2)
    return drawing("outcomes", results, results.compared, figure, benchmarks=own["benchmark"])


def _forest(results: Results, tests: pd.DataFrame, by: str, rows: int) -> Figure:
    """Draw a panel for each value of the column `by`; a comparison has its row, whichever panel has it."""
    keys = tests[_KEY].drop_duplicates()
    gaps = (keys["family"] != keys["family"].shift()).cumsum() - 1
    heights = np.arange(len(keys)) + _GAP * gaps.to_numpy()
    places = dict(zip(keys.itertuples(index=False, name=None), heights, strict=True))
    panels = [panel for _, panel in tests.groupby(by, sort=False)]
    height = rows * (0.55 + _ROW * (heights.max() + 1)) + 0.25
    figure, grid = style.panels(height, rows, math.ceil(len(panels) / rows), sharey=True)
    for axes, panel in zip(grid.flat, panels, strict=False):
        drawn = []
        for row in panel.to_dict("records"):
            place, colour = places[row["family"], row["method"], row["against"]], _COLOURS.get(row["verdict"])
            if row["effect"] is None:
                axes.text(0, place, " not tested", color=style.GREY, fontsize=6, va="center")
            else:
                drawn.append(Bar(row["effect"], place, colour or style.BLACK, filled=colour is not None))
        metric, benchmark = METRICS[row["metric"]], row["benchmark"]
        name = metric.title if by == "metric" else results.title(benchmark)
        note = " (stand-ins)" if by == "benchmark" and results.stand_in(benchmark) else ""
        style.bars(axes, drawn, metric.digits)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.tick_params(axis="y", length=0, labelsize=5.5)
        axes.spines["left"].set_visible(False)
        axes.set_title(f"{name}{note}, n = {max((bar.effect.n for bar in drawn), default=0)}")
        axes.set_xlabel(metric.gain)
    labels = [f"{results.called(method)}\n − {results.called(against)}" for _, method, against in places]
    grid.flat[0].set_yticks(heights, labels)
    grid.flat[0].set_ylim(heights.max() + 0.6, -0.6)
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    looks = {"better": style.BLUE, "worse": style.RED, "no verdict, or no difference shown": style.BLACK}
    handles = [
        Line2D([], [], color=c, marker="o", markerfacecolor="white" if c == style.BLACK else c, label=text)
        for text, c in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def strata(results: Results, found: pd.DataFrame) -> Drawing | None:
    """Show the base's gain by kind of video: one panel for each population, one marker per opponent."""
    rows = found[found["metric"] == "psnr"]
    if rows.empty:
        return None
    opponents = list(dict.fromkeys(rows["against"]))
    looks = dict(zip(opponents, itertools.cycle(zip(style.SERIES, style.MARKERS, strict=True)), strict=False))
    panels = list(rows.groupby("benchmark", sort=False))
    most = max(own["kind"].nunique() for _, own in panels)
    figure, grid = style.panels(0.9 + 0.3 * most, 1, len(panels))
    for axes, (name, own) in zip(grid[0], panels, strict=True):
        kinds = sorted(set(own["kind"]), key=lambda k: (STRATA.index(k) if k in STRATA else 9, k))
        drawn = []
        for row in own.to_dict("records"):
            shift = 0.22 * (opponents.index(row["against"]) - (len(opponents) - 1) / 2)
            place = kinds.index(row["kind"]) + shift
            colour, marker = looks[row["against"]]
            drawn.append(Bar(row["effect"], place, colour, marker, filled=row["found"] != 0))
        style.bars(axes, drawn)
        axes.set(title=results.title(str(name)), xlabel=METRICS["psnr"].gain)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_yticks(range(len(kinds)), [words(kind) for kind in kinds])
        axes.set_ylim(len(kinds) - 0.5, -0.5)
    handles = [
        Line2D([], [], color=colour, marker=marker, label=f"over {results.called(name)}")
        for name, (colour, marker) in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return drawing("strata", results, [results.base, *rows["against"]], figure, benchmarks=rows["benchmark"])
