"""Which motion is believed, pixel by pixel: by evidence that needs no truth.

A motion is borne out where the frames that it warps agree. Three questions are asked of the motion by all
frames, and it is believed as far as the worst answer:

- Do the two references agree by it about as well as by RIFE's motion, or by the references' alone?
- Does each far frame agree with its reference by it about as well as by the even motion that the references
  alone show? Where frames repeat or time is uneven, bending the path to please one of them costs the other.
  And is it not much farther from it than the references are from each other? Else it shows something else.
- Is each far frame as far from its reference as even time would have it? A repeat is nearer, a frame of
  another scene or a flash is farther: then none is believed.

Legend: B samples; maps at half the resolution, h × w.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lift.config.lift_rife import LiftRife
from lift.models.lift_rife.motion import references_in
from lift.models.variational import Pairs, Path
from lift.ops.local import local_mean
from lift.ops.warp import backward_warp


def disagreement(first: Tensor, second: Tensor, options: LiftRife) -> Tensor:
    """Give how two pictures (B, 3, h, w) differ around each pixel, (B, 1, h, w), 1: white against black."""
    return local_mean((first - second).abs().mean(dim=1, keepdim=True), options.around)


def share(rival: Tensor, own: Tensor, margin: float, options: LiftRife) -> Tensor:
    """Give how far a motion with the disagreement `own` is believed against one with `rival`, in (0, 1)."""
    logarithm = torch.log(margin * rival + options.tolerance) - torch.log(own + options.tolerance)
    return torch.sigmoid(options.sharpness * logarithm)


def witnessed(
    frames: Tensor, offsets: Sequence[float], path: Path, alone: Path, pairs: Pairs, options: LiftRife
) -> Tensor:
    """Give how far the far frames bear a path out, against even motion by the references alone.

    Args:
        frames: (B, F, 3, h, w), RGB in [0, 1].
        offsets: Of the F frames.
        path: By all frames.
        alone: By the references alone.
        pairs: What was compared.
        options: Parameters.

    Returns:
        (B, 1, h, w) in (0, 1); 1 where a sample has no far frame.
    """
    where = {offset: place for place, offset in enumerate(offsets)}
    first, second = references_in(offsets)
    # The straight line through both references: of the path o·v + o²·a, see variational.py
    even = {o: o * alone.speed + (o * (first + second) - first * second) * alone.bend for o in offsets}
    ends = [backward_warp(frames[:, where[end]], path.at(end)) for end in (first, second)]
    between, belief = disagreement(ends[0], ends[1], options), frames.new_ones(())
    for (reference, offset), weight in pairs.items():
        if (reference, offset) == (first, second):
            continue
        near, far = frames[:, where[reference]], frames[:, where[offset]]
        by_path = disagreement(
            backward_warp(near, path.at(reference)), backward_warp(far, path.at(offset)), options
        )
        by_alone = disagreement(
            backward_warp(near, even[reference]), backward_warp(far, even[offset]), options
        )
        there = (weight > 0).to(frames.dtype)
        found = torch.minimum(
            share(by_alone, by_path, options.witness_margin, options),
            share(between, by_path, options.stranger_margin, options),
        )
        belief = torch.minimum(belief, there * found + 1 - there)
    return belief


def steady(frames: Tensor, offsets: Sequence[float], pairs: Pairs, options: LiftRife) -> Tensor:
    """Give whether each far frame is as far from its reference as even time would have it.

    Args:
        frames: (B, F, 3, h, w), RGB in [0, 1].
        offsets: Of the F frames.
        pairs: What is compared.
        options: Parameters.

    Returns:
        (B, 1, 1, 1): 1; or 0, also where a sample has no far frame.
    """
    where = {offset: place for place, offset in enumerate(offsets)}
    grey = local_mean(frames.mean(dim=2), options.blur)  # (B, F, h, w)
    first, second = references_in(offsets)

    def distance(one: float, other: float) -> Tensor:
        return (grey[:, where[one]] - grey[:, where[other]]).abs().mean(dim=(1, 2))  # (B,)

    base = distance(first, second) / (second - first) + options.grain
    calm, known = torch.ones_like(base), torch.zeros_like(base)
    for (reference, offset), weight in pairs.items():
        if (reference, offset) == (first, second):
            continue
        there = weight.flatten() > 0
        pace = distance(reference, offset) / abs(offset - reference) / base
        calm = calm * (~there | ((options.least < pace) & (pace < options.most)))
        known = torch.maximum(known, there.to(base.dtype))
    return (calm * known)[:, None, None, None]
