"""The page: question and answer first, then figures and tables, then how they were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lift.report.answer import H0, QUESTION, Answer
from lift.report.figures import Drawing
from lift.report.page.explorer import write_clips
from lift.report.provenance import Provenance, brief
from lift.report.results import Results
from lift.report.tables.table import Table, pieces, to_markdown

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: which figures and tables belong to it, by the start of their names."""

    key: str
    title: str
    figures: tuple[str, ...]
    tables: tuple[str, ...]


SECTIONS = (
    Section(
        key="comparisons",
        title="The declared comparisons",
        figures=("comparisons",),
        tables=("comparisons_",),
    ),
    Section(
        key="strata",
        title="Gain by kind of scene, motion and occlusion",
        figures=("strata", "trends"),
        tables=("strata",),
    ),
    Section(key="ablations", title="What each part does", figures=("ablations",), tables=("ablations",)),
    Section(
        key="results",
        title="Results by benchmark",
        figures=("difficulty",),
        tables=("overview", "given", "results_", "snu_film_", "davis_"),
    ),
    Section(key="pictures", title="Pictures", figures=("strip_", "edges"), tables=()),
    Section(key="weights", title="What the window gives", figures=("weights",), tables=("weights", "probes")),
    Section(key="compute", title="What it costs", figures=("compute",), tables=("compute", "memory")),
    Section(key="training", title="Training", figures=("training",), tables=("training",)),
    Section(key="prediction", title="Prediction of what comes next", figures=(), tables=("prediction_",)),
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
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": False
    }  # methods stay in the order of params.yaml
    parts = [
        (
            section,
            [d for d in drawings if d.name.startswith(section.figures)],
            [t for t in tables if section.tables and t.name.startswith(section.tables)],
        )
        for section in SECTIONS
    ]
    text = environment.get_template("index.html.j2").render(
        results=results,
        answer=answer,
        question=QUESTION,
        hypothesis=H0,
        parts=[part for part in parts if part[1] or part[2]],
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_HERE / "page.js").read_text(encoding="utf-8"),
        made=made,
        clips=write_clips(results, folder / "clips"),
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "summary.md").write_text(summary(results, answer, tables), encoding="utf-8")


def summary(results: Results, answer: Answer, tables: Sequence[Table]) -> str:
    """Write the report's first page as Markdown."""
    overview = [table for table in tables if table.name == "overview"]
    lines = [
        f"# LIFT, profile {results.config.profile}: {answer.headline}",
        "",
        *(f"- {caveat}" for caveat in answer.caveats),
        "",
        f"**Question.** {QUESTION}",
        "",
        " ".join((H0, answer.method, *answer.limits)),
        "",
        *(line for verdict in answer.verdicts.values() for line in (verdict, "")),
        *(line for table in overview for line in (to_markdown(table), "")),
    ]
    if results.missing:
        lines += [f"Declared methods without results: {', '.join(results.missing)}.", ""]
    lines += [
        "All tables: `tables/` (CSV, Markdown, LaTeX); figures: `figures/`; the page: `index.html`.",
        "",
    ]
    return "\n".join(lines)
