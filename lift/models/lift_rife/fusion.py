"""What is learnt on LIFT on RIFE (`refinement: fusion`): which candidate shows each pixel, and a residual.

Motion and blend of window.py are formulas; where they are wrong, another of the frames that they warped may
be right. A small network sees all candidates and the evidence for each (evidence.py), and gives each a weight
per pixel. Untrained it changes next to nothing: the blend has nearly all the weight.

Sources: several warped candidates blended by softmax, Niklaus & Liu, "Softmax Splatting", CVPR 2020, section
3.3, and Kalluri et al., "FLAVR", section 4.2, on many frames; sub-pixel layout of inputs and outputs, Shi et
al., "Real-Time Single Image and Video Super-Resolution", CVPR 2016.

Legend: B samples; K candidates; E evidence maps; H × W the frame, even.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.models.blocks import prelu_conv, zero_conv

CANDIDATES, EVIDENCE = 8, 15
"""Channels of evidence.py; the blend is the last of the candidates."""
COLOURS = 3
STRIDE = 2  # of inputs and outputs, which hold STRIDE² pixels of the frame in as many channels
CERTAIN = 4.0  # logit of the blend before training: 89 % of the weight


class Fusion(nn.Module):
    """Weigh the candidates for each pixel by the evidence, and correct their sum."""

    def __init__(self, width: int) -> None:
        """Build the network with `width` channels at half the resolution, twice and three times below."""
        super().__init__()
        inputs = CANDIDATES * STRIDE**2 + EVIDENCE
        self.fine = prelu_conv(inputs, width)
        self.middle = nn.Sequential(prelu_conv(width, 2 * width, stride=2), prelu_conv(2 * width, 2 * width))
        self.coarse = nn.Sequential(
            prelu_conv(2 * width, 3 * width, stride=2),
            prelu_conv(3 * width, 3 * width),
            prelu_conv(3 * width, 3 * width),
        )
        self.join_middle = nn.Sequential(prelu_conv(5 * width, 2 * width), prelu_conv(2 * width, 2 * width))
        self.join_fine = prelu_conv(3 * width, width)
        self.head = zero_conv(width, (CANDIDATES + COLOURS) * STRIDE**2)

    def forward(self, candidates: Tensor, evidence: Tensor) -> Tensor:
        """Make the frame.

        Args:
            candidates: (B, K, 3, H, W), RGB; one that a sample lacks is its blend.
            evidence: (B, E, H/2, W/2).

        Returns:
            (B, 3, H, W), not clamped, float32.
        """
        grey = candidates.mean(dim=2)  # (B, K, H, W)
        blend = grey[:, -1:]
        seen = F.pixel_unshuffle(torch.cat((grey[:, :-1] - blend, blend - 0.5), dim=1), STRIDE)
        fine = self.fine(torch.cat((seen, evidence), dim=1))  # (B, C, H/2, W/2)
        middle = self.middle(fine)  # (B, 2·C, H/4, W/4)
        coarse = self.coarse(middle)  # (B, 3·C, H/8, W/8)
        middle = self.join_middle(torch.cat((middle, _raised(coarse, middle)), dim=1))
        fine = self.join_fine(torch.cat((fine, _raised(middle, fine)), dim=1))
        found = F.pixel_shuffle(self.head(fine), STRIDE).float()  # (B, K + 3, H, W)
        logits, residual = found[:, :CANDIDATES], found[:, CANDIDATES:]
        start = logits.new_zeros(CANDIDATES, 1, 1)
        start[-1] = CERTAIN
        share = torch.softmax(logits + start, dim=1)[:, :, None]  # (B, K, 1, H, W)
        frame: Tensor = (share * candidates).sum(dim=1) + residual
        return frame


def _raised(maps: Tensor, like: Tensor) -> Tensor:
    """Double the resolution of maps to that of others, whose sides may have been odd."""
    return F.interpolate(maps, size=like.shape[2:], mode="nearest")
