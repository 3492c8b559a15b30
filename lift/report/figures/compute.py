"""Quality against what it costs: every model named, with a line to its marker."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from lift.report.figures.style import BLACK, BLUE, GREY, MARKERS, ORANGE, WIDTH
from lift.report.names import narrow
from lift.report.results import Results
from lift.report.tables.compute import SIZE

_LINE = 0.1  # inches from one name to the next
_DECADE = 5  # times from the least to the largest from which on 1, 2, 5 … are enough ticks
_BESIDE = 1.04  # where the names begin, in widths of the panel


def compute(results: Results, methods: Sequence[str], benchmark: str) -> Figure:
    """Draw mean PSNR against operations and against parameters, one named marker per model."""
    panel = max(2.0, _LINE * len(methods))
    figure = Figure(figsize=(WIDTH, panel + 0.9))
    grid = figure.subplots(1, 2, sharey=True)
    quality = {m: float(results.values(m, benchmark, "psnr").mean()) for m in methods}
    models = {m: results.configs.get(m, results.config).model.name for m in methods}
    families = list(dict.fromkeys(models.values()))
    markers = dict(zip(families, MARKERS, strict=False))
    shown: list[tuple[Axes, dict[str, float]]] = []
    for axes, key, scale in zip(grid, (f"gmacs_{SIZE}", "parameters"), (1.0, 1e6), strict=True):
        places = {m: results.costs[m][key] / scale for m in methods}
        for method in methods:
            colour = ORANGE if narrow(results.configs, method) else BLUE
            filled = colour if method == results.base else "none"
            marker = markers[models[method]]
            axes.plot(
                places[method], quality[method], marker, color=colour, markerfacecolor=filled, markersize=4
            )
        axes.set_xscale("log")
        wide = max(places.values()) > _DECADE * min(places.values())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if wide else MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter("")
        axes.grid(axis="both")
        axes.margins(x=0.08, y=0.06)
        shown.append((axes, places))
    for axes, places in shown:  # when both panels' limits are known
        _names(axes, places, quality, _LINE / panel)
    grid[0].set(xlabel="GMACs per frame", ylabel="PSNR (dB)")
    grid[1].set_xlabel("parameters (millions)")
    looks = [(markers[f], BLACK, f) for f in families] + [("s", BLUE, "context"), ("s", ORANGE, "two frames")]
    figure.legend(
        handles=[
            Line2D([], [], linestyle="", marker=m, color=c, markerfacecolor="none", label=f)
            for m, c, f in looks[: len(families)]
        ]
        + [Line2D([], [], color=c, linewidth=4, label=f) for _, c, f in looks[len(families) :]],
        loc="outside upper center",
        ncols=len(looks),
    )
    return figure


def _names(axes: Axes, places: Mapping[str, float], quality: Mapping[str, float], gap: float) -> None:
    """Write the names beside the panel in the order of quality, each with a line to its marker."""
    low, high = axes.get_ylim()
    order = sorted(places, key=lambda m: quality[m])
    heights = apart([(quality[m] - low) / (high - low) for m in order], gap)
    for method, height in zip(order, heights, strict=True):
        axes.annotate(
            method, xy=(places[method], quality[method]), xytext=(_BESIDE, height),
            textcoords="axes fraction", fontsize=5.5, va="center", color=BLACK, annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": GREY, "linewidth": 0.4, "relpos": (0, 0.5),
                "shrinkA": 0, "shrinkB": 2,
            },
        )  # fmt: skip


def apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Move ascending heights apart to at least `gap`, upwards, and down again from 1 where they run over."""
    heights: list[float] = []
    for height in wanted:
        heights.append(max(height, heights[-1] + gap) if heights else height)
    limit = 1.0
    for index in reversed(range(len(heights))):
        heights[index] = min(heights[index], limit)
        limit = heights[index] - gap
    return heights
