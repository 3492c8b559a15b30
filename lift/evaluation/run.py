"""Run one method over benchmarks: whole frames, one at a time, in the manifest's order, none left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch

from lift.errors import UserError
from lift.evaluation import forks
from lift.evaluation.method import Clips, Method, Prediction, Sample, Truth, reference
from lift.evaluation.probes import evenly, probe
from lift.evaluation.results import Alpha, Probe, Row, labels, shares, write_results
from lift.metrics import (
    Lpips,
    both_ssims,
    edges,
    epe,
    full_size,
    ie,
    ie_rms,
    ie_where,
    occluded,
    psnr,
    warping_error,
)
from lift.progress import bar

FRAME_METRICS = {"psnr": psnr, "ie": ie, "ie_rms": ie_rms}


def evaluate(
    methods: Mapping[int | None, Method],
    name: str,
    benchmarks: Mapping[str, Clips],
    lpips: Lpips,
    *,
    edges: float,
    out: Path,
    model: Mapping[str, float] | None = None,
    kept: tuple[Sequence[Row], Sequence[Alpha]] = ((), ()),
    probes: Mapping[str, int] = MappingProxyType({}),
    processes: int = 1,
) -> dict[str, dict[str, float]]:
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
    runs = {
        benchmark: _Run(methods, name, benchmark, clips, lpips, edges, probes.get(benchmark, 0))
        for benchmark, clips in benchmarks.items()
    }
    jobs = [(benchmark, index) for benchmark, clips in benchmarks.items() for index in range(len(clips))]
    rows, alphas, probed = list(kept[0]), list(kept[1]), list[Probe]()
    with forks.in_order(lambda job: runs[job[0]].clip(job[1]), jobs, processes) as results:
        for benchmark, clips in benchmarks.items():
            title = f"{name} on {benchmark}"
            found = [next(results) for _ in bar(range(len(clips)), title=title, unit="clip")]
            if not len(found) == len(clips.rows):
                raise RuntimeError(f"{benchmark}: {len(found)} results for {len(clips.rows)} clips")
            for own in zip(*found, strict=True):  # of one seed
                rows += [one.row for one in own]
                alphas += [alpha for one in own for alpha in one.alphas]
                probed += [row for one in own for row in one.probes]
    return write_results(out, rows, alphas, model, probed)


class _Found(NamedTuple):
    """What one method shows on one clip."""

    row: Row
    alphas: list[Alpha]
    probes: list[Probe]


class _FlowMetrics(NamedTuple):
    warping: float | None
    epe: float | None
    occluded: float | None


class _Run:
    """One method, of all its seeds, on one benchmark."""

    def __init__(
        self,
        methods: Mapping[int | None, Method],
        name: str,
        benchmark: str,
        clips: Clips,
        lpips: Lpips,
        edges: float,
        probed: int,
    ) -> None:
        self.methods, self.name, self.benchmark, self.clips = methods, name, benchmark, clips
        self.lpips, self.edges = lpips, edges
        self.probed = frozenset(evenly(len(clips), probed))

    @torch.inference_mode()
    def clip(self, index: int) -> list[_Found]:
        """Measure every seed's method on one clip."""
        sample, truth = self.clips[index], self.clips.truth(index)
        predictions = {seed: method(sample) for seed, method in self.methods.items()}
        for seed, prediction in predictions.items():
            self._refuse_non_finite(prediction, sample["clip"], seed)
        distances = self.lpips.measure_all([one.frame for one in predictions.values()], sample["target"])
        return [
            self._judged(index, seed, prediction, sample, truth, lpips)
            for (seed, prediction), lpips in zip(predictions.items(), distances, strict=True)
        ]

    def _judged(
        self,
        index: int,
        seed: int | None,
        prediction: Prediction,
        sample: Sample,
        truth: Truth | None,
        lpips: float,
    ) -> _Found:
        frame, target = prediction.frame, sample["target"]
        shared = labels(self.benchmark, seed, self.clips.rows[index], sample)
        judged: dict[str, Any] = {
            name: judge(frame, target, data_range=1.0) for name, judge in FRAME_METRICS.items()
        } | both_ssims(frame, target, data_range=1.0)
        row = Row(
            **shared,
            **judged,
            lpips=lpips,
            ie_edges=ie_where(frame, target, edges(target, self.edges, data_range=1.0), data_range=1.0),
            ie_occluded=None
            if truth is None
            else ie_where(frame, target, np.asarray(~truth[1].all(axis=0)), data_range=1.0),
            **_flow_metrics(prediction, sample, truth)._asdict(),
        )
        probed = index in self.probed
        probes = probe(self.methods[seed], self.clips, index, frame, shared) if probed else []
        return _Found(row, shares(row, sample, prediction.alpha), probes)

    def _refuse_non_finite(self, prediction: Prediction, clip: str, seed: int | None) -> None:
        name = self.name if seed is None else f"{self.name} (seed {seed})"
        for part, values in prediction._asdict().items():
            if values is not None and not bool(torch.isfinite(values).all()):
                raise UserError(
                    f"{self.benchmark}: {clip}: {name} gives a {part} with values that are not finite; "
                    f"look at the clip, or train the model again with a lower rate"
                )


def _flow_metrics(prediction: Prediction, sample: Sample, truth: Truth | None) -> _FlowMetrics:
    """Judge the flow, at the frame's resolution; None: no flow, or no truth."""
    warping = error = hidden = None
    target, flow = sample["target"], prediction.flow
    if flow is not None:
        flow = full_size(flow, (target.shape[1], target.shape[2])).cpu()
        references = torch.stack((reference(sample, -1), reference(sample, 1)))
        warping = warping_error(flow, references, target, data_range=1.0)
    if truth is not None:
        true_flow, visible = (torch.from_numpy(part) for part in truth)
        hidden = occluded(visible)
        error = None if flow is None else epe(flow, true_flow, visible)
    return _FlowMetrics(warping, error, hidden)
