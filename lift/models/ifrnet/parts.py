"""IFRNet's boxes: the pyramid of features, a decoder, and the three kinds of residual block.

Sources: Kong et al., "IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation", CVPR
2022, section 3.1, figure 3; IFRVP's light blocks: protocols section 7.

Legend: B samples, C a decoder's channels.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from lift.models.blocks import FlowDeconv, conv, prelu_conv


class Pyramid(nn.Module):
    """Features at 1/2, 1/4 …, two convolutions a level."""

    def __init__(self, widths: tuple[int, ...], first_kernel: int) -> None:
        """Build it with `widths` channels, finest level first."""
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(
                prelu_conv(inputs, outputs, stride=2, kernel=first_kernel if i == 0 else 3),
                prelu_conv(outputs, outputs),
            )
            for i, (inputs, outputs) in enumerate(pairwise((3, *widths)))
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to one map a level, finest first, (N, C_k, H/2^k, W/2^k)."""
        maps = []
        for level in self.levels:
            image = level(image)
            maps.append(image)
        return maps


class Decoder(nn.Sequential):
    """Refines what a level knows and enlarges it: flows (the first 4 outputs), features for the next."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, *, block: str, side: int, still: int = 4
    ) -> None:
        """Build it.

        Args:
            inputs: Channels in.
            hidden: C, inside.
            outputs: Channels out, at twice the size.
            block: A key of BLOCKS.
            side: Side channels of the block that has some.
            still: Outputs that start at zero.
        """
        super().__init__(
            prelu_conv(inputs, hidden), *BLOCKS[block](hidden, side), FlowDeconv(hidden, outputs, still)
        )


class SideBlock(nn.Module):
    """IFRNet's: the second and fourth convolution see the last `side` channels alone."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.wide = nn.ModuleList(prelu_conv(width, width) for _ in range(2))
        self.narrow = nn.ModuleList(prelu_conv(side, side) for _ in range(2))
        self.last = conv(width, width)
        self.activation = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        y = x
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            y = wide(y)
            kept, seen = y[:, : -self.side], y[:, -self.side :]
            y = torch.cat((kept, narrow(seen)), dim=1)
        result: Tensor = self.activation(x + self.last(y))
        return result


class ThirdsBlock(nn.Module):
    """IFRNet_T's: after a convolution of all channels one of the first third, one of two thirds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        third = width // 3
        self.first = prelu_conv(width, width)
        self.partial = nn.ModuleList(prelu_conv(part, part) for part in (third, 2 * third))
        self.parts = (third, 2 * third)
        self.last = conv(width, width)
        self.activation = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        y = self.first(x)
        for part, layer in zip(self.parts, self.partial, strict=True):
            y = torch.cat((layer(y[:, :part]), y[:, part:]), dim=1)
        result: Tensor = self.activation(x + self.last(y))
        return result


class ElanBlock(nn.Module):
    """IFRNet_ELAN's: a third passes, one goes through 2 convolutions, one through 4; all are joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        third = width // 3
        self.split = [width - 2 * third, third, third]
        self.two = nn.ModuleList(prelu_conv(third, third) for _ in range(2))
        self.four = nn.ModuleList(prelu_conv(third, third) for _ in range(4))
        self.join = conv(self.split[0] + 6 * third, width, kernel=1)  # 7·C/3 channels
        self.activation = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        passed, *parts = torch.split(x, self.split, dim=1)
        stages = [passed]
        for part, chain in zip(parts, (self.two, self.four), strict=True):
            for layer in chain:
                part = layer(part)
                stages.append(part)
        result: Tensor = self.activation(x + self.join(torch.cat(stages, dim=1)))
        return result


BLOCKS: dict[str, Callable[[int, int], list[nn.Module]]] = {
    "side": lambda width, side: [SideBlock(width, side)],
    "thirds": lambda width, side: [ThirdsBlock(width)],
    "elan": lambda width, side: [ElanBlock(width), ElanBlock(width)],
}
"""By name in the configuration: the blocks of a decoder of `width` channels, `side` of them side channels."""
