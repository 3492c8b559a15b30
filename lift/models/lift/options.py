"""Parameters of LIFT: `model` in params.yaml, but for the sections of other families and of its variants."""

from dataclasses import dataclass
from typing import ClassVar

from lift.options import Family, choice, number

GROUPS = 8  # GroupNorm(8) throughout, GroupNorm(4) in the refiner's last stage: specification section 3


@dataclass(frozen=True, kw_only=True)
class Lift(Family):
    """LIFT (specification section 3) and its variants."""

    freezable = True
    tasks = ("interpolate", "predict")
    variants: ClassVar[dict[str, tuple[str, ...]]] = {
        "plain": (),
        "matching": ("matching",),
        "rife": ("matching", "lift_rife", "rife_v4"),
    }
    """The sections of `model` that each way of finding motion reads beside these fields."""

    widths: tuple[int, int, int, int, int] = number(8, 4096)
    """Channels at s1, s2, s4, s8, s16."""
    flow_widths: tuple[int, int] = number(8, 4096)
    """Hidden channels of the flow heads at s8 and s4."""
    flow_blocks: tuple[int, int] = number(0, 16)
    """Residual blocks of the flow heads at s8 and s4."""
    flow: str = choice("plain", "matching", "rife")
    """How motion is estimated: by the specification's two heads, by comparing frames, to s2
    (lift/models/matching), or by RIFE v4.25 and the window around its two frames (lift/models/lift_rife)."""
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
    """True: the refiner sees the references' full-resolution features; False: s4, reduced and enlarged."""
    occlusion: bool
    """False: the two warped references are averaged without occlusion maps."""
    refinement: str = choice("coarse", "aligned", "none", "fusion")
    """Where the references are warped and blended: at a quarter of the resolution, as specified; or at all of
    it, features with them (rendering.py). Of `flow: rife` also, without encoder and transformer: none,
    nothing learnt on top of what it gives, and fusion, a small network that weighs its candidates
    (lift/models/lift_rife/fusion.py)."""
    target_position: int = number(0, 1024)
    """Position of the missing frame in the sinusoidal encoding; of others this plus their offset."""
    pretrained: str | None
    """RIFE v2.x ContextNet weights for LIFT's encoder, or null."""

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

    def only(self, task: str = "interpolate") -> None:
        """It takes any window with both references."""

    def objection(self, task: str) -> str | None:
        """Return why these parameters are not fit for a task: comparing frames needs one on either side."""
        if task == "interpolate" or self.flow == "plain":
            return None
        return (
            f"lift with model.flow: {self.flow} cannot predict: it looks for motion between a frame before "
            f"and one after; set model.flow: plain"
        )
