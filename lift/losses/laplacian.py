"""The Laplacian pyramid loss: L1 of every band of detail.

Niklaus & Liu, "Context-aware Synthesis", CVPR 2018, section 3.3; Burt & Adelson 1983 for the pyramid.
"""

import torch.nn.functional as F
from torch import Tensor

from lift.ops.resize import resize

LEVELS = 5  # Niklaus & Liu; the last holds what no band does, so that equal loss 0 means equal frames
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # Burt & Adelson's low-pass filter, a = 0.375
SMALLEST = 2  # pixels: a side of 1 cannot be halved


def laplacian(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the sum over bands of the mean absolute difference of two frames in that band.

    A mean per band, as in the field, gives a pixel of each coarser band the weight of four of the finer.

    Args:
        prediction: (B, 3, H, W), any size: a small crop has as many bands as fit, at most 5.
        target: The same.

    Returns:
        A scalar; 0 is equal.
    """
    # The pyramid is linear: that of the difference is the difference of the pyramids, at half the cost.
    bands = pyramid(prediction - target)
    return sum((band.abs().mean() for band in bands[1:]), start=bands[0].abs().mean())


def pyramid(image: Tensor) -> list[Tensor]:
    """Split (B, C, H, W) into bands, finest first, each half the size (rounded up) of the one before.

    Enlarging the last by `resize` and adding the one before, again and again, gives the image back.
    """
    bands: list[Tensor] = []
    while len(bands) < LEVELS - 1 and min(image.shape[2:]) >= SMALLEST:
        low = _low_pass(image)[..., ::2, ::2]
        bands.append(image - resize(low, size=(image.shape[2], image.shape[3])))
        image = low
    return [*bands, image]


def _low_pass(image: Tensor) -> Tensor:
    channels = image.shape[1]
    weights = image.new_tensor(BINOMIAL)
    padded = F.pad(image, (2, 2, 2, 2), mode="replicate")
    rows = F.conv2d(padded, weights.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(rows, weights.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)
