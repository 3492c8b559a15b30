"""The table of training budgets: how long each ablation trained and where it ended."""

from lift.config import Train
from lift.report.curves import Curves
from lift.report.predictions import Predictions
from lift.report.results import Results
from lift.report.tables.table import Cell, Column, Table


def budget(results: Results | Predictions, curves: dict[str, Curves]) -> Table:
    """Return the training budget and outcome of each ablation; one without curves is a row that says so."""
    columns = [
        Column(key="method", title="Ablation", numeric=False),
        Column(key="schedule", title="Schedule", numeric=False),
        Column(key="seeds", title="Seeds", digits=0),
        Column(key="steps", title="Steps", digits=0),
        Column(key="loss", title="Final loss", digits=4),
        Column(key="psnr", title="Best validation PSNR (dB)", digits=2),
        Column(key="best", title="at step", digits=0),
    ]
    rows = []
    for name in results.config.ablations:
        train = results.configs[name].train
        row = [
            Cell(text=results.config.report.names.get(name, name), key=name),
            Cell(text=_schedule(train)),
            Cell(value=len(train.seeds)),
        ]
        rows.append(row + (_outcome(curves[name]) if name in curves else [Cell(text="missing")] * 4))
    rendered = " (procedural stand-ins)" if results.stand_in("train") else ""
    return Table(
        name="training",
        caption=f"Training budget and outcome of each ablation{rendered}",
        columns=columns,
        rows=rows,
        notes=[
            "Schedule: epochs at crop height × width, by phase. Final loss: mean of the last tenth of "
            "the logged steps. Of several seeds: means over them; PSNR with their standard deviation.",
            "Sampling: each ablation trains with its own, as the result tables name it.",
        ],
        sources=[f"training/{name}/curves.csv" for name in curves],
    )


def _schedule(train: Train) -> str:
    phases = ", ".join(f"{p.epochs} at {p.crop[0]}×{p.crop[1]}" for p in train.phases)
    return f"{phases}; batch {train.batch * train.accumulate * train.devices * train.nodes}"


def _outcome(curves: Curves) -> list[Cell]:
    if not curves.loss.size or not curves.psnr.size:
        return [Cell(text="–")] * 4
    best = curves.psnr.argmax(axis=1)
    psnr = curves.psnr.max(axis=1)
    tail = max(1, len(curves.step) // 10)
    return [
        Cell(value=float(curves.step[-1])),
        Cell(value=float(curves.loss[:, -tail:].mean())),
        Cell(value=float(psnr.mean()), spread=float(psnr.std(ddof=1)) if len(psnr) > 1 else None),
        Cell(value=float(curves.validated[best].mean())),
    ]
