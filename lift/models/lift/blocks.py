"""Small parts that several of LIFT's boxes share, and the encoding of a frame's position in time."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from lift.models.blocks import SLOPE, conv
from lift.models.lift.options import GROUPS

BASE = 10_000.0  # of the encoding: specification section 3.1


def leaky_convs(*widths: int, stride: int = 1) -> nn.Sequential:
    """Chain conv 3x3 + LeakyReLU from width to width, the first with `stride` (specification section 3.1)."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        # In place: the backward pass of neither the convolution nor LeakyReLU needs what is overwritten.
        layers += [conv(inputs, outputs, stride=stride if i == 0 else 1), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*layers)


class FlowConv(nn.Conv2d):
    """The 3x3 convolution that ends a flow head: starts at zero, and takes no part in autocast.

    A bfloat16 flow of 30 pixels would come in steps of an eighth of a pixel.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W) without autocast."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight.dtype))


class ResBlock(nn.Module):
    """x + GroupNorm(conv(ReLU(GroupNorm(conv(x))))), all 3x3 (specification section 3.3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            conv(width, width),
            nn.GroupNorm(GROUPS, width),
            nn.ReLU(inplace=True),
            conv(width, width),
            nn.GroupNorm(GROUPS, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        residual: Tensor = self.branch(x)
        return x + residual


def sinusoidal(position: Tensor, channels: int) -> Tensor:
    """Encode positions: PE[2j] = sin(k / 10000^(2j/C)), PE[2j+1] = cos(k / 10000^(2j/C)).

    Of positions k, (N,), in frames of the window, so that the missing frame's gap shows: (N, C), float32.
    Sources: specification section 3.1; Vaswani et al. 2017, section 3.5.
    """
    even = torch.arange(0, channels, 2, dtype=torch.float32, device=position.device)
    angle = position.float()[:, None] / BASE ** (even / channels)  # (N, ⌈C/2⌉)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :channels]


def add_position(features: Tensor, position: Tensor) -> Tensor:
    """Add to each frame's features (N, C, H, W) the encoding of its position k, (N,), in their type."""
    code = sinusoidal(position, features.shape[1]).to(features.dtype)
    return features + code[:, :, None, None]
