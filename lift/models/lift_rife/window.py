"""A frame between two by RIFE, corrected by the window around it: stage 3, and the blend, of `flow: rife`.

Source: specification section 3.7.

Legend: B samples, F frames at `offsets`; − and + the references; R, A, C the motions: RIFE's, refined by the
references alone, refined by all frames; W their warped references.
"""

import dataclasses
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path as File
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.files import ROOT
from lift.models.blocks import blended
from lift.models.lift_rife.belief import disagreement, moving, onward, share, steady, witnessed
from lift.models.lift_rife.options import LiftRife
from lift.models.matching.options import Matching
from lift.models.matching.search import detail, visibility
from lift.models.matching.variational import (
    Pairs,
    Path,
    beyond,
    each_frame,
    pairs_of,
    references_in,
    refine,
    warped,
)
from lift.models.pretrained import LoadReport
from lift.models.rife_v4.interpolator import Estimate, IfNet, load_released
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp, warp_references

LEAST = 0.001  # of a mask whose logit is taken: it would be endless at 0 and 1


class Found(NamedTuple):
    """What frame and evidence are made of; maps at half the resolution but `rife`.

    Attributes:
        rife: What RIFE sees.
        pairs: Which frames are compared, the references first.
        alone: A.
        errors: How the warped references differ by R, by A and, where there is one, by C, (B, 1, h, w) each.
        beliefs: In A and, where there is one, in C, (B, 1, h, w) each.
        context: C; None where no sample has a far frame.
        witnesses: How the far frames differ from their references by C, and by even motion, (B, 2, h, w)
            each, − then +; none without C.
        visible: Logit of −'s visibility, (B, 1, h, w), as far as C is believed; None without C.
    """

    rife: Estimate
    pairs: Pairs
    alone: Path
    errors: list[Tensor]
    beliefs: list[Tensor]
    context: Path | None = None
    witnesses: tuple[Tensor, ...] = ()
    visible: Tensor | None = None


class Interpolated(NamedTuple):
    """The missing frame before anything learnt, at full resolution.

    Attributes:
        frame: (B, 3, H, W), RGB, not clamped.
        flow: By which the references were warped, as far as each motion is believed, (B, 4, H, W), pixels.
        visible: Blend weights, (B, 2, H, W), summing to 1.
        warped: The references, warped by that flow, all − then all +, (2·B, 3, H, W).
        found: What it was made of.
    """

    frame: Tensor
    flow: Tensor
    visible: Tensor
    warped: Tensor
    found: Found


