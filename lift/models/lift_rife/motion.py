"""Motion of the missing frame's pixels through the window: RIFE's, refined by more and more frames.

Sources: specification section 3.7; the refinement: lift/models/matching/variational.py.

Legend: B samples, F frames at `offsets`; all maps at half the resolution.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.matching.options import Matching
from lift.models.matching.variational import Pairs, Path, refine
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize_flow


def path_of(flow: Tensor, references: tuple[float, float]) -> Path:
    """Lay a path through what two flows say.

    Args:
        flow: To the two references, (B, 4, H, W), − then +, pixels; H and W even.
        references: Their offsets.

    Returns:
        The path at half the resolution.
    """
    small = F.avg_pool2d(flow, 2) / 2
    first, second = references
    before, after = small[:, :2] / first, small[:, 2:] / second
    bend = (after - before) / (second - first)
    return Path(speed=before - first * bend, bend=bend)


def flow_of(path: Path, references: tuple[float, float]) -> Tensor:
    """Return a path's flows to the two references at twice its resolution, (B, 4, 2·h, 2·w), pixels."""
    return resize_flow(torch.cat([path.at(offset) for offset in references], dim=1), 2)


def straight_flow(path: Path, references: tuple[float, float], offset: float) -> Tensor:
    """Return where even motion through both references leads at `offset`, (B, 2, h, w), pixels."""
    first, second = references
    # The straight line that meets o·v + o²·a at both: see variational.py
    return offset * path.speed + (offset * (first + second) - first * second) * path.bend


def pairs_of(offsets: Sequence[float], present: Tensor, neighbour: float, reach: int) -> Pairs:
    """Choose what is compared: the references, and each with the nearest frames beyond it.

    Args:
        offsets: Of the F frames, ascending; of each sign the one nearest to 0 is a reference.
        present: Which of them each sample has, (B, F), bool.
        neighbour: Weight of a pair with a far frame over that of the references.
        reach: How many of the nearest frames beyond each reference.

    Returns:
        Pairs that some sample has; a sample's weights sum to 1.
    """
    ends = references_in(offsets)
    pairs = {ends: _there(present, offsets.index(ends[0]))}
    for pair, there, nearer in _beyond(offsets, present):
        pairs[pair] = neighbour * there * (nearer < reach)
    total = torch.stack(list(pairs.values())).sum(dim=0)
    return {pair: weight / total for pair, weight in pairs.items() if bool((weight > 0).any())}


def onward_of(offsets: Sequence[float], present: Tensor, reach: int, distance: float) -> Pairs:
    """Choose what only bears witness: each reference's next frame beyond those that `pairs_of` compares.

    Args:
        offsets: As for `pairs_of`.
        present: The same.
        reach: The same.
        distance: How far from its reference such a frame lies at least, offsets.

    Returns:
        Pairs that some sample has, with 1 where it has them, else 0.
    """
    found = {
        pair: there * (nearer == reach)
        for pair, there, nearer in _beyond(offsets, present)
        if abs(pair[1] - pair[0]) >= distance
    }
    return {pair: there for pair, there in found.items() if bool((there > 0).any())}


def _beyond(
    offsets: Sequence[float], present: Tensor
) -> Iterator[tuple[tuple[float, float], Tensor, Tensor]]:
    """Give each reference with each frame beyond it: who has that, and how many nearer ones, (B, 1, 1, 1)."""
    for reference in references_in(offsets):
        nearer = torch.zeros_like(_there(present, 0))
        for offset in sorted((o for o in offsets if o * reference > 0 and o != reference), key=abs):
            there = _there(present, offsets.index(offset))
            yield (reference, offset), there, nearer
            nearer = nearer + there


def _there(present: Tensor, place: int) -> Tensor:
    return present[:, place].float()[:, None, None, None]


def references_in(offsets: Sequence[float]) -> tuple[float, float]:
    """Return the offsets nearest to 0 on either side."""
    return max(o for o in offsets if o < 0), min(o for o in offsets if o > 0)


def refined(
    frames: Tensor,
    offsets: Sequence[float],
    path: Path,
    pairs: Pairs,
    options: Matching,
    stride: int,
    coarse: Sequence[int] = (),
) -> Path:
    """Refine a path by the frames that `pairs` name.

    Args:
        frames: (B, F, 3, h, w), RGB in [0, 1].
        offsets: Of the F frames.
        path: So far.
        pairs: What is compared.
        options: Parameters.
        stride: See `refine`.
        coarse: One round each before those of `options`, at so many times less than this resolution,
            where the pixel or two by which a round moves things are more.
    """
    used = sorted({offset for pair in pairs for offset in pair})
    chosen = frames[:, [list(offsets).index(offset) for offset in used]]
    bends = len(pairs) > 1
    for times in coarse:
        seen = Path(*(_shrunk(maps, times) / times for maps in path))
        small = _shrunk(chosen.flatten(0, 1), times)
        small = small.view(*chosen.shape[:3], *small.shape[2:])
        found = refine(small, used, seen, pairs, dataclasses.replace(options, rounds=1), bends=bends)
        # What changed is added, so that the path keeps its detail
        changes = (crop_to(resize_flow(f - s, times), _size(path)) for f, s in zip(found, seen, strict=True))
        path = Path(*(maps + change for maps, change in zip(path, changes, strict=True)))
    return refine(chosen, used, path, pairs, options, bends=bends, stride=stride)


def _shrunk(maps: Tensor, times: int) -> Tensor:
    return F.avg_pool2d(pad_to_multiple(maps, times)[0], times)


def _size(path: Path) -> tuple[int, int]:
    return path.speed.shape[2], path.speed.shape[3]
