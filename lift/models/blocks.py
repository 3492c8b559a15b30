"""Small parts that several boxes of the model share."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from lift.config.schema import GROUPS

SLOPE = 0.1
"""Negative slope of LeakyReLU. The specification gives none; this is that of flow networks (PWC-Net, Sun et
al. 2018) and close to the mean, 0.14, of the slopes that RIFE learnt in the layers whose weights the encoder
can load."""


def conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    """Make a convolution that keeps the size (over `stride`), started for a rectifier behind it.

    PyTorch's default start shrinks the signal at every layer: after the encoder's nine the frame would be
    drowned by the positional encoding that is added there.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)  # He et al. 2015, equation 15
    return _without_bias(layer)


def _without_bias(layer: nn.Conv2d) -> nn.Conv2d:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def leaky_convs(*widths: int, stride: int = 1) -> nn.Sequential:
    """Chain conv 3x3 + LeakyReLU from width to width, the first with `stride` (specification section 3.1)."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        # In place: the backward pass of neither the convolution nor LeakyReLU needs what is overwritten.
        layers += [conv(inputs, outputs, stride=stride if i == 0 else 1), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*layers)


def zero_conv(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3x3 convolution that starts at zero: a residual branch that ends in it starts as nothing."""
    return zero(nn.Conv2d(inputs, outputs, 3, padding=1))


def zero(layer: nn.Conv2d) -> nn.Conv2d:
    """Set a convolution's weights to zero and give it back."""
    nn.init.zeros_(layer.weight)
    return _without_bias(layer)


class FlowConv(nn.Conv2d):
    """The 3x3 convolution that ends a flow head: starts at zero, and takes no part in autocast.

    A bfloat16 flow of 30 pixels would come in steps of an eighth of a pixel.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        zero(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W) without autocast."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight.dtype))


class FlowDeconv(nn.ConvTranspose2d):
    """The 4x4 transposed convolution that ends a flow head at twice its size; takes no part in autocast.

    Its first `still` outputs, flows among them, start at zero: an untrained model warps by nothing.
    """

    def __init__(self, inputs: int, outputs: int, still: int) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1)
        assert self.bias is not None
        with torch.no_grad():
            self.weight[:, :still] = 0
            self.bias[:still] = 0

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, 2·H, 2·W) without autocast."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight.dtype), output_size)


def prelu_conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Chain a convolution and PReLU with a slope per channel, as RIFE and IFRNet do throughout."""
    return nn.Sequential(conv(inputs, outputs, stride=stride, kernel=kernel), nn.PReLU(outputs))


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
