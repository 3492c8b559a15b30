"""A table: one data frame with a description of its columns; written as CSV, Markdown, LaTeX and HTML.

What belongs to the cells of a column `k` stands beside it in the frame: `k_low` and `k_high`, the ends of
an interval, and `k_half`, a half width, which are in the CSV as well; `k_shown`, what readers see in place of
the value, `k_beside`, what stands behind it, `k_digits`, decimals in place of the column's, and `k_mark`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lift.report import texts
from lift.report.results import Results
from lift.report.statistics import Effect
from lift.report.texts import NONE, number

BEST, SECOND = "best", "second"
GAIN, LOSS = "gain", "loss"  # of a verdict
IN_CSV = ("", "_low", "_high", "_half")
Row = dict[str, object]


@dataclass(frozen=True)
class Column:
    """Head of a column."""

    key: str
    """Name in the CSV."""
    title: str
    digits: int | None = None
    """Decimals shown (the CSV has six significant digits); None: a column of text."""
    better: int = 0
    """+1: the largest value is marked best; -1: the smallest; 0: nothing is marked."""
    signed: bool = False
    """Show a plus sign."""
    least: bool = False
    """Show what rounds to zero as less than the smallest number shown, as p-values are."""


@dataclass(frozen=True)
class Cell:
    """One entry as readers see it."""

    text: str
    beside: str = ""
    """An interval, or what a value is of."""
    mark: str = ""
    value: float | None = None
    """By which a reader may sort."""

    def __str__(self) -> str:
        """Return the text with what stands beside it."""
        return f"{self.text} {self.beside}".strip()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with everything that a reader needs to judge it."""

    name: str
    """File name without suffix, and LaTeX label."""
    caption: str
    columns: Sequence[Column]
    frame: pd.DataFrame
    notes: Sequence[str] = ()
    """Footnotes: protocol, meaning of marks."""
    sources: str = ""
    """Stage outputs that the table was made from."""
    block: "Table | None" = None
    """Rows that stand apart below these and are never ranked with them, under columns of their own."""

    @property
    def forms(self) -> tuple[str, ...]:
        """In which forms it is written: one that is higher than a page has none for LaTeX."""
        return ("csv", "md", "tex") if len(self.frame) <= _HIGH else ("csv", "md")

    @property
    def cells(self) -> list[list[Cell]]:
        """Every row as readers see it."""
        return [[_cell(row, column) for column in self.columns] for row in self.frame.to_dict("records")]

    def mark(self, given: pd.Series) -> None:
        """Mark the best and second best of each column among rows that are `given` the same."""
        for column in (column for column in self.columns if column.better):
            # Ranked as shown: a reader must not see one of two equal numbers in bold.
            groups = pd.to_numeric(self.frame[column.key], "coerce").round(column.digits or 0).groupby(given)
            ranks = groups.rank("dense", ascending=column.better < 0).where(groups.transform("nunique") > 1)
            self.frame[f"{column.key}_mark"] = ranks.map({1: BEST, 2: SECOND})


def table(
    kind: str,
    results: Results,
    rows: Sequence[Row],
    methods: Iterable[str] | None = None,
    *,
    columns: Mapping[str, Sequence[Column]] | None = None,
    block: Table | None = None,
    **words: Any,
) -> Table | None:
    """Return the table that texts.yaml declares as `kind`; None where there are no rows.

    Args:
        kind: Key of `tables` in texts.yaml.
        results: For its templates, and for the names by which readers know the rows' methods.
        rows: By the columns' keys; what they lack is shown as a dash, or as the row's `absent`.
        methods: Whose files its sources are; None: those that the rows name.
        columns: Those that stand where texts.yaml has a name alone.
        block: Rows that stand apart below.
        words: What its templates see besides `results`.
    """
    if not rows:
        return None
    declared, words = texts.part("tables")[kind], words | {"results": results}
    heads: list[Column] = []
    for one in declared["columns"]:
        if isinstance(one, str):
            heads += (columns or {})[one]
        else:
            heads.append(Column(**one | {"title": texts.fill(one["title"], **words)}))
    named = [str(row["method"]) for row in rows if "method" in row]
    whole = [dict.fromkeys((head.key for head in heads), row.get("absent", NONE)) | row for row in rows]
    for row in whole:
        if "method" in row:
            row.setdefault("method_shown", results.called(str(row["method"])))
    made = Table(
        name=texts.fill(declared.get("name", kind), **words),
        caption=texts.fill(declared["caption"], **words),
        columns=heads,
        frame=pd.DataFrame(whole).astype(object),
        notes=texts.lines(declared["notes"], **words),
        sources=results.sources(
            texts.lines(declared["sources"], **words), named if methods is None else methods
        ),
        block=block,
    )
    if "ranked" in declared:
        made.mark(made.frame[declared["ranked"]])
    return made


