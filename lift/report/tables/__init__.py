"""The report's tables, each as a `Table` and written as CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from pathlib import Path

from lift.report import texts
from lift.report.comparisons import Findings
from lift.report.reading import read_curves, read_measured
from lift.report.tables import costs, differences, means
from lift.report.tables.table import Table, to_csv, to_latex, to_markdown

__all__ = ["Table", "build", "write"]


def build(found: Findings) -> list[Table]:
    """Build every table, in the order of the page: the question's first, and prediction apart from all."""
    results, ahead = found.results, found.predicted
    whole = read_measured(found.planned[0].profile)
    tables = [
        differences.verdicts(results, found.verdicts),
        differences.every_test(results, found.tests),
        *(differences.gained(results, name) for name in results.populations),
        differences.strata(results, found.strata),
        differences.worst(results),
        *(means.of_benchmark(results, name) for name in results.config.benchmarks if results.measured(name)),
        means.by_difficulty(results),
        means.alpha(results),
        differences.probes(results),
        costs.claims(results, whole),
        costs.memory(results),
        costs.compute(results),
        costs.thesis(results, whole, found.planned),
        costs.budget(results, read_curves(results)),
        *(means.prediction(ahead, name) for name in ahead.config.benchmarks if ahead.measured(name)),
        costs.prediction_models(ahead),
        costs.budget(ahead, read_curves(ahead), predicts=True),
        means.data(results),
    ]
    return [table for table in tables if table is not None]


def write(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV, Markdown and LaTeX, and one LaTeX document that shows them all."""
    folder.mkdir()
    for table in tables:
        for suffix in table.forms:
            form = {"csv": to_csv, "md": to_markdown, "tex": to_latex}[suffix]
            (folder / f"{table.name}.{suffix}").write_text(form(table), encoding="utf-8")
        if table.block is not None:
            (folder / "published").mkdir(exist_ok=True)
            (folder / "published" / f"{table.name}.csv").write_text(to_csv(table.block), encoding="utf-8")
    names = [table.name for table in tables if "tex" in table.forms]
    (folder / "tables.tex").write_text(texts.render("tables.tex.j2", names=names), encoding="utf-8")
