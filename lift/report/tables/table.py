"""A table as data, and its forms: CSV for machines, Markdown, LaTeX (booktabs), cells for readers."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lift.report.names import number

BEST, SECOND = "best", "second"
GAIN, LOSS = "gain", "loss"  # of a verdict


@dataclass(frozen=True, kw_only=True)
class Column:
    """Head of a column."""

    key: str
    """Name in the CSV."""
    title: str
    better: int = 0
    """+1: the largest value is marked best; -1: the smallest; 0: nothing is marked."""
    digits: int = 2
    """Decimals shown (the CSV has six significant digits)."""
    signed: bool = False
    """Show a plus sign."""
    least: bool = False
    """Show what rounds to zero as less than the smallest number shown, as p-values are."""
    numeric: bool = True


@dataclass(kw_only=True)
class Cell:
    """One entry: text, or a number with an optional interval."""

    text: str = ""
    """Beside a value: what it is of."""
    key: str = ""
    """What the CSV has in place of the text: a name of params.yaml."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    """Half width shown as ±."""
    digits: int | None = None
    """Decimals in place of the column's, where a column mixes metrics."""
    mark: str = ""
    sign: str = ""
    """Stands behind the text for readers, not in the CSV; a note explains it."""


@dataclass(kw_only=True)
class Table:
    """A table with everything that a reader needs to judge it."""

    name: str
    """File name without suffix, and LaTeX label."""
    caption: str
    columns: Sequence[Column]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)
    """Footnotes: protocol, meaning of marks."""
    sources: list[str] = field(default_factory=list)
    """Stage outputs that the table was made from."""
    block: "Table | None" = None
    """Rows that stand apart below these and are never ranked with them, under columns of their own."""

    @property
    def forms(self) -> tuple[str, ...]:
        """In which forms it is written: one that is higher than a page has none for LaTeX."""
        return ("csv", "md", "tex") if len(self.rows) <= _HIGH else ("csv", "md")

    def mark(self, groups: Iterable[Sequence[int]], key: str | None = None) -> None:
        """Mark the best and second best of each column among comparable rows; ties share a mark.

        Args:
            groups: Indices of rows that may be compared with each other.
            key: The one column to mark; None: all.
        """
        for group in groups:
            for index, column in enumerate(self.columns):
                if column.better and len(group) > 1 and key in (None, column.key):
                    _mark([self.rows[row][index] for row in group], column)


def _mark(cells: Sequence[Cell], column: Column) -> None:
    # Ranked as shown: a reader must not see one of two equal numbers in bold.
    shown = {id(cell): round(cell.value, column.digits) for cell in cells if cell.value is not None}
    ranked = sorted(set(shown.values()), reverse=column.better > 0)
    for cell in cells:
        if id(cell) in shown and shown[id(cell)] in ranked[:2] and len(ranked) > 1:
            cell.mark = BEST if shown[id(cell)] == ranked[0] else SECOND


def shown(cell: Cell, column: Column) -> str:
    """Write a cell as a reader sees it, without marks."""
    return " ".join(filter(None, pieces(cell, column)))


def pieces(cell: Cell, column: Column) -> tuple[str, str]:
    """Write a cell in two pieces: the number or text, and the interval; empty: none."""
    if cell.value is None:
        return f"{cell.text} {cell.sign}" if cell.sign else cell.text, ""
    digits = column.digits if cell.digits is None else cell.digits
    if column.least and cell.value < 0.5 * 10**-digits:
        return f"<{10**-digits:.{digits}f}", ""
    text = number(cell.value, digits, column.signed)
    if cell.spread is not None and not math.isnan(cell.spread):
        text += f" ± {number(cell.spread, digits)}"
    if cell.low is not None and cell.high is not None and not math.isnan(cell.low + cell.high):
        low, high = (number(end, digits, column.signed) for end in (cell.low, cell.high))
        return text, f"[{low}, {high}]"
    return text, cell.text


