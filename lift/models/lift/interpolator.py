"""LIFT as its figure has it, from top to bottom: five stages, in the files of this folder (docs/model.md).

Variants find motion (`flow`) or make the frame of it (`refinement`) in another way; LIFT on RIFE without
encoder and transformer is a model of its own (lift/models/lift_rife).

Legend: B samples, T frame slots, N present frames; − and + the references at offsets −1 and +1 (of prediction
the last two frames before the missing one, −2 and −1; specification section 8); s1, s4, s8, s16 features at
1, 1/4, 1/8, 1/16 of the resolution.
"""

from collections.abc import Collection, Mapping, Sequence
from math import lcm
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.interface import Interpolator, Output, check_inputs
from lift.models.lift.blocks import add_position
from lift.models.lift.encoder import SOURCES, Encoded, Encoder, Pyramid, load_rife_contextnet
from lift.models.lift.flow import FlowEstimator, Motion
from lift.models.lift.rendering import AlignedRefiner, Refiner, Synthesis
from lift.models.lift.transformer import MeanContext, TemporalTransformer
from lift.models.lift_rife.interpolator import LiftRife
from lift.models.lift_rife.window import RifeWindow
from lift.models.lineup import Lineup, line_up
from lift.models.matching.flow import MatchingFlow
from lift.models.matching.search import OFFSETS, arrange
from lift.models.pretrained import LoadReport
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize

MULTIPLE = 32  # specification section 3: sizes are padded to this; s16 then splits into whole 2x2 patches


def create(model: Model) -> Interpolator:
    """Build the variant that `flow` and `refinement` name."""
    return LiftRife(model) if model.refinement in ("none", "fusion") else Lift(model)


