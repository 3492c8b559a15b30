"""The look of figures, and how they are written: the same bytes from the same numbers.

Colours: Okabe and Ito's palette, distinct for every kind of colour vision; markers and dashes repeat the
distinction, so that a grey print can be read.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from lift.report import texts
from lift.report.results import Results
from lift.report.statistics import Effect
from lift.report.texts import interval, number

WIDTH = 5.9
"""Inches: 150 mm, the text width of a thesis on A4."""
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000",
)  # fmt: skip
GREY = "#999999"
SERIES = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""In the order of use; the palette's yellow is left out, for it is lost on white paper."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
_FAR = 4.0  # times the median reach: beyond, a row becomes an arrow
# Dates and versions are left out of the files: they would change the bytes of an unchanged figure.
_PDF = ("Creator", "Producer", "CreationDate")
_SVG = ("Date", "Creator")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure with what a reader needs beside it."""

    name: str
    title: str
    caption: str
    alt: str
    """What the figure shows, for those who do not see it."""
    sources: str
    """Stage outputs that it was made from."""
    figure: Figure


def drawing(kind: str, results: Results, methods: Iterable[str], figure: Figure, **words: Any) -> Drawing:
    """Return a figure, made from files of `methods`, with the words that texts.yaml has for its `kind`."""
    declared = {"name": kind, **texts.part("figures")[kind]}
    sources = results.sources(declared.pop("sources"), methods)
    filled = {key: texts.fill(text, results=results, **words) for key, text in declared.items()}
    return Drawing(sources=sources, figure=figure, **filled)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the one style inside the block."""
    with rc_context(fname=str(Path(__file__).with_name("thesis.mplstyle"))):
        yield


def write(drawings: Iterable[Drawing], folder: Path) -> None:
    """Write each figure as `<name>.png`, `.pdf` and `.svg`."""
    folder.mkdir(exist_ok=True)
    for drawing in drawings:
        figure, path = drawing.figure, folder / drawing.name
        with style():
            # Laid out once: each format would otherwise solve the layout anew, which is most of the time.
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
            # The canvases' own methods: `savefig` would draw each format once more, only to measure it.
            FigureCanvasAgg(figure).print_png(f"{path}.png", metadata={"Software": None})  # type: ignore[no-untyped-call]
            FigureCanvasPdf(figure).print_pdf(f"{path}.pdf", metadata=dict.fromkeys(_PDF))  # type: ignore[no-untyped-call]
            FigureCanvasSVG(figure).print_svg(f"{path}.svg", metadata=dict.fromkeys(_SVG))  # type: ignore[no-untyped-call]


def panels(height: float, rows: int, columns: int, **shared: Any) -> tuple[Figure, Any]:
    """Return a figure as wide as a text column and as high as is asked (inches), and its [rows, columns]."""
    figure = Figure(figsize=(WIDTH, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


@dataclass(frozen=True)
class Bar:
    """A mean with its interval, one row of a panel; none is drawn where n cannot bound the mean."""

    effect: Effect
    place: float
    colour: str = BLUE
    marker: str = "o"
    filled: bool = True

    @property
    def reach(self) -> float:
        """How far from zero it extends."""
        ends = (self.effect.mean, self.effect.low, self.effect.high)
        return max(abs(end) for end in ends if not math.isnan(end))


def bars(axes: Axes, rows: Sequence[Bar], digits: int = 2) -> None:
    """Draw horizontal intervals about a zero line; rows far beyond the others become an arrow and a number.

    Without that, one comparison (a frame merely shown again) would squeeze all others into the zero line.
    """
    axes.axvline(0, color=BLACK, linewidth=0.6)
    limit = _FAR * statistics.median(row.reach for row in rows) if rows else 0.0
    near = [row for row in rows if row.reach <= limit or limit == 0]
    for row in near:
        axes.plot([row.effect.low, row.effect.high], [row.place] * 2, color=row.colour, solid_capstyle="butt")
        face = row.colour if row.filled else "white"
        axes.plot([row.effect.mean], [row.place], marker=row.marker, color=row.colour, markerfacecolor=face)
    if len(near) < len(rows):
        axes.set_xlim(*axes.get_xlim())
    for row in rows:
        if row not in near:
            _point_outside(axes, row, digits)


def _point_outside(axes: Axes, row: Bar, digits: int) -> None:
    effect, right = row.effect, row.effect.mean > 0
    edge, inwards = (1.0, -1) if right else (0.0, 1)
    transform = axes.get_yaxis_transform()  # x in shares of the panel, y in rows
    axes.annotate(
        "", xy=(edge, row.place), xytext=(edge + 0.12 * inwards, row.place),
        xycoords=transform, textcoords=transform,
        arrowprops={"arrowstyle": "-|>", "color": row.colour, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0},
        annotation_clip=False,
    )  # fmt: skip
    # Beside the arrow the mean, and below it the interval, over whatever line passes there.
    text = number(effect.mean, digits, True)
    if not math.isnan(effect.low + effect.high):
        text += f"\n{interval(effect.low, effect.high, digits)}"
    axes.text(
        edge + 0.14 * inwards, row.place, text, transform=transform, color=row.colour, fontsize=5.5,
        linespacing=1.0, va="center", ha="right" if right else "left", multialignment="right",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip
