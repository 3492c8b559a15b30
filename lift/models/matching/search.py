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

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.lineup import Lineup
from lift.models.matching.options import Matching
from lift.models.matching.variational import Pairs, Path, refine, warped
from lift.ops.local import local_mean

OFFSETS = (-3, -2, -1, 1, 2, 3)  # beyond a reference: 2 in a dense window, 3 in a uniform one
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
def search(frames: Tensor, present: Tensor, options: Matching) -> tuple[Tensor, Tensor]:
    """Find the motion of the missing frame's pixels, and where each reference shows them.

    Args:
        frames: At `OFFSETS`, (B, F, 3, h, w), RGB in [0, 1]; sides multiples of 8.
        present: (B, F); the references are.
        options: Parameters.

    Returns:
        Flow to the references, (B, 4, h, w), − then +, pixels, x before y, and logits of their visibility,
        (B, 2, h, w), opposite to each other. No gradient passes.
    """
    pairs = _pairs(present, options.neighbour)
    offsets = [offset for offset in OFFSETS if any(offset in pair for pair in pairs)]
    used = frames[:, [OFFSETS.index(offset) for offset in offsets]].float()
    size = used.shape[3:]
    scales = _scales(min(size), options.coarsest)
    used = _filled(used, scales[0])
    path: Path | None = None
    for scale in scales:
        level = F.avg_pool2d(used.flatten(0, 1), scale)
        level = level.view(*used.shape[:3], *level.shape[2:])
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
    flow, visible = (maps[..., : size[0], : size[1]] for maps in found)
    return flow, visible


def _scales(side: int, least: int) -> tuple[int, ...]:
    """Put coarser scales before SCALES while the shorter side, s2 pixels, has `least` pixels there.

    So motion of the same share of the frame is found at any resolution.
    """
    scales: tuple[int, ...] = SCALES
    while side // (2 * scales[0]) >= least:
        scales = (2 * scales[0], *scales)
    return scales


def _filled(frames: Tensor, scale: int) -> Tensor:
    """Repeat the last row and column of frames (B, F, 3, h, w) up to multiples of `scale`."""
    height, width = frames.shape[3:]
    edges = (0, -width % scale, 0, -height % scale)
    filled = F.pad(frames.flatten(0, 1), edges, mode="replicate")
    return filled.view(*frames.shape[:3], *filled.shape[2:])


def _pairs(present: Tensor, neighbour: float) -> Pairs:
    """Choose what is compared; a sample's weights sum to 1. Pairs that no sample has are left out."""
    there = dict(zip(OFFSETS, present.float()[:, :, None, None, None].unbind(dim=1), strict=True))
    pairs = {(-1, 1): there[-1]}
    for side in (-1, 1):
        pairs[side, 2 * side] = neighbour * there[2 * side]
        pairs[side, 3 * side] = neighbour * there[3 * side] * (1 - there[2 * side])
    weights = torch.stack(list(pairs.values()))
    some = (weights > 0).flatten(1).any(dim=1).tolist()
    total = weights.sum(dim=0)
    return {pair: weights[place] / total for place, pair in enumerate(pairs) if some[place]}


def detail(frames: Tensor, options: Matching) -> Tensor:
    """Take the local mean from frames (B, F, 3, h, w): light and shade change where nothing moves."""
    flat = frames.flatten(0, 1)
    return (flat - local_mean(flat, options.shade)).view(frames.shape)


def visibility(frames: Tensor, offsets: Sequence[float], pairs: Pairs, options: Matching) -> Tensor:
    """Return, from aligned frames (B, F, 3, h, w), which reference shows a pixel.

    The one that agrees with the next frame beyond it: what hides the pixel rarely moves with it. A reference
    counts inversely to how much it disagrees; both equally where either has no frame beyond it.

    Returns:
        The logit of −'s share in their blend, (B, 1, h, w).
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
    room = options.reach * max(OFFSETS)
    padded = F.pad(frames.flatten(0, 1), (room, room, room, room), mode="replicate")
    padded = padded.view(*frames.shape[:3], *padded.shape[2:])

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
