"""RIFE: intermediate flow from coarse to fine, a privileged teacher, and refinement; two frames.

Source: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022,
section 3. Beside the paper: every head starts at zero, as LIFT's do, so that the untrained model is the
average of its references and the comparison is one of structures and not of starts.

Legend: B samples; − and + the references, W their warped frames, M the blend's mask.
"""

from math import lcm
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lift.config.schema import Model
from lift.models.blocks import narrowed
from lift.models.interface import Interpolator, LoadReport, check_inputs
from lift.models.lineup import pick, references_of
from lift.models.output import Output
from lift.models.quarter import quarter
from lift.models.rife.parts import FLOWS, LEVELS, Block, ContextNet, Unet
from lift.models.rife.released import load_rife
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.warp import warp_references

STEM = 4  # a block's own reduction, after that by its scale
ROOT = 1e-3  # pixels: keeps the distance of two flows smooth where they are equal, as at the start


class Estimate(NamedTuple):
    """What a block leaves: flow (B, 4, H, W), mask logit (B, 1, …), W₋ and W₊ (B, 6, …), blend (B, 3, …)."""

    flow: Tensor
    logit: Tensor
    warped: Tensor
    frame: Tensor


class Rife(Interpolator):
    """IFNet's three blocks, its teacher in training, ContextNet and the U-Net."""

    training_only = ("block_tea",)

    def __init__(self, model: Model) -> None:
        """Build the model that `model.rife` describes."""
        super().__init__()
        rife = model.rife
        self.scales, self.margin = rife.scales, rife.margin
        self.multiple = lcm(2**LEVELS, *(STEM * scale for scale in rife.scales))
        first, second, third, teacher = narrowed((*rife.widths, rife.teacher_width), rife.factor, 2)
        (context,) = narrowed((rife.context_width,), rife.factor)
        pair, seen = 2 * 3, 4 * 3 + 1 + FLOWS  # references; with their warps, mask and flow
        self.block0 = Block(pair, first)
        self.block1 = Block(seen, second)
        self.block2 = Block(seen, third)
        self.block_tea = Block(seen + 3, teacher)  # and the true frame
        self.contextnet = ContextNet(context)
        self.unet = Unet(context)

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        check_inputs(frames, offsets, valid)
        samples = len(frames)
        wanted, valid = references_of(offsets, valid, self.task)
        references = pick(frames, offsets, valid, wanted).flatten(0, 1)
        both, size = pad_to_multiple(references, self.multiple)  # (2·B, 3, H, W)
        pair = torch.cat(both.chunk(2), dim=1)  # (B, 6, H, W)

        # 1. IFNet: three corrections of flow and mask
        students: list[Estimate] = []
        for block, scale in zip((self.block0, self.block1, self.block2), self.scales, strict=True):
            students.append(self._corrected(block, both, pair, students[-1] if students else None, scale))
        last = students[-1]

        # 2. refinement
        flows = torch.cat(last.flow.chunk(2, dim=1))  # (2·B, 2, H, W)
        features = [level.split(samples) for level in self.contextnet(both, flows)]
        images = torch.cat((pair, last.warped, last.logit, last.flow), dim=1)  # (B, 17, H, W)
        residual = self.unet(images, [level[0] for level in features], [level[1] for level in features])
        frame = crop_to(last.frame + residual, size)

        # 3. where the loss is wanted: the teacher, who sees the true frame
        auxiliary = None
        if target is not None:
            auxiliary = self._taught(both, pair, students, pad_to_multiple(target, self.multiple)[0])
        mask = torch.sigmoid(last.logit)
        return Output(
            frame=frame if self.training else frame.clamp(0, 1),
            coarse=quarter(last.frame, size),
            flow=quarter(last.flow, size) / 4,
            occlusion=quarter(torch.cat((mask, 1 - mask), dim=1), size),
            alpha=None,
            auxiliary=auxiliary,
        )

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start from RIFE's own weights; see `load_rife`. Nothing is frozen then."""
        self.load_report = load_rife(self, path)
        return self.load_report

    def _corrected(
        self,
        block: Block,
        both: Tensor,
        pair: Tensor,
        before: Estimate | None,
        scale: int,
        truth: tuple[Tensor, ...] = (),
    ) -> Estimate:
        """Return the estimate as one block corrects it."""
        if before is None:
            flow, logit = block(pair, None, scale)
        else:
            images = torch.cat((pair, before.warped, before.logit, *truth), dim=1)
            flow, logit = block(images, before.flow, scale)
            flow, logit = before.flow + flow, before.logit + logit
        warped = warp_references(both, flow)  # (2·B, 3, H, W)
        first, second = warped.chunk(2)
        mask = torch.sigmoid(logit)
        return Estimate(flow, logit, torch.cat((first, second), dim=1), mask * first + (1 - mask) * second)

    def _taught(
        self, both: Tensor, pair: Tensor, students: list[Estimate], truth: Tensor
    ) -> dict[str, Tensor]:
        """Compare with the teacher (Huang et al., section 3.3, equations 6 and 7)."""
        teacher = self._corrected(self.block_tea, both, pair, students[-1], 1, (truth,))
        wrong = (teacher.frame - truth).abs().mean(dim=1, keepdim=True)
        goal = teacher.flow.detach()
        distances = []
        for student in students:
            # A teacher who is no better at a pixel has nothing to teach there.
            worse = (student.frame - truth).abs().mean(dim=1, keepdim=True) > wrong + self.margin
            gap = ((goal - student.flow).square().mean(dim=1, keepdim=True) + ROOT**2).sqrt()
            distances.append((gap * worse).mean())
        return {"distillation": torch.stack(distances).sum(), "teacher": wrong.mean()}


create = Rife
