"""The parameters of one run as frozen dataclasses: what a model is, what it sees, how it learns.

The text under a field gives its unit and meaning. Values stand in params.yaml only, so no field has a
default.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from lift.config.clip import Clip, window
from lift.config.families import Flavr, IfrNet, Rife, RifeV4
from lift.config.lift_rife import LiftRife
from lift.config.matching import Matching
from lift.config.parse import choice, number, place
from lift.config.training import Augment, Phase, Train

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
    refinement: str = choice("coarse", "aligned", "none", "fusion")
    """Where the references are warped and blended: at a quarter of the resolution, as specified; or at all of
    it, features with them (lift/models/aligned.py). Of `flow: rife` also none, nothing learnt on top of what
    it gives, and fusion, a small network that weighs its candidates (lift/models/lift_rife/fusion.py): both
    without encoder and transformer.
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
            raise ValueError("flow: rife ends at full resolution; set refinement: fusion, aligned or none")
        if self.flow != "rife" and self.refinement in ("none", "fusion"):
            raise ValueError(
                f"refinement: {self.refinement} is for flow: rife, not for {self.flow}; set aligned or coarse"
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