def interval(key: str, effect: Effect | None, digits: int | None = None) -> Row:
    """Return the cells of a mean with its interval; none where nothing was measured."""
    if effect is None:
        return {}
    cells: Row = {key: effect.mean, f"{key}_low": effect.low, f"{key}_high": effect.high}
    return cells if digits is None else {**cells, f"{key}_digits": digits}


def _cell(row: Mapping[Any, Any], column: Column) -> Cell:
    def beside(suffix: str) -> Any:  # of the cell
        found = row.get(f"{column.key}_{suffix}")
        return None if isinstance(found, float) and math.isnan(found) else found

    value, mark = row.get(column.key), str(beside("mark") or "")
    if beside("shown") is not None:
        return Cell(str(beside("shown")), mark=mark)
    if isinstance(value, str) or value is None:
        return Cell(value or "", mark=mark)
    value, digits = float(value), int(beside("digits") or column.digits or 0)
    if column.least and value < 0.5 * 10**-digits:
        return Cell(f"<{10**-digits:.{digits}f}", "", mark, value)
    text, low, high = number(value, digits, column.signed), beside("low"), beside("high")
    if (half := beside("half")) is not None:
        text += f" ± {number(half, digits)}"
    bounded = low is not None and high is not None
    told = texts.interval(low, high, digits, column.signed) if bounded else str(beside("beside") or "")
    return Cell(text, told, mark, value)


def to_csv(table: Table) -> str:
    """Write six significant digits; beside a column come the ends of its intervals, or a ±'s half width."""
    names = [f"{column.key}{suffix}" for column in table.columns for suffix in IN_CSV]
    kept = table.frame[[name for name in names if name in table.frame]]
    plain = kept.map(lambda v: v if isinstance(v, str) else "" if v is None or v != v else f"{v:.6g}")
    return plain.to_csv(index=False, lineterminator="\n")


def to_markdown(table: Table) -> str:
    """Write a Markdown table: best in bold, second best in italics; a block below it as a quotation."""
    below = to_markdown(table.block).splitlines() if table.block is not None else []
    return texts.render("table.md.j2", table=table, below=below)


_WIDE = 150  # characters of a row that fit a landscape page in footnotesize
_LINES = 44  # lines that fit it in scriptsize
_HIGH = 60  # rows that fit it at all
_TEXT = 26  # characters of a column whose texts are folded, where a row is too long


def to_latex(table: Table, shape: str = "") -> str:
    """Write a table environment in plain ASCII; it needs array, booktabs and graphicx.

    A block follows as a second one, in italics (`shape`): together they could be higher than a page.
    """
    cells = table.cells
    widths = [
        2 + max(map(len, (c.title, *(str(row[i]) for row in cells)))) for i, c in enumerate(table.columns)
    ]
    words = [column.digits is None for column in table.columns]
    folds = sum(widths) > 1.2 * _WIDE and len(cells) <= _LINES / 2  # more would be higher than a page
    wide = sum(min(w, _TEXT) if text and folds else w for w, text in zip(widths, words, strict=True))
    lines = len(cells) * (2 if wide < sum(widths) else 1)
    small = "footnotesize" if wide <= _WIDE and lines <= _LINES / 2 else "scriptsize"
    spec = [
        (r">{\raggedright\arraybackslash}p{11em}" if folds and width > _TEXT else "l") if text else "r"
        for width, text in zip(widths, words, strict=True)
    ]
    around = {BEST: r"\textbf{%s}", SECOND: r"\underline{%s}", "": "%s"}
    around |= dict.fromkeys((GAIN, LOSS), around[BEST])
    # Braces: a cell that starts with [ would be taken as the option of the line break before it.
    body = pd.DataFrame([["{" + around[c.mark] % texts.latex(str(c)) + "}" for c in row] for row in cells])
    tabular = body.to_latex(
        index=False, escape=False, header=[texts.latex(c.title) for c in table.columns],
        column_format=f"@{{}}{''.join(spec)}@{{}}",
    )  # fmt: skip
    if wide > 1.2 * _WIDE:  # numbers alone are too many for a page
        tabular = f"\\resizebox{{\\linewidth}}{{!}}{{%\n{tabular}}}\n"
    size = "tiny" if lines > _LINES else small
    text = texts.render("table.tex.j2", table=table, size=size, shape=shape, tabular=tabular.rstrip("\n"))
    return text if table.block is None else text + to_latex(table.block, r"\itshape")
