"""What is learnt on LIFT on RIFE (`refinement: fusion`): which candidate shows each pixel, and a residual.

Motion and blend of window.py are formulas; where they are wrong, another of the frames that they warped may
be right. A small network sees all candidates and the evidence for each (evidence.py), and gives each a weight
per pixel. Untrained it changes next to nothing: the blend has nearly all the weight.

Source: sub-pixel layout of inputs and outputs, Shi et al., "Real-Time Single Image and Video
Super-Resolution", CVPR 2016, section 3.2.

Legend: B samples; K candidates; E evidence maps; H × W the frame, even.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.models.blocks import prelu_conv, zero_conv
from lift.ops.resize import resize

CANDIDATES, EVIDENCE = 8, 15
"""Channels of evidence.py; the blend is the last of the candidates."""
COLOURS = 3
STRIDE = 2  # of the network and its weights; the residual has STRIDE² pixels in as many channels
CERTAIN = 4.0  # logit of the blend before training: 89 % of the weight


class Fusion(nn.Module):
    """Weigh the candidates for each pixel by the evidence, and correct their sum."""

    def __init__(self, width: int) -> None:
        """Build the network with `width` channels at half the resolution, twice as many at each below."""
        super().__init__()
        inputs = CANDIDATES - 1 + STRIDE**2 + EVIDENCE
        self.fine = prelu_conv(inputs, width)
        self.middle = nn.Sequential(prelu_conv(width, 2 * width, stride=2), prelu_conv(2 * width, 2 * width))
        self.coarse = nn.Sequential(
            prelu_conv(2 * width, 4 * width, stride=2),
            prelu_conv(4 * width, 4 * width),
            prelu_conv(4 * width, 4 * width),
        )
        self.join_middle = nn.Sequential(prelu_conv(6 * width, 2 * width), prelu_conv(2 * width, 2 * width))
        self.join_fine = prelu_conv(3 * width, width)
        self.head = zero_conv(width, CANDIDATES + COLOURS * STRIDE**2)

    def forward(self, candidates: Sequence[Tensor], evidence: Tensor) -> Tensor:
        """Make the frame.

        Args:
            candidates: K of (B, 3, H, W), RGB; one that a sample lacks is its blend.
            evidence: (B, E, H/2, W/2).

        Returns:
            (B, 3, H, W), not clamped, float32.
        """
        *grey, blend = (candidate.mean(dim=1, keepdim=True) for candidate in candidates)  # (B, 1, H, W)
        coarse_blend = F.avg_pool2d(blend, STRIDE)
        seen = [F.avg_pool2d(one, STRIDE) - coarse_blend for one in grey]
        fine = self.fine(torch.cat((*seen, F.pixel_unshuffle(blend - 0.5, STRIDE), evidence), dim=1))
        middle = self.middle(fine)  # (B, 2·C, H/4, W/4)
        coarse = self.coarse(middle)  # (B, 4·C, H/8, W/8)
        middle = self.join_middle(torch.cat((middle, _raised(coarse, middle)), dim=1))
        fine = self.join_fine(torch.cat((fine, _raised(middle, fine)), dim=1))
        found = self.head(fine).float()  # (B, K + 3·4, H/2, W/2)
        start = found.new_zeros(CANDIDATES, 1, 1)
        start[-1] = CERTAIN
        share = resize(torch.softmax(found[:, :CANDIDATES] + start, dim=1), STRIDE)  # (B, K, H, W)
        frame: Tensor = F.pixel_shuffle(found[:, CANDIDATES:], STRIDE)
        for place, candidate in enumerate(candidates):
            frame = torch.addcmul(frame, share[:, place : place + 1], candidate)
        return frame


def _raised(maps: Tensor, like: Tensor) -> Tensor:
    """Double the resolution of maps to that of others, whose sides may have been odd."""
    return F.interpolate(maps, size=like.shape[2:], mode="nearest")
