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
from lift.models.blocks import FLOWS, time_channel
from lift.models.lift.encoder import Pyramid
from lift.models.lift.flow import flow_head, raised, side_by_side
from lift.models.matching.search import search
from lift.ops.warp import warp_references


class MatchingFlow(nn.Module):
    """Three heads, the first two with similarities of the references."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        _, c2, c4, c8, c16 = model.widths
        self.logits = 2 if model.occlusion else 0
        self.options = options = model.matching
        self.similar8 = Similarity(c8, options.widths[0], options.reaches[0])
        self.similar4 = Similarity(c4, options.widths[1], options.reaches[1])
        outputs = FLOWS + self.logits
        heard8 = 2 * c8 + self.similar8.motions + c16 + 1
        heard4 = 2 * c4 + self.similar4.motions + c16 + outputs + 1
        self.s8 = flow_head(heard8, model.flow_widths[0], model.flow_blocks[0], outputs)
        self.s4 = flow_head(heard4, model.flow_widths[1], model.flow_blocks[1], outputs)
        self.s2 = flow_head(2 * c2 + outputs, options.fine_width, options.fine_blocks, outputs)

    def forward(
        self, near: Pyramid, context8: Tensor, context4: Tensor, time: Tensor, frames: Tensor, present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Estimate how the missing frame samples its references.

        Args:
            near: Features of the references, all − of the batch, then all +, s2 among them.
            context8: F_ctx at s8, (B, C16, H/8, W/8).
            context4: F_ctx at s4, (B, C16, H/4, W/4).
            time: As for `FlowEstimator`: 1/2, for the search knows of interpolation alone.
            frames: What the search compares, (B, F, 3, H/2, W/2).
            present: Which of them there are, (B, F).

        Returns:
            As of `FlowEstimator`, but at s2: (B, 4, H/2, W/2) and (B, 2, H/2, W/2).
        """
        found, seen = search(frames, present, self.options)
        # 1. coarse correction at s8; maps hold corrections of the flow, and the logits
        aligned = warp_references(near.s8, _reduced(found, 4))
        coarse = (side_by_side(aligned), self.similar8(aligned), context8, time_channel(time, context8))
        maps = raised(self.s8(torch.cat(coarse, dim=1)))
        # 2. correction at s4
        aligned = warp_references(near.s4, _reduced(found, 2) + maps[:, :FLOWS])
        also = (side_by_side(aligned), self.similar4(aligned), context4, maps, time_channel(time, context4))
        maps = raised(maps + self.s4(torch.cat(also, dim=1)))
        # 3. correction at s2
        assert near.s2 is not None
        aligned = warp_references(near.s2, found + maps[:, :FLOWS])
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
        """Compare features of the references, all − then all +, (2·B, C, h, w).

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


def _reduced(flow: Tensor, times: int) -> Tensor:
    """Reduce flows in size and value."""
    return F.avg_pool2d(flow, times) / times
