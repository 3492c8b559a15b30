"""Motion of the missing frame's pixels through the window: RIFE's, refined by more and more frames.

Sources: specification section 3.7; the refinement: lift/models/matching/variational.py.

Legend: B samples, F frames at `offsets`; all maps at half the resolution.
"""

import dataclasses
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.matching.options import Matching
from lift.models.matching.variational import Pairs, Path, beyond, each_frame, refine
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize_flow


def path_of(flow: Tensor, references: tuple[float, float]) -> Path:
    """Lay a path, at half the resolution, through flows (B, 4, H, W), H and W even, to two `references`."""
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


def onward_of(offsets: Sequence[float], present: Tensor, reach: int, distance: float) -> Pairs:
    """Choose what only bears witness: each reference's next frame beyond those that `pairs_of` compares.

    As for `pairs_of`; such a frame lies at least `distance` offsets from its reference. Return the pairs that
    some sample has, with 1 where it has them, else 0.
    """
    found = {
        pair: there * (nearer == reach)
        for pair, there, nearer in beyond(offsets, present)
        if abs(pair[1] - pair[0]) >= distance
    }
    return {pair: there for pair, there in found.items() if bool((there > 0).any())}


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
        small = each_frame(partial(_shrunk, times=times), chosen)
        found = refine(small, used, seen, pairs, dataclasses.replace(options, rounds=1), bends=bends)
        # What changed is added, so that the path keeps its detail
        changes = (resize_flow(f - s, times) for f, s in zip(found, seen, strict=True))
        height, width = path.speed.shape[2:]
        path = Path(*(m + crop_to(c, (height, width)) for m, c in zip(path, changes, strict=True)))
    return refine(chosen, used, path, pairs, options, bends=bends, stride=stride)


def _shrunk(maps: Tensor, times: int) -> Tensor:
    return F.avg_pool2d(pad_to_multiple(maps, times)[0], times)
