"""Run one method over benchmarks: whole frames, one at a time, in the manifest's order, none left out.

Of prediction the rule is that of DMVFN's and IFRVP's Cityscapes tables (specification section 8): a method is
given frames up to offset -1 and predicts those from offset 0 on.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch

from lift import metrics
from lift.data.dataset import ClipDataset
from lift.errors import UserError
from lift.evaluation import forks, results
from lift.evaluation.method import Method, Prediction, Predictor, Sample, Truth, reference
from lift.evaluation.probes import evenly, probe
from lift.evaluation.results import Means, Row, labels, rounded, shares
from lift.progress import bar

Rows = list[Row]
BETWEEN = {"psnr": metrics.psnr, "ie": metrics.ie, "ie_rms": metrics.ie_rms}
AHEAD = {"psnr": metrics.psnr, "ssim": metrics.ssim, "ms_ssim": metrics.ms_ssim}


class Found(NamedTuple):
    """What one method shows on one clip, or on all."""

    rows: Rows
    alphas: Rows
    probes: Rows


def evaluate(
    methods: Mapping[int | None, Method],
    name: str,
    benchmarks: Mapping[str, ClipDataset],
    lpips: metrics.Lpips,
    *,
    edges: float,
    out: Path,
    model: Mapping[str, float] | None = None,
    kept: tuple[Rows, Rows] = ([], []),
    probes: Mapping[str, int] = MappingProxyType({}),
    processes: int = 1,
) -> Means:
    """Measure a method on every benchmark and write clips.csv, metrics.json, alpha.csv and probes.csv.

    Args:
        methods: What is measured, by the seed of its training; by None where it has none.
        name: Its name, for progress and messages.
        benchmarks: Clips by benchmark.
        lpips: The network behind the column `lpips`.
        edges: Share of a frame's pixels that count as edges.
        out: Folder of the four files.
        model: What the model costs, for metrics.json; None: there is no model.
        kept: Rows and α of other benchmarks, measured before, which go into the files as they are.
        probes: By benchmark, on how many of its clips, evenly spread, the method is put under every probe.
        processes: How many share the clips (`lift/evaluation/forks.py`); the results are the same.

    Returns:
        What metrics.json says: means by benchmark, and by benchmark and kind.

    Raises:
        UserError: A prediction is not finite (the clip is named), or a file cannot be read or written.
    """

    def measure(benchmark: str, index: int) -> list[Found]:
        clips = benchmarks[benchmark]
        sample, truth = clips[index], clips.truth(index)
        made = {seed: method(sample) for seed, method in methods.items()}
        for seed, one in made.items():
            _refuse_non_finite(one, f"{benchmark}: {sample['clip']}: {_named(name, seed)}")
        # Of all seeds at once: the target's features are the same.
        distances = lpips.measure_all([one.frame for one in made.values()], sample["target"])
        probed, found = index in evenly(len(clips), probes.get(benchmark, 0)), []
        for (seed, one), distance in zip(made.items(), distances, strict=True):
            shared = labels(benchmark, seed, clips.rows[index], sample)
            row = rounded({**shared, "lpips": distance, **_judged(one, sample, truth, edges)})
            under = probe(methods[seed], clips, index, one.frame, shared) if probed else []
            found.append(Found([row], shares(row, sample, one.alpha), under))
        return found

    found = _every_clip(measure, name, benchmarks, processes)
    return results.write(out, kept[0] + found.rows, kept[1] + found.alphas, found.probes, model)


def evaluate_ahead(
    methods: Mapping[int | None, Predictor],
    name: str,
    benchmarks: Mapping[str, tuple[ClipDataset, int]],
    lpips: metrics.Lpips,
    *,
    out: Path,
    model: Mapping[str, float] | None = None,
    processes: int = 1,
) -> Means:
    """Measure a method that predicts, up to the furthest horizon of each benchmark, as `evaluate` does.

    In the files a row is a frame; alpha.csv holds the next frame's α, and probes.csv nothing.

    Returns:
        What metrics.json says.

    Raises:
        UserError: A prediction is not finite (the clip is named), or a file cannot be read or written.
    """

    def measure(benchmark: str, index: int) -> list[Found]:
        clips, horizon = benchmarks[benchmark]
        sample = clips[index]
        made = {seed: method(sample, horizon) for seed, method in methods.items()}
        found = []
        for seed, predictions in made.items():
            rows, shared = [], labels(benchmark, seed, clips.rows[index], sample)
            for ahead, one in predictions.items():
                _refuse_non_finite(
                    one, f"{benchmark}: {sample['clip']}: {_named(name, seed)}, {ahead} ahead,"
                )
                target = clips.frame(index, ahead - 1)
                judged = {key: judge(one.frame, target, data_range=1.0) for key, judge in AHEAD.items()}
                judged["lpips"] = lpips.measure(one.frame, target)
                rows.append(rounded({**shared, "horizon": ahead, **judged}))
            found.append(Found(rows, shares(rows[0], sample, next(iter(predictions.values())).alpha), []))
        return found

    given = {benchmark: clips for benchmark, (clips, _) in benchmarks.items()}
    found = _every_clip(measure, name, given, processes)
    return results.write(out, *found, model)


def _every_clip(
    measure: Callable[[str, int], list[Found]],
    name: str,
    benchmarks: Mapping[str, ClipDataset],
    processes: int,
) -> Found:
    """Return what `measure` finds of every seed on every clip: by benchmark, by seed, in the clips' order."""

    @torch.inference_mode()
    def work(job: tuple[str, int]) -> list[Found]:
        return measure(*job)

    jobs = [(benchmark, index) for benchmark, clips in benchmarks.items() for index in range(len(clips))]
    whole = Found([], [], [])
    with forks.in_order(work, jobs, processes) as measured:
        for benchmark, clips in benchmarks.items():
            title = f"{name} on {benchmark}"
            found = [next(measured) for _ in bar(range(len(clips)), title=title, unit="clip")]
            if len(found) != len(clips.rows):
                raise RuntimeError(f"{benchmark}: {len(found)} results for {len(clips.rows)} clips")
            for own in zip(*found, strict=True):  # of one seed
                for one in own:
                    for rows, more in zip(whole, one, strict=True):
                        rows.extend(more)
    return whole


