"""The soft ternary census distance: whether neighbours are darker or lighter, not by how much.

Meister, Hur, Roth, "UnFlow", AAAI 2018, section 3.2, after Stein, "Efficient Computation of Optical Flow
Using the Census Transform", 2004.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SOFT_SIGN = 0.81  # of differences: nearly -1, 0 or +1 beyond a unit or two (UnFlow's published code)
SOFT_COUNT = 0.1  # of differences of signs: nearly 0 or 1 (the same)


def census_distance(a: Tensor, b: Tensor, window: int) -> Tensor:
    """Return the mean soft share of neighbours, 0 to below 1, in which two maps' ternary signs differ.

    Maps are (N, 1, H, W), in the units of `SOFT_SIGN`; `window` is the odd side of the neighbourhood, pixels.
    Pixels count whose whole window lies in the map.
    """
    difference = (_signs(a, window) - _signs(b, window)) ** 2  # (N, window², pixels)
    return (difference / (SOFT_COUNT + difference)).mean()


def _signs(x: Tensor, window: int) -> Tensor:
    """Return each neighbour's soft sign relative to the pixel in the middle, (N, window², pixels)."""
    neighbours = F.unfold(x, window)
    steps = neighbours - neighbours[:, window * window // 2, None]
    return steps / torch.sqrt(SOFT_SIGN + steps**2)
