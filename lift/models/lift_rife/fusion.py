"""What is learnt on LIFT on RIFE (`refinement: fusion`): which candidate shows each pixel, and a residual.

Motion and blend of window.py are formulas; where they are wrong, another of the frames that they warped may
be right. A small network sees all candidates for the missing frame and the evidence for each, and gives each
a weight per pixel. Untrained it changes next to nothing: the blend has nearly all the weight.

Source: sub-pixel layout of inputs and outputs, Shi et al., "Real-Time Single Image and Video
Super-Resolution", CVPR 2016, section 3.2.

Legend: B samples; K candidates; E evidence maps; H × W the frame, even; h × w half of it; − and + the
references; R, A, C the motions of window.py.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.models.blocks import prelu_conv, zero_conv
from lift.models.lift_rife.options import LiftRife
from lift.models.lift_rife.window import LEAST, Interpolated
from lift.models.matching.variational import references_in
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp, warp_references

CANDIDATES, EVIDENCE = 8, 15
"""Channels of what the functions below return; the blend is the last of the candidates."""
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
            evidence: (B, E, h, w).

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


def candidates(frames: Tensor, offsets: Sequence[float], made: Interpolated) -> list[Tensor]:
    """Return what the missing frame may look like.

    Args:
        frames: By `offsets`, (B, F, 3, H, W), RGB in [0, 1]; zeros where absent.
        offsets: Of the F frames, ascending.
        made: By the window from them.

    Returns:
        8 of (B, 3, H, W): the references warped by the motion that is believed, − and +; by C, − and +; the
        nearest frames beyond them by C, − and +; RIFE's frame; the blend. Where a sample has no far frame on
        a side, the blend stands for it; without any, the motion that is believed stands for C.
    """
    found, ends = made.found, references_in(offsets)
    believed = made.warped.chunk(2)
    if found.context is None:
        return [*believed, *believed, made.frame, made.frame, found.rife.frame, made.frame]
    at = dict(zip(offsets, frames.unbind(dim=1), strict=True))
    references = torch.cat([at[end] for end in ends])
    by_context = warp_references(references, found.context.flows(ends), "bicubic").chunk(2)
    nearest = []
    for end in ends:
        far, left = torch.zeros_like(made.frame), torch.ones_like(found.pairs[ends])
        others = [offset for reference, offset in found.pairs if reference == end and offset not in ends]
        for offset in sorted(others, key=abs):
            there = (found.pairs[end, offset] > 0).float() * left  # the nearest one that a sample has
            flow = resize_flow(found.context.at(offset), 2)
            far = far + there * backward_warp(at[offset], flow, "bicubic")
            left = left - there
        nearest.append(far + left * made.frame)
    return [*believed, *by_context, *nearest, found.rife.frame, made.frame]


def evidence(made: Interpolated, options: LiftRife) -> Tensor:
    """Return the evidence for the candidates, (B, 15, h, w).

    Logarithms of how the warped references differ by R, A and C; of how the far frames differ from theirs by
    C and by even motion, − and + each; the beliefs in A and C; the logit of −'s visibility; that of RIFE's
    mask; logarithms of the length of motion and bend; which sides have a far frame. Of a sample without far
    frames what needs them is 0.
    """
    found = made.found
    ends, *far = found.pairs
    blank = torch.zeros_like(found.errors[0])

    def scale(difference: Tensor) -> Tensor:
        return torch.log10(difference / options.tolerance + 1)

    def length(motion: Tensor) -> Tensor:
        return torch.log10((motion**2).sum(dim=1, keepdim=True) + 1)

    sides = []
    for end in ends:
        weights = [found.pairs[pair] for pair in far if pair[0] == end]
        sides.append(blank + (sum(weights, torch.zeros_like(found.pairs[ends])) > 0))
    path, errors, beliefs = found.context or found.alone, list(map(scale, found.errors)), found.beliefs
    if found.context is None:
        errors, beliefs = [*errors, blank], [*beliefs, blank]
    errors[2] = torch.maximum(*sides) * errors[2]
    witnesses = [scale(maps) for maps in found.witnesses] or [blank] * 4
    logit = torch.logit(F.avg_pool2d(found.rife.mask, 2), LEAST)
    visible = blank if found.visible is None else found.visible
    motion = [length(path.speed), length(path.bend)]
    return torch.cat((*errors, *witnesses, *beliefs, visible, logit, *motion, *sides), dim=1)
