"""Results that others published, as a block below our tables: other training and protocols, no common ranks.

Shown where our rows come from real footage alone: beside stand-ins they would invite a comparison that means
nothing. published.yaml holds them, each with its source and protocol (protocols section 2).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lift.config import yaml12
from lift.report.names import TWO_FRAMES
from lift.report.results import Results
from lift.report.tables.table import Cell, Column, Table

FILE = Path(__file__).with_name("published.yaml")
_NUMBERS = (
    Column(key="psnr", title="PSNR (dB)"),
    Column(key="ssim", title="SSIM as published", digits=4),
    Column(key="psnr_easy", title="PSNR easy"),
    Column(key="psnr_medium", title="PSNR medium"),
    Column(key="psnr_hard", title="PSNR hard"),
    Column(key="psnr_extreme", title="PSNR extreme"),
    Column(key="parameters", title="Parameters (M)", digits=1),
)
Rows = Sequence[Mapping[str, Any]]


def attach(results: Results, benchmark: str, table: Table) -> Table:
    """Put the published rows that belong to `table` below it, unless rendered footage took part in ours."""
    rows: Rows = _read()["tables"].get(table.name, ())
    if rows and not (results.stand_in(benchmark) or results.stand_in("train")):
        table.block = _block(table, rows)
    return table


@cache
def _read() -> Any:
    return yaml12.read(FILE)


def _block(table: Table, rows: Rows) -> Table:
    protocols = {key: chr(ord("a") + i) for i, key in enumerate(dict.fromkeys(r["protocol"] for r in rows))}
    sources = {key: str(i) for i, key in enumerate(dict.fromkeys(r["source"] for r in rows), 1)}
    known = [column for column in _NUMBERS if any(column.key in row for row in rows)]
    columns = [
        Column(key="method", title="Published", numeric=False),
        Column(key="frames", title="Frames", digits=0),
        *known,
        Column(key="protocol", title="Protocol", numeric=False),
        Column(key="source", title="Source", numeric=False),
    ]
    return Table(
        name=table.name,
        caption=f"{table.caption.split(':')[0]}: published by others, not measured here; other training "
        f"and other protocols, "
        "so not ranked with our rows",
        columns=columns,
        rows=[
            [
                Cell(text=row["method"], sign=TWO_FRAMES if row["frames"] == 2 else ""),
                Cell(value=row["frames"]),
                *(Cell(text="–", value=row.get(column.key)) for column in known),
                Cell(text=protocols[row["protocol"]]),
                Cell(text=sources[row["source"]]),
            ]
            for row in rows
        ],
        notes=[
            *(f"Protocol {letter}: {_read()['protocols'][key]}." for key, letter in protocols.items()),
            *(f"Source {number}: {_read()['sources'][key]}." for key, number in sources.items()),
        ],
    )
