"""PSNR, the interpolation error (Baker et al. 2011, section 4.2), edges, and means over clips.

Frames are (3, H, W), RGB, from 0 to `data_range`. Every metric of frames rounds to 8 bits, which is what a
viewer sees of a frame.
"""

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# dB; of identical frames, where the formula gives infinity and no mean over clips would exist.
MAX_PSNR = 100.0


def to_bytes(frame: Tensor, *, data_range: float) -> NDArray[np.float64]:
    """Round a frame to the 8-bit levels 0-255, half to even as `np.round` does, on the CPU.

    Rounding costs at most 0.01 dB of PSNR against floats, truncating would cost 0.03 dB (protocols section
    1.2). What lies outside of 0 to `data_range` is clamped, as in an 8-bit picture. Return whole numbers as
    float64, (3, H, W): sums of squares are exact.

    Raises:
        ValueError: It is no frame, or not finite.
    """
    if frame.ndim != 3 or frame.shape[0] != 3:
        raise ValueError(f"expected a frame of shape (3, H, W), found {tuple(frame.shape)}")
    values = frame.detach().cpu().float().numpy().astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a frame with values that are not finite")
    levels: NDArray[np.float64] = np.round(values * (255.0 / data_range)).clip(0.0, 255.0)
    return levels


def pair(
    prediction: Tensor, target: Tensor, data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Round two frames of one shape, (3, H, W), to 0-255.

    Raises:
        ValueError: Their shapes differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {tuple(prediction.shape)} and target {tuple(target.shape)} differ")
    return to_bytes(prediction, data_range=data_range), to_bytes(target, data_range=data_range)


def psnr(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio of a frame, dB, over all pixels and channels; higher is better.

    10 log10(255² / mean squared error), at most `MAX_PSNR`.

    Raises:
        ValueError: The frames differ in shape or are not finite.
    """
    a, b = pair(prediction, target, data_range)
    error = float(np.mean((a - b) ** 2))
    return min(MAX_PSNR, 10 * math.log10(255.0**2 / error)) if error > 0 else MAX_PSNR


def ie(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the mean absolute difference in 0-255 units, the field's "IE"."""
    a, b = pair(prediction, target, data_range)
    return float(np.mean(np.abs(a - b)))


def ie_rms(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the root of the mean squared difference in 0-255 units."""
    a, b = pair(prediction, target, data_range)
    return math.sqrt(float(np.mean((a - b) ** 2)))


def ie_where(prediction: Tensor, target: Tensor, chosen: NDArray[np.bool_], *, data_range: float) -> float:
    """Return `ie` over the pixels `chosen`, (H, W), alone; 0 where there are none."""
    a, b = pair(prediction, target, data_range)
    return float(np.mean(np.abs(a - b)[:, chosen])) if chosen.any() else 0.0


def edges(target: Tensor, share: float, *, data_range: float) -> NDArray[np.bool_]:
    """Return where brightness is steepest: the `share` of pixels of largest Sobel gradient, bool (H, W).

    `share` is 0 to 1 of all pixels; those that are as steep as the last count as well.
    """
    luma = (target.float().mean(dim=0) / data_range).cpu().numpy()
    steep = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    place = int((1 - share) * (steep.size - 1))
    least = np.partition(steep.reshape(-1), place)[place]
    return np.asarray(steep >= max(float(least), np.finfo(np.float32).tiny), np.bool_)


class Means:
    """The mean of per-clip values by name; a clip without a value for a name does not count for that name.

    The mean of per-clip PSNR, not the PSNR of the pooled error: that is what the field's papers report.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def update(self, values: Mapping[str, float | None]) -> None:
        """Add one clip's values; None: the clip has none."""
        for name, value in values.items():
            if value is not None:
                self._values.setdefault(name, []).append(value)

    def compute(self) -> dict[str, float]:
        """Return the mean of every name that had a value; the order of clips does not matter."""
        return {name: math.fsum(values) / len(values) for name, values in self._values.items()}
