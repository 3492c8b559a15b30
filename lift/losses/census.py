"""The census loss: soft ternary census transform and soft Hamming distance.

Meister, Hur, Roth, "UnFlow", AAAI 2018, section 3.2, after Stein, "Efficient Computation of Optical Flow
Using the Census Transform", 2004. It compares whether a pixel is darker or lighter than its neighbours, not
how bright it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 7  # pixels
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
SOFT_SIGN = (
    0.81  # of differences in 0-255 units: nearly -1, 0 or +1 beyond a level or two (UnFlow's published code)
)
SOFT_COUNT = 0.1  # of differences of signs: nearly 0 or 1 (the same)


def census(prediction: Tensor, target: Tensor) -> Tensor:
    """Give the mean soft share of neighbours in which two frames' ternary signs differ.

    Args:
        prediction: (B, 3, H, W), RGB in [0, 1], at least 7 × 7 pixels.
        target: The same.

    Returns:
        A scalar from 0 (equal signs) to below 1; over pixels whose whole 7 × 7 window lies in the frame.
    """
    difference = (_signs(prediction) - _signs(target)) ** 2  # (B, 49, (H - 6)·(W - 6))
    return (difference / (SOFT_COUNT + difference)).mean()


def _signs(frame: Tensor) -> Tensor:
    """Give each neighbour's soft sign relative to the pixel in the middle, (B, 49, pixels)."""
    grey = torch.einsum("bchw,c->bhw", frame, frame.new_tensor(LUMA))[:, None] * 255
    neighbours = F.unfold(grey, WINDOW)
    steps = neighbours - neighbours[:, WINDOW * WINDOW // 2, None]
    return steps / torch.sqrt(SOFT_SIGN + steps**2)
