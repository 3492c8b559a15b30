"""PSNR and the interpolation error (Baker et al. 2011, section 4.2), on 8-bit rounded frames."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lift.metrics.quantise import pair

# dB; of identical frames, where the formula gives infinity and no mean over clips would exist.
MAX_PSNR = 100.0


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


def ie_where(prediction: Tensor, target: Tensor, chosen: NDArray[np.bool_], *, data_range: float) -> float:
    """Return `ie` over the pixels `chosen`, (H, W), alone; 0 where there are none; the rest as `psnr`."""
    a, b = pair(prediction, target, data_range)
    return float(np.mean(np.abs(a - b)[:, chosen])) if chosen.any() else 0.0


def edges(target: Tensor, share: float, *, data_range: float) -> NDArray[np.bool_]:
    """Return where brightness is steepest: the `share` of pixels of largest Sobel gradient, bool (H, W).

    Args:
        target: (3, H, W), values 0 to `data_range`.
        share: Of all pixels, 0 to 1; those that are as steep as the last count as well.
        data_range: The value of white.
    """
    luma = (target.float().mean(dim=0) / data_range).cpu().numpy()
    steep = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    least = np.partition(steep.reshape(-1), int((1 - share) * (steep.size - 1)))[
        int((1 - share) * (steep.size - 1))
    ]
    return np.asarray(steep >= max(float(least), np.finfo(np.float32).tiny), np.bool_)
