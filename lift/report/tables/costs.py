"""Tables of what models cost: operations, time and memory, and what the thesis' trainings would take."""

import math
from collections.abc import Mapping

from lift.config import Config
from lift.report import texts
from lift.report.measured import PARTS, Measured
from lift.report.names import MISSING
from lift.report.results import Results
from lift.report.tables.table import Column, Row, Table, table

_FRAME = 256 * 448  # pixels of the frame for which operations are shown first: Vimeo-90K's
_AGREEMENT = 1e-5  # relative: both counts are written with six decimals
_STEP = 3  # forward, and twice that backward
_OPERATIONS = 2  # per multiply-accumulate


def counted(results: Results, method: str) -> Row:
    """Return what evaluation counted of a model, its parameters in millions; missing where it did not."""
    cost = results.costs.get(method)
    return {**cost, "parameters": cost["parameters"] / 1e6} if cost else {"absent": MISSING}


def compute(results: Results) -> Table | None:
    """Return each model's parameters, operations, time and quality; None where no cost is known."""
    costed = [method for method in results.methods if method in results.costs]
    benchmark, where, rows = results.config.report.benchmark, dict[str, None](), []
    for method in (*results.config.models, *(m for m in costed if m in results.config.baselines)):
        row = results.named(method) | {"psnr": MISSING} | counted(results, method)
        rows.append(row)
        if (cost := results.costs.get(method)) is None:
            continue
        # Shown only if the model is still the one that was measured; `untrained` is the base's.
        name = method if method in results.config.models else results.base
        if (frame := results.timings.frames.get(name)) is not None:
            same = math.isclose(frame["gmacs_256x448"], cost["gmacs_256x448"], rel_tol=_AGREEMENT)
            if same and frame["parameters"] == cost["parameters"]:
                row |= {"memory": frame["memory_mib"], "milliseconds": frame["milliseconds"]}
                where[frame["where"]] = None
        if results.frame(method, benchmark) is not None:
            row["psnr"] = float(results.values(method, benchmark, "psnr").mean())
    rows = rows if costed else []
    return table("compute", results, rows, costed, benchmark=benchmark, where=list(where))


def memory(results: Results) -> Table | None:
    """Return memory and speed of the specification's model, claimed and measured; None: not measured."""
    steps, rows = results.timings.steps, list[Row]()
    kept = [f"kept_{part}" for part in PARTS]
    for claim in texts.part("tables")["memory"]["rows"] if steps else ():
        step = steps.get(claim["step"])
        row = dict.fromkeys(("batch", "gib", "samples", *kept), "not measured") if step is None else {}
        if step is not None:
            row |= {name: step[name] for name in ("batch", "gib", *kept) if not math.isnan(step[name])}
            row["samples"] = step["batch"] / step["seconds"]
        rows.append(claim | row)
    return table(
        "memory",
        results,
        rows,
        columns={"parts": [Column(f"kept_{part}", f"Kept by the {part} (GiB)", 2) for part in PARTS]},
        sizes=sorted({f"{step['crop']:.0f}×{step['crop']:.0f}" for step in steps.values()}),
        where=list(dict.fromkeys(step["where"] for step in steps.values())),
    )


def thesis(results: Results, whole: Measured, planned: tuple[Config, Mapping[str, Config]]) -> Table | None:
    """Return what the trainings of the thesis profile would cost, one seed each.

    Args:
        results: For what the report reckons with (`report.whole`), and names.
        whole: Operations of each model at the specification's widths.
        planned: The thesis profile, and its methods that have a model.
    """
    rules, (base, configs) = results.config.report.whole, planned
    rows: list[Row] = []
    hours: dict[str, float] = {}
    for name in base.ablations:
        if name not in whole.frames or configs[name].clip.task != "interpolate":
            continue
        frame, phases = whole.frames[name], configs[name].train.phases
        pixels = sum(p.epochs * p.crop[0] * p.crop[1] for p in phases) * rules.samples
        work = pixels / _FRAME * frame["gmacs_256x448"] * 1e9 * _STEP * _OPERATIONS
        hours[name] = work / (1e12 * rules.tflops * rules.share) / 3600
        row: Row = {"method": name, "hours": hours[name], "main": "yes" if name in rules.main else ""}
        rows.append(row | {"parameters": frame["parameters"] / 1e6, "gmacs": frame["gmacs_256x448"]})
    if rows:
        for what, names in (("the main", hours.keys() & rules.main), ("all", hours.keys())):
            total = sum(hours[name] for name in hours if name in names)
            blank = dict.fromkeys(("parameters", "gmacs", "main"), "")
            rows.append({"method": f"{what} {len(names)}", "hours": total, **blank})
    epochs = ", ".join(f"{p.epochs} at {p.crop[0]} × {p.crop[1]}" for p in base.train.phases)
    return table("thesis", results, rows, rules=rules, epochs=epochs)
