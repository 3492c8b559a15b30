"""Which motion is believed, pixel by pixel: by evidence that needs no truth.

A motion is borne out where the frames that it warps agree. Questions are asked of the motion by all frames,
and it is believed as far as the worst answer:

- Do the two references agree by it about as well as by RIFE's motion, or by the references' alone?
- Does each far frame agree with its reference by it about as well as by the even motion that the references
  alone show? Where frames repeat or time is uneven, bending the path to please one of them costs the other.
  And is it not much farther from it than the references are from each other? Else it shows something else.
- Is each far frame as far from its reference as even time would have it? A repeat is nearer, a frame of
  another scene or a flash is farther: then none is believed.
- Where frames lie far apart: does the path lead on to the next frame beyond, at least as well as even motion?
  A shaking camera and uneven time bend a path that no parabola follows.
- Do the references differ at all? Where they are equal as they stand, every motion agrees.

Legend: B samples; maps at half the resolution, h × w; differences from 0 to 1, white against black.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lift.models.lift_rife.options import LiftRife
from lift.models.matching.variational import Pairs
from lift.ops.local import local_mean


def disagreement(first: Tensor, second: Tensor, options: LiftRife) -> Tensor:
    """Return how two pictures (B, 3, h, w) differ around each pixel, (B, 1, h, w)."""
    return local_mean((first - second).abs().mean(dim=1, keepdim=True), options.around)


def share(rival: Tensor, own: Tensor, margin: float, options: LiftRife) -> Tensor:
    """Return how far a motion with the disagreement `own` is believed against one with `rival`, in (0, 1)."""
    logarithm = torch.log(margin * rival + options.tolerance) - torch.log(own + options.tolerance)
    return torch.sigmoid(options.sharpness * logarithm)


def witnessed(
    moved: Mapping[float, Tensor], straight: Mapping[float, Tensor], pairs: Pairs, options: LiftRife
) -> tuple[Tensor, Tensor, Tensor]:
    """Return how far the far frames bear a path out, against even motion by the references alone.

    Args:
        moved: By offset, the frames that `pairs` names, warped by the path, (B, 3, h, w).
        straight: The same, warped by the even motion.
        pairs: What was compared.
        options: Parameters.

    Returns:
        Belief in (0, 1), (B, 1, h, w), 1 where a sample has no far frame; and how the far frame on either
        side differs from its reference, by the path and by even motion, (B, 2, h, w), − then +: the mean
        where there are several, 0 where a sample has none.
    """
    (first, second), *far = pairs
    between = disagreement(moved[first], moved[second], options)
    belief = torch.ones_like(between)
    sums = {reference: torch.zeros_like(belief).repeat(1, 3, 1, 1) for reference in (first, second)}
    for reference, offset in far:
        by_path = disagreement(moved[reference], moved[offset], options)
        by_straight = disagreement(straight[reference], straight[offset], options)
        found = torch.minimum(
            share(by_straight, by_path, options.witness_margin, options),
            share(between, by_path, options.stranger_margin, options),
        )
        there = (pairs[reference, offset] > 0).to(found.dtype)
        belief = torch.minimum(belief, there * found + 1 - there)
        counted = torch.cat((by_path, by_straight, torch.ones_like(by_path)), dim=1)
        sums[reference] = sums[reference] + there * counted
    means = [total[:, :2] / total[:, 2:].clamp(min=1) for total in sums.values()]
    by_path, by_straight = (torch.cat([mean[:, i : i + 1] for mean in means], dim=1) for i in (0, 1))
    return belief, by_path, by_straight


def onward(by_path: Tensor, by_straight: Tensor, options: LiftRife) -> Tensor:
    """Return how far a frame that took no part bears a path out, (B, 1, 1, 1) in (0, 1).

    By how it differs from its reference, (B, 1, h, w), by the path and by even motion.
    """
    path, straight = (maps.mean(dim=(2, 3), keepdim=True) + options.grain for maps in (by_path, by_straight))
    return torch.sigmoid(options.onward_sharpness * torch.log(options.onward_margin * straight / path))


def moving(first: Tensor, second: Tensor, options: LiftRife) -> Tensor:
    """Return how surely references (B, 3, h, w) differ by more than noise, (B, 1, h, w) in [0, 1)."""
    square = disagreement(first, second, options) ** 2
    return square / (square + options.still**2)


def steady(frames: Tensor, offsets: Sequence[float], pairs: Pairs, options: LiftRife) -> Tensor:
    """Return whether each far frame is as far from its reference as even time would have it, (B, 1, 1, 1).

    Of frames (B, F, 3, h, w): 1; or 0, also where a sample has no far frame.
    """
    grey = dict(zip(offsets, local_mean(frames.mean(dim=2), options.blur).unbind(dim=1), strict=True))
    (first, second), *far = pairs

    def distance(one: float, other: float) -> Tensor:
        return (grey[one] - grey[other]).abs().mean(dim=(1, 2))  # (B,)

    base = distance(first, second) / (second - first) + options.grain
    calm, known = torch.ones_like(base), torch.zeros_like(base)
    for reference, offset in far:
        there = pairs[reference, offset].flatten() > 0
        pace = distance(reference, offset) / abs(offset - reference) / base
        calm = calm * (~there | ((options.least < pace) & (pace < options.most)))
        known = torch.maximum(known, there.to(base.dtype))
    return (calm * known)[:, None, None, None]
