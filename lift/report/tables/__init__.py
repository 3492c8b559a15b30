"""The report's tables, each as a `Table` and written as CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lift.report.comparisons import Tested
from lift.report.curves import Curves
from lift.report.predictions import Predictions
from lift.report.results import Results
from lift.report.strata import Stratum
from lift.report.tables import context, effects, predictions
from lift.report.tables import results as measured
from lift.report.tables.compute import compute
from lift.report.tables.memory import memory
from lift.report.tables.probes import probes
from lift.report.tables.table import Table, latex_document, to_csv, to_latex, to_markdown
from lift.report.tables.training import budget

__all__ = ["Table", "build", "write"]


def build(
    results: Results,
    families: Mapping[str, Sequence[Tested]],
    strata: Sequence[Stratum],
    curves: dict[str, Curves],
    predicted: Predictions | None = None,
) -> list[Table]:
    """Build every table, in the order of the page: the question's first, and prediction apart from all."""
    benchmarks = [name for name in results.config.benchmarks if results.measured(name)]
    asked = dict.fromkeys((results.config.report.benchmark, "scenes"))
    judged = [name for name in asked if name in benchmarks]
    tables = [
        *(effects.of_family(results, family, tests) for family, tests in families.items()),
        effects.of_strata(results, strata),
        measured.overview(results),
        effects.of_ablations(results, judged) if judged else None,
        *(measured.of_benchmark(results, name) for name in benchmarks),
        measured.by_difficulty(results),
        measured.by_sequence(results),
        context.given(results),
        context.weights(results, judged),
        probes(results),
        compute(results),
        memory(results),
        budget(results, curves),
        *(predictions.build(predicted, results) if predicted else []),
    ]
    return [table for table in tables if table is not None]


def write(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV, Markdown and LaTeX, and one LaTeX document that shows them all."""
    folder.mkdir(parents=True)
    for table in tables:
        for suffix, form in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
            (folder / f"{table.name}.{suffix}").write_text(form(table), encoding="utf-8")
        if table.block is not None:
            apart = folder / "published"
            apart.mkdir(exist_ok=True)
            (apart / f"{table.name}.csv").write_text(to_csv(table.block), encoding="utf-8")
    (folder / "tables.tex").write_text(latex_document([table.name for table in tables]), encoding="utf-8")
