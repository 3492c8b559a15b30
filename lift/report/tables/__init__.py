"""The report's tables, each as a `Table` and written as CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lift.config import Config
from lift.report import measured
from lift.report.curves import Curves
from lift.report.results import Results
from lift.report.tables import claims, context, costs, judged, predictions
from lift.report.tables import results as means
from lift.report.tables.table import Table, latex_document, to_csv, to_latex, to_markdown

__all__ = ["Table", "build", "write"]


def build(
    results: Results,
    tests: pd.DataFrame,
    decided: pd.DataFrame,
    strata: pd.DataFrame,
    curves: Mapping[str, Curves],
    predicted: Results,
    planned: tuple[Config, Mapping[str, Config]],
) -> list[Table]:
    """Build every table, in the order of the page: the question's first, and prediction apart from all.

    Args:
        results: What was measured.
        tests: The declared comparisons, tested.
        decided: What comes of them.
        strata: The base's gain by kind of video.
        curves: Of the trainings.
        predicted: Results of methods that predict.
        planned: The thesis profile and its models, for what they would cost.
    """
    whole = measured.read(measured.FOLDER, planned[0].profile)
    tables = [
        judged.verdicts(results, decided),
        judged.every_test(results, tests),
        *(judged.gained(results, name) for name in results.populations),
        judged.strata(results, strata),
        judged.worst(results),
        *(means.of_benchmark(results, name) for name in results.config.benchmarks if results.measured(name)),
        means.by_difficulty(results),
        context.weights(results),
        context.probes(results),
        claims.claims(results, whole),
        costs.memory(results),
        costs.compute(results),
        costs.thesis(results, whole, planned),
        predictions.budget(results, curves) if results.config.ablations else None,
        *predictions.build(predicted),
        means.data(results),
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
            (folder / "published").mkdir(exist_ok=True)
            (folder / "published" / f"{table.name}.csv").write_text(to_csv(table.block), encoding="utf-8")
    names = [table.name for table in tables if "tex" in table.forms]
    (folder / "tables.tex").write_text(latex_document(names), encoding="utf-8")
