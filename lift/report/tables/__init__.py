"""The report's tables, each as a `Table` and written as CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lift.config import Config
from lift.report import measured
from lift.report.comparisons import Tested
from lift.report.curves import Curves
from lift.report.predictions import Predictions
from lift.report.results import Results
from lift.report.strata import Stratum
from lift.report.tables import claims, context, judged, predictions
from lift.report.tables import results as means
from lift.report.tables.compute import compute
from lift.report.tables.memory import memory
from lift.report.tables.probes import probes
from lift.report.tables.table import Table, latex_document, to_csv, to_latex, to_markdown
from lift.report.tables.training import budget

__all__ = ["Table", "build", "write"]
Planned = tuple[Config, Mapping[str, Config]]


def build(
    results: Results,
    tests: Sequence[Tested],
    strata: Sequence[Stratum],
    curves: dict[str, Curves],
    predicted: Predictions | None = None,
    planned: Planned | None = None,
) -> list[Table]:
    """Build every table, in the order of the page: the question's first, and prediction apart from all.

    Args:
        results: What was measured.
        tests: The declared comparisons, tested.
        strata: The base's gain by kind of video.
        curves: Of the trainings.
        predicted: Results of methods that predict; None: none are shown.
        planned: The thesis profile and its models, for what they would cost; None: that is not shown.
    """
    benchmarks = [name for name in results.config.benchmarks if results.measured(name)]
    whole = measured.read(measured.FOLDER, planned[0].profile) if planned else measured.Measured()
    tables = [
        judged.verdicts(results, tests),
        judged.every_test(results, tests),
        *(judged.gained(results, name) for name in results.populations),
        judged.strata(results, strata),
        judged.worst(results),
        means.overview(results),
        *(means.of_benchmark(results, name) for name in benchmarks),
        means.by_difficulty(results),
        context.given(results),
        context.weights(results, results.populations),
        probes(results),
        claims.claims(results, whole),
        compute(results),
        memory(results),
        claims.thesis(results, whole, planned) if planned else None,
        budget(results, curves) if results.config.ablations else None,
        *(predictions.build(predicted, results) if predicted else []),
    ]
    return [table for table in tables if table is not None]


def write(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV, Markdown and LaTeX, and one LaTeX document that shows them all."""
    folder.mkdir(parents=True)
    for table in tables:
        for suffix in table.forms:
            form = {"csv": to_csv, "md": to_markdown, "tex": to_latex}[suffix]
            (folder / f"{table.name}.{suffix}").write_text(form(table), encoding="utf-8")
        if table.block is not None:
            apart = folder / "published"
            apart.mkdir(exist_ok=True)
            (apart / f"{table.name}.csv").write_text(to_csv(table.block), encoding="utf-8")
    names = [table.name for table in tables if "tex" in table.forms]
    (folder / "tables.tex").write_text(latex_document(names), encoding="utf-8")
