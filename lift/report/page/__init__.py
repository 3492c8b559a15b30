"""The page: question and answer first, then figures and tables, then how they were made."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lift.report import texts
from lift.report.answer import QUESTION, answer
from lift.report.figures import Drawing
from lift.report.findings import Findings
from lift.report.provenance import Provenance, brief
from lift.report.tables.table import Table, to_markdown

_HERE = Path(__file__).parent
FIRST = ("comparisons", "strip_scenes_middle")
"""Figures that stand beside the answer."""


class Section(NamedTuple):
    """A part of the page: which figures and tables belong to it, by the start of their names."""

    key: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    """Tables that are shown on demand."""


SECTIONS = (
    Section("verdicts", "Verdicts", ("outcomes",), ("verdicts",), ("comparisons",)),
    Section("claims", "Claimed and measured", (), ("claims", "memory")),
    Section("width", "How wide a window", ("width",)),
    Section("gains", "Every method's gain", (), ("gain_",)),
    Section("strata", "Where it helps, and where not", ("strata",), ("strata",)),
    Section("failures", "Where it fails", ("strip_",), ("worst",)),
    Section("results", "All metrics", (), ("snu_film_",), ("results_",)),
    Section("weights", "What the window gives", ("weights",), ("weights",), ("probes",)),
    Section("cost", "What it costs", ("time",), ("compute", "thesis")),
    Section("training", "Training", ("training",), ("training",)),
    Section("prediction", "Prediction of what comes next", (), ("prediction_",)),
    Section("data", "What it was measured on", (), ("data",)),
)


def write(
    found: Findings,
    tables: Sequence[Table],
    drawings: Sequence[Drawing],
    made: Provenance,
    folder: Path,
) -> None:
    """Write index.html and summary.md into `folder`, beside the tables and figures that they show."""
    results, said = found.results, answer(found.results, found.verdicts)
    rest = [d for d in drawings if d.name not in FIRST]
    parts = [
        (
            section,
            [d for d in rest if d.name.startswith(section.figures or "-")],
            [t for t in tables if t.name.startswith(section.tables or "-")],
            [t for t in tables if t.name.startswith(section.folded or "-")],
        )
        for section in SECTIONS
    ]
    text = (
        texts.environment(escaped=True)
        .get_template("index.html.j2")
        .render(
            results=results,
            answer=said,
            question=QUESTION,
            first=[d for name in FIRST for d in drawings if d.name == name],
            parts=[part for part in parts if any(part[1:])],
            style=(_HERE / "page.css").read_text(encoding="utf-8"),
            script=(_HERE / "page.js").read_text(encoding="utf-8"),
            made=made,
            brief=brief,
        )
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    lines = [
        f"# LIFT, profile {results.config.profile}: {QUESTION}\n",
        *(f"**{sentence}**\n" for sentence in said.headline),
        *(f"- {bound}" for bound in said.bounds),
        "",
        *(f"- {name}: {text}" for name, text in said.pico),
        f"\n{said.method}\n",
        *(f"{to_markdown(table)}\n" for table in tables if table.name.startswith(("verdicts", "gain_"))),
        "All tables: `tables/` (CSV, Markdown, LaTeX); figures: `figures/`; the page: `index.html`.\n",
    ]
    (folder / "summary.md").write_text("\n".join(lines), encoding="utf-8")
