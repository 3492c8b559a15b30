"""The parameters of `flow: rife` (lift/models/lift_rife), a section of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import number


@dataclass(frozen=True, kw_only=True)
class LiftRife:
    """RIFE's motion and mask, refined with the frames beyond the references where those bear it out.

    The refinement itself has the parameters of `model.matching`, but for its rounds.
    """

    pretrained: str
    """The weights of RIFE v4.25, on which the model stands, in the project's folder; they do not train."""
    alone_rounds: int = number(0, 99)
    """Rounds of refinement by the two references alone, which RIFE's motion goes through first."""
    coarse: tuple[int, ...] = number(2, 64)
    """Then one round by all frames each, at so many times less than half the resolution, coarsest first."""
    coarse_least: int = number(4, 9999)
    """The shorter side of what such a round sees, at least: in smaller frames things run into each other."""
    rounds: int = number(1, 99)
    """Further rounds by all frames, at half the resolution."""
    stride: int = number(1, 2)
    """How many times coarser than the half-size frames what a round changes of the motion is solved for."""
    sweeps: int = number(1, 999)
    """Of the solver, in place of `matching.sweeps`."""
    reach: int = number(1, 64)
    """How many of the nearest frames beyond each reference take part; what lies farther is not looked at."""
    least: float = number(0.0, 1.0)
    """A frame beyond a reference that differs from it by less than this share of what even motion between the
    references lets expect is a repeat, and no far frame of the window is believed."""
    most: float = number(1.0)
    """The same of one that differs by more: another scene, a flash, a wrong frame."""
    grain: float = number(1e-6)
    """Difference between the references (1: white against black) that is left when nothing moves."""
    blur: int = number(1, 99, odd=True)
    """Side of the square over which frames are averaged before these differences, half-size pixels."""
    around: int = number(1, 99, odd=True)
    """Side of the square over which warped frames are compared, half-size pixels."""
    tolerance: float = number(1e-6)
    """Difference of warped frames (1: white against black) that is left where motion is exact."""
    sharpness: float = number(0.0)
    """How steeply belief falls with the logarithm of a difference over another."""
    references_margin: float = number(0.0)
    """Motion by the references alone: how many times RIFE's difference of the warped references it may have
    where it is believed as much as RIFE's."""
    context_margin: float = number(0.0)
    """Motion by all frames: the same, over the better of RIFE's and the references-only one."""
    witness_margin: float = number(0.0)
    """Motion by all frames: how many times the difference of each far frame it may have that even motion by
    the references alone has."""
    stranger_margin: float = number(0.0)
    """Motion by all frames: how many times the difference of the warped references that of each far frame may
    be; one that shows something else says nothing of motion."""
    onward_from: float = number(0.0)
    """How far from a reference, in offsets, the next frame beyond those that take part must lie to be asked
    as well: the farther frames lie apart, the less a path is a parabola."""
    onward_margin: float = number(0.0)
    """Motion by all frames: how many times the difference of such a frame, over the whole of it, may be what
    even motion by the references alone makes it. One number for a frame, since that far no pixel is sure."""
    onward_sharpness: float = number(0.0)
    """How steeply belief falls with the logarithm of that."""
    still: float = number(1e-6)
    """Difference of the two references as they stand (1: white against black) that noise and compression make
    where nothing moves: where it is no more than this no motion is believed."""
    mask: float = number(0.0)
    """Weight of RIFE's mask in the blend, as a factor of its logit: 1 is RIFE's, 0 their average, by nearness
    in time."""
    visibility: float = number(0.0)
    """Weight of the visibility that the far frames tell, likewise."""
    fusion_width: int = number(1, 1024)
    """Of `refinement: fusion` alone: channels at half the resolution."""
