"""The parameters of training as frozen dataclasses (conventions: schema.py)."""

from dataclasses import dataclass
from typing import Literal

from lift.options import choice, number


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
        """Return how many of the loaded `stages`, from the shallowest, are frozen in an epoch.

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
        """Return height and width of a phase's crops from one source."""
        limit = self.crop_limits.get(source, phase.crop)
        return min(phase.crop[0], limit[0]), min(phase.crop[1], limit[1])
