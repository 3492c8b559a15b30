"""RIFE: intermediate flow from coarse to fine, a privileged teacher, and refinement; two frames.

Source: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022,
section 3. Modules carry the names of RIFE's published weights, so that its keys are ours. Beside the paper:
every head starts at zero, as LIFT's do, so that the untrained model is the average of its references and the
comparison is one of structures and not of starts.

Legend: B samples; − and + the references, W their warped frames, M the blend's mask; C context width.
"""

from math import lcm
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import FLOWS, FlowDeconv, blended, narrowed, prelu_conv, shrunk, zero_conv
from lift.models.interface import Interpolator, Output
from lift.models.lineup import two_references
from lift.models.pretrained import LoadReport, Wanted, read_state, start
from lift.ops.pad import pad_to_multiple
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp, warp_references

DEPTH = 8  # convolutions of an IFNet block: Huang et al., figure 3
LEVELS = 4  # of ContextNet and the U-Net: 1/2 … 1/16
STEM = 4  # a block's own reduction, after that by its scale
ROOT = 1e-3  # pixels: keeps the distance of two flows smooth where they are equal, as at the start

WANTED = Wanted(
    part="RIFE",
    file="RIFE's flownet.pkl, or RIFE 2.x's contextnet.pkl",
    key="model.rife.pretrained",
    otherwise="set model.rife to that file's widths (context_width: 32 for RIFE 2.x) and factor: 1.0",
)
OPTIONAL = "block_tea."  # released weights may come without the teacher, whom only training needs
ALONE = "contextnet."
CONTEXTNET = {"conv0": "conv1", "conv2": "conv2", "conv3": "conv3", "conv4": "conv4"}
"""Block of RIFE 2.x's ContextNet -> ours. RIFE 2.x keeps its nets in a file each, of twice the width, and has
one block more, `conv1`; its strides are others, so these weights are a start and no replica."""


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
        references, _ = two_references(frames, offsets, valid, self.task)
        both, size = pad_to_multiple(references.flatten(0, 1), self.multiple)  # (2·B, 3, H, W)
        pair = torch.cat(both.chunk(2), dim=1)  # (B, 6, H, W)

        # 1. IFNet: three corrections of flow and mask
        students: list[Estimate] = []
        for block, scale in zip((self.block0, self.block1, self.block2), self.scales, strict=True):
            students.append(self._corrected(block, both, pair, students[-1] if students else None, scale))
        last = students[-1]

        # 2. refinement
        flows = torch.cat(last.flow.chunk(2, dim=1))  # (2·B, 2, H, W)
        before, after = zip(*(level.chunk(2) for level in self.contextnet(both, flows)), strict=True)
        images = torch.cat((pair, last.warped, last.logit, last.flow), dim=1)  # (B, 17, H, W)
        residual = self.unet(images, before, after)

        # 3. where the loss is wanted: the teacher, who sees the true frame
        auxiliary = None
        if target is not None:
            auxiliary = self._taught(both, pair, students, pad_to_multiple(target, self.multiple)[0])
        frame, mask = last.frame + residual, torch.sigmoid(last.logit)
        return self.full_output(frame, last.flow, mask, size, coarse=last.frame, auxiliary=auxiliary)

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start from RIFE's own weights, which then are not frozen.

        Args:
            path: flownet.pkl of the paper's repository, or RIFE 2.x's ContextNet alone.

        Raises:
            UserError: The file is missing or damaged, matches nothing, is incomplete, or is of other widths.
        """
        path = Path(path)
        own, state = dict(self.named_parameters()), read_state(path, WANTED)
        there = {name: key for key in state if (name := _our_name(key)) in own}
        alone = all(name.startswith(ALONE) for name in there)
        needed = (n for n in own if not n.startswith(OPTIONAL) and (not alone or n.startswith(ALONE)))
        self.load_report = start(path, state, own, {name: name for name in needed} | there, WANTED)
        return self.load_report

    def _corrected(
        self,
        block: nn.Module,
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
        first, second = warp_references(both, flow).chunk(2)
        frame = blended(torch.sigmoid(logit), first, second)
        return Estimate(flow, logit, torch.cat((first, second), dim=1), frame)

    def _taught(
        self, both: Tensor, pair: Tensor, students: list[Estimate], truth: Tensor
    ) -> dict[str, Tensor]:
        """Compare with the teacher (Huang et al., section 3.3, equations 6 and 7)."""
        teacher = self._corrected(self.block_tea, both, pair, students[-1], 1, (truth,))
        wrong = (teacher.frame - truth).abs().mean(dim=1, keepdim=True)
        goal = teacher.flow.detach()  # the students learn from the teacher, not the teacher from them
        distances = []
        for student in students:
            # A teacher who is no better at a pixel has nothing to teach there.
            worse = (student.frame - truth).abs().mean(dim=1, keepdim=True) > wrong + self.margin
            gap = ((goal - student.flow).square().mean(dim=1, keepdim=True) + ROOT**2).sqrt()
            distances.append((gap * worse).mean())
        return {"distillation": torch.stack(distances).sum(), "teacher": wrong.mean()}


create = Rife


def _our_name(key: str) -> str:
    """Translate a key, of either kind of file, into a parameter's name, where it has a counterpart."""
    block, _, rest = key.partition(".")
    return f"{ALONE}{CONTEXTNET[block]}.{rest}" if block in CONTEXTNET else key


