"""The report's figures: which there are; each is a file's function that draws it and says what it shows."""

from collections.abc import Sequence
from pathlib import Path

from lift.report.comparisons import Findings
from lift.report.figures import curves, forest, style
from lift.report.figures.style import Drawing

__all__ = ["Drawing", "plan", "write"]


def plan(found: Findings) -> list[Drawing]:
    """Draw every figure that the results allow, in the order of the page; strips (strips.py) come behind."""
    results = found.results
    with style.style():
        drawings = [
            forest.comparisons(results, found.verdicts),
            forest.outcomes(results, found.tests),
            curves.width(results),
            forest.strata(results, found.strata),
            curves.time(results),
            curves.alpha(results),
            curves.training(results),
        ]
    return [drawing for drawing in drawings if drawing is not None]


def write(drawings: Sequence[Drawing], folder: Path) -> None:
    """Write each figure in its three formats."""
    folder.mkdir(exist_ok=True)
    for drawing in drawings:
        style.write(drawing, folder)
