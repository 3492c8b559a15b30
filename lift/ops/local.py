"""Means over the neighbourhood of each pixel."""

import torch.nn.functional as F
from torch import Tensor


def local_mean(maps: Tensor, window: int) -> Tensor:
    """Average maps (B, C, h, w) over squares of an odd side `window`, edges repeated; (B, C, h, w)."""
    edge = window // 2
    padded = F.pad(maps, (edge, edge, edge, edge), mode="replicate")
    return _summed(_summed(padded, 2, window), 3, window) / window**2


def _summed(maps: Tensor, dim: int, window: int) -> Tensor:
    """Add `window` neighbours along a dimension: on a CPU several times as fast as PyTorch's pooling."""
    size = maps.shape[dim] - window + 1
    total = maps.narrow(dim, 0, size).clone()
    for start in range(1, window):
        total += maps.narrow(dim, start, size)
    return total
