"""Validation: every clip once, whole frames, shared out over the processes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import Dataset

from lift.training.processes import gather

Metric = Callable[[Tensor, Tensor], float]  # (prediction, target), both [3, H, W] in [0, 1]
Losses = Callable[[Any, dict[str, Tensor]], dict[str, Tensor]]  # weighted parts by name, of (output, batch)
Row = tuple[int, dict[str, float], dict[int, float]]  # a clip's number, its metrics and loss, and α by offset


@dataclass(frozen=True, kw_only=True)
class Validated:
    """What a validation found.

    Attributes:
        means: Mean over all clips of each metric, of the loss (`validation_loss`) and of its parts
            (`validation_loss_<part>`).
        alpha: Mean weight of a frame by its offset, over the clips that have it; empty without weights.
        batch: This process' first clip, as a batch of one; None where it had no clip.
        output: The model's output for it.
    """

    means: dict[str, float]
    alpha: dict[int, float]
    batch: dict[str, Tensor] | None
    output: Any


@torch.no_grad()
def validate(
    fabric: Fabric,
    model: nn.Module,
    clips: Dataset[Any],
    count: int,
    metrics: Mapping[str, Metric],
    losses: Losses,
) -> Validated:
    """Measure the mean of each metric, and of the loss by part, over `count` clips.

    Process r takes clips r, r + world, r + 2 world …; the means are of all clips in their order, so they are
    the same to the bit however many processes share the work.

    Args:
        fabric: Devices, precision and processes.
        model: The bare model: a wrapped one would talk to the other processes, which may have fewer clips.
        clips: The validation set, whole frames.
        count: Its length.
        metrics: What is measured, by name.
        losses: The training loss, here of the frame as it is given out, whole and in [0, 1], without dropout.
    """
    was_training = model.training
    model.eval()
    rows: list[Row] = []
    batch: dict[str, Tensor] | None = None
    output: Any = None
    for index in range(fabric.global_rank, count, fabric.world_size):
        clip = clips[index]
        now = {key: clip[key][None].to(fabric.device) for key in ("frames", "offsets", "valid", "target")}
        with fabric.autocast():
            found = model(now["frames"], now["offsets"], now["valid"], now["target"])
        # To float32, as in training; Fabric has no public way.
        found = fabric._precision.convert_output(found)
        frame = found.frame[0].float()
        values = {name: metric(frame, now["target"][0]) for name, metric in metrics.items()}
        rows.append((index, values | _loss(losses(found, now)), _alpha(now, found)))
        if batch is None:
            batch, output = now, found
    model.train(was_training)
    rows = sorted(gather(fabric, rows), key=lambda row: row[0])
    if [row[0] for row in rows] != list(range(count)):
        raise RuntimeError(f"validation saw clips {[row[0] for row in rows]}, not each of {count} once")
    means = {name: _mean([row[1][name] for row in rows]) for name in rows[0][1]}
    offsets = sorted({offset for row in rows for offset in row[2]})
    alpha = {o: _mean([row[2][o] for row in rows if o in row[2]]) for o in offsets}
    return Validated(means=means, alpha=alpha, batch=batch, output=output)


def _loss(parts: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the loss and its weighted parts by the names that are logged."""
    values = {f"validation_loss_{name}": part.item() for name, part in parts.items()}
    return {"validation_loss": math.fsum(values.values()), **values}


def _alpha(batch: dict[str, Tensor], output: Any) -> dict[int, float]:
    """Return the weight α of each present frame of the only clip of a batch, by its offset."""
    if output.alpha is None:
        return {}
    columns = (batch["offsets"][0].tolist(), batch["valid"][0].tolist(), output.alpha[0].tolist())
    return {int(offset): weight for offset, valid, weight in zip(*columns, strict=True) if valid}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
