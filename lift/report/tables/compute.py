"""The table of costs: parameters and operations of each model beside its quality."""

import math

from lift.report.measured import COMMAND, FOLDER, Frame
from lift.report.results import Results
from lift.report.tables.results import METHOD, MISSING, TWO, WINDOW, named, stand_in, title
from lift.report.tables.table import Cell, Column, Table

SIZE = "256x448"  # height and width of the frame for which operations are shown first: Vimeo-90K's
_SIZES = (SIZE, "720x1280")
_AGREEMENT = 1e-5  # relative: both counts are written with six decimals


def costed(results: Results) -> list[str]:
    """List the methods whose model's cost is known, in the order of params.yaml."""
    return [method for method in results.methods if method in results.costs]


def compute(results: Results) -> Table | None:
    """Return each model's parameters, operations and PSNR; None where no cost is known."""
    if not costed(results):
        return None
    benchmark, psnr = results.config.report.benchmark, results.metrics["psnr"]
    columns = [
        METHOD,
        WINDOW,
        Column(key="parameters", title="Parameters (M) ↓", digits=3),
        *(
            Column(key=f"gmacs_{size}", title=f"GMACs, {size.replace('x', ' × ')} ↓", digits=2)
            for size in _SIZES
        ),
        Column(key="memory", title=f"Peak memory, {SIZE.replace('x', ' × ')} (MiB) ↓", digits=0),
        Column(key="milliseconds", title=f"CPU time, {SIZE.replace('x', ' × ')} (ms) ↓", digits=0),
        Column(key="psnr", title=f"{psnr.heading}, {title(results, benchmark)}", digits=psnr.digits),
    ]
    rows = []
    for method in (*results.config.models, *(m for m in costed(results) if m in results.config.baselines)):
        cost = results.costs.get(method)
        row = named(results, method)
        if cost is None:
            rows.append([*row, *(Cell(text=MISSING) for _ in range(len(_SIZES) + 4))])
            continue
        measured = results.frame(method, benchmark) is not None
        row.append(Cell(value=cost["parameters"] / 1e6))
        row += [Cell(value=cost[f"gmacs_{size}"]) for size in _SIZES] + _timed(results, method)
        quality = float(results.values(method, benchmark, "psnr").mean()) if measured else None
        rows.append([*row, Cell(text="" if measured else MISSING, value=quality)])
    return Table(
        name="compute",
        caption=f"Parameters and operations of each model{stand_in(results, benchmark)}",
        columns=columns,
        rows=rows,
        notes=[
            "GMACs: billions of multiply-accumulates of convolutions and matrix products for one frame, "
            "height × width, with all frames of the model's window; parts that only training uses are left "
            "out.",
            _where(results),
            f"PSNR: mean over clips of {title(results, benchmark)}. Sampling: each model's own.",
            TWO,
        ],
        sources=[
            f"results/{method}/{name}" for method in costed(results) for name in ("metrics.json", "clips.csv")
        ]
        + [f"{FOLDER.as_posix()}/models.csv"],
    )


def _frame(results: Results, method: str) -> Frame | None:
    """Return what was measured of a method's model, if that is the model still; `untrained` is the base's."""
    name = method if method in results.config.models else results.base
    frame, cost = results.timings.frames.get(name), results.costs[method]
    if frame is None or frame.parameters != cost["parameters"]:
        return None
    return frame if math.isclose(frame.gmacs, cost[f"gmacs_{SIZE}"], rel_tol=_AGREEMENT) else None


def _timed(results: Results, method: str) -> list[Cell]:
    frame = _frame(results, method)
    if frame is None:
        return [Cell(text="–"), Cell(text="–")]
    return [Cell(value=frame.memory_mib), Cell(value=frame.milliseconds)]


def _where(results: Results) -> str:
    told = dict.fromkeys(frame.where for m in costed(results) if (frame := _frame(results, m)))
    return (
        "Memory: most that tensors hold at once, weights and input included. Time: the processor's, median "
        f"of a few frames, on: {'; '.join(told) or 'not measured'}. Both come from `{COMMAND} models`, apart "
        "from the pipeline, as a time differs from run to run; – where that did not measure this model."
    )