class RifeWindow(nn.Module):
    """Frozen RIFE, two refinements of its motion, and the blend of what is believed of the three."""

    def __init__(self, model: Model) -> None:
        """Build it.

        Raises:
            UserError: RIFE's weights are missing, damaged or of another version.
        """
        super().__init__()
        self.options: LiftRife = model.lift_rife
        self.matching: Matching = model.matching
        self._network = partial(IfNet, model.rife_v4.widths, model.rife_v4.scales)
        self.load(ROOT / self.options.pretrained)

    def load(self, path: File | str) -> LoadReport:
        """Take RIFE's weights, frozen; see `load_released`."""
        self.rife = self._network()
        report = load_released(self.rife, path)
        # Buffers that no file of weights repeats: they neither train nor differ
        for module in self.rife.modules():
            for name, parameter in list(module.named_parameters(recurse=False)):
                delattr(module, name)
                module.register_buffer(name, parameter.detach(), persistent=False)
        return report

    @torch.no_grad()
    def forward(
        self,
        references: Tensor,
        small: Tensor,
        offsets: Sequence[float],
        present: Tensor,
        size: tuple[int, int],
        features: Tensor | None = None,
    ) -> Interpolated:
        """Make the frame.

        Args:
            references: All − of the batch, then all +, (2·B, 3, H, W), RGB in [0, 1]; H and W even.
            small: The frames at half the size, (B, F, 3, H/2, W/2); zeros where absent.
            offsets: Of the F frames, ascending; of each sign the one nearest to 0 is a reference.
            present: Which of them each sample has, (B, F), bool.
            size: Height and width before padding: RIFE pads by itself.
            features: What RIFE's encoder made of the references, padded as RIFE pads; None: made here.
        """
        options, ends = self.options, references_in(offsets)
        # A flow of 30 pixels would come in steps of an eighth of a pixel in bfloat16
        with torch.autocast(small.device.type, enabled=False):
            exact, small = references.float(), small.float()
            # 1. RIFE
            rife = self._rife(exact, ends, size, features)
            # 2. its motion, refined by the references, then by all frames
            pairs = pairs_of(offsets, present, self.matching.neighbour, options.reach)
            both = {ends: torch.ones_like(pairs[ends])}
            start = Path.through(rife.flow, ends)
            alone = refined(small, offsets, start, both, self._rounds(options.alone_rounds), options.stride)
            context = None
            if len(pairs) > 1:
                shorter = min(small.shape[3:])
                coarse = [times for times in options.coarse if shorter >= times * options.coarse_least]
                rounds = self._rounds(options.rounds)
                context = refined(small, offsets, alone, pairs, rounds, options.stride, coarse)
            # 3. what is believed
            further = onward_of(offsets, present, options.reach, options.onward_from)
            found = self._believed(small, offsets, rife, pairs, further, alone, context)
            # 4. the blend
            return self._blended(exact, ends, found)

    def _rife(
        self, references: Tensor, ends: tuple[float, float], size: tuple[int, int], features: Tensor | None
    ) -> Estimate:
        """Return RIFE's estimate; it is padded by black, as its users pad it."""
        padded, _ = pad_to_multiple(crop_to(references, size), self.rife.multiple, "constant")
        time = -ends[0] / (ends[1] - ends[0])
        estimate = self.rife(padded, references.new_full((len(references) // 2,), time), features)
        # RIFE's black edge is cut off; up to even sides the map's own edge is repeated
        edges = (0, references.shape[3] - size[1], 0, references.shape[2] - size[0])
        return Estimate(*(F.pad(crop_to(maps, size), edges, mode="replicate") for maps in estimate))

    def _rounds(self, count: int) -> Matching:
        return dataclasses.replace(self.matching, rounds=count, sweeps=self.options.sweeps)

    def _believed(
        self,
        small: Tensor,
        offsets: Sequence[float],
        rife: Estimate,
        pairs: Pairs,
        further: Pairs,
        alone: Path,
        context: Path | None,
    ) -> Found:
        """Ask of A and C how far they are borne out; `further` are the frames that only bear witness."""
        options, ends = self.options, references_in(offsets)
        frames = dict(zip(offsets, small.unbind(dim=1), strict=True))
        by_rife = dict(zip(ends, (F.avg_pool2d(rife.flow, 2) / 2).chunk(2, dim=1), strict=True))
        seen = {end: backward_warp(frames[end], by_rife[end]) for end in ends}
        straight = {end: backward_warp(frames[end], alone.at(end)) for end in ends}
        errors = [disagreement(by[ends[0]], by[ends[1]], options) for by in (seen, straight)]
        moves = moving(frames[ends[0]], frames[ends[1]], options)
        beliefs = [moves * share(errors[0], errors[1], options.references_margin, options)]
        if context is None:
            return Found(rife, pairs, alone, errors, beliefs)
        used = sorted({offset for pair in pairs for offset in pair})
        aligned = warped(torch.stack([frames[offset] for offset in used], dim=1), context, used)
        moved = dict(zip(used, aligned.unbind(dim=1), strict=True))
        for offset in {*used, *(offset for _, offset in further)} - set(ends):
            straight[offset] = backward_warp(frames[offset], alone.straight(ends, offset))
        belief, *witnesses = witnessed(moved, straight, pairs, options)
        error = disagreement(moved[ends[0]], moved[ends[1]], options)
        rival = share(torch.minimum(*errors), error, options.context_margin, options)
        belief = torch.minimum(belief, rival) * moves * steady(small, offsets, pairs, options)
        least = torch.ones_like(pairs[ends])
        for (end, offset), there in further.items():
            led = backward_warp(frames[offset], context.at(offset))
            by_path = disagreement(moved[end], led, options)
            by_straight = disagreement(straight[end], straight[offset], options)
            least = torch.minimum(least, there * onward(by_path, by_straight, options) + 1 - there)
        belief = belief * least
        visible = belief * visibility(detail(aligned, self.matching), used, pairs, self.matching)
        errors, beliefs = [*errors, error], [*beliefs, belief]
        return Found(rife, pairs, alone, errors, beliefs, context, tuple(witnesses), visible)

    def _blended(self, exact: Tensor, ends: tuple[float, float], found: Found) -> Interpolated:
        """Blend RIFE's frame and the references warped by A and C, each as far as it is believed."""
        rife, options = found.rife, self.options
        even = math.log(-ends[1] / ends[0])  # the logit of −'s share by nearness in time
        logit = even + options.mask * (torch.logit(rife.mask, LEAST) - even)
        if found.visible is not None:
            logit = logit + options.visibility * resize(found.visible, 2)
        left, ours = torch.ones_like(found.errors[0]), torch.zeros_like(found.errors[0])
        for path, belief in zip(filter(None, (found.alone, found.context)), found.beliefs, strict=True):
            motion = torch.cat([path.at(end) for end in ends], dim=1)
            left, ours = left * (1 - belief), torch.lerp(ours, motion, belief)
        left = resize(left, 2)
        flow = torch.addcmul(resize_flow(ours, 2), left, rife.flow)
        images = warp_references(exact, flow, "bicubic")
        mask = torch.sigmoid(logit)
        frame = left * rife.frame + (1 - left) * blended(mask, *images.chunk(2))
        return Interpolated(frame, flow, torch.cat((mask, 1 - mask), dim=1), images, found)


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
