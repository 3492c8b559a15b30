"""Losses of two frames (B, 3, H, W), RGB in [0, 1]: a scalar each, 0 for equal frames where nothing is said.

Sources: Charbonnier et al., ICIP 1994; census, UnFlow, Meister et al., AAAI 2018, section 3.2; Laplacian
pyramid, Niklaus & Liu, "Context-aware Synthesis", CVPR 2018, section 3.3, and Burt & Adelson 1983; frequency,
Cho et al., "MIMO-UNet", ICCV 2021, equation 4.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.ops.census import census_distance
from lift.ops.resize import resize

EPSILON = 1e-3  # Lai et al., "LapSRN", CVPR 2017, equation 5; half of an 8-bit level is 2e-3
WINDOW = 7  # pixels: of the census
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
LEVELS = 5  # Niklaus & Liu; the last holds what no band does, so that equal loss 0 means equal frames
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # Burt & Adelson's low-pass filter, a = 0.375
SMALLEST = 2  # pixels: a side of 1 cannot be halved


def l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of |prediction - target|, any one shape for both."""
    return (prediction - target).abs().mean()


def charbonnier(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of √((prediction - target)² + ε²), any one shape for both.

    As L1 for large errors, as a square for those below ε; its least value, at equality, is ε and not 0.
    """
    return torch.sqrt((prediction - target) ** 2 + EPSILON**2).mean()


def census(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean soft share, 0 to below 1, of neighbours in which the frames' ternary signs differ.

    Over pixels whose whole window of 7 x 7 lies in the frame; see lift/ops/census.py.
    """

    def grey(frame: Tensor) -> Tensor:  # 0-255, the units of the soft sign, (B, 1, H, W)
        return torch.einsum("bchw,c->bhw", frame, frame.new_tensor(LUMA))[:, None] * 255

    return census_distance(grey(prediction), grey(target), WINDOW)


def frequency(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean modulus of the difference of two frames' spectra.

    Fine detail counts as much as broad surfaces, though it holds little of a picture's energy; where the
    error sits in the frame makes no difference. The transform is orthonormal, so values do not grow with the
    frame.
    """
    # Linear, so one transform does; real input, so half the spectrum tells all.
    spectrum: Tensor = torch.fft.rfft2(prediction - target, norm="ortho")
    loss: Tensor = spectrum.abs().mean()
    return loss


def laplacian(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the sum over bands of the mean absolute difference of two frames in that band.

    A mean per band, as in the field, gives a pixel of each coarser band the weight of four of the finer. A
    small crop has as many bands as fit, at most 5.
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


FRAME_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "charbonnier": charbonnier,
    "census": census,
    "laplacian": laplacian,
    "frequency": frequency,
}
"""By name in the configuration."""
