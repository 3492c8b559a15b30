"""Stage 3: flow and occlusion, from coarse (s8) to fine (s4).

Sources: specification section 3.3; after RIFE's IFNet, Huang et al. 2022, section 3.2.

Legend: B samples; − and + the references at offsets −1 and +1; C4, C8, C16 encoder widths (128, 192, 256).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import FLOWS, time_channel
from lift.models.lift.blocks import FlowConv, ResBlock, leaky_convs
from lift.models.lift.encoder import Pyramid
from lift.ops.resize import resize


class Motion(NamedTuple):
    """How the missing frame samples its references.

    Attributes:
        flow: target → reference, (B, 4, H/n, W/n), − then +, pixels of that resolution; n is 1, 2 or 4.
        occlusion: O, (B, 2, H/n, W/n), high = visible.
        frame: What the references give by it, (B, 3, H, W), where that is known already.
        warped: And the references warped by it, all − then all +, (2·B, 3, H, W).
    """

    flow: Tensor
    occlusion: Tensor
    frame: Tensor | None = None
    warped: Tensor | None = None


class FlowEstimator(nn.Module):
    """Two heads: the first estimates at s8, the second corrects at s4."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        _, _, c4, c8, c16 = model.widths
        self.logits = 2 if model.occlusion else 0
        outputs = FLOWS + self.logits
        # 192 + 192 + 256 + 1 = 641, and 128 + 128 + 256 + 4 + 2 + 1 = 519 at the specification's widths
        self.s8 = flow_head(2 * c8 + c16 + 1, model.flow_widths[0], model.flow_blocks[0], outputs)
        self.s4 = flow_head(2 * c4 + c16 + outputs + 1, model.flow_widths[1], model.flow_blocks[1], outputs)

    def forward(
        self, near: Pyramid, context8: Tensor, context4: Tensor, time: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Estimate how the missing frame samples its references.

        Args:
            near: Features of the references, all − of the batch, then all +.
            context8: F_ctx at s8, (B, C16, H/8, W/8).
            context4: F_ctx at s4, (B, C16, H/4, W/4).
            time: When the missing frame is, 0 at the first reference and 1 at the second, (B,); 1/2 halfway
                between them (specification section 3.3).

        Returns:
            flow (B, 4, H/4, W/4), target → reference, in s4 pixels, − then +, and occlusion weights
            (B, 2, H/4, W/4) in (0, 1), high = visible; 1/2 everywhere where the model has no occlusion maps.
            Both in the parameters' type whatever the autocast.
        """
        s8, s4 = side_by_side(near.s8), side_by_side(near.s4)
        # 1. coarse estimate at s8, (B, 6, H/8, W/8), at the resolution of s4
        maps = raised(self.s8(torch.cat((s8, context8, time_channel(time, s8)), dim=1)))
        # 2. correction at s4
        heard = (s4, context4, maps, time_channel(time, s4))
        delta = self.s4(torch.cat(heard, dim=1))  # (B, 6, H/4, W/4)
        # Added apart: of a part of a tensor with channels last, the sigmoid is computed with other last bits.
        flow, logits = maps[:, :FLOWS] + delta[:, :FLOWS], maps[:, FLOWS:] + delta[:, FLOWS:]
        # 3. the sigmoid comes only here, so that corrections add up as logits
        return flow, torch.sigmoid(logits) if self.logits else torch.full_like(flow[:, :2], 0.5)


def flow_head(inputs: int, width: int, blocks: int, outputs: int) -> nn.Sequential:
    """Make a head from (B, inputs, h, w) to flows and logits (B, outputs, h, w); it starts at zero."""
    residual = [ResBlock(width) for _ in range(blocks)]
    return nn.Sequential(leaky_convs(inputs, width), *residual, FlowConv(width, outputs))


def raised(maps: Tensor) -> Tensor:
    """Double the resolution: flows double in size and value, logits in size only."""
    larger = resize(maps, 2)
    return torch.cat((2 * larger[:, :FLOWS], larger[:, FLOWS:]), dim=1)


def side_by_side(features: Tensor) -> Tensor:
    """Put the references side by side: (2·B, C, H, W), all − then all +, becomes (B, 2·C, H, W)."""
    return torch.cat(features.chunk(2), dim=1)
