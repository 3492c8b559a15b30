"""Figures of differences with intervals: the declared comparisons, and gains by kind of video."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lift.report.answer import by_comparison, judged
from lift.report.comparisons import BETTER, WORSE, compared
from lift.report.figures.style import BLACK, BLUE, GREY, MARKERS, RED, SERIES, WIDTH, Bar, Drawing, bars
from lift.report.names import METRICS, STRATA, Metric, words
from lift.report.results import Results
from lift.report.statistics import Effect

_ROW = 0.2  # inches between two rows
_GAP = 0.5  # rows between two families
_COLOURS = {BETTER: BLUE, WORSE: RED}
Key = tuple[str, str, str]
"""Family, method and what it is compared with."""
Panel = tuple[str, Metric, Mapping[Key, tuple[Effect | None, str]]]
"""Title, metric, and each comparison's effect and verdict."""


def comparisons(results: Results, tests: pd.DataFrame) -> Drawing | None:
    """Show every declared comparison in PSNR: one panel for each population, one row per comparison."""
    groups = by_comparison(tests)
    if not groups:
        return None
    panels: list[Panel] = []
    for name in results.populations:
        own = {_key(g.iloc[0]): (effect, judged(g)) for g, effect in groups if g["benchmark"].iloc[0] == name}
        panels.append(
            (results.title(name) + (" (stand-ins)" if results.stand_in(name) else ""), METRICS["psnr"], own)
        )
    return Drawing(
        name="comparisons",
        title="Declared comparisons",
        caption=f"Mean gain in PSNR with {results.coverage} bootstrap interval over source videos: "
        f"{populations(results)}. Right of zero the method named first is better. Filled: a verdict, over "
        "all outcomes, as the table has it; arrows: beyond the axis, with mean and interval.",
        alt="Forest plot of the gain of each declared comparison on each population.",
        sources=results.sources(compared(results, results.methods)),
        draw=lambda: _forest(results, panels, 1),
    )


def outcomes(results: Results, tests: pd.DataFrame) -> Drawing | None:
    """Show every declared comparison on the first population: one panel per metric."""
    own = tests[tests["benchmark"] == next(iter(results.populations), "")]
    if own["effect"].isna().all():
        return None
    panels: list[Panel] = []
    for key in dict.fromkeys(own["metric"]):
        rows = own[own["metric"] == key].to_dict("records")
        panels.append(
            (METRICS[key].title, METRICS[key], {_key(r): (r["effect"], r["verdict"]) for r in rows})
        )
    name = results.populations[0]
    return Drawing(
        name="outcomes",
        title="All outcomes",
        caption=f"The same on {results.title(name)}{results.footage(name)} in each outcome, whatever its "
        "direction: right of zero is better. Filled: better or worse in this outcome.",
        alt="Forest plot of the gain of each declared comparison in each metric.",
        sources=results.sources(compared(results, results.methods)),
        draw=lambda: _forest(results, panels, 2),
    )


def populations(results: Results) -> str:
    """Name the populations, and which of them are rendered."""
    return ", ".join(f"{results.title(name)}{results.footage(name)}" for name in results.populations)


def _key(row: "Mapping[str, str] | pd.Series[str]") -> Key:
    return row["family"], row["method"], row["against"]


def _forest(results: Results, panels: Sequence[Panel], rows: int) -> Figure:
    # Each comparison has a row in the order of params.yaml, whichever panel has it, and families a gap.
    known = {key for *_, own in panels for key in own}
    places: dict[Key, float] = {}
    for one in results.config.report.comparisons:
        if (key := (one.family, one.method, one.against)) in known:
            last = next(reversed(places), key)
            places[key] = places.get(last, -1) + 1 + (_GAP if last[0] != one.family else 0)
    height = rows * (0.55 + _ROW * (max(places.values()) + 1)) + 0.25
    figure = Figure(figsize=(WIDTH, height))
    grid = figure.subplots(rows, math.ceil(len(panels) / rows), sharey=True, squeeze=False)
    for axes, (name, metric, own) in zip(grid.flat, panels, strict=False):
        drawn = []
        for key, (effect, verdict) in own.items():
            if effect is None:
                axes.text(0, places[key], " not tested", color=GREY, fontsize=6, va="center")
            else:
                drawn.append(
                    Bar(effect, places[key], _COLOURS.get(verdict, BLACK), filled=verdict in _COLOURS)
                )
        bars(axes, drawn, metric.digits)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.tick_params(axis="y", length=0, labelsize=5.5)
        axes.spines["left"].set_visible(False)
        axes.set_title(f"{name}, n = {max((bar.effect.n for bar in drawn), default=0)}")
        axes.set_xlabel(metric.gain if own else "")
    labels = [f"{results.called(method)}\n − {results.called(against)}" for _, method, against in places]
    grid.flat[0].set_yticks(list(places.values()), labels)
    grid.flat[0].set_ylim(max(places.values()) + 0.6, -0.6)
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    looks = {"better": BLUE, "worse": RED, "no verdict, or no difference shown": BLACK}
    handles = [
        Line2D([], [], color=c, marker="o", markerfacecolor="white" if c == BLACK else c, label=text)
        for text, c in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def strata(results: Results, found: pd.DataFrame) -> Drawing | None:
    """Show the base's gain by kind of video: one panel for each population, one marker per opponent."""
    rows = found[found["metric"] == "psnr"]
    if rows.empty:
        return None
    return Drawing(
        name="strata",
        title="Gain by kind of video",
        caption=f"Gain in PSNR of {results.called(results.base)} by kind of video, mean and "
        f"{results.coverage} interval over videos: {populations(results)}. Filled: the corrected test finds "
        "the gain to be another than in the control (plain scenes; real video without judder).",
        alt="Mean gain with interval for each kind of video.",
        sources=results.sources([results.base, *rows["against"]]),
        draw=lambda: _strata(results, rows),
    )


def _strata(results: Results, rows: pd.DataFrame) -> Figure:
    opponents = list(dict.fromkeys(rows["against"]))
    looks = {m: (SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]) for i, m in enumerate(opponents)}
    panels = list(rows.groupby("benchmark", sort=False))
    most = max(own["kind"].nunique() for _, own in panels)
    figure = Figure(figsize=(WIDTH, 0.9 + 0.3 * most))
    for axes, (name, own) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        kinds = sorted(set(own["kind"]), key=lambda k: (STRATA.index(k) if k in STRATA else 9, k))
        drawn = []
        for row in own.to_dict("records"):
            shift = 0.22 * (opponents.index(row["against"]) - (len(opponents) - 1) / 2)
            place = kinds.index(row["kind"]) + shift
            drawn.append(Bar(row["effect"], place, *looks[row["against"]], filled=row["found"] != 0))
        bars(axes, drawn)
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
    return figure
