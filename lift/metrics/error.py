"""PSNR and the interpolation error (Baker et al. 2011, section 4.2), on 8-bit rounded frames."""

import math

import numpy as np
from torch import Tensor

from lift.metrics.quantise import pair

MAX_PSNR = (
    100.0  # dB; of identical frames, where the formula gives infinity and no mean over clips would exist
)


def psnr(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio of a frame, dB, over all pixels and channels; higher is better.

    Args:
        prediction: (3, H, W), values 0 to `data_range`; rounded to 8 bits here.
        target: The same.
        data_range: The value of white.

    Returns:
        10 log10(255² / mean squared error), at most `MAX_PSNR`.

    Raises:
        ValueError: The frames differ in shape or are not finite.
    """
    a, b = pair(prediction, target, data_range)
    error = float(np.mean((a - b) ** 2))
    return min(MAX_PSNR, 10 * math.log10(255.0**2 / error)) if error > 0 else MAX_PSNR


def ie(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the mean absolute difference in 0-255 units, the field's "IE"; arguments as `psnr`."""
    a, b = pair(prediction, target, data_range)
    return float(np.mean(np.abs(a - b)))


def ie_rms(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the root of the mean squared difference in 0-255 units; arguments as `psnr`."""
    a, b = pair(prediction, target, data_range)
    return math.sqrt(float(np.mean((a - b) ** 2)))