def to_csv(table: Table) -> str:
    """Write six significant digits; beside a column come the ends of its intervals, or a ±'s half width."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    extra = [
        [name for name in _EXTRA if any(getattr(row[i], name) is not None for row in table.rows)]
        for i in range(len(table.columns))
    ]
    head: list[str] = []
    for column, names in zip(table.columns, extra, strict=True):
        head += [column.key, *(f"{column.key}_{_EXTRA[name]}" for name in names)]
    writer.writerow(head)
    for row in table.rows:
        line: list[str] = []
        for cell, names in zip(row, extra, strict=True):
            line.append(cell.key or cell.text if cell.value is None else _plain(cell.value))
            line += [_plain(getattr(cell, name)) for name in names]
        writer.writerow(line)
    return lines.getvalue()


_EXTRA = {"low": "low", "high": "high", "spread": "half"}  # of a cell, and what its column is called


def _plain(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.6g}"


def to_markdown(table: Table) -> str:
    """Write a Markdown table: best in bold, second best in italics; a block below it as a quotation."""
    around = {BEST: "**", SECOND: "*", GAIN: "**", LOSS: "**", "": ""}
    lines = [f"**{_md(table.caption)}**", "", "| " + " | ".join(_md(c.title) for c in table.columns) + " |"]
    lines.append("|" + "|".join(" ---: " if c.numeric else " --- " for c in table.columns) + "|")
    for row in table.rows:
        cells = [
            f"{around[cell.mark]}{_md(shown(cell, column))}{around[cell.mark]}"
            for cell, column in zip(row, table.columns, strict=True)
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- {_md(note)}" for note in table.notes), ""]
    if table.block is not None:
        lines += [f"> {line}".rstrip() for line in to_markdown(table.block).splitlines()] + [""]
    return "\n".join(lines)


def _md(text: str) -> str:
    for character in "\\|*_`<>":
        text = text.replace(character, f"\\{character}")
    return text


def to_latex(table: Table) -> str:
    """Write a table environment in plain ASCII; it needs array, booktabs and graphicx.

    A block follows as a second one, in italics: together they could be higher than a page.
    """
    text = _float(table, table.name)
    return text if table.block is None else text + _float(table.block, f"{table.name}-block", r"\itshape")


def _float(table: Table, name: str, shape: str = "") -> str:
    lines = [
        r"\begin{table}",
        rf"  \centering\{_size(table)}\setlength{{\tabcolsep}}{{2pt}}",
        rf"  \caption{{{latex(table.caption)}}}{shape}",
        rf"  \label{{tab:{name.replace('_', '-')}}}",
        *_tabular(table),
    ]
    return "\n".join([*lines, r"\end{table}", ""])


def _tabular(table: Table) -> list[str]:
    widths = _widths(table)
    folds = sum(widths) > 1.2 * _WIDE
    spec = "".join(
        "r" if c.numeric else _FOLDED if folds and width > _TEXT else "l"
        for c, width in zip(table.columns, widths, strict=True)
    )
    around = {BEST: r"\textbf{%s}", SECOND: r"\underline{%s}", "": "%s"}
    around |= dict.fromkeys((GAIN, LOSS), around[BEST])
    lines = [
        rf"  \begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"    \toprule",
        "    " + " & ".join(latex(c.title) for c in table.columns) + r" \\",
        r"    \midrule",
    ]
    for row in table.rows:
        cells = [
            # Braces: a cell that starts with [ would be taken as the option of the line break before it.
            "{" + around[cell.mark] % latex(shown(cell, column)) + "}"
            for cell, column in zip(row, table.columns, strict=True)
        ]
        lines.append("    " + " & ".join(cells) + r" \\")
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    if _folded(table) > 1.2 * _WIDE:  # numbers alone are too many for a page
        lines = [r"  \resizebox{\linewidth}{!}{%", *lines, "  }"]
    return lines + [
        rf"  \par\smallskip\parbox{{\linewidth}}{{\footnotesize {latex(note)}}}" for note in table.notes
    ]


_WIDE = 150  # characters of a row that fit a landscape page in footnotesize
_LINES = 44  # lines that fit it in scriptsize
_HIGH = 60  # rows that fit it at all
_TEXT = 26  # characters of a column whose texts are folded, where a row is too long
_FOLDED = r">{\raggedright\arraybackslash}p{11em}"


def _widths(table: Table) -> list[int]:
    """Return how many characters each column takes, and the space beside it."""
    return [
        2 + max(len(text) for text in (c.title, *(shown(row[i], c) for row in table.rows)))
        for i, c in enumerate(table.columns)
    ]


def _folded(table: Table) -> int:
    """Return the characters of the widest row, long texts folded where it is too wide otherwise."""
    widths = _widths(table)
    if sum(widths) <= 1.2 * _WIDE:
        return sum(widths)
    return sum(w if c.numeric else min(w, _TEXT) for w, c in zip(widths, table.columns, strict=True))


def _size(table: Table) -> str:
    """Choose the largest size in which the table fits its page."""
    lines = len(table.rows) * (2 if _folded(table) < sum(_widths(table)) else 1)
    if lines > _LINES:
        return "tiny"
    return "footnotesize" if _folded(table) <= _WIDE and lines <= _LINES / 2 else "scriptsize"


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "α": r"$\alpha$", "Σ": r"$\Sigma$", "–": "--", "…": r"\ldots{}",
    "†": r"$\dagger$", "“": "``", "”": "''",
}  # fmt: skip


def latex(text: str) -> str:
    """Escape text for LaTeX, character by character so that no replacement is replaced again.

    Raises:
        ValueError: A character outside ASCII has no replacement here; a document would not compile.
    """
    escaped = "".join(_LATEX.get(character, character) for character in text)
    if not escaped.isascii():
        raise ValueError(f"no LaTeX for {sorted(c for c in set(escaped) if not c.isascii())} in {text!r}")
    return escaped


def latex_document(names: Sequence[str]) -> str:
    """Write a document that shows all tables, to compile as it is beside their files."""
    lines = [
        r"\documentclass[a4paper]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[landscape,margin=15mm]{geometry}",
        r"\usepackage{array,booktabs,graphicx}",
        r"\begin{document}",
        *(rf"\input{{{name}}}" + "\n" + r"\clearpage" for name in names),
        r"\end{document}",
        "",
    ]
    return "\n".join(lines)
