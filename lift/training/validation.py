"""Validation: every clip once, whole frames, shared out over the processes; and what a person sees of it."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lift.ops.flow_wheel import flow_to_rgb
from lift.ops.references import reference_offsets
from lift.ops.resize import resize
from lift.training.job import Job
from lift.training.machine import gather

ERROR_GAIN = 4.0  # absolute error is enlarged this much to be visible, as in the report's strips


class Validated(NamedTuple):
    """What a validation found.

    Attributes:
        means: Mean over all clips of each metric, of the loss (`validation_loss`) and of its parts
            (`validation_loss_<part>`).
        alpha: Mean α of a frame by its offset, over the clips that have it; empty where the model has none.
        shown: This process' first clip, as a batch of one, and the model's output for it, if it had one.
    """

    means: dict[str, float]
    alpha: dict[int, float]
    shown: tuple[dict[str, Tensor], Any] | None


@torch.no_grad()
def validate(job: Job, clips: Any = None) -> Validated:
    """Measure the mean of each metric, and of the loss by part, over the validation set, or other `clips`.

    Process r takes clips r, r + world, r + 2 world …; the means are of all clips in their order, so they are
    the same to the bit however many processes share the work. The loss is the training's, here of the frame
    as it is given out, whole and in [0, 1], without dropout.
    """
    # The bare model: a wrapped one would talk to the other processes, which may have fewer clips.
    clips, fabric, model = job.validation_clips if clips is None else clips, job.fabric, job.model
    was_training = model.training
    model.eval()
    rows: list[tuple[int, dict[str, float], dict[int, float]]] = []  # number, metrics and loss, α by offset
    shown: tuple[dict[str, Tensor], Any] | None = None
    for index in range(fabric.global_rank, len(clips), fabric.world_size):
        clip = clips[index]
        batch = {key: clip[key][None].to(fabric.device) for key in ("frames", "offsets", "valid", "target")}
        with fabric.autocast():
            output = model(*batch.values())
        # To float32, as in training; Fabric has no public way.
        output = fabric._precision.convert_output(output)
        frame = output.frame[0].float()
        values = {name: metric(frame, batch["target"][0]) for name, metric in job.metrics.items()}
        parts = {f"validation_loss_{k}": part.item() for k, part in job.losses(output, batch).items()}
        values |= {"validation_loss": math.fsum(parts.values()), **parts}
        rows.append((index, values, _alpha(batch, output)))
        shown = shown or (batch, output)
    model.train(was_training)
    rows = sorted(gather(fabric, rows), key=lambda row: row[0])
    if [row[0] for row in rows] != list(range(len(clips))):
        raise RuntimeError(f"validation saw clips {[row[0] for row in rows]}, not each of {len(clips)} once")
    means = {name: _mean([row[1][name] for row in rows]) for name in rows[0][1]}
    offsets = sorted({offset for row in rows for offset in row[2]})
    alpha = {o: _mean([row[2][o] for row in rows if o in row[2]]) for o in offsets}
    return Validated(means, alpha, shown)


def _alpha(batch: dict[str, Tensor], output: Any) -> dict[int, float]:
    """Return α of each present frame of the only clip of a batch, by its offset."""
    if output.alpha is None:
        return {}
    columns = (batch["offsets"][0].tolist(), batch["valid"][0].tolist(), output.alpha[0].tolist())
    return {int(offset): weight for offset, valid, weight in zip(*columns, strict=True) if valid}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def example(batch: dict[str, Tensor], output: Any) -> dict[str, Any]:
    """Return pictures [3, H, W] in [0, 1] of a batch's first clip; of prediction both references are before.

    A model that blends warped references shows the blend too, and what context and refinement add to it,
    around mid grey and enlarged.
    """
    offsets, frames = batch["offsets"][0], batch["frames"][0]
    first, second = reference_offsets(offsets)
    target, frame = batch["target"][0], output.frame[0].float().clamp(0, 1)

    def full(small: Tensor) -> Tensor:
        return resize(small.float(), size=(frame.shape[1], frame.shape[2]))[0]

    def added(more: Tensor, less: Tensor) -> Tensor:
        return (0.5 + ERROR_GAIN * (more - less)).clamp(0, 1)

    tensors = {
        "example/1_before": frames[offsets == first][0],
        "example/2_target": target,
        "example/3_prediction": frame,
        "example/4_after": frames[offsets == second][0],
        "example/5_error": ((frame - target).abs() * ERROR_GAIN).clamp(0, 1),
    }
    if output.coarse is not None:
        coarse = full(output.coarse[:1])
        blend = coarse if output.blend is None else full(output.blend[:1])
        tensors["example/6_blend"] = blend.clamp(0, 1)
        if output.blend is not None:
            tensors["example/7_context_adds"] = added(coarse, blend)
        tensors["example/8_refinement_adds"] = added(frame, coarse)
    pictures: dict[str, Any] = {name: tensor.float().cpu().numpy() for name, tensor in tensors.items()}
    if output.flow is not None:
        flow = output.flow[0].float().cpu().numpy()
        for side, part in (("before", flow[:2]), ("after", flow[2:])):
            pictures[f"flow/{side}"] = flow_to_rgb(part).transpose(2, 0, 1) / 255.0
    return pictures
