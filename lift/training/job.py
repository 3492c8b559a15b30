"""What a training is asked to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import Dataset

from lift.config import Config
from lift.training.machine import StopRequest
from lift.training.sampler import Draw
from lift.training.state import State
from lift.training.validation import Metric

BEST, LAST = "best.safetensors", "last.safetensors"
Clips = Dataset[Any]  # items as lift/data/dataset.py describes them


@runtime_checkable
class Batched(Protocol):
    """A training set that gives whole batches itself, on the device, in place of items for a loader."""

    def batch(self, keys: Sequence[Draw]) -> dict[str, Any]:
        """Return the batch of items `keys`, as a loader would collate them."""
        ...


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
        train_clips: Gives the training set for a crop (height, width): items, or batches (`Batched`).
        train_sources: The source of each of its clips: crops differ by it (`Train.crop`).
        validation_clips: The validation set, whole frames.
        validation_count: Its length.
        metrics: Validation metrics; `psnr` decides which weights are the best.
        loaded: Names of parameters that were loaded from pretrained weights, by stage of the encoder, the
            shallowest first: what phases freeze and thaw.
        folder: Scratch folder of checkpoints (state.py).
        outputs: Folder of reproducible logs.
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
    losses: Callable[[Any, dict[str, torch.Tensor]], dict[str, torch.Tensor]]
    train_clips: Callable[[tuple[int, int]], Clips | Batched]
    train_sources: Sequence[str]
    validation_clips: Clips
    validation_count: int
    metrics: Mapping[str, Metric]
    loaded: Sequence[frozenset[str]]
    folder: Path
    outputs: Path
    board: Path
    snapshots: Path
    start: Path | None = None
    stop: StopRequest = field(default_factory=StopRequest)
    saved: Callable[[State], None] | None = None
