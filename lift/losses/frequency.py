"""The frequency loss: L1 of the Fourier transform (Cho et al., "MIMO-UNet", ICCV 2021, equation 4)."""

import torch
from torch import Tensor


def frequency(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean modulus of the difference of two frames' spectra.

    Fine detail counts as much as broad surfaces, though it holds little of a picture's energy; where the
    error sits in the frame makes no difference.

    Args:
        prediction: (B, 3, H, W).
        target: The same.

    Returns:
        A scalar; 0 is equal. The transform is orthonormal, so values do not grow with the frame.
    """
    # Linear, so one transform does; real input, so half the spectrum tells all.
    spectrum: Tensor = torch.fft.rfft2(prediction - target, norm="ortho")
    loss: Tensor = spectrum.abs().mean()
    return loss
