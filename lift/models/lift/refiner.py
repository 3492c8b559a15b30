"""Stage 5: refinement at full resolution (specification section 3.5).

Legend: B samples, C1 and C4 the encoder's widths at s1 and s4 (32, 128).
"""

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import conv, zero_conv
from lift.models.lift.blocks import ResBlock
from lift.models.lift.options import GROUPS
from lift.ops.resize import resize


class Refiner(nn.Module):
    """Adds what full-resolution features of the references know to the enlarged coarse frame."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.reduce = reduction(model)
        self.network = refiner_network(3 + 2 * model.widths[0], model)  # 3 + 32 + 32 = 67

    def forward(self, coarse: Tensor, features: Tensor) -> Tensor:
        """Make the frame.

        Args:
            coarse: (B, 3, H/4, W/4).
            features: All references at −1 of the batch, then all at +1: s1 (2·B, C1, H, W), or s4
                (2·B, C4, H/4, W/4) in the earlier design.

        Returns:
            (B, 3, H, W), float32 or wider, not clamped.
        """
        enlarged = resize(coarse, 4)
        before, after = full_size(self.reduce, features).chunk(2)
        residual: Tensor = self.network(torch.cat((enlarged, before, after), dim=1))
        return enlarged + residual


def refiner_network(inputs: int, model: Model) -> nn.Sequential:
    """Make the network from (B, inputs, H, W) to (B, 3, H, W), H and W even; it starts as nothing.

    With `refiner_stride: 2` all but the last layer works at half the resolution, on a quarter of the pixels,
    and gives full-resolution detail as channels (Shi et al., "Sub-pixel Convolution", CVPR 2016).
    """
    first, last = model.refiner_widths
    stride = model.refiner_stride
    enlarge = [nn.PixelShuffle(stride)] if stride > 1 else []
    return nn.Sequential(
        conv(inputs, first, stride=stride),
        nn.GroupNorm(GROUPS, first),
        nn.ReLU(inplace=True),
        *(ResBlock(first) for _ in range(model.refiner_blocks)),
        conv(first, last * stride**2),
        nn.GroupNorm(GROUPS // 2, last * stride**2),
        nn.ReLU(inplace=True),
        *enlarge,
        zero_conv(last, 3),
    )


def reduction(model: Model) -> nn.Conv2d | None:
    """Make what takes s4 to the channels of s1 in the earlier design, `use_s1: false`; None with s1."""
    return None if model.use_s1 else nn.Conv2d(model.widths[2], model.widths[0], 1)


def full_size(reduce: nn.Conv2d | None, features: Tensor) -> Tensor:
    """Return full-resolution features: s1 as it is, or s4 (N, C4, H/4, W/4) reduced and enlarged.

    Args:
        reduce: The model's `reduction`.
        features: s1 (N, C1, H, W), or s4.

    Returns:
        (N, C1, H, W).
    """
    return features if reduce is None else resize(reduce(features), 4)
