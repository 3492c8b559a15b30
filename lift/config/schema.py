"""The parameters of one run as frozen dataclasses: what a model is, what it sees, how it learns.

The text under a field gives its unit and meaning. Values stand in params.yaml only, so no field has a
default.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

from lift.config.parse import place
from lift.models.flavr.options import Flavr
from lift.models.ifrnet.options import IfrNet
from lift.models.lift.options import Lift
from lift.models.lift_rife.options import LiftRife
from lift.models.matching.options import Matching
from lift.models.rife.options import Rife
from lift.models.rife_v4.options import RifeV4
from lift.options import Family, choice, number


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Which frames a model sees, and where the one lies that it makes (specification sections 2 and 8)."""

    task: str = choice("interpolate", "predict")
    """interpolate: the missing frame lies between the references; predict: after them (section 8)."""
    mode: str = choice("recurrent", "arbitrary", "independent")
    """Of prediction, how it gets beyond the next frame. recurrent: the next frame is learnt, and what
    is predicted is fed back; arbitrary: one model learns several `horizons` and is told which; independent: a
    model for each horizon."""
    horizons: tuple[int, ...] = number(1, 64)
    """Of prediction: how many frames after the last given one the learnt frames lie, ascending."""

    frames: int = number(2, 129)
    """Window length. Odd: the missing frame counts and stands inside (15, 7, 3). Even: all are given (64)."""
    shift: int = number(-64, 64)
    """How many context frames have moved from after the gap to before it: 0 is centred, +1 is 8 before and 6
    after, +7 of 15 is all 14 before, as prediction needs."""
    sampling: str = choice("dense", "uniform")
    """dense: every frame but the missing one; uniform: offsets ±1, ±3, ±5 …, as when a frame rate is
    doubled."""

    def __post_init__(self) -> None:
        """Raise ValueError where the window does not go with the task, or lacks a reference."""
        if self.task == "predict":
            self._check_prediction()
            return
        if self.frames % 2 == 0 and self.sampling != "uniform":
            raise ValueError(
                f"frames: {self.frames} (even, the gap lies between frames) needs sampling: uniform"
            )
        if min(self.before, self.after) < 1:
            raise ValueError(
                f"frames: {self.frames} with shift: {self.shift} leaves {self.before} frames before the gap "
                f"and {self.after} after it; both references are needed: |shift| at most {self.half - 1}"
            )

    def _check_prediction(self) -> None:
        if self.frames % 2 == 0 or self.frames < 3 or self.sampling != "dense" or self.after:
            raise ValueError(
                f"task: predict needs a window wholly in the past: an odd number of frames from 3 on, "
                f"sampling: dense and shift: {self.half}; found frames: {self.frames}, sampling: "
                f"{self.sampling}, shift: {self.shift}"
            )
        count = len(self.horizons)
        fits = {"recurrent": self.horizons == (1,), "arbitrary": count > 1, "independent": count == 1}
        if list(self.horizons) != sorted(set(self.horizons)) or not fits[self.mode]:
            raise ValueError(
                f"horizons: {list(self.horizons)} do not go with mode: {self.mode}; recurrent learns [1], "
                f"independent one horizon such as [3], arbitrary several, ascending, such as [1, 2, 3]"
            )

    @property
    def other(self) -> "Clip":
        """The same window with the other sampling."""
        return replace(self, sampling="uniform" if self.sampling == "dense" else "dense")

    @property
    def learnt(self) -> tuple[int, ...]:
        """How many frames after offset -1 the learnt ones lie; between two there is one alone."""
        return self.horizons if self.task == "predict" else (1,)

    @property
    def half(self) -> int:
        """Context frames on each side of a centred window."""
        return self.frames // 2

    @property
    def before(self) -> int:
        """Context frames before the missing one."""
        return self.half + self.shift

    @property
    def after(self) -> int:
        """Context frames after the missing one."""
        return self.half - self.shift

    @property
    def offsets(self) -> tuple[int, ...]:
        """Offsets of the context frames from the missing frame, ascending.

        -1 and +1 are the references, and of prediction -2 and -1. These are counted from the next frame; a
        frame further ahead lies `horizon` - 1 later.
        """
        return window(self.before, self.after, self.sampling)