def _named(name: str, seed: int | None) -> str:
    return name if seed is None else f"{name} (seed {seed})"


def _refuse_non_finite(prediction: Prediction, who: str) -> None:
    for part, values in prediction._asdict().items():
        if values is not None and not bool(torch.isfinite(values).all()):
            raise UserError(
                f"{who} gives a {part} with values that are not finite; look at the clip, or train the model "
                f"again with a lower rate"
            )


def _judged(prediction: Prediction, sample: Sample, truth: Truth | None, share: float) -> dict[str, Any]:
    """Return the metrics of an interpolated frame and its flow; None: no flow, or no truth."""
    frame, target, flow = prediction.frame, sample["target"], prediction.flow
    found: dict[str, Any] = {key: judge(frame, target, data_range=1.0) for key, judge in BETWEEN.items()}
    found |= metrics.both_ssims(frame, target, data_range=1.0)
    steep = metrics.edges(target, share, data_range=1.0)
    found["ie_edges"] = metrics.ie_where(frame, target, steep, data_range=1.0)
    if flow is not None:  # at the frame's resolution
        flow = metrics.full_size(flow, (target.shape[1], target.shape[2])).cpu()
        references = torch.stack((reference(sample, -1), reference(sample, 1)))
        found["warping"] = metrics.warping_error(flow, references, target, data_range=1.0)
    if truth is not None:
        hidden = np.asarray(~truth[1].all(axis=0))
        found["ie_occluded"] = metrics.ie_where(frame, target, hidden, data_range=1.0)
        true_flow, visible = (torch.from_numpy(part) for part in truth)
        found["occluded"] = metrics.occluded(visible)
        found["epe"] = None if flow is None else metrics.epe(flow, true_flow, visible)
    return found
