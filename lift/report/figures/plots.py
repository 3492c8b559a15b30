"""Figures of numbers: comparisons with intervals, gains by width and kind of video, time, α, training."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lift.report.comparisons import BETTER, WORSE, Findings, describe, gains
from lift.report.figures import style
from lift.report.figures.style import Bar, Drawing, drawing
from lift.report.reading import read_alpha, read_curves
from lift.report.results import Results
from lift.report.texts import METRICS, STRATA, words

_ROW = 0.2  # inches between two rows
_GAP = 0.5  # rows between two families
_COLOURS = {BETTER: style.BLUE, WORSE: style.RED}
_KEY = ["family", "method", "against"]
_HEADROOM = 1.12  # of an axis from zero over the highest point, whose marker must not be cut


def plan(found: Findings) -> list[Drawing]:
    """Draw every figure that the results allow, in the order of the page; strips (strips.py) come behind."""
    results = found.results
    with style.style():
        drawings = [
            comparisons(results, found.verdicts),
            outcomes(results, found.tests),
            width(results),
            strata(results, found.strata),
            time(results),
            alpha(results),
            training(results),
        ]
    return [drawing for drawing in drawings if drawing is not None]


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


def _look(i: int) -> dict[str, Any]:
    colour, dashes, marker = style.SERIES[i], style.DASHES[i], style.MARKERS[i]
    return {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 3}


def width(results: Results) -> Drawing | None:
    """Show the gain over the narrowest window by how many frames take part, one line for each population."""
    methods = [method for method in results.config.report.curve if results.rows.get(method)]
    there = [n for n in results.populations if all(results.frame(m, n) is not None for m in methods)]
    if len(methods) < 3 or not there:
        return None
    frames = [results.used(m) for m in methods]
    figure, grid = style.panels(2.5, 1, 2)
    for axes, key in zip(grid[0], ("psnr", "lpips"), strict=True):
        axes.axhline(0, color=style.BLACK, linewidth=0.6)
        for index, name in enumerate(there):
            found = describe(results, *(gains(results, name, key, m, methods[0]) for m in methods[1:]))
            means, lows, highs = ([0.0, *(getattr(e, end) for e in found)] for end in ("mean", "low", "high"))
            # Beside each other: intervals at the same number of frames would hide one another.
            places = np.array(frames) + 0.18 * (index - 1)
            errors = np.stack((np.subtract(means, lows), np.subtract(highs, means)))
            look = _look(index) | {"linewidth": 0.9, "elinewidth": 0.9, "label": results.title(name)}
            axes.errorbar(places, means, errors, **look)
        axes.set_xticks(frames)
        axes.set(xlabel="frames that take part", ylabel=METRICS[key].gain)
        axes.grid(axis="y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(there))
    return drawing("width", results, methods, figure, benchmarks=there)


def time(results: Results) -> Drawing | None:
    """Show processor time per frame, PSNR and LPIPS side by side: a row for each model, the fastest first."""
    asked, known = next(iter(results.populations), ""), results.timings.frames
    there = [m for m in results.config.models if m in known and results.frame(m, asked) is not None]
    if len(there) < 2:
        return None
    methods = sorted(there, key=lambda method: known[method]["milliseconds"])
    columns = {"seconds per frame ↓": [known[method]["milliseconds"] / 1000 for method in methods]}
    for key in ("psnr", "lpips"):
        title = f"{METRICS[key].named} {METRICS[key].arrow}"
        columns[title] = [results.mean(method, asked, key) for method in methods]
    sees = {True: "sees the two references", False: "sees more of the window"}
    figure, grid = style.panels(0.7 + 0.15 * len(methods), 1, len(columns), sharey=True)
    for axes, (title, values) in zip(grid[0], columns.items(), strict=True):
        for place, (method, value) in enumerate(zip(methods, values, strict=True)):
            narrow = results.narrow(method)
            look = {"color": style.ORANGE, "marker": "s"} if narrow else {"color": style.BLUE, "marker": "o"}
            face = look["color"] if method == results.base else "white"
            axes.plot(value, place, **look, markerfacecolor=face, linestyle="", label=sees[narrow])
        axes.set_xlabel(title)
        axes.grid(axis="both")
        axes.margins(x=0.08)
    grid[0, 0].set_xlim(left=0)
    grid[0, 0].set_yticks(range(len(methods)), [results.called(method) for method in methods], fontsize=6)
    grid[0, 0].set_ylim(len(methods) - 0.4, -0.6)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    return drawing("time", results, methods, figure, benchmark=asked)


def alpha(results: Results) -> Drawing | None:
    """Show α by offset, one panel per method: median, middle half and middle nine tenths over clips."""
    asked = next(iter(results.populations), "")
    tables = {m: table[table["benchmark"] == asked] for m, table in read_alpha(results).items()}
    there = [method for method, table in tables.items() if len(table)]
    chosen = [m for m in results.compared if m in there] or there[:2]
    if not chosen:
        return None
    figure, grid = style.panels(0.7 + 1.15 * len(chosen), len(chosen), 1, sharex=True)
    for axes, method in zip(grid[:, 0], chosen, strict=True):
        by_offset = tables[method].groupby("offset")["alpha"]
        shares = by_offset.quantile(np.array((0.05, 0.25, 0.5, 0.75, 0.95))).unstack()
        axes.axvline(0, color=style.GREY, linestyle=":", linewidth=0.8)
        for low, high, wide, label in (
            (0.05, 0.95, 0.7, "middle 90 % of clips"),
            (0.25, 0.75, 3, "middle 50 %"),
        ):
            look = {"colors": style.BLUE, "capstyle": "butt", "linewidth": wide, "label": label}
            axes.vlines(shares.index, shares[low], shares[high], **look)
        dots = {"color": "white", "markeredgecolor": style.BLUE, "markersize": 3.5}
        axes.plot(shares.index, shares[0.5], "o", label="median", clip_on=False, **dots)
        axes.axhline(1 / len(shares), color=style.GREY, linewidth=0.6, linestyle="--", label="equal weights")
        axes.set_ylim(0, _HEADROOM * max(shares.to_numpy().max(), 1 / len(shares)))
        axes.set_title(f"{results.called(method)} ({results.configs[method].clip.sampling})")
        axes.set_ylabel("weight α")
    grid[-1, 0].set_xlabel("offset from the missing frame (frames)")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    return drawing("alpha", results, chosen, figure, benchmark=asked)


def training(results: Results) -> Drawing | None:
    """Show training loss and validation PSNR by step; compared ablations in colour, the others in grey.

    Lines are means over training seeds; of compared ablations the range over seeds is shaded.
    """
    curves = read_curves(results)
    if not curves:
        return None
    chosen = [name for name in results.compared if name in curves][: len(style.SERIES)]
    rest = [name for name in curves if name not in chosen]
    figure, ((left, right),) = style.panels(2.7, 1, 2)
    for name in [*rest, *chosen]:
        look = _look(chosen.index(name)) if name in chosen else {"color": style.GREY, "linewidth": 0.6}
        label = results.called(name) if name in chosen else ("other ablations" if name == rest[0] else None)
        loss, psnr = curves[name]["loss"], curves[name]["psnr"]
        # Averaged over a twentieth of the run, so that thirteen noisy lines can be told apart.
        smooth = loss.rolling(max(1, len(loss) // 20), min_periods=1, center=True).mean()
        left.plot(smooth.index, smooth.mean(axis=1), **(look | {"marker": ""}), label=label)
        right.plot(psnr.index, psnr.mean(axis=1), **look)
        if name in chosen and loss.shape[1] > 1:
            for axes, own in ((left, smooth), (right, psnr)):
                ends = own.min(axis=1), own.max(axis=1)
                axes.fill_between(own.index, *ends, color=look["color"], alpha=0.15, linewidth=0)
    left.set_yscale("log")
    left.set(xlabel="optimiser step", ylabel="training loss, smoothed")
    right.set(xlabel="optimiser step", ylabel="validation PSNR (dB)")
    for axes in (left, right):
        axes.grid(axis="y")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    seeds = max(len(results.configs[name].train.seeds) for name in curves)
    missing = [name for name in results.config.ablations if name not in curves]
    return drawing("training", results, curves, figure, seeds=seeds, missing=missing)