def window(before: int, after: int, sampling: str) -> tuple[int, ...]:
    """List the offsets of `before` + `after` context frames, dense (1 apart) or uniform (2 apart)."""
    stride = 2 if sampling == "uniform" else 1
    past = [-(1 + stride * i) for i in reversed(range(before))]
    return (*past, *(1 + stride * i for i in range(after)))


@dataclass(frozen=True, kw_only=True)
class Model(Lift):
    """A model: the parameters of LIFT, and a section for each of its variants and for each other family.

    A section of a `Family` registers that family: its model is made by `create` in
    lift/models/<section>/interpolator.py.
    """

    name: str
    """lift, or the section of another family."""
    matching: Matching
    lift_rife: LiftRife
    rife: Rife
    rife_v4: RifeV4
    ifrnet: IfrNet
    flavr: Flavr

    @property
    def family(self) -> Family:
        """The parameters of the named model: its section, or of LIFT these fields."""
        return self if self.name == LIFT else getattr(self, self.name)

    @property
    def families(self) -> dict[str, Family]:
        """The parameters of every model."""
        return {name: replace(self, name=name).family for name in MODELS}

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that the named model reads."""
        return self.variants[self.flow] if self.name == LIFT else (self.name,)

    @property
    def start(self) -> Path | None:
        """The weights file from which the named model starts, or None."""
        start: str | None = getattr(self.family, "pretrained", None)
        return None if start is None else place(start)

    def started(self, path: Path) -> "Model":
        """Return the named model as it starts from the weights file `path`."""
        own = self.family
        if own is self or not hasattr(own, "pretrained"):
            return replace(self, pretrained=str(path))
        section: dict[str, Any] = {self.name: replace(own, pretrained=str(path))}  # type: ignore[type-var]
        return replace(self, **section)


LIFT = "lift"
MODELS: dict[str, type[Family]] = {
    LIFT: Lift,
    **{
        name: kind
        for name, kind in get_type_hints(Model).items()
        if isinstance(kind, type) and issubclass(kind, Family)
    },
}
"""Every model by name."""


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
        """Raise ValueError where all weights are 0."""
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
    start; 0: all at once. They then train at `encoder_scale` (specification section 5.1)."""

    def __post_init__(self) -> None:
        """Raise ValueError where what is frozen thaws, or thaws longer than the phase lasts."""
        if self.freeze and self.thaw:
            raise ValueError(f"thaw: {self.thaw}: nothing thaws while freeze: true; set 0, or freeze: false")
        if self.thaw > self.epochs:
            raise ValueError(f"thaw: {self.thaw} is longer than the phase's epochs: {self.epochs}")

    def frozen(self, stages: int, epoch: int) -> int:
        """Return how many of the loaded `stages`, from the shallowest, are frozen in this phase's `epoch`."""
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
    them), and cut and augment them there: no loading processes, and the same batches."""
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
    checkpointing): the context frames' features in the encoder, the transformer's layers."""
    compile: bool
    """Compile the model (torch.compile; needs a C++ compiler)."""

    def __post_init__(self) -> None:
        """Raise ValueError where there is no phase, or seeds are none or not distinct."""
        if not self.phases:
            raise ValueError("phases: at least one is needed")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: expected distinct whole numbers, found {list(self.seeds)}")

    def crop(self, phase: Phase, source: str) -> tuple[int, int]:
        """Return height and width of a phase's crops from one source."""
        limit = self.crop_limits.get(source, phase.crop)
        return min(phase.crop[0], limit[0]), min(phase.crop[1], limit[1])
