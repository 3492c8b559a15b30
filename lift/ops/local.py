"""Means over the neighbourhood of each pixel."""

import torch.nn.functional as F
from torch import Tensor


def local_mean(maps: Tensor, window: int) -> Tensor:
    """Average maps (B, C, h, w) over squares of an odd side `window`, edges repeated; (B, C, h, w)."""
    edge = window // 2
    padded = F.pad(maps, (edge, edge, edge, edge), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (window, 1), stride=1), (1, window), stride=1)
