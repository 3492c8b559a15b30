"""The parameters of one run as frozen dataclasses: what a model is, what it sees, how it learns.

The text under a field gives its unit and meaning. Values stand in params.yaml only, so no field has a
default.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lift.config.clip import Clip, window
from lift.config.families import Flavr, IfrNet, Rife, RifeV4
from lift.config.lift_rife import LiftRife
from lift.config.matching import Matching
from lift.config.parse import choice, number, place

__all__ = ["Augment", "Clip", "Loss", "Model", "Phase", "Train", "window"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """LIFT (specification section 3), and a section for each family of models that it is compared with."""

    name: str
    """Key of the registry in lift/models."""
    widths: tuple[int, int, int, int, int] = number(8, 4096)
    """Channels at s1, s2, s4, s8, s16."""
    flow_widths: tuple[int, int] = number(8, 4096)
    """Hidden channels of the flow heads at s8 and s4."""
    flow_blocks: tuple[int, int] = number(0, 16)
    """Residual blocks of the flow heads at s8 and s4."""
    flow: str = choice("plain", "matching", "rife")
    """How motion is estimated: by the specification's two heads, by comparing frames, to s2
    (lift/models/matching.py), or by RIFE v4.25 and the window around its two frames (lift/models/lift_rife).
    """
    context_width: int = number(8, 4096)
    """Hidden channels of the coarse frame's context network."""
    refiner_widths: tuple[int, int] = number(8, 4096)
    """Channels of the full-resolution refiner, first and last stage."""
    refiner_blocks: int = number(0, 16)
    """Residual blocks of the refiner."""
    refiner_stride: int = number(1, 2)
    """How many times smaller than the frame the refiner works inside; 1 is the specification's."""
    use_context: bool
    """False: F_ctx is zero and there is no transformer."""
    context: str = choice("attention", "mean")
    """How frames become one map: the temporal transformer, or their plain average."""
    attention: str = choice("full", "windowed")
    """Which frames attend to each other."""
    window: int = number(2, 129)
    """Frames per attention window, where windowed."""
    layers: int = number(1, 16)
    """Transformer layers."""
    heads: int = number(1, 64)
    """Attention heads; divides widths[4]."""
    patch: int = number(1, 8)
    """Side of a token in s16 pixels."""
    expansion: int = number(1, 16)
    """Feed-forward width over model width."""
    score_reduction: int = number(1, 64)
    """Model width over the hidden width of the frame scores' network."""
    dropout: float = number(0.0, 0.9)
    """Share of feed-forward outputs dropped in training."""
    use_s1: bool
    """True: the refiner sees the references' full-resolution features; False: reduced s4 features,
    enlarged.
    """
    occlusion: bool
    """False: the two warped references are averaged without occlusion maps."""
    refinement: str = choice("coarse", "aligned", "none")
    """Where the references are warped and blended: at a quarter of the resolution, as specified; or at all of
    it, features with them (lift/models/aligned.py); none: as aligned, but nothing is learnt on top of what
    `flow: rife` gives, so that there is no encoder and no context either.
    """
    target_position: int = number(0, 1024)
    """Position of the missing frame in the sinusoidal encoding; a frame's position is this plus its
    offset.
    """
    pretrained: str | None
    """RIFE v2.x ContextNet weights for LIFT's encoder, or null."""
    matching: Matching
    lift_rife: LiftRife
    rife: Rife
    rife_v4: RifeV4
    ifrnet: IfrNet
    flavr: Flavr

    def __post_init__(self) -> None:
        """Check what fields demand of each other.

        Raises:
            ValueError: Heads or normalisation groups do not divide a width.
        """
        if self.widths[4] % self.heads:
            raise ValueError(f"heads: {self.heads} does not divide widths[4]: {self.widths[4]}")
        grouped = [self.widths[4], *self.flow_widths, self.refiner_widths[0]]
        if any(w % GROUPS for w in grouped) or self.refiner_widths[1] % (GROUPS // 2):
            raise ValueError(
                f"widths[4], flow_widths and refiner_widths[0] must be multiples of {GROUPS} and "
                f"refiner_widths[1] of {GROUPS // 2}: GroupNorm has that many groups"
            )

        if self.flow == "matching" and self.refinement != "aligned":
            raise ValueError("flow: matching ends at s2, for refinement: aligned alone; set that too")
        if self.flow == "rife" and self.refinement == "coarse":
            raise ValueError("flow: rife ends at full resolution; set refinement: aligned, or none")
        if self.flow != "rife" and self.refinement == "none":
            raise ValueError(
                f"refinement: none is for flow: rife, not for {self.flow}; set aligned or coarse"
            )

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections of families that the named model reads."""
        if self.name != "lift":
            return (self.name,)
        return {"plain": (), "matching": ("matching",), "rife": ("matching", "lift_rife", "rife_v4")}[
            self.flow
        ]

    @property
    def start(self) -> Path | None:
        """The weights file from which the named model starts, or None."""
        start: str | None = getattr(vars(self).get(self.name, self), "pretrained", None)
        return None if start is None else place(start)

    def started(self, path: Path) -> "Model":
        """Return the named model as it starts from the weights file `path`."""
        if hasattr(getattr(self, self.name, None), "pretrained"):
            return replace(self, **{self.name: replace(getattr(self, self.name), pretrained=str(path))})
        return replace(self, pretrained=str(path))


GROUPS = 8  # GroupNorm(8) throughout, GroupNorm(4) in the refiner's last stage: specification section 3


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Weight of each part of the loss (specification section 4); 0 switches it off."""

    l1: float = number(0.0)
    lpips: float = number(0.0)
    charbonnier: float = number(0.0)
    census: float = number(0.0)
    smoothness: float = number(0.0)
    warping: float = number(0.0)
    laplacian: float = number(0.0)
    perceptual: float = number(0.0)
    frequency: float = number(0.0)
    distillation: float = number(0.0)
    """RIFE: the students' flows against the privileged teacher's."""
    teacher: float = number(0.0)
    """RIFE: the teacher's own frame against the truth; without it the teacher does not learn."""
    geometry: float = number(0.0)
    """IFRNet: intermediate features against those of the true frame."""

    def __post_init__(self) -> None:
        """Refuse a loss without parts.

        Raises:
            ValueError: All weights are 0.
        """
        if not any(vars(self).values()):
            raise ValueError("all weights are 0: nothing to learn from")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of training with its own rate, crop and freeze state (specification section 5)."""

    epochs: int = number(1)
    crop: tuple[int, int] = number(16)
    """Height and width of a training crop, pixels."""
    rate: float = number(0.0, 1.0)
    """Learning rate at the phase's start."""
    final_rate: float = number(0.0, 1.0)
    """Learning rate at its end, reached by a cosine; equal to `rate`: constant."""
    encoder_scale: float = number(0.0, 1.0)
    """Encoder's rate over the base rate."""
    freeze: bool
    """Loaded encoder weights do not train in this phase."""
    thaw: int = number(0)
    """Epochs over which the stages of what is loaded thaw one after the other, the deepest at the phase's
    start; 0: all at once. They then train at `encoder_scale` (specification section 5.1).
    """

    def __post_init__(self) -> None:
        """Refuse to thaw what stays frozen, or over more epochs than there are.

        Raises:
            ValueError: Both are asked for, or the phase ends before the last stage thaws.
        """
        if self.freeze and self.thaw:
            raise ValueError(f"thaw: {self.thaw}: nothing thaws while freeze: true; set 0, or freeze: false")
        if self.thaw > self.epochs:
            raise ValueError(f"thaw: {self.thaw} is longer than the phase's epochs: {self.epochs}")

    def frozen(self, stages: int, epoch: int) -> int:
        """Give how many of the `stages` that were loaded, from the shallowest, are frozen in an epoch.

        Args:
            stages: How many there are.
            epoch: Of this phase, from 0.
        """
        if self.freeze:
            return stages
        thawed = 1 + epoch * stages // self.thaw if self.thaw else stages
        return max(0, stages - thawed)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Chance of each augmentation, one draw per clip (`jitter`: largest relative change)."""

    flip_horizontal: float = number(0.0, 1.0)
    flip_vertical: float = number(0.0, 1.0)
    rotate: float = number(0.0, 1.0)
    reverse_time: float = number(0.0, 1.0)
    reverse_channels: float = number(0.0, 1.0)
    colour: float = number(0.0, 1.0)
    jitter: float = number(0.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class Train:
    """How a model learns (specification section 5)."""

    seeds: tuple[int, ...] = number(0)
    """One model is trained for each; results are averaged over them and their spread is shown."""
    phases: tuple[Phase, ...]
    crop_limits: dict[str, tuple[int, int]] = number(16)  # noqa: RUF009 -- a field's checks, no default
    """Height and width that a source's crops do not exceed: of one with smaller frames than phases ask."""
    samples_per_epoch: int | None = number(1)
    """Clips drawn in an epoch; null: each clip once."""
    batch: int = number(1)
    """Clips per forward pass of one process."""
    accumulate: int = number(1)
    """Forward passes per optimiser step, over all processes: a multiple of their number."""
    warmup: int = number(0)
    """Optimiser steps over which the rate rises from 0."""
    weight_decay: float = number(0.0, 1.0)
    clip_norm: float = number(0.0)
    """Largest norm of the gradient."""
    s1_scale: float = number(0.0, 100.0)
    """Rate of the new full-resolution (s1) encoder layers over the encoder's."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = choice("32-true", "bf16-mixed", "16-mixed")
    augment: Augment
    workers: int = number(0, 256)
    """Data loading processes per device; 0: in the training process."""
    resident: bool
    """Hold all frames that training needs, decoded, on the device that trains (its memory must have room for
    them), and cut and augment them there: no loading processes, and the same batches.
    """
    threads: int = number(1, 256)
    """CPU threads of PyTorch: fixed, since the order of sums depends on it."""
    devices: int = number(1)
    """Processes per node, where no launcher (torchrun, SLURM) says how many."""
    nodes: int = number(1)
    """Likewise."""
    validate_every: int = number(1)
    """Epochs between validations."""
    checkpoint_every: int = number(1)
    """Optimiser steps between checkpoints."""
    snapshot_every: int | None = number(1)
    """Epochs between snapshots, from which another run can start (`resume_epoch`); null: none."""
    snapshots: int = number(1)
    """The newest ones that a run keeps, of its own."""
    resume_epoch: int | None = number(1)
    """A new run starts from the snapshot after this epoch, with its optimiser; null: from nothing."""
    resume_from: str | None
    """The ablation whose snapshot that is; null: this one."""
    picture_every: int = number(1)
    """Validations between pictures in TensorBoard."""
    log_every: int = number(1)
    """Optimiser steps per row of the training curves."""
    channels_last: bool
    """Memory layout of the model and its input."""
    spike: float = number(1.0)
    """A loss that is so many times the median of the last ones is reported with its clips."""
    average: float = number(0.0, 1.0)
    """Decay of a running average of the weights, which then is validated and published; 0: none."""
    context_dropout: float = number(0.0, 1.0)
    """Chance of each frame but the references to be masked in training."""
    other_sampling: float = number(0.0, 1.0)
    """Share of training clips seen with the other `clip.sampling`."""
    recompute: tuple[str, ...] = choice("encoder", "transformer")
    """Parts whose inner values are computed anew in the backward pass instead of being kept (activation
    checkpointing): the context frames' features in the encoder, the transformer's layers.
    """
    compile: bool
    """Compile the model (torch.compile; needs a C++ compiler)."""

    def __post_init__(self) -> None:
        """Refuse a training without phases or without distinct seeds.

        Raises:
            ValueError: `phases` or `seeds` is empty, or a seed stands twice.
        """
        if not self.phases:
            raise ValueError("phases: at least one is needed")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: expected distinct whole numbers, found {list(self.seeds)}")

    def crop(self, phase: Phase, source: str) -> tuple[int, int]:
        """Give height and width of a phase's crops from one source."""
        limit = self.crop_limits.get(source, phase.crop)
        return min(phase.crop[0], limit[0]), min(phase.crop[1], limit[1])
