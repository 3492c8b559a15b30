"""Motion of the missing frame's pixels through the window: RIFE's, refined by more and more frames.

Sources: specification section 3.7; the refinement: lift/models/matching/variational.py.

Legend: B samples, F frames at `offsets`; all maps at half the resolution.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.matching.options import Matching
from lift.models.matching.variational import Pairs, Path, refine
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
    there = dict(zip(offsets, present.float()[:, :, None, None, None].unbind(dim=1), strict=True))
    first, second = references_in(offsets)
    pairs = {(first, second): there[first]}
    for reference in (first, second):
        beyond = sorted((o for o in offsets if o * reference > 0 and o != reference), key=abs)
        nearer = torch.zeros_like(there[reference])
        for offset in beyond:
            pairs[reference, offset] = neighbour * there[offset] * (nearer < reach)
            nearer = nearer + there[offset]
    total = torch.stack(list(pairs.values())).sum(dim=0)
    return {pair: weight / total for pair, weight in pairs.items() if bool((weight > 0).any())}


def references_in(offsets: Sequence[float]) -> tuple[float, float]:
    """Return the offsets nearest to 0 on either side."""
    return max(o for o in offsets if o < 0), min(o for o in offsets if o > 0)


def refined(
    frames: Tensor, offsets: Sequence[float], path: Path, pairs: Pairs, options: Matching, stride: int
) -> Path:
    """Refine a path by the frames that `pairs` name.

    Args:
        frames: (B, F, 3, h, w), RGB in [0, 1].
        offsets: Of the F frames.
        path: So far.
        pairs: What is compared.
        options: Parameters.
        stride: See `refine`.
    """
    used = sorted({offset for pair in pairs for offset in pair})
    chosen = frames[:, [list(offsets).index(offset) for offset in used]]
    return refine(chosen, used, path, pairs, options, bends=len(pairs) > 1, stride=stride)
