"""Stages 4 and 5: the coarse frame, and refinement at full resolution (specification sections 3.4 and 3.5).

In the specification's own stages, `Synthesis` and `Refiner`, the frame passes through a quarter of the
resolution, and the references' full-resolution features meet it where they were, not where they are at the
missing frame's time. `AlignedRefiner` (`refinement: aligned`) stands for both: flow and occlusion are
enlarged, references and features are warped and blended by them at full resolution, and a network of the same
size corrects the result. An untrained model is the average of its references, which keeps what the coarse
frame loses. Source: warped context features after Niklaus & Liu, "Context-aware Synthesis", CVPR 2018,
section 3.2.

Legend: B samples; − and + the references at offsets −1 and +1, W their warped frames, all − of the batch
before all + where they are 2·B; C1, C4, C16 encoder widths (32, 128, 256).
"""

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import conv, zero_conv
from lift.models.lift.blocks import ResBlock
from lift.models.lift.flow import Motion, side_by_side
from lift.models.lift.options import GROUPS
from lift.models.matching.agreement import Agreement
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp, warp_references

EPSILON = 1e-8  # specification section 3.4; vanishes in half precision, hence float32
COLOURS = 3
STRIDE = 4  # of F_ctx and of the frame before refinement: s4


class Synthesis(nn.Module):
    """Stage 4: warp both references, blend them by visibility, correct by context."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.context_network = context_network(model)

    def forward(
        self, references: Tensor, flow: Tensor, occlusion: Tensor, context4: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the coarse frame and what it was before the context corrected it, both (B, 3, H/4, W/4).

        From references (2·B, 3, H, W), and flow, occlusion and F_ctx at s4. Float32 or wider.
        """
        before, after = warp_references(resize(references, 1 / STRIDE), flow).chunk(2)
        blended = blend(before, after, occlusion)
        residual: Tensor = self.context_network(torch.cat((blended, context4), dim=1))
        return blended + residual, blended


class Refiner(nn.Module):
    """Stage 5: add what full-resolution features of the references know to the enlarged coarse frame."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.reduce = reduction(model)
        self.network = refiner_network(COLOURS + 2 * model.widths[0], model)  # 3 + 32 + 32 = 67

    def forward(self, coarse: Tensor, features: Tensor) -> Tensor:
        """Return the frame, (B, 3, H, W), float32 or wider, not clamped.

        Args:
            coarse: (B, 3, H/4, W/4).
            features: Of the references: s1 (2·B, C1, H, W), or s4 (2·B, C4, H/4, W/4) in the earlier design.
        """
        enlarged = resize(coarse, STRIDE)
        before, after = full_size(self.reduce, features).chunk(2)
        residual: Tensor = self.network(torch.cat((enlarged, before, after), dim=1))
        return enlarged + residual


class AlignedRefiner(nn.Module):
    """Stages 4 and 5 in one: warp references and features at full resolution, blend by visibility, correct.

    Where `flow: matching`, references are sampled bicubically, since bilinear sampling blurs, which hides a
    coarse flow's errors and is the error where the flow is exact; and `Agreement` makes their blend.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        exact = model.flow == "matching"
        agreement = Agreement(model.matching) if exact else None  # first: initial weights are drawn in order
        self.context_network = context_network(model)
        self.reduce = reduction(model)
        self.mode = "bicubic" if exact else "bilinear"
        self.agreement = agreement
        # The blend, and how the two warps differ: 2 · (3 + 32) = 70 channels
        self.network = refiner_network(2 * (COLOURS + model.widths[0]), model)

    def forward(
        self, references: Tensor, features: Tensor, motion: Motion, context4: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make the frame.

        Args:
            references: (2·B, 3, H, W).
            features: As for `Refiner`.
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
        colours = motion.frame
        if self.agreement is not None:
            colours = self.agreement(before[:, :COLOURS], after[:, :COLOURS], visible, side_by_side(flow))
        if colours is not None:
            blended = torch.cat((colours, blended[:, COLOURS:]), dim=1)
        # 4. corrected by context, at a quarter as in stage 4
        small = resize(blended[:, :COLOURS], 1 / STRIDE)
        correction: Tensor = self.context_network(torch.cat((small, context4), dim=1))
        # 5. and by what the features know
        residual: Tensor = self.network(torch.cat((blended, before - after), dim=1))
        frame = blended[:, :COLOURS] + resize(correction.to(blended.dtype), STRIDE) + residual
        return frame, small + correction, small


def context_network(model: Model) -> nn.Sequential:
    """Make the network that corrects a frame of H/4 by F_ctx, both side by side; it starts as nothing."""
    width = model.context_width
    return nn.Sequential(
        conv(COLOURS + model.widths[4], width),  # 3 + 256 = 259
        nn.ReLU(inplace=True),
        zero_conv(width, COLOURS),
    )


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
        zero_conv(last, COLOURS),
    )


def reduction(model: Model) -> nn.Conv2d | None:
    """Make what takes s4 to the channels of s1 in the earlier design, `use_s1: false`; None with s1."""
    return None if model.use_s1 else nn.Conv2d(model.widths[2], model.widths[0], 1)


def full_size(reduce: nn.Conv2d | None, features: Tensor) -> Tensor:
    """Return (N, C1, H, W): s1 as it is, or s4 (N, C4, H/4, W/4) through the `reduction` and enlarged."""
    return features if reduce is None else resize(reduce(features), STRIDE)


def blend(before: Tensor, after: Tensor, occlusion: Tensor) -> Tensor:
    """Average two frames, or their features, by visibility: (O₋·W₋ + O₊·W₊) / (O₋ + O₊ + ε).

    W are (B, C, H, W), O (B, 2, H, W), high = visible; the result is float32 or wider whatever came in.
    """
    exact = torch.promote_types(before.dtype, torch.float32)
    seen_before, seen_after = occlusion.to(exact).chunk(2, dim=1)  # each (B, 1, H, W)
    return (seen_before * before + seen_after * after) / (seen_before + seen_after + EPSILON)
