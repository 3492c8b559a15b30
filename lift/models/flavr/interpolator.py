"""A multi-frame baseline after FLAVR: a U-Net of 3-D convolutions, no flow, uniform frames.

Source: Kalluri et al., "FLAVR: Flow-Agnostic Video Representations for Fast Frame Interpolation", WACV 2023,
section 3: a ResNet-3D-18 without strides in time, feature gating, and a decoder of transposed convolutions.

Absent frames: after the mean of the present frames has been subtracted they are zeros, and a fourth input
channel tells present (1) from absent (0), since the specification forbids filling with copies. The published
model has no such channel: it is 0.02 % of the parameters, and zeros alone would be a grey frame like any
other. Its convolutions pad with zeros where the published last one mirrors.

Legend: B samples, T frames, C channels.
"""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model, window
from lift.models.blocks import narrowed
from lift.models.interface import Interpolator, Output
from lift.models.lineup import pick_present, two_references
from lift.ops.pad import crop_to, pad_to_multiple

SLOPE = 0.2  # of the decoder's LeakyReLU: FLAVR's published code
REDUCTION = 8  # of the deepest stage
Triple = tuple[int, int, int]  # time, height, width
Layer = TypeVar("Layer", nn.Conv2d, nn.Conv3d)


class Flavr(Interpolator):
    """Encoder, decoder and a fusion of all times into one frame."""

    multiple = REDUCTION

    def __init__(self, model: Model) -> None:
        """Build the model that `model.flavr` describes."""
        super().__init__()
        options = model.flavr
        self.offsets = window(options.inputs // 2, options.inputs // 2, "uniform")
        a, b, c, d = narrowed(options.widths, options.factor)
        half = (1, 2, 2)
        self.stem = _conv3d(4, a, (3, 7, 7), half)
        self.stages = nn.ModuleList(
            nn.Sequential(Residual(i, o, stride), Residual(o, o, (1, 1, 1)))
            for i, o, stride in ((a, a, (1, 1, 1)), (a, b, half), (b, c, half), (c, d, (1, 1, 1)))
        )
        self.up = nn.ModuleList(
            (
                nn.Sequential(_conv3d(d, c), Gate(c)),
                nn.Sequential(_deconv3d(2 * c, b), Gate(b)),
                nn.Sequential(_deconv3d(2 * b, a), Gate(a)),
                nn.Sequential(_conv3d(2 * a, a), Gate(a)),
                nn.Sequential(_deconv3d(2 * a, a), Gate(a)),
            )
        )
        self.fuse = _started(nn.Conv2d(a * len(self.offsets), a, 1))
        self.last = nn.Conv2d(a, 3, 7, padding=3)

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        two_references(frames, offsets, valid, self.task)  # refuses a clip without
        seen, present = pick_present(frames, offsets, valid, self.offsets)
        size = (frames.shape[3], frames.shape[4])

        # 1. mean colour of the present frames away, absent frames zero, and which is which
        there = present[:, :, None, None, None]
        mean = seen.mean(dim=(3, 4), keepdim=True).sum(dim=1, keepdim=True) / there.sum(dim=1, keepdim=True)
        flag = there.to(seen.dtype).expand(-1, -1, 1, *size)
        x = torch.cat(((seen - mean) * there, flag), dim=2)  # (B, T, 4, H, W)
        x, _ = pad_to_multiple(x.flatten(0, 1), self.multiple)
        x = x.view(*present.shape, *x.shape[1:]).transpose(1, 2)  # (B, 4, T, H, W)

        # 2. encoder, keeping each stage
        maps = [F.relu(self.stem(x))]  # 1/2
        for stage in self.stages:  # 1/2, 1/4, 1/8, 1/8
            maps.append(stage(maps[-1]))

        # 3. decoder, joined by the stage of its size
        x = maps.pop()
        for layer in self.up:
            x = F.leaky_relu(layer(x), SLOPE)
            if maps:
                x = torch.cat((x, maps.pop()), dim=1)

        # 4. all times into one frame
        x = F.leaky_relu(self.fuse(x.transpose(1, 2).flatten(1, 2)), SLOPE)  # (B, C, H, W)
        return Output(self.shown(crop_to(self.last(x), size) + mean[:, 0], size))


create = Flavr


class Gate(nn.Module):
    """Feature gating: each channel times a sigmoid of all channels' means (Kalluri et al., section 3.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T, H, W) to the same shape."""
        weight = torch.sigmoid(self.weigh(x.mean(dim=(2, 3, 4))))
        return x * weight[:, :, None, None, None]


class Residual(nn.Module):
    """Two 3x3x3 convolutions and a gate, added to the input."""

    def __init__(self, inputs: int, outputs: int, stride: Triple) -> None:
        super().__init__()
        self.first = _conv3d(inputs, outputs, stride=stride)
        self.second = _conv3d(outputs, outputs)
        self.gate = Gate(outputs)
        plain = inputs == outputs and stride == (1, 1, 1)
        self.shortcut = None if plain else _started(nn.Conv3d(inputs, outputs, 1, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, T, H, W) to (B, outputs, T, H/stride, W/stride)."""
        y = self.gate(self.second(F.relu(self.first(x))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def _conv3d(inputs: int, outputs: int, kernel: Triple = (3, 3, 3), stride: Triple = (1, 1, 1)) -> nn.Conv3d:
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return _started(nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=padding))


def _deconv3d(inputs: int, outputs: int) -> nn.ConvTranspose3d:
    """Make a transposed convolution that doubles height and width."""
    return nn.ConvTranspose3d(inputs, outputs, (3, 4, 4), stride=(1, 2, 2), padding=1)


def _started(layer: Layer) -> Layer:
    """Start a convolution for a rectifier behind it (He et al. 2015, equation 15)."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
