"""Padding to sizes that a network can halve, and back."""

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(x: Tensor, multiple: int, mode: str = "replicate") -> tuple[Tensor, tuple[int, int]]:
    """Pad maps (B, C, H, W) on the right and below, up to the next multiple of so many pixels.

    By `mode` replicate the edge is repeated; constant: by zeros. Return the padded maps (`x` itself where
    nothing is missing) and the original (H, W) for `crop_to`.
    """
    height, width = x.shape[2:]
    below, right = -height % multiple, -width % multiple
    if below or right:
        x = F.pad(x, (0, right, 0, below), mode=mode)
    return x, (height, width)


def crop_to(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Keep the top left (height, width) of maps (B, C, H, W): the inverse of `pad_to_multiple`."""
    return x[..., : size[0], : size[1]]