class Block(nn.Module):
    """One of IFNet's blocks (section 3.2): sees frames `scale` times smaller, and corrects flow and mask."""

    def __init__(self, inputs: int, width: int) -> None:
        """Build it for `inputs` channels, flow included."""
        super().__init__()
        self.conv0 = nn.Sequential(
            prelu_conv(inputs, width // 2, stride=2), prelu_conv(width // 2, width, stride=2)
        )
        self.convblock = nn.Sequential(*(prelu_conv(width, width) for _ in range(DEPTH)))
        self.lastconv = FlowDeconv(width, FLOWS + 1, still=FLOWS + 1)

    def forward(self, images: Tensor, flow: Tensor | None, scale: int) -> tuple[Tensor, Tensor]:
        """Return what to add to the flow, (B, 4, H, W), and to the mask's logit, (B, 1, H, W).

        It sees images (B, C, H, W) and the flow so far (None: nothing yet) `scale` times smaller.
        """
        x = shrunk(images, scale)
        if flow is not None:
            x = torch.cat((x, shrunk(flow, scale) / scale), dim=1)
        x = self.conv0(x)  # (B, width, H/4s, W/4s)
        x = self.lastconv(x + self.convblock(x))  # (B, 5, H/2s, W/2s)
        x = resize(x, 2 * scale)
        return x[:, :FLOWS] * (2 * scale), x[:, FLOWS:]


class Conv2(nn.Module):
    """Two 3x3 convolutions with PReLU; the first halves the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = prelu_conv(inputs, outputs, stride=2)
        self.conv2 = prelu_conv(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H/2, W/2)."""
        result: Tensor = self.conv2(self.conv1(x))
        return result


class ContextNet(nn.Module):
    """Features of one reference at 1/2 … 1/16, each warped towards the missing frame (section 3.4)."""

    def __init__(self, width: int) -> None:
        """Build it with `width` channels at 1/2, doubling from level to level."""
        super().__init__()
        self.conv1 = Conv2(3, width)
        self.conv2 = Conv2(width, 2 * width)
        self.conv3 = Conv2(2 * width, 4 * width)
        self.conv4 = Conv2(4 * width, 8 * width)

    def forward(self, image: Tensor, flow: Tensor) -> list[Tensor]:
        """Map an image (N, 3, H, W) and a flow (N, 2, H, W) to four warped maps, finest first."""
        features = []
        for block in (self.conv1, self.conv2, self.conv3, self.conv4):
            image, flow = block(image), resize_flow(flow, 0.5)
            features.append(backward_warp(image, flow))
        return features


class Unet(nn.Module):
    """Corrects the blended frame with both references' warped features (section 3.4, figure 4)."""

    def __init__(self, width: int) -> None:
        """Build it for a ContextNet of `width`."""
        super().__init__()
        c = width
        self.down0 = Conv2(4 * 3 + 1 + FLOWS, 2 * c)
        self.down1 = Conv2(4 * c, 4 * c)
        self.down2 = Conv2(8 * c, 8 * c)
        self.down3 = Conv2(16 * c, 16 * c)
        self.up0 = _up(32 * c, 8 * c)
        self.up1 = _up(16 * c, 4 * c)
        self.up2 = _up(8 * c, 2 * c)
        self.up3 = _up(4 * c, c)
        self.conv = zero_conv(c, 3)

    def forward(self, images: Tensor, before: tuple[Tensor, ...], after: tuple[Tensor, ...]) -> Tensor:
        """Return the correction, (B, 3, H, W) in (-1, 1).

        Args:
            images: References, warped references, mask logit and flow, (B, 17, H, W).
            before: ContextNet's features of −, finest first, each (B, C·2^k, H/2^(k+1), W/2^(k+1)).
            after: The same of +.
        """
        s0 = self.down0(images)  # (B, 2·C, H/2, W/2)
        s1 = self.down1(torch.cat((s0, before[0], after[0]), dim=1))
        s2 = self.down2(torch.cat((s1, before[1], after[1]), dim=1))
        s3 = self.down3(torch.cat((s2, before[2], after[2]), dim=1))  # (B, 16·C, H/16, W/16)
        x = self.up0(torch.cat((s3, before[3], after[3]), dim=1))
        x = self.up1(torch.cat((x, s2), dim=1))
        x = self.up2(torch.cat((x, s1), dim=1))
        x = self.up3(torch.cat((x, s0), dim=1))  # (B, C, H, W)
        return 2 * torch.sigmoid(self.conv(x)) - 1


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.PReLU(outputs))