class Lift(Interpolator):
    """The specification's model and its variants.

    Attributes:
        compares: Whether motion is found by comparing frames, which then are kept at half the size.
    """

    def __init__(self, model: Model) -> None:
        """Build the model that `model` describes, with PyTorch's current random state."""
        super().__init__()
        self.target_position = model.target_position
        self.use_s1 = model.use_s1
        self.context_width = model.widths[4]
        self.motion = model.flow
        self.compares = model.flow != "plain"
        self.multiple = lcm(MULTIPLE, 16 * model.patch)  # whole patches of s16
        # Stages 1 and 2
        self.encoder = Encoder(model.widths, deep=model.use_context, keep_s2=model.flow == "matching")
        names = (f"encoder.{name}" for name, _ in self.encoder.named_parameters())
        self.loadable = frozenset(name for name in names if name.split(".")[1] in SOURCES)
        self.context: nn.Module | None = None
        if model.use_context:
            self.context = MeanContext() if model.context == "mean" else TemporalTransformer(model)
        # Stage 3
        if model.flow == "rife":
            self.window = RifeWindow(model)
        else:
            self.flow: nn.Module = (FlowEstimator if model.flow == "plain" else MatchingFlow)(model)
        # Stages 4 and 5
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
        return line_up(offsets.float(), valid, self.task, references_only=self.context is None)

    def encode(self, images: Tensor, references: int) -> Encoded:
        """Stage 1: encoder; s1, s4 and s8 of the first so many `references` only.

        Of images (N, 3, H, W), H and W multiples of `self.multiple`. Knows nothing of time, so that a video's
        frames can be encoded once each and used for every frame around them.
        """
        near, others = images[:references], images[references:]
        features = self.encoder(near)
        s16 = features.s16
        if len(others):
            s16 = torch.cat((s16, self.encoder.deepest(others)))
        return Encoded(near, features, s16, F.avg_pool2d(images, 2) if self.compares else None)

    def predict(self, encoded: Encoded, offsets: Tensor, lineup: Lineup, size: tuple[int, int]) -> Output:
        """Stages 2 to 5.

        Args:
            encoded: The frames of `lineup`, in its order.
            offsets: Distance of each frame from the missing one, frames, (B, T).
            lineup: Which of the B x T slots take part.
            size: (H, W) before padding.
        """
        offsets = offsets.float()
        position = self.target_position + offsets[lineup.rows, lineup.slots]  # (N,)
        near = self.placed(encoded.features, position[: 2 * lineup.samples])
        # Stage 2: context of all frames
        context, alpha = self.gather(encoded.s16, position, lineup, near.s8)
        # Stage 3: flow and occlusion. F_ctx at s4 is made twice, or its gradients would add in another order
        context8, context4 = resize(context, 2), resize(context, 4)
        if self.compares:
            assert encoded.small is not None
            frames, present = arrange(encoded.small, offsets, lineup)
        if self.motion == "rife":
            made = self.window(encoded.references, frames, OFFSETS, present, size)
            motion = Motion(made.flow, made.visible, made.frame, made.warped)
        elif self.motion == "matching":
            motion = Motion(*self.flow(near, context8, context4, lineup.time, frames, present))
        else:
            motion = Motion(*self.flow(near, context8, context4, lineup.time))
        # Stage 4: coarse frame, and stage 5: full resolution
        fine, context4 = near.s1 if self.use_s1 else near.s4, resize(context, 4)
        if self.aligned:
            frame, coarse, blended = self.aligned_refiner(encoded.references, fine, motion, context4)
        else:
            coarse, blended = self.synthesis(encoded.references, motion.flow, motion.occlusion, context4)
            frame = self.refiner(coarse, fine)

        quarter = (-(-size[0] // 4), -(-size[1] // 4))
        times = 4 * motion.flow.shape[3] // encoded.references.shape[3]  # motion's resolution over a quarter
        return Output(
            self.shown(frame, size),
            coarse=crop_to(coarse, quarter),
            flow=crop_to(F.avg_pool2d(motion.flow, times) / times, quarter),
            occlusion=crop_to(F.avg_pool2d(motion.occlusion, times), quarter),
            alpha=None if alpha is None else lineup.by_slot(alpha, offsets.shape[1]),
            blend=crop_to(blended, quarter),
        )

    def know(self, image: Tensor) -> tuple[Encoded, tuple[int, int]]:
        """Encode at all scales."""
        padded, size = pad_to_multiple(image, self.multiple)
        return self.encode(padded, 1), size

    def forget(self, known: Any) -> Any:
        """Keep s16, and the small image where there is one."""
        encoded, size = known
        return encoded._replace(references=None, features=None), size

    def make(self, known: Mapping[float, Any]) -> Output:
        """Run stages 2 to 5; see `Interpolator.make`."""
        encoded, sizes = zip(*known.values(), strict=True)
        offsets = torch.tensor([list(known)], device=next(self.parameters()).device)
        lineup = self.line_up(offsets, torch.ones_like(offsets).bool())
        ordered = [encoded[slot] for slot in lineup.slots.tolist()]
        near = ordered[:2]
        together = Encoded(
            torch.cat([one.references for one in near]),
            Pyramid(*(_joined(scales) for scales in zip(*(one.features for one in near), strict=True))),
            _joined([one.s16 for one in ordered]),
            _joined([one.small for one in ordered]),
        )
        return self.predict(together, offsets, lineup, sizes[0])

    def placed(self, features: Pyramid, position: Tensor) -> Pyramid:
        """Return the references' features with their positions in time, (2·B,), added; without s16."""
        return features._replace(
            s1=add_position(features.s1, position) if self.use_s1 else features.s1,
            s4=add_position(features.s4, position),
            s8=add_position(features.s8, position),
            s16=None,
            s2=None if features.s2 is None else add_position(features.s2, position),
        )

    def gather(
        self, s16: Tensor | None, position: Tensor, lineup: Lineup, like: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return F_ctx (B, C16, H/16, W/16) and α (B, V); without context zeros `like` s8, and None."""
        if self.context is None or s16 is None:
            height, width = like.shape[2:]
            return like.new_zeros(lineup.samples, self.context_width, height // 2, width // 2), None
        context, alpha = self.context(lineup.by_rank(add_position(s16, position)), lineup.present)
        return context, alpha

    def recompute(self, parts: Collection[str]) -> None:
        """Compute anew in the backward pass; see `Encoder` and `TemporalTransformer`."""
        self.encoder.recompute = "encoder" in parts
        if isinstance(self.context, TemporalTransformer):  # an ablation without it has nothing to keep
            self.context.recompute = "transformer" in parts

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start the encoder from RIFE's ContextNet; see `load_rife_contextnet`."""
        self.load_report = load_rife_contextnet(self.encoder, path)
        self.loaded = frozenset(f"encoder.{name}" for name in self.load_report.taken)
        return self.load_report


def _joined(features: Sequence[Tensor | None]) -> Any:
    """Join frames' features along the batch; None where the model has none of this scale."""
    there = [one for one in features if one is not None]
    return torch.cat(there) if there else None
