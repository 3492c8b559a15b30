"""The census loss of frames: 7 x 7 neighbourhoods of brightness (UnFlow, section 3.2; lift/ops/census.py)."""

import torch
from torch import Tensor

from lift.ops.census import census_distance

WINDOW = 7  # pixels
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def census(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean soft share of neighbours in which two frames' ternary signs differ.

    Args:
        prediction: (B, 3, H, W), RGB in [0, 1], at least 7 x 7 pixels.
        target: The same.

    Returns:
        A scalar from 0 (equal signs) to below 1; over pixels whose whole window lies in the frame.
    """
    return census_distance(_grey(prediction), _grey(target), WINDOW)


def _grey(frame: Tensor) -> Tensor:
    """Return brightness in 0-255, the units of the soft sign, (B, 1, H, W)."""
    return torch.einsum("bchw,c->bhw", frame, frame.new_tensor(LUMA))[:, None] * 255
