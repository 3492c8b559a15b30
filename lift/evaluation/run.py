"""Run one method over benchmarks: whole frames, one at a time, in the manifest's order, none left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lift.errors import UserError
from lift.evaluation.method import Method, Prediction, Sample, reference
from lift.evaluation.results import Row, Weight, labels, shares, write_results
from lift.metrics import (
    Lpips,
    edges,
    epe,
    full_size,
    ie,
    ie_rms,
    ie_where,
    occluded,
    psnr,
    ssim,
    ssim_matlab,
    warping_error,
)
from lift.progress import bar

FRAME_METRICS = {"psnr": psnr, "ssim": ssim, "ssim_matlab": ssim_matlab, "ie": ie, "ie_rms": ie_rms}
Truth = tuple[NDArray[np.float32], NDArray[np.bool_]]


class Clips(Protocol):
    """A benchmark's clips, as `lift.data.dataset.ClipDataset` has them."""

    @property
    def rows(self) -> Sequence[Any]:
        """One per clip, with clip, video, group, kind and motion."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: int, /) -> Sample: ...

    def truth(self, index: int) -> Truth | None:
        """Return true flow (4, H, W), pixels, and visibility (2, H, W) of a clip, where they are known."""


def evaluate(
    methods: Mapping[int | None, Method],
    name: str,
    benchmarks: Mapping[str, Clips],
    lpips: Lpips,
    *,
    edges: float,
    out: Path,
    model: Mapping[str, float] | None = None,
    kept: tuple[Sequence[Row], Sequence[Weight]] = ((), ()),
) -> dict[str, dict[str, float]]:
    """Measure a method on every benchmark and write clips.csv, metrics.json and weights.csv.

    Args:
        methods: What is measured, by the seed of its training; by None where it has none.
        name: Its name, for progress and messages.
        benchmarks: Clips by benchmark.
        lpips: The network behind the column `lpips`.
        edges: Share of a frame's pixels that count as edges.
        out: Folder of the three files.
        model: What the model costs, for metrics.json; None: there is no model.
        kept: Rows and weights of other benchmarks, measured before, which go into the files as they are.

    Returns:
        What metrics.json says: means by benchmark, and by benchmark and kind.

    Raises:
        UserError: A prediction is not finite (the clip is named), or a file cannot be read or written.
    """
    rows, weights = list(kept[0]), list(kept[1])
    for benchmark, clips in benchmarks.items():
        for seed, method in methods.items():
            run = _Run(method, name, seed, benchmark, clips, lpips, edges)
            run.all_clips()
            if not len(run.rows) == len(clips) == len(clips.rows):
                raise RuntimeError(f"{benchmark}: {len(run.rows)} results for {len(clips.rows)} clips")
            rows, weights = rows + run.rows, weights + run.weights
    return write_results(out, rows, weights, model)


class _FlowMetrics(NamedTuple):
    warping: float | None
    epe: float | None
    occluded: float | None


class _Run:
    """One method, of one seed, on one benchmark."""

    def __init__(
        self,
        method: Method,
        name: str,
        seed: int | None,
        benchmark: str,
        clips: Clips,
        lpips: Lpips,
        edges: float,
    ) -> None:
        self.method, self.seed, self.benchmark, self.clips = method, seed, benchmark, clips
        self.name = name if seed is None else f"{name} (seed {seed})"
        self.lpips, self.edges = lpips, edges
        self.rows: list[Row] = []
        self.weights: list[Weight] = []

    @torch.inference_mode()
    def all_clips(self) -> None:
        for index in bar(range(len(self.clips)), title=f"{self.name} on {self.benchmark}", unit="clip"):
            self._clip(index)

    def _clip(self, index: int) -> None:
        entry, sample, truth = self.clips.rows[index], self.clips[index], self.clips.truth(index)
        prediction = self.method(sample)
        self._refuse_non_finite(prediction, entry.clip)
        frame, target = prediction.frame, sample["target"]
        judged: dict[str, Any] = {
            name: judge(frame, target, data_range=1.0) for name, judge in FRAME_METRICS.items()
        }
        row = Row(
            **labels(self.benchmark, self.seed, entry, sample),
            **judged,
            lpips=self.lpips.measure(frame, target),
            ie_edges=ie_where(frame, target, edges(target, self.edges, data_range=1.0), data_range=1.0),
            ie_occluded=None
            if truth is None
            else ie_where(frame, target, np.asarray(~truth[1].all(axis=0)), data_range=1.0),
            **_flow_metrics(prediction, sample, truth)._asdict(),
        )
        self.rows.append(row)
        self.weights += shares(row, sample, prediction.weights)

    def _refuse_non_finite(self, prediction: Prediction, clip: str) -> None:
        for part, values in prediction._asdict().items():
            if values is not None and not bool(torch.isfinite(values).all()):
                raise UserError(
                    f"{self.benchmark}: {clip}: {self.name} gives a {part} with values that are not finite; "
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
