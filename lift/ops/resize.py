"""Bilinear resizing of images, features and flows.

Pixel centres keep their place (`align_corners=False`), so a scale of 1/4 and one of 4 are each other's
inverse in position.
"""

import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, scale: float | None = None, *, size: tuple[int, int] | None = None) -> Tensor:
    """Resize maps bilinearly, without a low-pass filter (the specification's "bilinear").

    Args:
        x: (B, C, H, W).
        scale: New size over old size; or
        size: the new (height, width). Exactly one of the two.

    Returns:
        (B, C, H·scale, W·scale), rounded down, or (B, C, *size).
    """
    return F.interpolate(x, size=size, scale_factor=scale, mode="bilinear", align_corners=False)


def resize_flow(flow: Tensor, scale: float) -> Tensor:
    """Resize flows in size and value: a motion of 3 pixels is one of 6 at twice the resolution.

    Args:
        flow: (B, 2·n, H, W), any number of flows, pixels at this resolution.
        scale: New size over old size.

    Returns:
        (B, 2·n, H·scale, W·scale), pixels at the new resolution.
    """
    return resize(flow, scale) * scale
