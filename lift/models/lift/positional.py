"""Sinusoidal encoding of a frame's position in time.

Sources: specification section 3.1; Vaswani et al. 2017, section 3.5.
"""

import torch
from torch import Tensor

BASE = 10_000.0  # specification section 3.1


def sinusoidal(position: Tensor, channels: int) -> Tensor:
    """Encode positions: PE[2j] = sin(k / 10000^(2j/C)), PE[2j+1] = cos(k / 10000^(2j/C)).

    Args:
        position: k, (N,), in frames; of the whole window, so that the missing frame's gap shows; any sign.
        channels: C.

    Returns:
        (N, C), float32.
    """
    even = torch.arange(0, channels, 2, dtype=torch.float32, device=position.device)
    angle = position.float()[:, None] / BASE ** (even / channels)  # (N, ⌈C/2⌉)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :channels]


def add_position(features: Tensor, position: Tensor) -> Tensor:
    """Add each frame's encoding to all pixels of its features.

    Args:
        features: (N, C, H, W).
        position: k of each frame, (N,).

    Returns:
        (N, C, H, W), in the features' type.
    """
    code = sinusoidal(position, features.shape[1]).to(features.dtype)
    return features + code[:, :, None, None]
