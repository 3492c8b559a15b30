"""Motion made exact: variational refinement of what the search found, at each of its scales (search.py).

A pixel p of the missing frame stands at p + o·v + o²·a in the frame at offset o: v is its motion, a half its
acceleration, per frame. References alone do not show a: they stand at p − v + a and p + v + a, and moving p
by a looks the same. The frames beyond them do, and this is most of what a wide window adds to the motion.

Both are found by making frames agree in brightness and its gradients, robustly, with v and a smooth but for
robust steps: each round warps the frames by the path so far, linearises how their differences change with v
(then with a), and relaxes the equations of that.

Sources: energy and warping, Brox et al., ECCV 2004; equations averaged over neighbours, Bruhn et al.,
"Lucas/Kanade Meets Horn/Schunck", IJCV 2005; division by the gradients, Zimmer et al., "Optic Flow in
Harmony", IJCV 2011, section 3.1; as a refinement of a search, Kroeger et al. (DIS), ECCV 2016; acceleration
from four frames, Xu et al., "Quadratic Video Interpolation", NeurIPS 2019.

Legend: B samples, F frames, C = 3 channels (brightness, its gradients in x and y).
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.models.matching.options import Matching
from lift.ops.local import local_mean
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601: brightness of RGB
Pairs = dict[tuple[float, float], Tensor]
"""Which offsets are compared, the references first, and with what weight each, (B, 1, 1, 1)."""


def references_in(offsets: Sequence[float]) -> tuple[float, float]:
    """Return the offsets nearest to 0 on either side."""
    return max(o for o in offsets if o < 0), min(o for o in offsets if o > 0)


def pairs_of(offsets: Sequence[float], present: Tensor, neighbour: float, reach: int) -> Pairs:
    """Choose what is compared: the references, and each with the `reach` nearest frames beyond it.

    Args:
        offsets: Of F frames, ascending; of each sign the one nearest to 0 is a reference.
        present: Which of them each sample has, (B, F), bool.
        neighbour: Weight of a pair with a far frame over that of the references.
        reach: How many.

    Returns:
        Pairs that some sample has; a sample's weights sum to 1.
    """
    ends = references_in(offsets)
    pairs = {ends: _there(present, offsets.index(ends[0]))}
    for pair, there, nearer in beyond(offsets, present):
        pairs[pair] = neighbour * there * (nearer < reach)
    total = torch.stack(list(pairs.values())).sum(dim=0)
    return {pair: weight / total for pair, weight in pairs.items() if bool((weight > 0).any())}


def beyond(offsets: Sequence[float], present: Tensor) -> Iterator[tuple[tuple[float, float], Tensor, Tensor]]:
    """Give each reference with each frame beyond it: who has that, and how many nearer ones, (B, 1, 1, 1)."""
    for reference in references_in(offsets):
        nearer = torch.zeros_like(_there(present, 0))
        for offset in sorted((o for o in offsets if o * reference > 0 and o != reference), key=abs):
            there = _there(present, offsets.index(offset))
            yield (reference, offset), there, nearer
            nearer = nearer + there


def _there(present: Tensor, place: int) -> Tensor:
    return present[:, place].float()[:, None, None, None]


class Path(NamedTuple):
    """How the missing frame's pixels move.

    Attributes:
        speed: v, (B, 2, h, w), pixels per frame, channel 0 = x to the right, 1 = y down.
        bend: a, half the acceleration, (B, 2, h, w).
    """

    speed: Tensor
    bend: Tensor

    @classmethod
    def through(cls, flow: Tensor, references: tuple[float, float]) -> "Path":
        """Lay a path, at half the resolution, through flows (B, 4, H, W), sides even, to two `references`."""
        small = F.avg_pool2d(flow, 2) / 2
        first, second = references
        before, after = small[:, :2] / first, small[:, 2:] / second
        bend = (after - before) / (second - first)
        return cls(speed=before - first * bend, bend=bend)

    def flows(self, references: tuple[float, float]) -> Tensor:
        """Return the flows to two references at twice the resolution, (B, 4, 2·h, 2·w), pixels."""
        return resize_flow(torch.cat([self.at(offset) for offset in references], dim=1), 2)

    def straight(self, references: tuple[float, float], offset: float) -> Tensor:
        """Return where even motion through both references leads at `offset`, (B, 2, h, w), pixels."""
        first, second = references
        # The straight line that meets o·v + o²·a at both
        return offset * self.speed + (offset * (first + second) - first * second) * self.bend

    def at(self, offset: float) -> Tensor:
        """Return where pixels stand in the frame at `offset`, relative to the missing one, (B, 2, h, w)."""
        return offset * self.speed + offset**2 * self.bend

    def raised(self) -> "Path":
        """Double the resolution."""
        return Path(resize_flow(self.speed, 2), resize_flow(self.bend, 2))


def each_frame(make: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    """Apply a function of maps (N, C, h, w) to each of frames (B, F, C, h, w)."""
    made = make(frames.flatten(0, 1))
    return made.view(*frames.shape[:2], *made.shape[1:])


def warped(frames: Tensor, path: Path, offsets: Sequence[float]) -> Tensor:
    """Warp frames (B, F, C, h, w) at `offsets` to the missing one."""
    flows = torch.stack([path.at(offset) for offset in offsets], dim=1)
    return backward_warp(frames.flatten(0, 1), flows.flatten(0, 1)).view(frames.shape)


def refine(
    frames: Tensor,
    offsets: Sequence[float],
    path: Path,
    pairs: Pairs,
    options: Matching,
    *,
    bends: bool,
    stride: int = 1,
) -> Path:
    """Refine a path.

    Args:
        frames: (B, F, 3, h, w), RGB in [0, 1].
        offsets: Of the F frames.
        path: So far.
        pairs: Which frames are compared.
        options: Parameters.
        bends: Whether a is looked for as well.
        stride: How many times coarser than the frames a change of the path is solved for; divides h and w.
    """
    grey = (frames * frames.new_tensor(GREY)[:, None, None]).sum(dim=2).flatten(0, 1)[:, None]
    channels = torch.cat((grey, *_slopes(grey)), dim=1).view(frames.shape)
    references = next(iter(pairs))
    far = {pair: weight for pair, weight in pairs.items() if pair != references}
    # Weights sum to 1 and pairs err on their own, so that their sum is the surer the more of them there are
    scatter = torch.stack([weight**2 for weight in pairs.values()]).sum(dim=0)  # (B, 1, 1, 1)
    for _ in range(options.rounds):
        equations = _equations(channels, offsets, path, pairs, 1, options)
        stiffness = scatter * options.stiffness
        path = path._replace(speed=_solved(path.speed, equations, stiffness, 0.0, options, stride))
        if bends:
            equations = _equations(channels, offsets, path, far, 2, options)
            stiffness, prior = scatter * options.bend_stiffness, options.bend_prior
            path = path._replace(bend=_solved(path.bend, equations, stiffness, prior, options, stride))
    return path


def _equations(
    channels: Tensor, offsets: Sequence[float], path: Path, pairs: Pairs, power: int, options: Matching
) -> Tensor:
    """Linearise the differences between frames in v (power 1) or a (power 2).

    Return the normal equations at each pixel, (B, 5, h, w), averaged over the pixels around: xx, xy, yy, and
    what stands against them in x and in y.
    """
    moved = warped(channels, path, offsets)
    slopes = [slope.view(moved.shape) for slope in _slopes(moved.flatten(0, 1))]
    where = {offset: place for place, offset in enumerate(offsets)}
    total = torch.zeros_like(moved[:, 0, :1]).repeat(1, 5, 1, 1)
    for (first, second), weight in pairs.items():
        a, b = where[first], where[second]
        differ = moved[:, b] - moved[:, a]
        x, y = (second**power * slope[:, b] - first**power * slope[:, a] for slope in slopes)
        scale = torch.addcmul(torch.addcmul(x.new_tensor(options.noise**2), x, x), y, y).reciprocal_()
        square = differ**2 * scale
        bright = options.brightness * torch.rsqrt(square[:, :1] + options.softness**2)
        edges = torch.rsqrt(square[:, 1:2] + square[:, 2:] + options.softness**2)
        scale *= weight
        scale[:, :1] *= bright
        scale[:, 1:] *= edges
        by_x, by_y = scale * x, scale * y
        for place, (one, other) in enumerate(
            ((by_x, x), (by_x, y), (by_y, y), (by_x, differ), (by_y, differ))
        ):
            for channel in range(one.shape[1]):
                total[:, place].addcmul_(one[:, channel], other[:, channel])
    return local_mean(total, options.pool)


def _solved(
    flow: Tensor, equations: Tensor, stiffness: Tensor, prior: float, options: Matching, stride: int
) -> Tensor:
    """Solve for v or a (B, 2, h, w), held to its neighbours and to 0, on a grid `stride` times coarser."""
    if stride == 1:
        return _relaxed(flow, equations, stiffness, prior, options)
    coarse = F.avg_pool2d(flow, stride)
    options = dataclasses.replace(options, softness=options.softness * stride)
    found = _relaxed(coarse, F.avg_pool2d(equations, stride), stiffness / stride, prior, options)
    return flow + resize(found - coarse, stride)


def _relaxed(flow: Tensor, equations: Tensor, stiffness: Tensor, prior: float, options: Matching) -> Tensor:
    """Solve for v or a (B, 2, h, w), held to its neighbours and to 0, by sweeps of Jacobi's method."""
    xx, xy, yy, x, y = torch.split(equations, 1, dim=1)
    right, down = flow.roll(-1, 3) - flow, flow.roll(-1, 2) - flow
    right[..., -1], down[..., -1, :] = 0, 0  # `roll` wraps around, and beyond the edge there is no step
    steps = (right**2 + down**2).sum(dim=1, keepdim=True)
    hold = F.pad(stiffness / torch.sqrt(steps + options.softness**2), (1, 1, 1, 1), mode="replicate")
    middle = hold[..., 1:-1, 1:-1]
    holds = [(middle + neighbour) / 2 for neighbour in _neighbours(hold)]
    held = torch.stack(holds).sum(dim=0) + prior
    u, v = torch.split(flow, 1, dim=1)
    constant = torch.cat((xx * u + xy * v - x, xy * u + yy * v - y), dim=1)
    # The inverse of the 2 x 2 matrix at each pixel; `held` is never 0
    xx, yy = xx + held, yy + held
    scale = 1 / (xx * yy - xy**2)
    ours, others = torch.cat((yy, xx), dim=1) * scale, xy * scale
    for _ in range(options.sweeps):
        known = constant.clone()
        around = F.pad(flow, (1, 1, 1, 1), mode="replicate")
        for weight, neighbour in zip(holds, _neighbours(around), strict=True):
            known.addcmul_(weight, neighbour)
        flow = ours * known - others * known.flip(1)
    return flow


def _neighbours(padded: Tensor) -> tuple[Tensor, ...]:
    """Return the maps to the right, left, below and above, of maps with a border of 1."""
    inner = slice(1, -1)
    return (
        padded[..., inner, 2:],
        padded[..., inner, :-2],
        padded[..., 2:, inner],
        padded[..., :-2, inner],
    )


def _slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the central differences of maps (N, C, h, w) in x and y."""
    right, left, below, above = _neighbours(F.pad(maps, (1, 1, 1, 1), mode="replicate"))
    return (right - left) / 2, (below - above) / 2
