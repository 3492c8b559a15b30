"""Small parts that several families of models share."""

import torch
from torch import Tensor, nn

from lift.ops.resize import resize

SLOPE = 0.1
"""Negative slope of LeakyReLU. The specification gives none; this is that of flow networks (PWC-Net, Sun et
al. 2018) and close to the mean, 0.14, of the slopes that RIFE learnt in the layers whose weights the encoder
can load."""

FLOWS = 4  # channels of two flows of two components


def conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    """Make a convolution that keeps the size (over `stride`), started for a rectifier behind it.

    PyTorch's default start shrinks the signal at every layer: after the encoder's nine the frame would be
    drowned by the positional encoding that is added there.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)  # He et al. 2015, equation 15
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def zero_conv(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3x3 convolution that starts at zero: a residual branch that ends in it starts as nothing."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


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


def narrowed(widths: tuple[int, ...], factor: float, multiple: int = 1) -> tuple[int, ...]:
    """Multiply widths by `factor`, rounded to a multiple of `multiple` and not below it."""
    return tuple(max(multiple, multiple * round(width * factor / multiple)) for width in widths)


def time_channel(time: Tensor, features: Tensor) -> Tensor:
    """Return the channel of the target's time (B,), which is (B, 1, H, W) beside features (B, C, H, W)."""
    return time.to(features.dtype).view(-1, 1, 1, 1).expand_as(features[:, :1])


def shrunk(x: Tensor, scale: float) -> Tensor:
    """Make maps (B, C, H, W) `scale` times smaller."""
    return x if scale == 1 else resize(x, 1 / scale)


def blended(mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Blend two frames (B, 3, H, W) by the first one's share, (B, 1, H, W)."""
    return mask * first + (1 - mask) * second
