"""Stage 5: refinement at full resolution (specification section 3, stage 5).

Legend: B samples, C1 and C4 the encoder's widths at s1 and s4 (32, 128).
"""

import torch
from torch import Tensor, nn

from lift.config.schema import GROUPS, Model
from lift.models.blocks import ResBlock, conv, zero_conv
from lift.ops.resize import resize


class Refiner(nn.Module):
    """Adds what full-resolution features of the references know to the enlarged coarse frame."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        c1, _, c4, _, _ = model.widths
        first, last = model.refiner_widths
        # `use_s1: false`, the earlier design: s4 features, reduced to the channels of s1 and enlarged
        self.reduce = None if model.use_s1 else nn.Conv2d(c4, c1, 1)
        self.network = nn.Sequential(
            conv(3 + 2 * c1, first),  # 3 + 32 + 32 = 67
            nn.GroupNorm(GROUPS, first),
            nn.ReLU(inplace=True),
            *(ResBlock(first) for _ in range(model.refiner_blocks)),
            conv(first, last),
            nn.GroupNorm(GROUPS // 2, last),
            nn.ReLU(inplace=True),
            zero_conv(last, 3),
        )

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
        if self.reduce is not None:
            features = resize(self.reduce(features), 4)  # (2·B, C1, H, W)
        before, after = features.chunk(2)
        residual: Tensor = self.network(torch.cat((enlarged, before, after), dim=1))
        return enlarged + residual
