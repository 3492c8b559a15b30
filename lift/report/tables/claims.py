"""The table of the sources' claims beside what was measured."""

from typing import Any

from lift.report import texts
from lift.report.comparisons import describe, gains
from lift.report.measured import Measured
from lift.report.names import METRICS, NONE, listing, number
from lift.report.results import Results
from lift.report.tables.table import Row, Table, table
from lift.report.traces import entropies, weighted

SPECIFIED = "lift15"
"""The specification's own model, of which the claims are."""


def claims(results: Results, whole: Measured) -> Table | None:
    """Return each claim beside its measurement; those of memory have a table of their own.

    A claim is a row of texts.yaml; where its template of what was measured gives nothing, it is left out.

    Args:
        results: What was measured by the pipeline.
        whole: Costs at the specification's widths.
    """
    base, over = results.base, results.config.report.strips[:1]
    shares = {m: 100 * float(entropies(own)["share"].mean()) for m, own in weighted(results).items()}
    words: dict[str, Any] = {
        "results": results,
        "base": base,
        "over": over,
        "specified": SPECIFIED,
        "parameters": whole.frames.get(SPECIFIED, {}).get("parameters"),
        "means": {key: _means(results, base, key) for key in ("psnr", "ssim", "lpips")},
        "gain": {
            name: describe(results, gains(results, name, "psnr", base, over[0]))[0]
            for name in results.populations
            if over and all(results.has(method, name, "psnr") for method in (base, over[0]))
        },
        "gpu": results.timings.gpu,
        "cpu": results.timings.frames.get(base),
        "shares": listing([f"{results.called(m)} {number(share, 1)} %" for m, share in shares.items()]),
    }
    rows: list[Row] = []
    for claim in texts.part("tables")["claims"]["rows"] if results.populations else ():
        row = {key: texts.fill(text, **words) for key, text in claim.items()}
        rows += [{**row}] if row["measured"] else []
    return table("claims", results, rows, [base, *over])


def _means(results: Results, method: str, metric: str) -> str:
    told = [
        f"{results.title(name)} {number(results.values(method, name, metric).mean(), METRICS[metric].digits)}"
        for name in results.populations
        if results.has(method, name, metric)
    ]
    return "; ".join(told) or NONE
