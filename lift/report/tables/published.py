"""Results that others published, as a block below our tables: other training and protocols, no common ranks.

Shown where our rows come from real footage alone: beside stand-ins they would invite a comparison that means
nothing. published.yaml holds them, each with its source and protocol (protocols section 2).
"""

from lift.report import texts
from lift.report.names import TWO_FRAMES
from lift.report.results import Results
from lift.report.tables.table import Column, Table, table

FILE = "published.yaml"


def block(results: Results, benchmark: str, name: str, ours: str) -> Table | None:
    """Return the published rows that belong to the table `name`, titled `ours`; None beside stand-ins."""
    published = texts.read(FILE)
    rows = published["tables"].get(name, ())
    if results.stand_in(benchmark) or results.stand_in("train"):
        return None
    protocols = {key: chr(ord("a") + i) for i, key in enumerate(dict.fromkeys(r["protocol"] for r in rows))}
    sources = {key: str(i) for i, key in enumerate(dict.fromkeys(r["source"] for r in rows), 1)}
    numbers = [Column(**one) for one in texts.part("tables")["published"]["numbers"]]
    known = [column for column in numbers if any(column.key in row for row in rows)]
    shown = [
        row
        | {"method_shown": row["method"] + (f" {TWO_FRAMES}" if row["frames"] == 2 else "")}
        | {"protocol": protocols[row["protocol"]], "source": sources[row["source"]]}
        for row in rows
    ]
    return table(
        "published",
        results,
        shown,
        columns={"numbers": known},
        below=name,
        ours=ours,
        protocols=protocols,
        cited=sources,
        known=published,
    )
