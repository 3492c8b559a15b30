"""Stage 1: the convolutional encoder shared by all frames (specification sections 3.1 and 3.6).

Legend: N frames, C1 … C16 `model.widths`, (32, 64, 128, 192, 256) in the specification.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lift.models.lift.blocks import leaky_convs
from lift.models.pretrained import LoadReport, Wanted, read_state, start

CHUNK = 2**20
"""Pixels encoded at once where no features are kept for the gradient: bounds the memory that full-resolution
features of frames take from which only s16 is wanted. Changes nothing else."""

SOURCES = {"s1": "conv0", "s2": "conv2", "s4": "conv3", "s8": "conv4"}
"""Block of ours <- block of RIFE's ContextNet; its conv1 has no counterpart, our s16 none there."""
LAYERS = {"0": "conv1.0", "2": "conv2.0"}
"""Convolution of a block of ours, between which stands an activation <- its own."""
CUT = "s8."  # the block that may be cut: 192 of 256 channels (specification section 3)
WANTED = Wanted(
    part="the encoder",
    file="RIFE v2.x's contextnet.pkl",
    key="model.pretrained",
    otherwise="these weights need model.widths [32, 64, 128, at most 256, any]",
)


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
        """Build the encoder; not `deep` where nothing uses s16, whose weights then would never learn."""
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
        """Encode frames (N, 3, H, W) to s16 alone, (N, C16, H/16, W/16); the encoder has it."""
        if torch.is_grad_enabled() and not self.recompute:
            return self._s16(frames)
        chunks = torch.split(frames, max(1, CHUNK // (frames.shape[2] * frames.shape[3])))
        if not torch.is_grad_enabled():
            return torch.cat([self._s16(chunk) for chunk in chunks])
        # Nothing here is random, so there is no random state to bring back.
        return torch.cat(
            [checkpoint(self._s16, chunk, use_reentrant=False, preserve_rng_state=False) for chunk in chunks]
        )

    def _s16(self, frames: Tensor) -> Tensor:
        found: Tensor = self(frames).s16
        return found


def load_rife_contextnet(encoder: Encoder, path: Path | str) -> LoadReport:
    """Start an encoder from RIFE v2.x's ContextNet (Huang et al. 2022, RIFE's repository).

    That is a chain of blocks `convK` of two 3x3 convolutions, `conv1` and `conv2`, each saved as
    `[module.]convK.conv1.0.weight|bias` with a PReLU slope in `…1.weight`. Its leading shapes are the
    encoder's; its strides and activations are not, so these weights are a start and no replica.

    Raises:
        UserError: The file is missing, truncated, no weights file, no ContextNet or an incomplete one, or
            holds values that are not finite; or the encoder's widths are not RIFE's.
    """
    path = Path(path)
    named = {
        f"{box}.{layer}.{kind}": f"{source}.{name}.{kind}"
        for box, source in SOURCES.items()
        for layer, name in LAYERS.items()
        for kind in ("weight", "bias")
    }
    own = dict(encoder.named_parameters())
    return start(path, read_state(path, WANTED), own, named, WANTED, cuttable=(CUT,))
