"""Tables of what models cost: operations, time, memory, trainings; and what the sources claim of it."""

import math
from collections.abc import Mapping
from typing import Any

from lift.config import Config
from lift.report import texts
from lift.report.comparisons import describe, gains
from lift.report.reading import Curves, read_alpha
from lift.report.results import PARTS, Measured, Results
from lift.report.tables.means import entropies, predicting
from lift.report.tables.table import Column, Row, Table, table
from lift.report.texts import METRICS, MISSING, NONE, listing, number

SPECIFIED = "lift15"
"""The specification's own model, of which the claims are."""
_FRAME = 256 * 448  # pixels of the frame for which operations are shown first: Vimeo-90K's
_AGREEMENT = 1e-5  # relative: both counts are written with six decimals
_OPERATIONS = 3 * 2  # forward and twice that backward; of each two per multiply-accumulate


def claims(results: Results, whole: Measured) -> Table | None:
    """Return each claim beside its measurement, `whole` at the specification's widths; memory stands apart.

    A claim is a row of texts.yaml; where its template of what was measured gives nothing, it is left out.
    """
    base, over = results.base, results.config.report.strips[:1]
    shares = {m: 100 * float(entropies(own)["share"].mean()) for m, own in read_alpha(results).items()}
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
    asked = texts.part("tables")["claims"]["rows"] if results.populations else ()
    rows = [{key: texts.fill(text, **words) for key, text in claim.items()} for claim in asked]
    return table("claims", results, [{**row} for row in rows if row["measured"]], [base, *over])


def _means(results: Results, method: str, metric: str) -> str:
    told = [
        f"{results.title(name)} {number(results.mean(method, name, metric), METRICS[metric].digits)}"
        for name in results.populations
        if results.has(method, name, metric)
    ]
    return "; ".join(told) or NONE


def _counted(results: Results, method: str) -> Row:
    """Return what evaluation counted of a model, its parameters in millions; missing where it did not."""
    cost = results.costs.get(method)
    return {**cost, "parameters": cost["parameters"] / 1e6} if cost else {"absent": MISSING}


def compute(results: Results) -> Table | None:
    """Return each model's parameters, operations, time and quality; None where no cost is known."""
    costed = [method for method in results.methods if method in results.costs]
    benchmark, where, rows = results.config.report.benchmark, dict[str, None](), []
    for method in (*results.config.models, *(m for m in costed if m in results.config.baselines)):
        row = results.named(method) | {"psnr": MISSING} | _counted(results, method)
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
            row["psnr"] = results.mean(method, benchmark, "psnr")
    return table("compute", results, rows if costed else [], costed, benchmark=benchmark, where=list(where))


def prediction_models(predictions: Results) -> Table | None:
    """Return what each model that predicts has learnt, and what it costs."""
    rows = []
    for method in predictions.config.models:
        learnt = ", ".join(f"+{k}" for k in predictions.configs[method].clip.learnt)
        rows.append(predicting(predictions, method) | {"learnt": learnt} | _counted(predictions, method))
    return table("prediction_models", predictions, rows, predictions.costs)


def memory(results: Results) -> Table | None:
    """Return memory and speed of the specification's model, claimed and measured; None: not measured."""
    steps, rows = results.timings.steps, list[Row]()
    kept = [f"kept_{part}" for part in PARTS]
    for claim in texts.part("tables")["memory"]["rows"] if steps else ():
        if (step := steps.get(claim["step"])) is None:
            row = dict.fromkeys(("batch", "gib", "samples", *kept), "not measured")
        else:
            row = {name: step[name] for name in ("batch", "gib", *kept) if not math.isnan(step[name])}
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
    """Return what the trainings of the thesis profile (`planned`, with its models) would cost, one seed each.

    `whole` has the operations of each model at these widths.
    """
    rules, (base, configs) = results.config.report.whole, planned
    rows: list[Row] = []
    hours: dict[str, float] = {}
    for name in base.ablations:
        if name not in whole.frames or configs[name].clip.task != "interpolate":
            continue
        frame, phases = whole.frames[name], configs[name].train.phases
        pixels = sum(p.epochs * p.crop[0] * p.crop[1] for p in phases) * rules.samples
        work = pixels / _FRAME * frame["gmacs_256x448"] * 1e9 * _OPERATIONS
        hours[name] = work / (1e12 * rules.tflops * rules.share) / 3600
        row: Row = {"method": name, "hours": hours[name], "main": "yes" if name in rules.main else ""}
        rows.append(row | {"parameters": frame["parameters"] / 1e6, "gmacs": frame["gmacs_256x448"]})
    for what, names in (("the main", hours.keys() & rules.main), ("all", hours.keys())) if rows else ():
        total = sum(hours[name] for name in hours if name in names)
        blank = dict.fromkeys(("parameters", "gmacs", "main"), "")
        rows.append({"method": f"{what} {len(names)}", "hours": total, **blank})
    epochs = ", ".join(f"{p.epochs} at {p.crop[0]} × {p.crop[1]}" for p in base.train.phases)
    return table("thesis", results, rows, rules=rules, epochs=epochs)


def budget(results: Results, curves: Mapping[str, Curves], predicts: bool = False) -> Table | None:
    """Return the training budget and outcome of each ablation; one without curves is a row that says so."""
    rows = []
    for method in results.config.ablations:
        train = results.configs[method].train
        phases = ", ".join(f"{p.epochs} at {p.crop[0]}×{p.crop[1]}" for p in train.phases)
        row: Row = {"method": method, "seeds": len(train.seeds)}
        row["schedule"] = f"{phases}; batch {train.batch * train.accumulate * train.devices * train.nodes}"
        row["absent"] = NONE if method in curves else MISSING
        rows.append(row)
        if method not in curves or any(curve.empty for curve in curves[method].values()):
            continue
        loss, best = curves[method]["loss"], curves[method]["psnr"].max()
        row |= {"steps": loss.index[-1], "loss": loss.iloc[-max(1, len(loss) // 10) :].to_numpy().mean()}
        row |= {"psnr": float(best.mean()), "best": float(curves[method]["psnr"].idxmax().mean())}
        row |= {"psnr_half": float(best.std())} if len(best) > 1 else {}
    return table("training", results, rows, curves, predicts=predicts)
