"""Motion by comparing frames, coarse to fine, without anything learnt: where `flow: matching` starts.

A pixel p of the missing frame that moves evenly by v per frame stands at p + o·v in the frame at offset o. At
each scale from s16 to s2 the frames are warped by the motion so far, every step d of up to `reach` pixels is
tried, and the steps are averaged by how well the frames then agree: the two references with each other, and
each reference with the next frame beyond it. These further frames are what a wide window adds: they tell
which of several matches is a motion (repetition), and see what one reference hides (occlusion).

Sources: coarse-to-fine search by warping, Brox et al., ECCV 2004; soft arg min, Kendall et al., ICCV 2017,
section 3.3; patches that agree half way, Park et al., "BMBC", ECCV 2020, section 3.1.

Legend: B samples, F = 6 frames at `OFFSETS`, D steps tried, (2·reach + 1)².
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.config.matching import Matching
from lift.models.lineup import Lineup
from lift.ops.resize import resize_flow
from lift.ops.warp import backward_warp

OFFSETS = (
    -3,
    -2,
    -1,
    1,
    2,
    3,
)  # the next frame beyond a reference: at 2 in a dense window, 3 in a uniform one
SCALES = (8, 4, 2, 1)  # over s2: s16, s8, s4, s2


def arrange(small: Tensor, offsets: Tensor, lineup: Lineup) -> tuple[Tensor, Tensor]:
    """Lay out the frames that the search can use.

    Args:
        small: All N present frames in the lineup's order, (N, 3, h, w).
        offsets: Distance of each slot's frame from the missing one, (B, T).
        lineup: Which of them take part.

    Returns:
        (B, F, 3, h, w), zeros where absent, and which are present, (B, F).
    """
    times = offsets[lineup.rows, lineup.slots]  # (N,)
    match = times[:, None] == times.new_tensor(OFFSETS)  # (N, F)
    which, slot = match.nonzero(as_tuple=True)
    frames = small.new_zeros(lineup.samples, len(OFFSETS), *small.shape[1:])
    present = match.new_zeros(lineup.samples, len(OFFSETS))
    rows = lineup.rows[which]
    return frames.index_put((rows, slot), small[which]), present.index_put((rows, slot), match[which, slot])


@torch.no_grad()
def search(frames: Tensor, present: Tensor, options: Matching) -> Tensor:
    """Find the motion of the missing frame's pixels.

    Args:
        frames: At `OFFSETS`, (B, F, 3, h, w), RGB in [0, 1]; sides multiples of 8.
        present: (B, F); the references are.
        options: Parameters.

    Returns:
        v (B, 2, h, w), pixels per frame, channel 0 = x to the right, 1 = y down. No gradient passes.
    """
    samples, count = present.shape
    weights = _weights(present, options.neighbour)
    times = frames.new_tensor(OFFSETS)[:, None, None, None]  # (F, 1, 1, 1)
    flat = frames.flatten(0, 1).float()
    motion: Tensor | None = None
    for scale in SCALES:
        level = F.avg_pool2d(flat, scale)
        size = level.shape[2:]
        motion = level.new_zeros(samples, 2, *size) if motion is None else resize_flow(motion, 2)
        moved = backward_warp(level, (motion[:, None] * times).flatten(0, 1))
        motion = motion + _step(moved.view(samples, count, *moved.shape[1:]), weights, options)
        motion = _mean(motion, options.smooth)
    assert motion is not None
    return motion


def _weights(present: Tensor, neighbour: float) -> dict[tuple[int, int], Tensor]:
    """Give each pair of places in OFFSETS its weight (B, 1, 1, 1); a sample's sum to 1."""
    third, second, first, after_first, after_second, after_third = range(len(OFFSETS))
    there = present.float()[:, :, None, None, None].unbind(dim=1)
    pairs = {
        (first, after_first): there[first],
        (second, first): neighbour * there[second],
        (third, first): neighbour * there[third] * (1 - there[second]),
        (after_first, after_second): neighbour * there[after_second],
        (after_first, after_third): neighbour * there[after_third] * (1 - there[after_second]),
    }
    total = torch.stack(list(pairs.values())).sum(dim=0)
    return {pair: weight / total for pair, weight in pairs.items()}


def _step(frames: Tensor, weights: dict[tuple[int, int], Tensor], options: Matching) -> Tensor:
    """Give the best further step (B, 2, h, w) of frames (B, F, 3, h, w) that are aligned so far."""
    height, width = frames.shape[3:]
    room = options.reach * max(OFFSETS)
    padded = F.pad(frames.flatten(0, 1), (room, room, room, room), mode="replicate")
    padded = padded.view(*frames.shape[:3], *padded.shape[2:])

    def at(place: int, x: int, y: int) -> Tensor:
        top, left = room + OFFSETS[place] * y, room + OFFSETS[place] * x
        return padded[:, place, :, top : top + height, left : left + width]

    sides = range(-options.reach, options.reach + 1)
    steps = [(x, y) for y in sides for x in sides]
    costs = []
    for x, y in steps:
        differ = [
            weight * (at(a, x, y) - at(b, x, y)).abs().mean(dim=1, keepdim=True)
            for (a, b), weight in weights.items()
        ]
        costs.append(torch.stack(differ).sum(dim=0) + options.prior * (x * x + y * y))
    cost = _mean(torch.cat(costs, dim=1), options.window)  # (B, D, h, w)
    share = torch.softmax(-cost / options.temperature, dim=1)[:, :, None]  # (B, D, 1, h, w)
    tried = share.new_tensor(steps)[:, :, None, None]  # (D, 2, 1, 1)
    return (share * tried).sum(dim=1)


def _mean(maps: Tensor, window: int) -> Tensor:
    """Average maps (B, C, h, w) over squares, edges repeated."""
    edge = window // 2
    return F.avg_pool2d(F.pad(maps, (edge, edge, edge, edge), mode="replicate"), window, stride=1)
