"""What a training is asked to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from lift.config import Config
from lift.training.machine import StopRequest
from lift.training.state import State

BEST, LAST = "best.safetensors", "last.safetensors"
Losses = Callable[[Any, dict[str, Tensor]], dict[str, Tensor]]  # weighted parts by name, of (output, batch)
Metric = Callable[[Tensor, Tensor], float]  # (prediction, target), both [3, H, W] in [0, 1]


class Interrupted(Exception):
    """A signal asked the run to stop; its checkpoint is written and it can be continued."""


@dataclass(kw_only=True)
class Job:
    """A model, what it learns from, and where the run lives.

    Attributes:
        config: The run's parameters.
        fabric: Devices, precision and processes.
        model: What learns; `model(frames, offsets, valid, target)` gives an output with `frame` [B, 3, H, W];
            the target, in training alone, is for what the model itself adds to the loss.
        losses: `losses(output, batch)` gives weighted parts by name; their sum is minimised.
        train_clips: Gives the training set for a crop (height, width), with items as lift/data/dataset.py
            describes them; of `train.resident` one that makes whole batches itself, on the device.
        train_sources: The source of each of its clips: crops differ by it (`Train.crop`).
        validation_clips: The validation set, whole frames.
        metrics: Validation metrics; `psnr` decides which weights are the best.
        loaded: Names of parameters that were loaded from pretrained weights, by stage of the encoder, the
            shallowest first: what phases freeze and thaw.
        folder: Scratch folder of checkpoints (state.py), and of the weights and curves that a run leaves.
        board: Folder of TensorBoard's events.
        snapshots: Folder of the run's snapshots.
        start: The snapshot that a new run starts from; None: from nothing.
        stop: Signals that came, from before the training as well.
        saved: Called after each checkpoint with what it holds, while the model has the weights that would be
            published.
    """

    config: Config
    fabric: Fabric
    model: nn.Module
    losses: Losses
    train_clips: Callable[[tuple[int, int]], Any]
    train_sources: Sequence[str]
    validation_clips: Any
    metrics: Mapping[str, Metric]
    loaded: Sequence[frozenset[str]]
    folder: Path
    board: Path
    snapshots: Path
    start: Path | None = None
    stop: StopRequest = field(default_factory=StopRequest)
    saved: Callable[[State], None] | None = None
