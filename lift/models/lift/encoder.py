"""Stage 1: the convolutional encoder shared by all frames (specification section 3.1).

Legend: N frames, C1 … C16 `model.widths`, (32, 64, 128, 192, 256) in the specification.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lift.models.lift.blocks import leaky_convs

CHUNK = 2**20
"""Pixels encoded at once where no features are kept for the gradient: bounds the memory that full-resolution
features of frames take from which only s16 is wanted. Changes nothing else."""


class Pyramid(NamedTuple):
    """Features of N frames.

    Attributes:
        s1: (N, C1, H, W).
        s4: (N, C4, H/4, W/4).
        s8: (N, C8, H/8, W/8).
        s16: (N, C16, H/16, W/16); None where the encoder was built without.
        s2: (N, C2, H/2, W/2); None but where the encoder was told to keep it.
    """

    s1: Tensor
    s4: Tensor
    s8: Tensor
    s16: Tensor | None
    s2: Tensor | None = None


class Encoded(NamedTuple):
    """The present frames of a batch after stage 1, without their positions in time.

    Attributes:
        references: The references' images, all − then all +, (2·B, 3, H, W).
        features: Of the references.
        s16: Of all N present frames, the references first, (N, C16, H/16, W/16); None where nothing uses it.
        small: The images of all N at half the size, (N, 3, H/2, W/2), likewise.
    """

    references: Tensor
    features: Pyramid
    s16: Tensor | None
    small: Tensor | None = None


class Encoder(nn.Module):
    """Nine 3x3 convolutions with LeakyReLU, in boxes named after the scale at which they end.

    Attributes:
        recompute: Keep no features of context frames for the backward pass but compute them anew in it, a few
            frames at a time: less memory for more time, and the same gradients.
    """

    def __init__(
        self, widths: tuple[int, int, int, int, int], *, deep: bool = True, keep_s2: bool = False
    ) -> None:
        """Build the encoder.

        Args:
            widths: Channels at s1, s2, s4, s8, s16.
            deep: Whether s16 is wanted; without context nothing uses it, and it would hold weights that never
                learn.
            keep_s2: Whether s2 is wanted.
        """
        super().__init__()
        c1, c2, c4, c8, c16 = widths
        self.s1 = leaky_convs(3, c1, c1)
        self.s2 = leaky_convs(c1, c2, c2, stride=2)
        self.s4 = leaky_convs(c2, c4, c4, stride=2)
        self.s8 = leaky_convs(c4, c8, c8, stride=2)
        self.s16 = leaky_convs(c8, c16, stride=2) if deep else None
        self.keep_s2 = keep_s2
        self.recompute = False

    def forward(self, frames: Tensor) -> Pyramid:
        """Encode frames (N, 3, H, W), H and W multiples of 16, at all scales."""
        s1 = self.s1(frames)  # (N, C1, H, W)
        s2 = self.s2(s1)  # (N, C2, H/2, W/2)
        s4 = self.s4(s2)  # (N, C4, H/4, W/4)
        s8 = self.s8(s4)  # (N, C8, H/8, W/8)
        return Pyramid(s1, s4, s8, None if self.s16 is None else self.s16(s8), s2 if self.keep_s2 else None)

    def deepest(self, frames: Tensor) -> Tensor:
        """Encode frames (N, 3, H, W) to s16 alone, (N, C16, H/16, W/16)."""
        if torch.is_grad_enabled() and not self.recompute:
            return _s16(self(frames))
        step = max(1, CHUNK // (frames.shape[2] * frames.shape[3]))
        return torch.cat([self._recomputed(chunk) for chunk in torch.split(frames, step)])

    def _recomputed(self, frames: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return _s16(self(frames))
        # Nothing here is random, so there is no random state to bring back.
        s16 = checkpoint(lambda x: _s16(self(x)), frames, use_reentrant=False, preserve_rng_state=False)
        assert isinstance(s16, Tensor)
        return s16


def _s16(pyramid: Pyramid) -> Tensor:
    if pyramid.s16 is None:
        raise ValueError("this encoder was built without s16")
    return pyramid.s16
