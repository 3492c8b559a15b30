"""What the window gives: each method against itself, with something taken from its frames.

Evaluation measures it (lift/evaluation/probes.py): the references stay as they are, so the gain of the whole
window over a probe is what the frames beyond them gave. Intervals are over source videos, as everywhere.
"""

import numpy as np
import pandas as pd

from lift.errors import UserError
from lift.report.comparisons import describe
from lift.report.names import words
from lift.report.reading import read_table
from lift.report.results import Results, unit_means
from lift.report.tables.results import stand_in, title
from lift.report.tables.table import Cell, Column, Table

COLUMNS = ("benchmark", "clip", "group", "kind", "seed", "probe", "whole", "psnr", "moved")
TAKEN = {
    "order": "the frames beyond the references change places",
    "strangers": "they are of another clip",
    "references": "they are missing",
}
ALL = "all"


def probes(results: Results) -> Table | None:
    """Return the gain of the whole window over each probe, by method and kind; None: nothing was probed."""
    rows: list[list[Cell]] = []
    asked: dict[str, None] = {}
    for method in (m for m in results.methods if m in results.config.models):
        table = _read(results, method)
        for (benchmark, taken), own in table.groupby(["benchmark", "probe"], sort=False):
            asked[str(benchmark)] = None
            kinds = [kind for kind in dict.fromkeys(own["kind"]) if kind]
            for kind in (ALL, *kinds):
                part = own if kind == ALL else own[own["kind"] == kind]
                rows.append(_row(results, method, str(benchmark), str(taken), kind, part))
    if not rows:
        return None
    told = "; ".join(f"{words(name)}: {text}" for name, text in TAKEN.items())
    return Table(
        name="probes",
        caption="Gain in PSNR of each method over itself with something taken from its window, on "
        + "; ".join(f"{title(results, name)}{_footage(results, name)}" for name in asked),
        columns=[
            Column(key="method", title="Method", numeric=False),
            Column(key="benchmark", title="Benchmark", numeric=False),
            Column(key="taken", title="Taken", numeric=False),
            Column(key="kind", title="Scenes", numeric=False),
            Column(key="n", title="n", digits=0),
            Column(key="gain", title="Gain of the window (dB)", digits=3, signed=True),
            Column(key="moved", title="Frame moves (0–255)", digits=3),
        ],
        rows=rows,
        notes=[
            f"Taken: {told}. The two references stay.",
            "Positive: the frames beyond the references help. Intervals are over source videos and are not "
            "corrected: they describe, they do not test. The frame moves by the mean absolute difference to "
            "that of the whole window; 0.5 is what rounding to bytes can hide.",
        ],
        sources=[f"results/{m}/probes.csv" for m in dict.fromkeys(row[0].key for row in rows)],
    )


def _footage(results: Results, benchmark: str) -> str:
    return stand_in(results, benchmark) or (" (procedural)" if results.procedural[benchmark] else "")


def _row(
    results: Results, method: str, benchmark: str, taken: str, kind: str, part: pd.DataFrame
) -> list[Cell]:
    units = part["group"].to_numpy(np.str_)
    gain = unit_means((part["whole"] - part["psnr"]).to_numpy(np.float64), units)
    (effect,) = describe(results, [gain], "probe", method, benchmark, taken, kind)
    return [
        Cell(text=results.called(method), key=method),
        Cell(text=title(results, benchmark)),
        Cell(text=words(taken)),
        Cell(text=words(kind)),
        Cell(value=effect.n),
        Cell(value=effect.mean, low=effect.low, high=effect.high),
        Cell(value=float(part["moved"].mean())),
    ]


def _read(results: Results, method: str) -> pd.DataFrame:
    path = results.data / "results" / method / "probes.csv"
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    table = read_table(path, COLUMNS)
    numbers = table[["whole", "psnr", "moved"]].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(numbers).all():
        raise UserError(f"{path}: a number is missing or not finite; evaluate again")
    return table[table["benchmark"].isin(list(results.config.benchmarks))]
