"""The report's figures: which there are; each is a file's function that says what it shows and draws it."""

from collections.abc import Sequence
from pathlib import Path

from lift.report.figures import curves as lines
from lift.report.figures import forest, strips
from lift.report.figures.style import Drawing, write
from lift.report.findings import Findings
from lift.report.pictures import Shown

__all__ = ["Drawing", "plan", "write_all"]


def plan(found: Findings, pictures: Sequence[Shown]) -> list[Drawing]:
    """List every figure that the results allow, in the order of the page, with strips of these pictures."""
    results = found.results
    drawings = [
        forest.comparisons(results, found.verdicts),
        forest.outcomes(results, found.tests),
        lines.width(results),
        forest.strata(results, found.strata),
        lines.time(results),
        lines.alpha(results),
        lines.training(results, found.curves),
        *(strips.strip(results, shown) for shown in pictures),
    ]
    return [drawing for drawing in drawings if drawing is not None]


def write_all(drawings: Sequence[Drawing], folder: Path) -> None:
    """Write each figure in its three formats."""
    folder.mkdir(exist_ok=True)
    for drawing in drawings:
        write(drawing, folder)
