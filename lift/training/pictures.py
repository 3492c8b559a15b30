"""What a person wants to see of a run: prediction, truth, error and flow, as pictures for TensorBoard."""

from typing import Any

import numpy as np
import torch

from lift.ops.flow_wheel import flow_to_rgb
from lift.ops.references import reference_offsets
from lift.ops.resize import resize

ERROR_GAIN = 4.0  # absolute error is enlarged this much to be visible, as in the report's strips


def example(batch: dict[str, torch.Tensor], output: Any) -> dict[str, "np.ndarray[Any, Any]"]:
    """Return pictures [3, H, W] in [0, 1] of a batch's first clip; of prediction both references are before.

    A model that blends warped references shows the blend too, and what is added to it.
    """
    offsets, frames = batch["offsets"][0], batch["frames"][0]
    first, second = reference_offsets(offsets)
    target, frame = batch["target"][0], output.frame[0].float().clamp(0, 1)
    tensors = {
        "example/1_before": frames[offsets == first][0],
        "example/2_target": target,
        "example/3_prediction": frame,
        "example/4_after": frames[offsets == second][0],
        "example/5_error": ((frame - target).abs() * ERROR_GAIN).clamp(0, 1),
    }
    tensors |= _stages(frame, output)
    pictures = {name: tensor.float().cpu().numpy() for name, tensor in tensors.items()}
    if output.flow is not None:
        flow = output.flow[0].float().cpu().numpy()
        for side, part in (("before", flow[:2]), ("after", flow[2:])):
            pictures[f"flow/{side}"] = flow_to_rgb(part).transpose(2, 0, 1) / 255.0
    return pictures


def _stages(frame: torch.Tensor, output: Any) -> dict[str, torch.Tensor]:
    """Return the blend, and what the context and the refinement add to it, around mid grey and enlarged."""
    coarse, blend = (None if part is None else part[0].float() for part in (output.coarse, output.blend))
    if coarse is None:
        return {}
    size = (frame.shape[1], frame.shape[2])

    def full(small: torch.Tensor) -> torch.Tensor:
        return resize(small[None], size=size)[0]

    def added(more: torch.Tensor, less: torch.Tensor) -> torch.Tensor:
        return (0.5 + ERROR_GAIN * (more - less)).clamp(0, 1)

    found = {
        "example/6_blend": full(coarse if blend is None else blend).clamp(0, 1),
        "example/8_refinement_adds": added(frame, full(coarse)),
    }
    if blend is not None:
        found["example/7_context_adds"] = added(full(coarse), full(blend))
    return found
