"""What a person wants to see of a run: prediction, truth, error and flow, as pictures for TensorBoard."""

from typing import Any

import numpy as np
import torch

from lift.ops.flow_wheel import flow_to_rgb
from lift.ops.references import reference_offsets

ERROR_GAIN = 4.0  # absolute error is enlarged this much to be visible, as in the report's strips


def example(batch: dict[str, torch.Tensor], output: Any) -> dict[str, "np.ndarray[Any, Any]"]:
    """Give pictures [3, H, W] in [0, 1] of a batch's first clip; of prediction both references are before."""
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
    pictures = {name: tensor.float().cpu().numpy() for name, tensor in tensors.items()}
    if output.flow is not None:
        flow = output.flow[0].float().cpu().numpy()
        for side, part in (("before", flow[:2]), ("after", flow[2:])):
            pictures[f"flow/{side}"] = flow_to_rgb(part).transpose(2, 0, 1) / 255.0
    return pictures
