"""What the fusion (fusion.py) sees: candidates for the missing frame, and maps that tell which to take.

Legend: B samples; h × w half of H × W; − and + the references; R, A, C the motions of window.py.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.lift_rife.motion import flow_of, references_in
from lift.models.lift_rife.options import LiftRife
from lift.models.lift_rife.window import LEAST, Found, Interpolated
from lift.ops.resize import resize_flow
from lift.ops.warp import backward_warp


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
    where = {offset: place for place, offset in enumerate(offsets)}
    motion = torch.cat(flow_of(found.context, ends).chunk(2, dim=1))  # (2·B, 2, H, W)
    by_context = backward_warp(torch.cat([frames[:, where[end]] for end in ends]), motion, "bicubic").chunk(2)
    beyond = []
    for end in ends:
        far, left = torch.zeros_like(made.frame), torch.ones_like(found.pairs[ends])
        others = [offset for reference, offset in found.pairs if reference == end and offset not in ends]
        for offset in sorted(others, key=abs):
            there = (found.pairs[end, offset] > 0).float() * left  # the nearest one that a sample has
            flow = resize_flow(found.context.at(offset), 2)
            far = far + there * backward_warp(frames[:, where[offset]], flow, "bicubic")
            left = left - there
        beyond.append(far + left * made.frame)
    return [*believed, *by_context, *beyond, found.rife.frame, made.frame]


def maps(found: Found, options: LiftRife) -> Tensor:
    """Return the evidence for the candidates, (B, 15, h, w).

    Logarithms of how the warped references differ by R, A and C; of how the far frames differ from theirs by
    C and by even motion, − and + each; the beliefs in A and C; the logit of −'s visibility; that of RIFE's
    mask; logarithms of the length of motion and bend; which sides have a far frame. Of a sample without far
    frames what needs them is 0.
    """
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
    path, unknown = found.context or found.alone, found.witnesses is None
    errors = [*map(scale, found.errors), *[blank] * unknown]
    errors[2] = torch.maximum(*sides) * errors[2]
    witnesses = [blank] * 4 if found.witnesses is None else [scale(maps) for maps in found.witnesses[1:]]
    logit = torch.logit(F.avg_pool2d(found.rife.mask, 2), LEAST)
    beliefs = [*found.beliefs, *[blank] * unknown]
    visible = blank if found.visible is None else found.visible
    motion = [length(path.speed), length(path.bend)]
    return torch.cat((*errors, *witnesses, *beliefs, visible, logit, *motion, *sides), dim=1)
