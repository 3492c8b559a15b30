"""Results that others published, as a block below our tables: other training and protocols, no common ranks.

Shown where our rows come from real footage alone: beside stand-ins they would invite a comparison that means
nothing. published.yaml holds them, each with its source and protocol (protocols section 2).
"""

from functools import cache
from pathlib import Path
from typing import Any

from lift.config import yaml12
from lift.report.names import NONE, TWO_FRAMES
from lift.report.results import Results
from lift.report.tables.table import Column, Table

FILE = Path(__file__).with_name("published.yaml")
_NUMBERS = (
    Column("psnr", "PSNR (dB)", 2),
    Column("ssim", "SSIM as published", 4),
    Column("psnr_easy", "PSNR easy", 2),
    Column("psnr_medium", "PSNR medium", 2),
    Column("psnr_hard", "PSNR hard", 2),
    Column("psnr_extreme", "PSNR extreme", 2),
    Column("parameters", "Parameters (M)", 1),
)


def attach(results: Results, benchmark: str, table: Table) -> Table:
    """Put the published rows that belong to `table` below it, unless rendered footage took part in ours."""
    rows = published()["tables"].get(table.name, ())
    if not rows or results.stand_in(benchmark) or results.stand_in("train"):
        return table
    protocols = {key: chr(ord("a") + i) for i, key in enumerate(dict.fromkeys(r["protocol"] for r in rows))}
    sources = {key: str(i) for i, key in enumerate(dict.fromkeys(r["source"] for r in rows), 1)}
    known = [column for column in _NUMBERS if any(column.key in row for row in rows)]
    table.block = Table(
        name=table.name,
        caption=f"{table.caption.split(':')[0]}: published by others, not measured here; other training and "
        "other protocols, so not ranked with our rows",
        columns=[
            Column("method", "Published"),
            Column("frames", "Frames", 0),
            *known,
            Column("protocol", "Protocol"),
            Column("source", "Source"),
        ],
        rows=[
            {column.key: NONE for column in known}
            | row
            | {"method_shown": row["method"] + (f" {TWO_FRAMES}" if row["frames"] == 2 else "")}
            | {"protocol": protocols[row["protocol"]], "source": sources[row["source"]]}
            for row in rows
        ],
        notes=[
            *(f"Protocol {letter}: {published()['protocols'][key]}." for key, letter in protocols.items()),
            *(f"Source {number}: {published()['sources'][key]}." for key, number in sources.items()),
        ],
    )
    return table


@cache
def published() -> Any:
    """Return what published.yaml holds: tables of rows, and what their sources and protocols are."""
    return yaml12.read(FILE)
