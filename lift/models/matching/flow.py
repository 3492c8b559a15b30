"""Stage 3 of the variant `flow: matching`: motion found by comparing the references, refined from s8 to s2.

The specification's heads see both references' features side by side, where they stand; that one is the
other, moved, they have to learn. Here it is given to them:

1. A search without anything learnt compares the references with each other and with the frames beyond them
   (search.py). All heads correct what it found.
2. At s8 and s4 the features come warped by the flow so far (Sun et al., "PWC-Net", CVPR 2018, section 3), and
   with them their similarity at p − d and p + d for every small motion d that may be left (bilateral cost
   volume: Park et al., "BMBC", ECCV 2020, section 3.1).
3. At s2 a last correction from warped features: half the frame's resolution instead of a quarter.

Legend: B samples; − and + the references at offsets −1 and +1; C2, C4, C8, C16 encoder widths (64, 128, 192,
256); K motions tried, (2·reach + 1)².
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.lift.flow import FLOWS, flow_head, side_by_side, time_channel
from lift.ops.resize import resize
from lift.ops.warp import warp_references


class MatchingFlow(nn.Module):
    """Three heads, the first two with similarities of the references."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        _, c2, c4, c8, c16 = model.widths
        self.logits = 2 if model.occlusion else 0
        outputs = FLOWS + self.logits
        options = model.matching
        self.similar8 = Similarity(c8, options.widths[0], options.reaches[0])
        self.similar4 = Similarity(c4, options.widths[1], options.reaches[1])
        self.s8 = flow_head(
            2 * c8 + self.similar8.motions + c16 + 1, model.flow_widths[0], model.flow_blocks[0], outputs
        )
        self.s4 = flow_head(
            2 * c4 + self.similar4.motions + c16 + outputs + 1,
            model.flow_widths[1],
            model.flow_blocks[1],
            outputs,
        )
        self.s2 = flow_head(2 * c2 + outputs, options.fine_width, options.fine_blocks, outputs)

    def forward(
        self,
        found: Tensor,
        seen: Tensor,
        s8: Tensor,
        s4: Tensor,
        s2: Tensor,
        context8: Tensor,
        context4: Tensor,
        time: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Estimate how the missing frame samples its references.

        Args:
            found: What the search found: flow to the references, (B, 4, H/2, W/2), − then +, s2 pixels.
            seen: And logits of their visibility, (B, 2, H/2, W/2).
            s8: Features of the references, all − of the batch, then all +, (2·B, C8, H/8, W/8).
            s4: The same, (2·B, C4, H/4, W/4).
            s2: The same, (2·B, C2, H/2, W/2).
            context8: F_ctx at s8, (B, C16, H/8, W/8).
            context4: F_ctx at s4, (B, C16, H/4, W/4).
            time: As for `FlowEstimator`: 1/2, for the search knows of interpolation alone.

        Returns:
            flow (B, 4, H/2, W/2), target → reference, in s2 pixels, − then +, and occlusion weights
            (B, 2, H/2, W/2) in (0, 1), high = visible; 1/2 everywhere where the model has no occlusion maps.
            Both in the parameters' type whatever the autocast.
        """
        # 1. coarse correction at s8; maps hold corrections of the flow, and the logits
        aligned = warp_references(s8, _reduced(found, 4))
        coarse = (side_by_side(aligned), self.similar8(aligned), context8, time_channel(time, context8))
        maps = _raised(self.s8(torch.cat(coarse, dim=1)))
        # 2. correction at s4
        aligned = warp_references(s4, _reduced(found, 2) + maps[:, :FLOWS])
        also = (side_by_side(aligned), self.similar4(aligned), context4, maps, time_channel(time, context4))
        maps = _raised(maps + self.s4(torch.cat(also, dim=1)))
        # 3. correction at s2
        aligned = warp_references(s2, found + maps[:, :FLOWS])
        maps = maps + self.s2(torch.cat((side_by_side(aligned), maps), dim=1))
        flow = found + maps[:, :FLOWS]
        visible = torch.sigmoid(seen + maps[:, FLOWS:]) if self.logits else torch.full_like(seen, 0.5)
        return flow, visible


class Similarity(nn.Module):
    """How similar the references are, for each motion of up to `reach` pixels in either direction."""

    def __init__(self, inputs: int, width: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.motions = (2 * reach + 1) ** 2
        self.project = nn.Conv2d(inputs, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Compare.

        Args:
            features: Of the references, all − then all +, (2·B, C, h, w).

        Returns:
            (B, K, h, w): cosine of the features of − at p − d and of + at p + d, d in rows of rising y, each
            of rising x; 0 where either lies outside.
        """
        before, after = F.normalize(self.project(features), dim=1).chunk(2)
        steps = range(-self.reach, self.reach + 1)
        similar = [
            (_moved(before, -x, -y, self.reach) * _moved(after, x, y, self.reach)).sum(dim=1)
            for y in steps
            for x in steps
        ]
        return torch.stack(similar, dim=1)


def _moved(features: Tensor, x: int, y: int, reach: int) -> Tensor:
    """Return features at p + (x, y), zeros outside; |x| and |y| at most `reach`."""
    height, width = features.shape[2:]
    padded = F.pad(features, (reach, reach, reach, reach))
    return padded[:, :, reach + y : reach + y + height, reach + x : reach + x + width]


def _raised(maps: Tensor) -> Tensor:
    """Double the resolution: flows double in size and value, logits in size only."""
    raised = resize(maps, 2)
    return torch.cat((2 * raised[:, :FLOWS], raised[:, FLOWS:]), dim=1)


def _reduced(flow: Tensor, times: int) -> Tensor:
    """Reduce flows in size and value."""
    return F.avg_pool2d(flow, times) / times
