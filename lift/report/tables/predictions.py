"""Tables of trainings, and of prediction (specification section 8), which is never mixed with the rest."""

from collections.abc import Mapping

from lift.report.names import METRICS, MISSING, NONE
from lift.report.results import Results
from lift.report.tables.costs import counted
from lift.report.tables.table import Column, Row, Table, table
from lift.report.traces import Curves


def of_benchmark(predictions: Results, benchmark: str) -> Table | None:
    """Return PSNR at each horizon, and MS-SSIM and LPIPS averaged up to it, of every declared method."""
    ahead = range(1, predictions.config.benchmarks[benchmark].horizons + 1)
    psnr, lpips = METRICS["psnr"], METRICS["lpips"]
    columns = [
        *(Column(f"psnr_{k}", f"{psnr.title} +{k} {psnr.arrow}", psnr.digits, 1) for k in ahead),
        *(Column(f"ms_ssim_to_{k}", f"MS-SSIM ≤{k} {psnr.arrow}", 4, 1) for k in ahead),
        *(Column(f"lpips_to_{k}", f"{lpips.title} ≤{k} {lpips.arrow}", lpips.digits, -1) for k in ahead),
    ]
    rows = []
    for method in predictions.methods:
        row, frame = _start(predictions, method), predictions.frame(method, benchmark)
        rows.append(row)
        if frame is None:
            row["absent"] = MISSING
            continue
        means = frame.groupby("horizon")[["psnr", "ms_ssim", "lpips"]].mean().reindex(ahead)
        # A mean up to k needs all that come before; a mode may not reach them.
        upto = means.expanding().mean().where(means.notna().astype(int).cummin() > 0)
        parts = {"psnr": means["psnr"], "ms_ssim_to": upto["ms_ssim"], "lpips_to": upto["lpips"]}
        for start, values in parts.items():
            row |= {f"{start}_{k}": value for k, value in values.dropna().to_dict().items()}
    rows = [row | {"task": "predict"} for row in rows]  # all are given the same
    return table("prediction", predictions, rows, columns={"horizons": columns}, benchmark=benchmark)


def models(predictions: Results) -> Table | None:
    """Return what each model that predicts has learnt, and what it costs."""
    rows = []
    for method in predictions.config.models:
        learnt = ", ".join(f"+{k}" for k in predictions.configs[method].clip.learnt)
        rows.append(_start(predictions, method) | {"learnt": learnt} | counted(predictions, method))
    return table("prediction_models", predictions, rows, predictions.costs)


def _start(predictions: Results, method: str) -> Row:
    """Name a method, its window and its mode."""
    if method not in predictions.config.models:
        return {"method": method, "window": "1" if method == "last" else "2", "mode": NONE}
    clip = predictions.configs[method].clip
    return {"method": method, "window": str(clip.before), "mode": clip.mode}


def budget(results: Results, curves: Mapping[str, Curves], predicts: bool = False) -> Table | None:
    """Return the training budget and outcome of each ablation; one without curves is a row that says so.

    Args:
        results: Of the methods that do one task.
        curves: Of those that have been trained.
        predicts: Whether the task is to predict.
    """
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
