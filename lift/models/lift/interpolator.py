"""LIFT: frame interpolation with a wide temporal context (specification section 3).

Legend: B samples, T frame slots, N present frames; − and + the references at offsets −1 and +1 (of prediction
the last two frames before the missing one, −2 and −1; specification section 8); s1, s4, s8, s16 features at
1, 1/4, 1/8, 1/16 of the resolution.
"""

from collections.abc import Collection
from math import lcm
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.interface import Interpolator, LoadReport, check_inputs
from lift.models.lift.aligned import AlignedRefiner
from lift.models.lift.contextnet import SOURCES, load_rife_contextnet
from lift.models.lift.encoder import Encoded, Encoder
from lift.models.lift.flow import FlowEstimator
from lift.models.lift.positional import add_position
from lift.models.lift.refiner import Refiner
from lift.models.lift.synthesis import Synthesis
from lift.models.lift.transformer import MeanContext, TemporalTransformer
from lift.models.lift_rife.interpolator import LiftRife
from lift.models.lift_rife.window import Interpolated, RifeWindow
from lift.models.lineup import Lineup, line_up, references_only
from lift.models.matching.flow import MatchingFlow, side_by_side
from lift.models.matching.search import OFFSETS, arrange, search
from lift.models.output import Output
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize, resize_flow

MULTIPLE = 32  # specification section 3: sizes are padded to this; s16 then splits into whole 2x2 patches


