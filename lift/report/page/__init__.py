"""The page: question and answer first, then figures and tables, then how they were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lift.report.answer import QUESTION, Answer
from lift.report.figures import Drawing
from lift.report.provenance import Provenance, brief
from lift.report.results import Results
from lift.report.tables.table import Table, pieces, to_markdown

_HERE = Path(__file__).parent
FIRST = ("comparisons", "strip_scenes_middle")
"""Figures that stand beside the answer."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: which figures and tables belong to it, by the start of their names."""

    key: str
    title: str
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    """Tables that are shown on demand."""


SECTIONS = (
    Section(
        key="verdicts", title="Verdicts", figures=("outcomes",), tables=("verdicts",), folded=("comparisons",)
    ),
    Section(key="claims", title="Claimed and measured", tables=("claims",)),
    Section(key="width", title="How wide a window", figures=("width",)),
    Section(key="gains", title="Every method's gain", tables=("gain_",)),
    Section(key="strata", title="Where it helps, and where not", figures=("strata",), tables=("strata",)),
    Section(key="failures", title="Where it fails", figures=("strip_",), tables=("worst",)),
    Section(
        key="results", title="All metrics", tables=("overview", "snu_film_"), folded=("results_", "given")
    ),
    Section(
        key="weights",
        title="What the window gives",
        figures=("weights",),
        tables=("weights",),
        folded=("probes",),
    ),
    Section(
        key="cost", title="What it costs", figures=("time",), tables=("compute", "thesis"), folded=("memory",)
    ),
    Section(key="training", title="Training", figures=("training",), tables=("training",)),
    Section(key="prediction", title="Prediction of what comes next", tables=("prediction_",)),
)


def write(
    results: Results,
    answer: Answer,
    tables: Sequence[Table],
    drawings: Sequence[Drawing],
    made: Provenance,
    folder: Path,
) -> None:
    """Write index.html and summary.md into `folder`, beside the tables and figures that they show."""
    # Not `autoescape=select_autoescape()`: that goes by the file's suffix, and ours is .j2.
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(pieces=pieces, brief=brief)
    parts = [
        (
            section,
            [
                d
                for d in drawings
                if d.name not in FIRST and section.figures and d.name.startswith(section.figures)
            ],
            [t for t in tables if section.tables and t.name.startswith(section.tables)],
            [t for t in tables if section.folded and t.name.startswith(section.folded)],
        )
        for section in SECTIONS
    ]
    text = environment.get_template("index.html.j2").render(
        results=results,
        answer=answer,
        question=QUESTION,
        first=[d for name in FIRST for d in drawings if d.name == name],
        parts=[part for part in parts if any(part[1:])],
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_HERE / "page.js").read_text(encoding="utf-8"),
        made=made,
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "summary.md").write_text(summary(results, answer, tables), encoding="utf-8")


def summary(results: Results, answer: Answer, tables: Sequence[Table]) -> str:
    """Write the report's first page as Markdown."""
    shown = [table for table in tables if table.name in ("verdicts", "overview")]
    lines = [
        f"# LIFT, profile {results.config.profile}: {QUESTION}",
        "",
        *(line for sentence in answer.headline for line in (f"**{sentence}**", "")),
        *(f"- {bound}" for bound in answer.bounds),
        "",
        *(f"- {name}: {text}" for name, text in answer.pico),
        "",
        answer.method,
        "",
        *(line for table in shown for line in (to_markdown(table), "")),
    ]
    if results.missing:
        lines += [f"Declared methods without results: {', '.join(results.missing)}.", ""]
    lines += [
        "All tables: `tables/` (CSV, Markdown, LaTeX); figures: `figures/`; the page: `index.html`.",
        "",
    ]
    return "\n".join(lines)
