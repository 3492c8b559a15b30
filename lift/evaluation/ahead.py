"""Run one predicting method over benchmarks, several frames ahead (specification section 8).

The rule is that of DMVFN's and IFRVP's Cityscapes tables: a method is given frames up to offset -1 and
predicts those from offset 0 on; MS-SSIM and LPIPS at horizon k are the means over the horizons 1 … k.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from lift.errors import UserError
from lift.evaluation import forks
from lift.evaluation.method import Clips, Prediction, Predictor
from lift.evaluation.results import DECIMALS, Alpha, Measured, labels, shares, write_files
from lift.metrics import Lpips, Means, ms_ssim, psnr, ssim
from lift.progress import bar

FRAME_METRICS = {"psnr": psnr, "ssim": ssim, "ms_ssim": ms_ssim}
RUNNING = ("ms_ssim", "lpips")
"""Metrics that the rule averages over the horizons up to each."""


class LongClips(Clips, Protocol):
    """Clips of which later frames than the missing one can be read."""

    def frame(self, index: int, offset: int) -> Tensor:
        """Read the frame of a clip at `offset` from its missing frame, (3, H, W), RGB in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Row(Measured):
    """One predicted frame's results with one seed; the fields are the columns of clips.csv."""

    horizon: int
    """How many frames after the last given one it lies."""
    psnr: float
    """dB."""
    ssim: float
    ms_ssim: float
    lpips: float


def evaluate(
    methods: Mapping[int | None, Predictor],
    name: str,
    benchmarks: Mapping[str, tuple[LongClips, int]],
    lpips: Lpips,
    *,
    out: Path,
    model: Mapping[str, float] | None = None,
    processes: int = 1,
) -> dict[str, dict[str, float]]:
    """Measure a method on every benchmark and write clips.csv, metrics.json, alpha.csv and probes.csv.

    Args:
        methods: What is measured, by the seed of its training; by None where it has none.
        name: Its name, for progress and messages.
        benchmarks: Clips, seen through the method's window, and the furthest horizon, by benchmark.
        lpips: The network behind the column `lpips`.
        out: Folder of the four files; alpha.csv holds the next frame's α, probes.csv nothing.
        model: What the model costs, for metrics.json; None: there is no model.
        processes: How many share the clips (`lift/evaluation/forks.py`).

    Returns:
        What metrics.json says.

    Raises:
        UserError: A prediction is not finite (the clip is named), or a file cannot be read or written.
    """
    seeds = [(benchmark, seed) for benchmark in benchmarks for seed in methods]
    jobs = [(key, seed, index) for key, seed in seeds for index in range(len(benchmarks[key][0]))]

    @torch.inference_mode()
    def measured(job: tuple[str, int | None, int]) -> tuple[list[Row], list[Alpha]]:
        benchmark, seed, index = job
        clips, horizon = benchmarks[benchmark]
        sample = clips[index]
        found = methods[seed](sample, horizon)
        _refuse_non_finite(found, f"{benchmark}: {sample['clip']}: {name}")
        shared = labels(benchmark, seed, clips.rows[index], sample)
        made = [_row(shared, k, one, clips.frame(index, k - 1), lpips) for k, one in found.items()]
        return made, shares(made[0], sample, next(iter(found.values())).alpha)

    rows: list[Row] = []
    alphas: list[Alpha] = []
    with forks.in_order(measured, jobs, processes) as results:
        for benchmark, _ in seeds:
            for _ in bar(range(len(benchmarks[benchmark][0])), title=f"{name} on {benchmark}", unit="clip"):
                made, given = next(results)
                rows += made
                alphas += given
    means = summary(rows)
    if model is not None:
        means["model"] = dict(model)
    write_files(out, Row, rows, alphas, means)
    return means


def summary(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Average over clips: `<metric>_<k>` at horizon k, and `<metric>_to_<k>` the mean of those from 1 to k.

    Returns:
        By benchmark, with counts of clips, videos and seeds.
    """
    found = {}
    for benchmark in sorted({row.benchmark for row in rows}):
        own = [row for row in rows if row.benchmark == benchmark]
        means = Means()
        for row in own:
            means.update(
                {f"{metric}_{row.horizon}": getattr(row, metric) for metric in (*FRAME_METRICS, "lpips")}
            )
        values = means.compute()
        for metric in RUNNING:
            values |= _running(metric, values)
        found[benchmark] = {
            "clips": len({row.clip for row in own}),
            "videos": len({row.video for row in own}),
            "seeds": len({row.seed for row in own}),
            **{key: round(value, DECIMALS) for key, value in values.items()},
        }
    return found


def _running(metric: str, means: Mapping[str, float]) -> dict[str, float]:
    """Return the means over the horizons up to each, as far as no horizon is missing."""
    found: dict[str, float] = {}
    total, horizon = 0.0, 1
    while f"{metric}_{horizon}" in means:
        total += means[f"{metric}_{horizon}"]
        found[f"{metric}_to_{horizon}"] = total / horizon
        horizon += 1
    return found


def _row(
    shared: Mapping[str, Any], horizon: int, prediction: Prediction, target: Tensor, lpips: Lpips
) -> Row:
    judged: dict[str, Any] = {
        name: judge(prediction.frame, target, data_range=1.0) for name, judge in FRAME_METRICS.items()
    }
    return Row(
        **shared,
        horizon=horizon,
        **judged,
        lpips=lpips.measure(prediction.frame, target),
    )


def _refuse_non_finite(found: Mapping[int, Prediction], what: str) -> None:
    for horizon, prediction in found.items():
        if not bool(torch.isfinite(prediction.frame).all()):
            raise UserError(
                f"{what} gives a frame, {horizon} ahead, with values that are not finite; look at the clip, "
                "or train the model again with a lower rate"
            )
