"""LIFT as its figure has it, from top to bottom: five stages, each a file of this folder (docs/model.md).

Legend: B samples, T frame slots, N present frames; − and + the references at offsets −1 and +1 (of prediction
the last two frames before the missing one, −2 and −1; specification section 8); s1, s4, s8, s16 features at
1, 1/4, 1/8, 1/16 of the resolution.
"""

from collections.abc import Collection
from math import lcm
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.interface import Interpolator, LoadReport, check_inputs
from lift.models.lift.contextnet import SOURCES, load_rife_contextnet
from lift.models.lift.encoder import Encoded, Encoder, Pyramid
from lift.models.lift.flow import FlowEstimator, Motion, side_by_side
from lift.models.lift.positional import add_position
from lift.models.lift.refiner import Refiner
from lift.models.lift.synthesis import Synthesis
from lift.models.lift.transformer import MeanContext, TemporalTransformer
from lift.models.lineup import Lineup, line_up, references_only
from lift.models.output import Output
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize

MULTIPLE = 32  # specification section 3: sizes are padded to this; s16 then splits into whole 2x2 patches


class Gathered(NamedTuple):
    """What stages 1 and 2 know, of which stage 3 finds motion."""

    near: Pyramid
    """Features of the references, with positions."""
    context: Tensor
    """F_ctx, (B, C16, H/16, W/16)."""
    encoded: Encoded
    """The frames, where a variant compares them."""
    offsets: Tensor
    """Of the slots, (B, T), float."""
    lineup: Lineup
    """Which of them take part."""
    size: tuple[int, int]
    """(H, W) before padding."""

    @property
    def small(self) -> Tensor:
        """All frames at half the size, to compare.

        Raises:
            ValueError: They were encoded by a model that compares none.
        """
        if self.encoded.small is None:
            raise ValueError("frames to compare are needed: encode them with this model")
        return self.encoded.small


class Lift(Interpolator):
    """The specification's model. Variants find motion, or make the frame of it, in another way.

    Attributes:
        compares: Whether motion is found by comparing frames, which then are kept at half the size.
        keeps_s2: Whether it needs features at s2.
    """

    freezable = True
    compares: bool = False
    keeps_s2: bool = False

    def __init__(self, model: Model) -> None:
        """Build the model that `model` describes, with PyTorch's current random state."""
        super().__init__()
        self.target_position = model.target_position
        self.use_s1 = model.use_s1
        self.context_width = model.widths[4]
        self.multiple = lcm(MULTIPLE, 16 * model.patch)
        self.encoder = Encoder(model.widths, deep=model.use_context, keep_s2=self.keeps_s2)
        names = (f"encoder.{name}" for name, _ in self.encoder.named_parameters())
        self.loadable = frozenset(name for name in names if name.split(".")[1] in SOURCES)
        self.context = _context(model)
        self.add_motion(model)
        self.add_rendering(model)

    def add_motion(self, model: Model) -> None:
        """Build what `find_motion` uses."""
        self.flow: nn.Module = FlowEstimator(model)

    def add_rendering(self, model: Model) -> None:
        """Build what `render` uses."""
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
        # Stage 3: flow and occlusion
        motion = self.find_motion(Gathered(near, context, encoded, offsets, lineup, size))
        # Stage 4: coarse frame, and stage 5: full resolution
        fine = near.s1 if self.use_s1 else near.s4
        frame, coarse, blended = self.render(encoded.references, fine, motion, resize(context, 4))

        frame, quarter = crop_to(frame, size), (-(-size[0] // 4), -(-size[1] // 4))
        times = 4 * motion.flow.shape[3] // encoded.references.shape[3]  # motion's resolution over a quarter
        return Output(
            frame=frame if self.training else frame.clamp(0, 1),
            coarse=crop_to(coarse, quarter),
            flow=crop_to(F.avg_pool2d(motion.flow, times) / times, quarter),
            occlusion=crop_to(F.avg_pool2d(motion.occlusion, times), quarter),
            alpha=None if alpha is None else lineup.by_slot(alpha, offsets.shape[1]),
            blend=crop_to(blended, quarter),
        )

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
        """Return F_ctx (B, C16, H/16, W/16) and α (B, V); zeros and None without context.

        Args:
            s16: Of all N present frames.
            position: Of each in time, (N,).
            lineup: Which they are.
            like: Features at s8, whose size and type tell those of the zeros.
        """
        if self.context is None or s16 is None:
            height, width = like.shape[2:]
            return like.new_zeros(lineup.samples, self.context_width, height // 2, width // 2), None
        context, alpha = self.context(lineup.by_rank(add_position(s16, position)), lineup.present)
        return context, alpha

    def find_motion(self, known: Gathered) -> Motion:
        """Stage 3: return how the missing frame samples its references, from coarse to fine."""
        s8, s4 = side_by_side(known.near.s8), side_by_side(known.near.s4)
        contexts = resize(known.context, 2), resize(known.context, 4)
        return Motion(*self.flow(s8, s4, *contexts, known.lineup.time))

    def render(
        self, references: Tensor, fine: Tensor, motion: Motion, context4: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Stages 4 and 5: return the frame, the coarse frame, and that before context corrected it.

        Args:
            references: All − of the batch, then all +, (2·B, 3, H, W).
            fine: Their features, s1 or s4.
            motion: By which they are sampled.
            context4: F_ctx at s4.
        """
        coarse, blended = self.synthesis(references, motion.flow, motion.occlusion, context4)
        return self.refiner(coarse, fine), coarse, blended

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
