"""The page: question and answer first, then figures and tables, then how they were made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lift.report import texts
from lift.report.answer import answer
from lift.report.figures import Drawing
from lift.report.findings import Findings
from lift.report.provenance import Provenance, brief
from lift.report.tables.table import Table, to_markdown

FIRST = ("comparisons", "strip_scenes_middle")
"""Figures that stand beside the answer."""


def write(
    found: Findings, tables: Sequence[Table], drawings: Sequence[Drawing], made: Provenance, folder: Path
) -> None:
    """Write index.html and summary.md into `folder`, beside the tables and figures that they show."""
    rest = [drawing for drawing in drawings if drawing.name not in FIRST]
    parts = [
        (
            section,
            _of(section, "figures", rest),
            _of(section, "tables", tables),
            _of(section, "folded", tables),
        )
        for section in texts.part("sections")
    ]
    words = {
        "results": found.results,
        "answer": answer(found.results, found.verdicts),
        "first": [drawing for name in FIRST for drawing in drawings if drawing.name == name],
        "parts": [part for part in parts if any(part[1:])],
        "made": made,
        "brief": brief,
        "shown": [to_markdown(table) for table in tables if table.name.startswith(("verdicts", "gain_"))],
    }
    for name in ("index.html", "summary.md"):
        (folder / name).write_text(texts.render(f"{name}.j2", **words), encoding="utf-8")


def _of(section: Mapping[str, Any], key: str, things: Sequence[Any]) -> list[Any]:
    """Choose what belongs to a part of the page, by the start of its name."""
    return [one for one in things if one.name.startswith(tuple(section.get(key, ())))]
