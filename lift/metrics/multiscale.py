"""MS-SSIM (Wang, Simoncelli and Bovik, Asilomar 2003), the measure of the field's prediction tables.

Contrast and structure are compared at every scale and luminance at the coarsest alone, per channel, on 8-bit
rounded frames; a scale halves the one before by averaging 2 × 2 pixels.
"""

import numpy as np
from torch import Tensor

from lift.metrics.quantise import pair
from lift.metrics.similarity import C1, C2, RADIUS, Map, filtered

WEIGHTS = (
    0.0448,
    0.2856,
    0.3001,
    0.2363,
    0.1333,
)  # of the scales, finest first: Wang et al. 2003, section 3.2
WINDOW = 2 * RADIUS + 1


def ms_ssim(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the multi-scale structural similarity of a frame: per channel, averaged; 1 is equal.

    The published five scales need frames of 176 pixels a side. On smaller ones as many are used as the window
    of 11 pixels fits into, with their weights enlarged to sum to 1: such a value compares with others of the
    same size alone.

    Args:
        prediction: (3, H, W), values 0 to `data_range`, at least 11 × 11; rounded to 8 bits here.
        target: The same.
        data_range: The value of white.

    Raises:
        ValueError: The frames differ in shape, are not finite or too small.
    """
    first, second = pair(prediction, target, data_range)
    count = scales(min(first.shape[1:]))
    if not count:
        raise ValueError(f"MS-SSIM's window has {WINDOW} pixels, the frame only {first.shape[1:]}")
    weights = np.array(WEIGHTS[:count])
    if count < len(WEIGHTS):  # the published ones are used as they are, though they sum to 1.0001
        weights /= weights.sum()
    pairs = zip(first, second, strict=True)
    return float(np.mean([np.prod(_factors(a / 255.0, b / 255.0, count) ** weights) for a, b in pairs]))


def scales(side: int) -> int:
    """Count the scales at which a frame, `side` pixels at its shorter side, holds the window; at most 5."""
    return sum(side >> level >= WINDOW for level in range(len(WEIGHTS)))


def _factors(a: Map, b: Map, count: int) -> Map:
    """Compare one channel at every scale, (count,); a negative correlation counts as none."""
    inner, found = slice(RADIUS, -RADIUS), []
    for level in range(count):
        mean_a, mean_b, squares, product = (m[inner, inner] for m in filtered(a, b))
        both, means = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
        similarity = (2 * (product - both) + C2) / (squares - means + C2)
        if level == count - 1:
            similarity = similarity * (2 * both + C1) / (means + C1)
        found.append(max(float(similarity.mean()), 0.0))
        a, b = _halved(a), _halved(b)
    return np.array(found)


def _halved(x: Map) -> Map:
    height, width = (side // 2 for side in x.shape)
    means: Map = x[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
    return means