class Lift(Interpolator):
    """The five stages; each is a box of the model's figure and a file of this folder."""

    freezable = True

    def __init__(self, model: Model) -> None:
        """Build the model that `model` describes, with PyTorch's current random state."""
        super().__init__()
        self.target_position = model.target_position
        self.use_s1 = model.use_s1
        self.context_width = model.widths[4]
        self.multiple = lcm(MULTIPLE, 16 * model.patch)
        self.matching = model.matching if model.flow == "matching" else None
        self.encoder = Encoder(model.widths, deep=model.use_context, keep_s2=self.matching is not None)
        names = (f"encoder.{name}" for name, _ in self.encoder.named_parameters())
        self.loadable = frozenset(name for name in names if name.split(".")[1] in SOURCES)
        self.context = _context(model)
        self.window = RifeWindow(model) if model.flow == "rife" else None
        if self.window is None:
            self.flow: nn.Module = MatchingFlow(model) if self.matching is not None else FlowEstimator(model)
        self.aligned = model.refinement == "aligned"
        if self.aligned:
            self.aligned_refiner = AlignedRefiner(model)
        else:
            self.synthesis = Synthesis(model)
            self.refiner = Refiner(model)

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        check_inputs(frames, offsets, valid)
        lineup = self.line_up(offsets, valid)
        images, size = pad_to_multiple(frames[lineup.rows, lineup.slots], self.multiple)  # (N, 3, H, W)
        return self.predict(self.encode(images, 2 * len(frames)), offsets, lineup, size)

    def line_up(self, offsets: Tensor, valid: Tensor) -> Lineup:
        """Find the frames that take part, (B, T) both: all present ones, or the references alone."""
        lineup = line_up(offsets.float(), valid, self.task)
        return lineup if self.context is not None else references_only(lineup)

    def encode(self, images: Tensor, references: int) -> Encoded:
        """Stage 1: encoder; s1, s4 and s8 of the references only.

        Knows nothing of time, so that a video's frames can be encoded once each and used for every frame
        around them.

        Args:
            images: (N, 3, H, W), the references first; H and W multiples of `self.multiple`.
            references: How many of them are references.
        """
        near, others = images[:references], images[references:]
        features = self.encoder(near)
        s16 = features.s16
        if len(others):
            s16 = torch.cat((s16, self.encoder.deepest(others)))
        small = F.avg_pool2d(images, 2) if self.matching is not None or self.window is not None else None
        return Encoded(near, features, s16, small)

    def predict(self, encoded: Encoded, offsets: Tensor, lineup: Lineup, size: tuple[int, int]) -> Output:
        """Stages 2 to 5.

        Args:
            encoded: The frames of `lineup`, in its order.
            offsets: Distance of each frame from the missing one, frames, (B, T).
            lineup: Which of the B x T slots take part.
            size: (H, W) before padding.
        """
        samples, references = lineup.samples, encoded.references
        position = self.target_position + offsets.float()[lineup.rows, lineup.slots]  # (N,)
        where = position[: 2 * samples]
        s4 = add_position(encoded.features.s4, where)
        s8 = add_position(encoded.features.s8, where)
        fine = add_position(encoded.features.s1, where) if self.use_s1 else s4

        # Stage 2: context of all frames
        weights: Tensor | None = None
        if self.context is None or encoded.s16 is None:
            height, width = references.shape[2:]
            context = s8.new_zeros(samples, self.context_width, height // 16, width // 16)
        else:
            s16 = lineup.by_rank(add_position(encoded.s16, position))
            context, alpha = self.context(s16, lineup.present)  # (B, C16, H/16, W/16), (B, V)
            weights = lineup.by_slot(alpha, offsets.shape[1])
        context4 = resize(context, 4)

        # Stage 3: flow and occlusion, s8 then s4; by `flow: matching` to s2, by `flow: rife` to s1
        context8, time = resize(context, 2), lineup.time
        made: Interpolated | None = None
        if self.window is not None and encoded.small is not None:
            found, present = arrange(encoded.small, offsets.float(), lineup)
            made = self.window(references, found, OFFSETS, present, size)
            flow, occlusion = made.flow, made.visible
        elif self.matching is None or encoded.small is None or encoded.features.s2 is None:
            flow, occlusion = self.flow(side_by_side(s8), side_by_side(s4), context8, context4, time)
        else:
            found, seen = search(*arrange(encoded.small, offsets.float(), lineup), self.matching)
            s2 = add_position(encoded.features.s2, where)
            flow, occlusion = self.flow(found, seen, s8, s4, s2, context8, context4, time)

        # Stage 4: coarse frame, and stage 5: full resolution
        if self.aligned:
            frame, coarse, blended = self.aligned_refiner(references, fine, flow, occlusion, context4, made)
        else:
            coarse, blended = self.synthesis(references, flow, occlusion, context4)
            frame = self.refiner(coarse, fine)
        frame = crop_to(frame, size)
        quarter = (-(-size[0] // 4), -(-size[1] // 4))
        if self.matching is not None:
            flow, occlusion = resize_flow(flow, 0.5), resize(occlusion, 0.5)
        if made is not None:
            flow, occlusion = F.avg_pool2d(flow, 4) / 4, F.avg_pool2d(occlusion, 4)
        return Output(
            frame=frame if self.training else frame.clamp(0, 1),
            coarse=crop_to(coarse, quarter),
            flow=crop_to(flow, quarter),
            occlusion=crop_to(occlusion, quarter),
            weights=weights,
            blend=crop_to(blended, quarter),
        )

    def recompute(self, parts: Collection[str]) -> None:
        """Compute anew in the backward pass; see `Encoder` and `TemporalTransformer`."""
        self.encoder.recompute = "encoder" in parts
        if isinstance(self.context, TemporalTransformer):  # an ablation without it has nothing to keep
            self.context.recompute = "transformer" in parts

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start the encoder from RIFE's ContextNet; see `load_rife_contextnet`."""
        report = load_rife_contextnet(self.encoder, path)
        self.loaded = frozenset(f"encoder.{name}" for name in report.taken)
        self.load_report = report
        return report


def _context(model: Model) -> nn.Module | None:
    if not model.use_context:
        return None
    return MeanContext() if model.context == "mean" else TemporalTransformer(model)


def create(model: Model) -> Interpolator:
    """Build LIFT; without anything learnt it is what `flow: rife` gives."""
    return LiftRife(model) if model.refinement in ("none", "fusion") else Lift(model)
