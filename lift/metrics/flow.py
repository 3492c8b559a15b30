"""How good a flow is: by the truth where it is known, everywhere by the references warped to the target.

Flow: (4, h, w), channels 0:2 lead from the target to the reference at offset -1, 2:4 to the one at +1; of
each pair the first is x to the right, the second y down; pixels at the flow's own resolution.
"""

import torch
from torch import Tensor

from lift.ops.pad import crop_to
from lift.ops.resize import resize_flow
from lift.ops.warp import backward_warp


def full_size(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge a flow, in size and value, to the (H, W) of the frame that it belongs to: (4, H, W).

    It has h = ⌈H/s⌉, w = ⌈W/s⌉ for a whole number s (4 for the models, 1 for DIS).

    Raises:
        ValueError: No whole number s fits.
    """
    scale = max(round(max(size) / max(flow.shape[1:])), 1)
    if tuple(-(-side // scale) for side in size) != tuple(flow.shape[1:]):
        raise ValueError(f"flow {tuple(flow.shape)} is no whole fraction of the frame's size {tuple(size)}")
    if scale == 1:
        return flow
    # A model pads to a multiple of s and crops: enlarging by s exactly, not to `size`, moves no pixel.
    return crop_to(resize_flow(flow[None].float(), scale), size)[0]


def warping_error(flow: Tensor, references: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the mean absolute difference between the target and the references warped to it.

    Of a flow (4, H, W) of the frame's own size (`full_size`) and references (2, 3, H, W), at -1 and at +1,
    averaged over the two; in 0-255 units, lower is better. Occluded pixels count: no truth is needed, so this
    is known on every footage. Warped frames are not rounded, they are no output of the method.
    """
    warped = backward_warp(references, flow.reshape(2, 2, *flow.shape[1:]))
    return float((warped - target).abs().mean(dtype=torch.float64) * (255.0 / data_range))


def epe(flow: Tensor, truth: Tensor, visible: Tensor) -> float | None:
    """Return the mean end-point error over both flows where the target's pixel is visible in the reference.

    Of flows at the frame's resolution (`full_size`), `visible` (2, H, W), bool, per reference; pixels, lower
    is better. None where nothing is visible.
    """
    x, y = (flow - truth).reshape(2, 2, *flow.shape[1:]).unbind(dim=1)
    length = torch.hypot(x, y)  # (2, H, W)
    return float(length[visible].mean(dtype=torch.float64)) if bool(visible.any()) else None


def occluded(visible: Tensor) -> float:
    """Return the share (0-1) of pixels hidden in at least one reference, from `visible` (2, H, W), bool."""
    return float((~visible.all(dim=0)).float().mean(dtype=torch.float64))
