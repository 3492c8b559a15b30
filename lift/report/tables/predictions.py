"""Tables of prediction (specification section 8): never mixed with those of interpolation."""

import dataclasses
from collections.abc import Sequence

from lift.report.curves import read_curves
from lift.report.names import number_of
from lift.report.predictions import Predictions
from lift.report.results import Results
from lift.report.tables.results import METHOD, MISSING, WINDOW, stand_in
from lift.report.tables.table import Cell, Column, Table
from lift.report.tables.training import budget

MODE = Column(key="mode", title="Mode", numeric=False)
SIZES = ("256x448", "720x1280")  # of frames for which operations are counted, height and width


def build(predictions: Predictions, results: Results) -> list[Table]:
    """Build every table of prediction; none where nothing that predicts is declared.

    Args:
        predictions: What was measured.
        results: The metrics' names and directions.
    """
    if not predictions.methods:
        return []
    training = budget(predictions, read_curves(predictions))
    named = dataclasses.replace(
        training,
        name="prediction_training",
        caption=training.caption.replace("each ablation", "each ablation that predicts"),
        notes=[
            training.notes[0],
            "Validation: clips in turn at the frames that are learnt, so that PSNR of "
            "ablations that learn other frames does not compare.",
        ],
    )
    measured = [of_benchmark(predictions, results, name) for name in predictions.benchmarks]
    return [*measured, models(predictions), *([named] if predictions.config.ablations else [])]


def of_benchmark(predictions: Predictions, results: Results, benchmark: str) -> Table:
    """Return PSNR at each horizon, and MS-SSIM and LPIPS averaged up to it, of every declared method."""
    rules = predictions.config.benchmarks[benchmark]
    ahead = range(1, rules.horizons + 1)
    psnr, lpips = results.metrics["psnr"], results.metrics["lpips"]
    known = [  # key, title, better, digits, column of clips.csv, horizons averaged
        *((f"psnr_{k}", f"{psnr.title} +{k} {psnr.arrow}", 1, psnr.digits, "psnr", (k,)) for k in ahead),
        *((f"ms_ssim_to_{k}", f"MS-SSIM ≤{k} {psnr.arrow}", 1, 4, "ms_ssim", range(1, k + 1)) for k in ahead),
        *(
            (f"lpips_to_{k}", f"LPIPS ≤{k} {lpips.arrow}", -1, lpips.digits, "lpips", range(1, k + 1))
            for k in ahead
        ),
    ]
    rows = []
    for method in predictions.methods:
        cells = [_cell(predictions, method, benchmark, column, horizons) for *_, column, horizons in known]
        rows.append([*_start(predictions, method), *cells])
    clips, videos = predictions.counts(benchmark)
    table = Table(
        name=f"prediction_{benchmark}",
        caption=f"Prediction on {rules.title}: n = {number_of(clips, 'clip')} of "
        f"{number_of(videos, 'source video')}"
        f"{stand_in(results, benchmark)}",
        columns=[METHOD, WINDOW, MODE]
        + [
            Column(key=key, title=heading, better=better, digits=digits)
            for key, heading, better, digits, *_ in known
        ],
        rows=rows,
        notes=[
            f"Sampling: dense. The frames +1 to +{rules.horizons} after the last given one: PSNR (dB) of "
            "each; MS-SSIM and LPIPS at ≤k are means over +1 to +k, as in DMVFN's and IFRVP's tables. On "
            "frames below 176 pixels MS-SSIM has fewer than its five scales.",
            "Window: given frames. Mode: recurrent feeds each prediction back; arbitrary is told the "
            "horizon; independent has learnt one alone. Best in bold, second best underlined (italic in "
            "Markdown).",
        ],
        sources=[f"results/{method}/clips.csv" for method in predictions.rows],
    )
    table.mark([range(len(rows))])
    return table


def models(predictions: Predictions) -> Table:
    """Return what each model that predicts has learnt, and what it costs."""
    rows = []
    for method in predictions.config.models:
        cost = predictions.costs.get(method)
        learnt = ", ".join(f"+{k}" for k in predictions.configs[method].clip.learnt)
        row = [*_start(predictions, method), Cell(text=learnt)]
        if cost is None:
            rows.append([*row, *(Cell(text=MISSING) for _ in range(1 + len(SIZES)))])
            continue
        row.append(Cell(value=cost["parameters"] / 1e6))
        rows.append([*row, *(Cell(value=cost[f"gmacs_{size}"]) for size in SIZES)])
    return Table(
        name="prediction_models",
        caption="What the models that predict have learnt and cost",
        columns=[
            METHOD,
            WINDOW,
            MODE,
            Column(key="learnt", title="Frames learnt", numeric=False),
            Column(key="parameters", title="Parameters (M) ↓", digits=3),
            *(Column(key=f"gmacs_{s}", title=f"GMACs, {s.replace('x', ' × ')} ↓") for s in SIZES),
        ],
        rows=rows,
        notes=["GMACs: billions of multiply-accumulates for one predicted frame, height × width."],
        sources=[f"results/{method}/metrics.json" for method in predictions.costs],
    )


def _start(predictions: Predictions, method: str) -> list[Cell]:
    """Name a method, its window and its mode."""
    name = predictions.config.report.names.get(method, method)
    if method not in predictions.config.models:
        return [Cell(text=name, key=method), Cell(text="1" if method == "last" else "2"), Cell(text="–")]
    clip = predictions.configs[method].clip
    return [Cell(text=name, key=method), Cell(text=str(clip.before)), Cell(text=clip.mode)]


def _cell(
    predictions: Predictions, method: str, benchmark: str, metric: str, horizons: Sequence[int]
) -> Cell:
    if benchmark not in predictions.rows.get(method, {}):
        return Cell(text=MISSING)
    value = predictions.mean(method, benchmark, metric, horizons)
    return Cell(text="–") if value is None else Cell(value=value)
