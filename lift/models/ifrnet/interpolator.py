"""IFRNet and its variants: flow and an intermediate feature refined together from coarse to fine; two frames.

For interpolation, and for prediction as IFRVP (Real-Time Video Prediction with Fast Video Interpolation Model
and Prediction Training, ICIP 2024): the same network, whose references lie before the missing frame and whose
input of time says how far.

Source: Kong et al., "IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation", CVPR
2022, section 3; IFRVP's light variants: protocols section 7. Beside the paper: flows, mask
and residual start at zero, as LIFT's do, so that the untrained model is the average of its references; and
the distillation of flows that another network has estimated is left out, since none of the compared models
may have one.

Legend: B samples; − and + the references; level k: 1/2^k of the resolution, C_k its channels; φ_t the
intermediate feature; C a decoder's channels.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import FLOWS, FlowDeconv, blended, conv, narrowed, prelu_conv, time_channel
from lift.models.interface import Interpolator, Output
from lift.models.lineup import two_references
from lift.ops.census import census_distance
from lift.ops.pad import pad_to_multiple
from lift.ops.resize import resize_flow
from lift.ops.warp import warp_references

WINDOW = 3  # of the geometry loss: Kong et al., section 3.3


class IfrNet(Interpolator):
    """A pyramid shared by the references, and a decoder a level."""

    def __init__(self, model: Model) -> None:
        """Build the model that `model.ifrnet` describes."""
        super().__init__()
        options = model.ifrnet
        widths = narrowed(options.widths, options.factor)
        self.multiple = max(2 ** len(widths), 4)  # 4: what is given at a quarter is whole
        self.pyramid = Pyramid(widths, options.first_kernel)
        # Coarsest first. It sees both references and the time; the others φ_t, both warped, and two flows.
        finer, final = widths[-2::-1], FLOWS + 1 + 3  # flows, mask, residual
        inputs = [2 * widths[-1] + 1, *(3 * width + FLOWS for width in finer)]
        hidden = [2 * widths[-1], *(3 * width for width in finer)]
        outputs = [*(FLOWS + width for width in finer), final]
        still = [*(FLOWS for _ in finer), final]  # what starts at zero
        make = BLOCKS[options.block]
        self.decoders = nn.ModuleList(
            nn.Sequential(prelu_conv(i, width), *make(width, widths[0]), FlowDeconv(width, o, zeros))
            for i, width, o, zeros in zip(inputs, hidden, outputs, still, strict=True)
        )

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        references, time = two_references(frames, offsets, valid, self.task)  # (2, B, 3, H, W), (B,)
        mean = references.mean(dim=(0, 2, 3, 4))[:, None, None, None]  # (B, 1, 1, 1)
        both, size = pad_to_multiple((references - mean).flatten(0, 1), self.multiple)

        # 1. the references' features, finest level first
        features = self.pyramid(both)  # each (2·B, C_k, H/2^k, W/2^k)

        # 2. flow and φ_t together, coarsest level first
        flow, intermediate, last = self._decoded(features, time)

        # 3. synthesis at full resolution
        mask, residual = torch.sigmoid(last[:, :1]), last[:, 1:]
        merged = blended(mask, *warp_references(both, flow).chunk(2)) + mean

        auxiliary = None
        if target is not None:
            auxiliary = {"geometry": self._geometry(intermediate, target - mean)}
        return self.full_output(merged + residual, flow, mask, size, coarse=merged, auxiliary=auxiliary)

    def _decoded(self, features: list[Tensor], time: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        """Run the decoders: flow (B, 4, H, W), φ_t of all but the coarsest level (finest first), the rest."""
        before, after = features[-1].chunk(2)
        x = self.decoders[0](torch.cat((before, after, time_channel(time, before)), dim=1))
        flow, rest = x[:, :FLOWS], x[:, FLOWS:]
        intermediate: list[Tensor] = []
        for decoder, level in zip(list(self.decoders)[1:], features[-2::-1], strict=True):
            intermediate.insert(0, rest)
            warped = warp_references(level, flow).chunk(2)
            x = decoder(torch.cat((rest, *warped, flow), dim=1))
            flow = x[:, :FLOWS] + resize_flow(flow, 2)
            rest = x[:, FLOWS:]
        return flow, intermediate, rest

    def _geometry(self, intermediate: list[Tensor], truth: Tensor) -> Tensor:
        """Compare φ_t with the true frame's features by the census of each channel (section 3.3)."""
        wanted = self.pyramid(pad_to_multiple(truth, self.multiple)[0])
        distances = [
            census_distance(_planes(found), _planes(true), WINDOW)
            for found, true in zip(intermediate, wanted[:-1], strict=True)
        ]
        return torch.stack(distances).sum()


create = IfrNet


def _planes(features: Tensor) -> Tensor:
    """Return each channel as a map of its own, (B·C, 1, H + 2, W + 2), edges repeated for whole windows."""
    return F.pad(features.flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")


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
"""Residual blocks of a decoder by name: of `width` channels, `side` of them side channels."""
