"""Stages 4 and 5 of the variant `refinement: aligned`: blended at full resolution, where things have moved.

In the specification's own stages the frame passes through a quarter of the resolution, and the references'
full-resolution features meet it where they were, not where they are at the missing frame's time. Here flow
and occlusion are enlarged instead, references and features are warped and blended by them at full resolution,
and a network of the same size as the specification's corrects the result. An untrained model is the average
of its references, which keeps what the coarse frame loses.

Sources: specification section 3.5; warped context features after Niklaus & Liu,
"Context-aware Synthesis", CVPR 2018, section 3.2.

Legend: B samples; − and + the references at offsets −1 and +1; C1, C4, C16 encoder widths (32, 128, 256).
"""

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.lift.flow import Motion, side_by_side
from lift.models.lift.lift import Lift
from lift.models.lift.refiner import full_size, reduction, refiner_network
from lift.models.lift.synthesis import blend, context_network
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp

COLOURS = 3
STRIDE = 4  # of F_ctx and of the frame before refinement: s4


class AlignedLift(Lift):
    """LIFT with `refinement: aligned`."""

    def add_rendering(self, model: Model) -> None:
        """Build what `render` uses."""
        self.aligned_refiner = AlignedRefiner(model)

    def render(
        self, references: Tensor, fine: Tensor, motion: Motion, context4: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Stages 4 and 5; see `AlignedRefiner`."""
        made: tuple[Tensor, Tensor, Tensor] = self.aligned_refiner(references, fine, motion, context4)
        return made


class AlignedRefiner(nn.Module):
    """Warp references and their features at full resolution, blend them by visibility, correct."""

    def __init__(self, model: Model, mode: str = "bilinear", agreement: nn.Module | None = None) -> None:
        """Build it.

        Args:
            model: Widths and blocks.
            mode: How references are sampled: bilinear blurs, which hides a coarse flow's errors, and is the
                error where the flow is exact; bicubic.
            agreement: Makes the blend of the warped references (lift/models/matching/agreement.py).
        """
        super().__init__()
        self.context_network = context_network(model)
        self.reduce = reduction(model)
        self.mode = mode
        self.agreement = agreement
        # The blend, and how the two warps differ: 2 · (3 + 32) = 70 channels
        self.network = refiner_network(2 * (COLOURS + model.widths[0]), model)

    def forward(
        self,
        references: Tensor,
        features: Tensor,
        motion: Motion,
        context4: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make the frame.

        Args:
            references: All − of the batch, then all +, (2·B, 3, H, W).
            features: Of the references in the same order: s1 (2·B, C1, H, W), or s4 (2·B, C4, H/4, W/4) where
                the model does without s1.
            motion: By which the references are sampled, of any resolution.
            context4: F_ctx at s4, (B, C16, H/4, W/4).

        Returns:
            The frame (B, 3, H, W), not clamped; what it was before full-resolution refinement, and before the
            context corrected that, both reduced to (B, 3, H/4, W/4); all float32 or wider.
        """
        # 1. flow and occlusion to full resolution
        scale = references.shape[3] // motion.flow.shape[3]
        flow = torch.cat(resize_flow(motion.flow, scale).chunk(2, dim=1))  # (2·B, 2, H, W)
        visible = resize(motion.occlusion, scale)  # (B, 2, H, W)
        # 2. references and their features, where they are at the missing frame's time
        features = backward_warp(full_size(self.reduce, features), flow)
        images = motion.warped if motion.warped is not None else backward_warp(references, flow, self.mode)
        before, after = torch.cat((images, features), dim=1).chunk(2)  # (B, 3 + C1, H, W) each
        # 3. blended by visibility
        blended = blend(before, after, visible)
        if motion.frame is not None:
            blended = torch.cat((motion.frame, blended[:, COLOURS:]), dim=1)
        if self.agreement is not None:
            colours = self.agreement(before[:, :COLOURS], after[:, :COLOURS], visible, side_by_side(flow))
            blended = torch.cat((colours, blended[:, COLOURS:]), dim=1)
        # 4. corrected by context, at a quarter as in stage 4
        small = resize(blended[:, :COLOURS], 1 / STRIDE)
        correction: Tensor = self.context_network(torch.cat((small, context4), dim=1))
        # 5. and by what the features know
        residual: Tensor = self.network(torch.cat((blended, before - after), dim=1))
        frame = blended[:, :COLOURS] + resize(correction.to(blended.dtype), STRIDE) + residual
        return frame, small + correction, small
