"""Bilinear resizing of images, features and flows.

Pixel centres keep their place (`align_corners=False`), so a scale of 1/4 and one of 4 are each other's
inverse in position.
"""

import torch.nn.functional as F
from torch import Tensor


def resize(x: Tensor, scale: float | None = None, *, size: tuple[int, int] | None = None) -> Tensor:
    """Resize maps bilinearly, without a low-pass filter (the specification's "bilinear").

    Maps (B, C, H, W) become (B, C, H·scale, W·scale), rounded down, or (B, C, *size); give one of the two.

    Raises:
        ValueError: Both are given, or none.
    """
    return F.interpolate(x, size=size, scale_factor=scale, mode="bilinear", align_corners=False)


def resize_flow(flow: Tensor, scale: float) -> Tensor:
    """Resize n flows side by side, (B, 2·n, H, W), in size and value: 3 pixels are 6 at twice the size.

    Their values are pixels of the new resolution.
    """
    return resize(flow, scale) * scale
