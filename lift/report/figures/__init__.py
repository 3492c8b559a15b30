"""The report's figures: which there are; each is a file's function that says what it shows and draws it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lift.report.curves import Curves
from lift.report.figures import curves as lines
from lift.report.figures import forest, strips
from lift.report.figures.style import Drawing, write
from lift.report.pictures import Shown
from lift.report.results import Results

__all__ = ["Drawing", "plan", "write_all"]


def plan(
    results: Results,
    tests: pd.DataFrame,
    decided: pd.DataFrame,
    strata: pd.DataFrame,
    curves: Mapping[str, Curves],
    pictures: Sequence[Shown],
) -> list[Drawing]:
    """List every figure that the results allow, in the order of the page."""
    drawings = [
        forest.comparisons(results, decided),
        forest.outcomes(results, tests),
        lines.width(results),
        forest.strata(results, strata),
        lines.time(results),
        lines.weights(results),
        lines.training(results, curves),
        *(strips.strip(results, shown) for shown in pictures),
    ]
    return [drawing for drawing in drawings if drawing is not None]


def write_all(drawings: Sequence[Drawing], folder: Path) -> None:
    """Write each figure in its three formats."""
    folder.mkdir(parents=True)
    for drawing in drawings:
        write(drawing, folder)
