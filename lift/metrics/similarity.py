"""Two kinds of SSIM (Wang et al. 2004), always named, the standard one and the field's; and MS-SSIM.

The field's reads 0.03-0.10 higher. Both use a Gaussian window of 11 pixels with sigma 1.5 and K = 0.01,
0.03, on 8-bit rounded frames (protocols section 1.2). They filter with OpenCV in float64: equal to
scikit-image to 1e-9, and at 96 × 128 in 0.8 ms against its 2.1. Frames are (3, H, W), RGB, from 0 to
`data_range`.

MS-SSIM (Wang, Simoncelli and Bovik, Asilomar 2003) is the measure of the field's prediction tables. Contrast
and structure are compared at every scale and luminance at the coarsest alone, per channel; a scale halves the
one before by averaging 2 × 2 pixels.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lift.metrics.error import pair

RADIUS, SIGMA = 5, 1.5
WINDOW = 2 * RADIUS + 1
C1, C2 = 0.01**2, 0.03**2  # for a data range of 1
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of MS-SSIM's scales, finest first: Wang et al. 2003, section 3.2."""

Map = NDArray[np.float64]


def ssim(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the structural similarity of a frame: per channel, averaged; 1 is equal, higher is better.

    Equals scikit-image's `structural_similarity` with channel_axis, gaussian_weights, sigma 1.5 and
    use_sample_covariance=False; the mean leaves out a border of 5 pixels, where the window would leave the
    frame.

    Raises:
        ValueError: The frames differ in shape, are not finite or too small.
    """
    return _standard(_moments(prediction, target, data_range))


def ssim_matlab(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the field's structural similarity, to compare with published rows only.

    The RGB frame is one volume of depth 3, the window is 11 × 11 × 11, and all three axes, colour too, are
    padded by repeating the edge; the mean is over all pixels.
    """
    return _of_the_field(_moments(prediction, target, data_range))


def both_ssims(prediction: Tensor, target: Tensor, *, data_range: float) -> dict[str, float]:
    """Return `ssim` and `ssim_matlab` by name, from moments that are filtered once."""
    channels = list(_moments(prediction, target, data_range))
    return {"ssim": _standard(channels), "ssim_matlab": _of_the_field(channels)}


def ms_ssim(prediction: Tensor, target: Tensor, *, data_range: float) -> float:
    """Return the multi-scale structural similarity of a frame: per channel, averaged; 1 is equal.

    The published five scales need frames of 176 pixels a side. On smaller ones as many are used as the window
    of 11 pixels fits into, with their weights enlarged to sum to 1: such a value compares with others of the
    same size alone.

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


def _standard(channels: Iterable[list[Map]]) -> float:
    inner = slice(RADIUS, -RADIUS)
    return float(np.mean([_index(*(m[inner, inner] for m in moments)).mean() for moments in channels]))


def _of_the_field(channels: Iterable[list[Map]]) -> float:
    by_channel = list(channels)
    values = []
    for row in _colour_mix():
        mixed = (np.tensordot(row, maps, axes=1) for maps in zip(*by_channel, strict=True))
        values.append(_index(*mixed).mean())
    return float(np.mean(values))


def _moments(prediction: Tensor, target: Tensor, data_range: float) -> Iterator[list[Map]]:
    """Yield per channel a, b, a² + b² and ab, filtered in the plane with edges repeated, each (H, W).

    Channel by channel, since what fits the processor's cache is filtered several times as fast.
    """
    first, second = pair(prediction, target, data_range)
    if min(first.shape[1:]) <= 2 * RADIUS:
        raise ValueError(f"SSIM's window has 11 pixels, the frame only {first.shape[1]} × {first.shape[2]}")
    for a, b in zip(first, second, strict=True):
        yield _filtered(a / 255.0, b / 255.0)


def _filtered(a: Map, b: Map) -> list[Map]:
    """Return a, b, a² + b² and ab of two channels (H, W), in [0, 1], each filtered with the window."""
    kernel, edge = _gaussian(), cv2.BORDER_REPLICATE
    maps = (a, b, a * a + b * b, a * b)
    return [cv2.sepFilter2D(x, cv2.CV_64F, kernel, kernel, borderType=edge) for x in maps]


def _index(mean_a: Map, mean_b: Map, squares: Map, product: Map) -> Map:
    """Return SSIM per pixel from the four filtered moments (equation 13 of Wang et al.)."""
    both, means = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    similarity: Map = ((2 * both + C1) * (2 * (product - both) + C2)) / (
        (means + C1) * (squares - means + C2)
    )
    return similarity


def _gaussian() -> Map:
    """Return the window's 11 weights, which sum to 1."""
    weights = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    normalised: Map = weights / weights.sum()
    return normalised


def _colour_mix() -> Map:
    """Return the window along the colour axis, edges repeated, as a matrix (3, 3) over the channels."""
    mix = np.zeros((3, 3))
    for channel in range(3):
        for step, weight in enumerate(_gaussian(), start=channel - RADIUS):
            mix[channel, min(max(step, 0), 2)] += weight
    return mix


def _factors(a: Map, b: Map, count: int) -> Map:
    """Compare one channel at every scale, (count,); a negative correlation counts as none."""
    inner, found = slice(RADIUS, -RADIUS), []
    for level in range(count):
        mean_a, mean_b, squares, product = (m[inner, inner] for m in _filtered(a, b))
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
