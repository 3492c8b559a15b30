"""Stage 4: the coarse frame at a quarter of the resolution (specification section 3.4).

Legend: B samples; − and + the references at offsets −1 and +1; C16 the context's channels (256).
"""

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import conv, zero_conv
from lift.ops.resize import resize
from lift.ops.warp import warp_references

EPSILON = 1e-8  # specification section 3.4; vanishes in half precision, hence float32


class Synthesis(nn.Module):
    """Warp both references, blend them by visibility, correct by context."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.context_network = context_network(model)

    def forward(
        self, references: Tensor, flow: Tensor, occlusion: Tensor, context4: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Make the coarse frame.

        Args:
            references: All − of the batch, then all +, (2·B, 3, H, W).
            flow: (B, 4, H/4, W/4), s4 pixels, − then +.
            occlusion: O, (B, 2, H/4, W/4), high = visible.
            context4: F_ctx at s4, (B, C16, H/4, W/4).

        Returns:
            The coarse frame and what it was before the context corrected it, each (B, 3, H/4, W/4), float32
            or wider.
        """
        small = resize(references, 0.25)
        warped = warp_references(small, flow)  # (2·B, 3, H/4, W/4)
        before, after = warped.chunk(2)
        blended = blend(before, after, occlusion)
        residual: Tensor = self.context_network(torch.cat((blended, context4), dim=1))
        return blended + residual, blended


def context_network(model: Model) -> nn.Sequential:
    """Make the network that corrects a frame of H/4 by F_ctx, both side by side; it starts as nothing."""
    width = model.context_width
    return nn.Sequential(
        conv(3 + model.widths[4], width),  # 3 + 256 = 259
        nn.ReLU(inplace=True),
        zero_conv(width, 3),
    )


def blend(before: Tensor, after: Tensor, occlusion: Tensor) -> Tensor:
    """Average two frames, or their features, by visibility: (O₋·W₋ + O₊·W₊) / (O₋ + O₊ + ε).

    Args:
        before: W₋, (B, C, H, W).
        after: W₊, (B, C, H, W).
        occlusion: O₋ and O₊, (B, 2, H, W), high = visible.

    Returns:
        (B, C, H, W), in float32 or wider whatever came in.
    """
    exact = torch.promote_types(before.dtype, torch.float32)
    seen_before, seen_after = occlusion.to(exact).chunk(2, dim=1)  # each (B, 1, H, W)
    return (seen_before * before + seen_after * after) / (seen_before + seen_after + EPSILON)
