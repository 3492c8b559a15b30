"""Backward warping by a dense flow (specification section 3.4; Jaderberg et al. 2015, section 3.3).

Legend: B batch, C channels, H and W height and width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def backward_warp(image: Tensor, flow: Tensor, mode: str = "bilinear") -> Tensor:
    """Sample `image` where `flow` points: result(p) = image(p + flow(p)).

    Outside the image its edge is repeated.

    Args:
        image: What is sampled, (B, C, H, W).
        flow: (B, 2, H, W), pixels at this resolution, channel 0 = x to the right, 1 = y down.
        mode: bilinear, or bicubic, which keeps detail between pixels but may exceed the image's range.

    Returns:
        (B, C, H, W), in float32 or wider whatever came in: half precision cannot tell the neighbouring pixels
        of a wide frame apart.

    Raises:
        ValueError: The two do not fit together.
    """
    if flow.shape != (image.shape[0], 2, *image.shape[2:]):
        raise ValueError(f"flow {tuple(flow.shape)} does not fit the image {tuple(image.shape)}")
    exact = torch.promote_types(torch.promote_types(image.dtype, flow.dtype), torch.float32)
    image, flow = image.to(exact), flow.to(exact)
    height, width = image.shape[2:]
    x = torch.arange(width, dtype=exact, device=flow.device) + flow[:, 0]  # (B, H, W)
    y = torch.arange(height, dtype=exact, device=flow.device)[:, None] + flow[:, 1]
    # align_corners=True: -1 and +1 are the centres of the first and last pixel; a single pixel has no extent.
    grid = torch.stack((x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1), dim=-1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=True)


def warp_references(images: Tensor, flow: Tensor, mode: str = "bilinear") -> Tensor:
    """Warp all − of a batch, then all +, (2·B, C, H, W), by flows side by side, (B, 4, H, W), − then +."""
    return backward_warp(images, torch.cat(flow.chunk(2, dim=1)), mode)
