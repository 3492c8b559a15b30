"""Tables of trainings, and of prediction (specification section 8), which is never mixed with the rest."""

import math
from collections.abc import Iterator, Mapping

from lift.report.curves import Curves, read_curves
from lift.report.names import METRICS, MISSING, NONE, number_of
from lift.report.results import Results
from lift.report.tables.costs import GMACS
from lift.report.tables.results import METHOD
from lift.report.tables.table import Column, Row, Table

_HEAD = [METHOD, Column("window", "Frames (before+after)"), Column("mode", "Mode")]


def build(predictions: Results) -> Iterator[Table]:
    """Yield every table of prediction; none where nothing that predicts is declared."""
    for name in predictions.config.benchmarks:
        if predictions.measured(name):
            yield of_benchmark(predictions, name)
    if predictions.config.models:
        yield models(predictions)
    if predictions.config.ablations:
        yield budget(predictions, read_curves(predictions), "prediction_training")


def of_benchmark(predictions: Results, benchmark: str) -> Table:
    """Return PSNR at each horizon, and MS-SSIM and LPIPS averaged up to it, of every declared method."""
    rules = predictions.config.benchmarks[benchmark]
    ahead = range(1, rules.horizons + 1)
    psnr, lpips = METRICS["psnr"], METRICS["lpips"]
    columns = [
        *(Column(f"psnr_{k}", f"{psnr.title} +{k} {psnr.arrow}", psnr.digits, 1) for k in ahead),
        *(Column(f"ms_ssim_to_{k}", f"MS-SSIM ≤{k} {psnr.arrow}", 4, 1) for k in ahead),
        *(Column(f"lpips_to_{k}", f"{lpips.title} ≤{k} {lpips.arrow}", lpips.digits, -1) for k in ahead),
    ]
    rows = []
    for method in predictions.methods:
        row, frame = _start(predictions, method), predictions.frame(method, benchmark)
        if frame is None:
            rows.append(row | dict.fromkeys((column.key for column in columns), MISSING))
            continue
        means = frame.groupby("horizon")[["psnr", "ms_ssim", "lpips"]].mean().reindex(ahead)
        # A mean up to k needs all that come before; a mode may not reach them.
        upto = means.expanding().mean().where(means.notna().astype(int).cummin() > 0)
        for start, values in (
            ("psnr_", means["psnr"]),
            ("ms_ssim_to_", upto["ms_ssim"]),
            ("lpips_to_", upto["lpips"]),
        ):
            row |= {
                f"{start}{k}": NONE if math.isnan(value) else value for k, value in values.to_dict().items()
            }
        rows.append(row)
    first = predictions.rows[predictions.measured(benchmark)[0]][benchmark]
    table = Table(
        name=f"prediction_{benchmark}",
        caption=f"Prediction on {rules.title}: n = {number_of(first['clip'].nunique(), 'clip')} of "
        f"{number_of(first['group'].nunique(), 'source video')}{predictions.footage(benchmark)}",
        columns=[*_HEAD, *columns],
        rows=rows,
        notes=[
            f"Sampling: dense. The frames +1 to +{rules.horizons} after the last given one: PSNR (dB) of "
            "each; MS-SSIM and LPIPS at ≤k are means over +1 to +k, as in DMVFN's and IFRVP's tables. On "
            "frames below 176 pixels MS-SSIM has fewer than its five scales.",
            "Window: given frames. Mode: recurrent feeds each prediction back; arbitrary is told the "
            "horizon; independent has learnt one alone. Best in bold, second best underlined (italic in "
            "Markdown).",
        ],
        sources=predictions.sources(predictions.methods),
    )
    table.mark([range(len(rows))])
    return table


def models(predictions: Results) -> Table:
    """Return what each model that predicts has learnt, and what it costs."""
    rows: list[Row] = []
    for method in predictions.config.models:
        cost: Mapping[str, float] | None = predictions.costs.get(method)
        learnt = ", ".join(f"+{k}" for k in predictions.configs[method].clip.learnt)
        row = _start(predictions, method) | dict.fromkeys(("parameters", *(c.key for c in GMACS)), MISSING)
        costs = {**cost, "parameters": cost["parameters"] / 1e6} if cost else {}
        rows.append(row | {"learnt": learnt} | costs)
    return Table(
        name="prediction_models",
        caption="What the models that predict have learnt and cost",
        columns=[
            *_HEAD,
            Column("learnt", "Frames learnt"),
            Column("parameters", "Parameters (M) ↓", 3),
            *GMACS,
        ],
        rows=rows,
        notes=["GMACs: billions of multiply-accumulates for one predicted frame, height × width."],
        sources=[f"results/{method}/metrics.json" for method in predictions.costs],
    )


def _start(predictions: Results, method: str) -> Row:
    """Name a method, its window and its mode."""
    named: Row = {"method": method, "method_shown": predictions.called(method)}
    if method not in predictions.config.models:
        return named | {"window": "1" if method == "last" else "2", "mode": NONE}
    clip = predictions.configs[method].clip
    return named | {"window": str(clip.before), "mode": clip.mode}


def budget(results: Results, curves: Mapping[str, Curves], name: str = "training") -> Table:
    """Return the training budget and outcome of each ablation; one without curves is a row that says so.

    Args:
        results: Of the methods that do one task.
        curves: Of those that have been trained.
        name: The table's.
    """
    rows = []
    for method in results.config.ablations:
        train = results.configs[method].train
        phases = ", ".join(f"{p.epochs} at {p.crop[0]}×{p.crop[1]}" for p in train.phases)
        row: Row = {"method": method, "method_shown": results.called(method), "seeds": len(train.seeds)}
        row["schedule"] = f"{phases}; batch {train.batch * train.accumulate * train.devices * train.nodes}"
        row |= dict.fromkeys(("steps", "loss", "psnr", "best"), NONE if method in curves else MISSING)
        rows.append(row)
        if method not in curves or any(curve.empty for curve in curves[method].values()):
            continue
        loss, best = curves[method]["loss"], curves[method]["psnr"].max()
        row |= {"steps": loss.index[-1], "loss": loss.iloc[-max(1, len(loss) // 10) :].to_numpy().mean()}
        row |= {"psnr": float(best.mean()), "best": float(curves[method]["psnr"].idxmax().mean())}
        row |= {"psnr_half": float(best.std())} if len(best) > 1 else {}
    predicts = name != "training"
    rendered = " (procedural stand-ins)" if results.stand_in("train") else ""
    return Table(
        name=name,
        caption="Training budget and outcome of each "
        f"ablation{' that predicts' if predicts else ''}{rendered}",
        columns=[
            Column("method", "Ablation"),
            Column("schedule", "Schedule"),
            Column("seeds", "Seeds", 0),
            Column("steps", "Steps", 0),
            Column("loss", "Final loss", 4),
            Column("psnr", "Best validation PSNR (dB)", 2),
            Column("best", "at step", 0),
        ],
        rows=rows,
        notes=[
            "Schedule: epochs at crop height × width, by phase. Final loss: mean of the last tenth of the "
            "logged steps. Of several seeds: means over them; PSNR with their standard deviation.",
            "Validation: clips in turn at the frames that are learnt, so that PSNR of ablations that learn "
            "other frames does not compare."
            if predicts
            else "Sampling: each ablation trains with its own, as the result tables name it.",
        ],
        sources=[f"training/{method}/curves.csv" for method in curves],
    )
