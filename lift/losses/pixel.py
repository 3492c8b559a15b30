"""Losses of single pixels: mean absolute error, and Charbonnier's smooth form of it."""

import torch
from torch import Tensor

EPSILON = 1e-3  # Lai et al., "LapSRN", CVPR 2017, equation 5; half of an 8-bit level is 2e-3


def l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of |prediction - target|, any one shape for both; a scalar."""
    return (prediction - target).abs().mean()


def charbonnier(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of √((prediction - target)² + ε²) (Charbonnier et al., ICIP 1994).

    As L1 for large errors, as a square for those below ε; its least value, at equality, is ε and not 0.
    """
    return torch.sqrt((prediction - target) ** 2 + EPSILON**2).mean()
