"""Figures of differences with intervals: the declared comparisons, and gains by kind of video."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lift.report.answer import by_comparison, judged
from lift.report.comparisons import BETTER, WORSE, Tested
from lift.report.figures.style import BLACK, BLUE, GREY, MARKERS, RED, SERIES, WIDTH, Bar, bars
from lift.report.names import METRICS, STRATA, words
from lift.report.results import Results
from lift.report.statistics import Effect
from lift.report.strata import Stratum
from lift.report.tables.results import title

_ROW = 0.2  # inches between two rows
_GAP = 0.5  # rows between two families
Places = Mapping[tuple[str, str, str], float]


def comparisons(results: Results, tests: Sequence[Tested]) -> Figure:
    """Draw every declared comparison in PSNR: one panel for each population, one row per comparison."""
    groups = [g for g in by_comparison(tests) if g[0].effect]
    panels = {
        title(results, name) + (" (stand-ins)" if results.stand_in(name) else ""): [
            (group[0], {BETTER: 1, WORSE: -1}.get(judged(group), 0))
            for group in groups
            if group[0].benchmark == name
        ]
        for name in results.populations
    }
    return _forest(results, panels, 1)


def outcomes(results: Results, tests: Sequence[Tested]) -> Figure:
    """Draw every declared comparison on one population: one panel per metric."""
    panels: dict[str, list[tuple[Tested, int]]] = {}
    for test in tests:
        panels.setdefault(test.metric.title, []).append((test, test.found))
    return _forest(results, panels, 2)


def _forest(results: Results, panels: Mapping[str, Sequence[tuple[Tested, int]]], rows: int) -> Figure:
    places, labels = _rows(results, [test for own in panels.values() for test, _ in own])
    columns = math.ceil(len(panels) / rows)
    figure = Figure(figsize=(WIDTH, rows * (0.55 + _ROW * (max(places.values()) + 1)) + 0.25))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, (name, own) in zip(grid.flat, panels.items(), strict=False):
        _panel(axes, own, places)
        n = max((t.effect.n for t, _ in own if t.effect), default=0)
        axes.set_title(f"{name}, n = {n}")
        axes.set_xlabel(own[0][0].metric.gain if own else "")
    grid.flat[0].set_yticks(list(places.values()), labels)
    grid.flat[0].set_ylim(max(places.values()) + 0.6, -0.6)
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    looks = (
        (BLUE, True, "better"),
        (RED, True, "worse"),
        (BLACK, False, "no verdict, or no difference shown"),
    )
    figure.legend(
        handles=[
            Line2D([], [], color=c, marker="o", markerfacecolor=c if full else "white", label=t)
            for c, full, t in looks
        ],
        loc="outside lower center",
        ncols=3,
    )
    return figure


def _rows(results: Results, tests: Sequence[Tested]) -> tuple[Places, list[str]]:
    """Give each comparison a row in the order of params.yaml, whichever panel has it, and families a gap."""
    places: dict[tuple[str, str, str], float] = {}
    place, last = 0.0, ""
    known = {(t.comparison.family, t.comparison.method, t.comparison.against) for t in tests}
    for one in results.config.report.comparisons:
        if (key := (one.family, one.method, one.against)) in known:
            place += _GAP if last not in ("", one.family) else 0
            places[key], last = place, one.family
            place += 1
    return places, [
        f"{results.called(method)}\n − {results.called(against)}" for _, method, against in places
    ]


def _panel(axes: Axes, tests: Sequence[tuple[Tested, int]], places: Places) -> None:
    rows = []
    for test, found in tests:
        place = places[test.comparison.family, test.comparison.method, test.comparison.against]
        if test.effect is None:
            axes.text(0, place, " not tested", color=GREY, fontsize=6, va="center")
            continue
        rows.append(bar(test.effect, place, {1: BLUE, -1: RED, 0: BLACK}[found], filled=found != 0))
    bars(axes, rows, digits=tests[0][0].metric.digits if tests else 2)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(axis="y", length=0, labelsize=5.5)
    axes.spines["left"].set_visible(False)


def bar(effect: Effect, place: float, colour: str, marker: str = "o", filled: bool = True) -> Bar:
    """Return an effect as a row of a panel."""
    return Bar(
        place=place,
        mean=effect.mean,
        low=effect.low,
        high=effect.high,
        colour=colour,
        marker=marker,
        filled=filled,
    )


def strata(results: Results, rows: Sequence[Stratum]) -> Figure:
    """Draw the base's gain by kind of video: one panel for each population, one marker per opponent."""
    names = list(dict.fromkeys(row.benchmark for row in rows))
    opponents = list(dict.fromkeys(row.against for row in rows))
    level = 1 - results.config.report.confidence
    kinds = {
        name: sorted(
            {r.kind for r in rows if r.benchmark == name},
            key=lambda k: (STRATA.index(k) if k in STRATA else 9, k),
        )
        for name in names
    }
    figure = Figure(figsize=(WIDTH, 0.9 + 0.3 * max(map(len, kinds.values()))))
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        drawn = []
        for row in (r for r in rows if r.benchmark == name):
            index = opponents.index(row.against)
            place = kinds[name].index(row.kind) + 0.22 * (index - (len(opponents) - 1) / 2)
            look = (SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)])
            drawn.append(bar(row.effect, place, *look, filled=row.found(level) != 0))
        bars(axes, drawn)
        axes.set(title=title(results, name), xlabel=METRICS["psnr"].gain)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_yticks(range(len(kinds[name])), [words(kind) for kind in kinds[name]])
        axes.set_ylim(len(kinds[name]) - 0.5, -0.5)
    handles = [
        Line2D(
            [],
            [],
            color=SERIES[i % len(SERIES)],
            marker=MARKERS[i % len(MARKERS)],
            label=f"over {results.called(name)}",
        )
        for i, name in enumerate(opponents)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
