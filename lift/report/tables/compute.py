"""The table of costs: parameters and operations of each model beside its quality."""

from lift.report.results import Results
from lift.report.tables.results import METHOD, MISSING, TWO, WINDOW, named, stand_in, title
from lift.report.tables.table import Cell, Column, Table

SIZE = "256x448"  # height and width of the frame for which operations are shown first: Vimeo-90K's
_SIZES = (SIZE, "720x1280")


def costed(results: Results) -> list[str]:
    """List the methods whose model's cost is known, in the order of params.yaml."""
    return [method for method in results.methods if method in results.costs]


def compute(results: Results) -> Table | None:
    """Give each model's parameters, operations and PSNR; None where no cost is known."""
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
        Column(key="psnr", title=f"{psnr.heading}, {title(results, benchmark)}", digits=psnr.digits),
    ]
    rows = []
    for method in (*results.config.ablations, *(m for m in costed(results) if m in results.config.baselines)):
        cost = results.costs.get(method)
        row = named(results, method)
        if cost is None:
            rows.append([*row, *(Cell(text=MISSING) for _ in range(len(_SIZES) + 2))])
            continue
        measured = results.frame(method, benchmark) is not None
        row.append(Cell(value=cost["parameters"] / 1e6))
        row += [Cell(value=cost[f"gmacs_{size}"]) for size in _SIZES]
        quality = float(results.values(method, benchmark, "psnr").mean()) if measured else None
        rows.append([*row, Cell(text="" if measured else MISSING, value=quality)])
    return Table(
        name="compute",
        title="What each model costs",
        caption=f"Parameters and operations of each model{stand_in(results, benchmark)}",
        columns=columns,
        rows=rows,
        notes=[
            "GMACs: billions of multiply-accumulates of convolutions and matrix products for one frame, "
            "height × width, with all frames of the model's window; parts that only training uses are left "
            "out. Time is not shown: it belongs to a machine.",
            f"PSNR: mean over clips of {title(results, benchmark)}. Sampling: each model's own.",
            TWO,
        ],
        sources=[
            f"results/{method}/{name}" for method in costed(results) for name in ("metrics.json", "clips.csv")
        ],
    )
