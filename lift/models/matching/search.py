"""Motion by comparing frames, coarse to fine, without anything learnt: where `flow: matching` starts.

At each scale from s16 (of large frames from a coarser one) to s2 the frames are warped by the motion so far,
every step d of up to `reach` pixels per frame is tried, and the steps are averaged by how well the frames
then agree: the two references with each other, and each reference with the next frame beyond it. These
further frames are what a wide window adds: they tell which of several matches is a motion (repetition), see
what one reference hides (occlusion), and show how motion changes. Then the motion is refined at that scale
(variational.py).

Sources: coarse-to-fine search by warping, Brox et al., ECCV 2004; soft arg min, Kendall et al., ICCV 2017,
section 3.3; patches that agree half way, Park et al., "BMBC", ECCV 2020, section 3.1.

Legend: B samples, F = 6 frames at `OFFSETS`, D steps tried, (2·reach + 1)².
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.lineup import Lineup
from lift.models.matching.options import Matching
from lift.models.matching.variational import Pairs, Path, each_frame, pairs_of, refine, warped
from lift.ops.local import local_mean
from lift.ops.pad import crop_to

OFFSETS = (-3, -2, -1, 1, 2, 3)  # beyond a reference: 2 in a dense window, 3 in a uniform one
SCALES: tuple[int, ...] = (8, 4, 2, 1)  # over s2: s16, s8, s4, s2


def arrange(small: Tensor, offsets: Tensor, lineup: Lineup) -> tuple[Tensor, Tensor]:
    """Lay out what the search can use of N frames (N, 3, h, w) in the lineup's order, by offsets (B, T).

    Returns:
        (B, F, 3, h, w), zeros where absent, and which are present, (B, F).
    """
    times = offsets[lineup.rows, lineup.slots]  # (N,)
    match = times[:, None] == times.new_tensor(OFFSETS)  # (N, F)
    which, slot = match.nonzero(as_tuple=True)
    place, size = (lineup.rows[which], slot), (lineup.samples, len(OFFSETS))
    frames = small.new_zeros(*size, *small.shape[1:]).index_put(place, small[which])
    return frames, match.new_zeros(size).index_put(place, match[which, slot])


@torch.no_grad()
def search(frames: Tensor, present: Tensor, options: Matching) -> tuple[Tensor, Tensor]:
    """Find the motion of the missing frame's pixels, and where each reference shows them.

    Args:
        frames: At `OFFSETS`, (B, F, 3, h, w), RGB in [0, 1]; sides multiples of 8.
        present: Which of them there are, (B, F); the references are.
        options: Parameters.

    Returns:
        Flow to the references, (B, 4, h, w), − then +, pixels, x before y, and logits of their visibility,
        (B, 2, h, w), opposite to each other. No gradient passes.
    """
    pairs = pairs_of(OFFSETS, present, options.neighbour, 1)
    offsets = [offset for offset in OFFSETS if any(offset in pair for pair in pairs)]
    used = frames[:, [OFFSETS.index(offset) for offset in offsets]].float()
    height, width = used.shape[3:]
    scales = SCALES
    # Of larger frames from a coarser scale on: so motion of the same share of the frame is found at any size
    while min(height, width) // (2 * scales[0]) >= options.coarsest:
        scales = (2 * scales[0], *scales)
    edges = (0, -width % scales[0], 0, -height % scales[0])
    used = each_frame(lambda maps: F.pad(maps, edges, mode="replicate"), used)
    path: Path | None = None
    for scale in scales:
        level = each_frame(partial(F.avg_pool2d, kernel_size=scale), used)
        if path is None:
            still = level.new_zeros(len(level), 2, *level.shape[3:])
            path, bends = Path(still, still), False  # at the coarsest scale motion is taken as even
        else:
            path, bends = path.raised(), len(pairs) > 1
        step = _step(detail(warped(level, path, offsets), options), offsets, pairs, options)
        path = path._replace(speed=local_mean(path.speed + step, options.smooth))
        path = refine(level, offsets, path, pairs, options, bends=bends)
    assert path is not None
    logit = visibility(detail(warped(used, path, offsets), options), offsets, pairs, options)
    found = torch.cat((path.at(-1), path.at(1)), dim=1), torch.cat((logit, -logit), dim=1)
    flow, visible = (crop_to(maps, (height, width)) for maps in found)
    return flow, visible


def detail(frames: Tensor, options: Matching) -> Tensor:
    """Take the local mean from frames (B, F, 3, h, w): light and shade change where nothing moves."""
    return frames - each_frame(lambda maps: local_mean(maps, options.shade), frames)


def visibility(frames: Tensor, offsets: Sequence[float], pairs: Pairs, options: Matching) -> Tensor:
    """Return the logit of −'s share in the blend, (B, 1, h, w), from aligned frames (B, F, 3, h, w).

    That reference shows a pixel which agrees with the next frame beyond it: what hides the pixel rarely moves
    with it. It counts inversely to how much it disagrees; both equally where either has no frame beyond it.
    """
    ways: list[Tensor] = []
    both = frames.new_ones(())
    references = next(iter(pairs))
    for reference in references:
        total, known = frames.new_zeros(()), frames.new_zeros(())
        for pair, weight in pairs.items():
            if pair != references and reference in pair:
                a, b = (frames[:, offsets.index(offset)] for offset in pair)
                there = (weight > 0).to(frames.dtype)
                total, known = total + there * (a - b).abs().mean(dim=1, keepdim=True), known + there
        if not known.ndim:
            return frames.new_zeros(len(frames), 1, *frames.shape[3:])
        ways.append(torch.log(local_mean(total, options.evidence) + options.tolerance))
        both = both * known
    before, after = ways
    return both * (after - before)


def _step(frames: Tensor, offsets: Sequence[float], pairs: Pairs, options: Matching) -> Tensor:
    """Return the best further step (B, 2, h, w) of frames (B, F, 3, h, w) that are aligned so far."""
    height, width = frames.shape[3:]
    room = options.reach * max(OFFSETS)  # a frame at offset o is moved o times as far as a step
    padded = each_frame(lambda maps: F.pad(maps, (room, room, room, room), mode="replicate"), frames)

    def at(offset: float, x: int, y: int) -> Tensor:
        top, left = room + int(offset) * y, room + int(offset) * x
        return padded[:, offsets.index(offset), :, top : top + height, left : left + width]

    sides = range(-options.reach, options.reach + 1)
    steps = [(x, y) for y in sides for x in sides]
    costs = []
    for x, y in steps:
        differ = [
            weight * (at(a, x, y) - at(b, x, y)).abs().mean(dim=1, keepdim=True)
            for (a, b), weight in pairs.items()
        ]
        costs.append(torch.stack(differ).sum(dim=0) + options.prior * (x * x + y * y))
    cost = local_mean(torch.cat(costs, dim=1), options.window)  # (B, D, h, w)
    share = torch.softmax(-cost / options.temperature, dim=1)[:, :, None]  # (B, D, 1, h, w)
    tried = share.new_tensor(steps)[:, :, None, None]  # (D, 2, 1, 1)
    return (share * tried).sum(dim=1)
