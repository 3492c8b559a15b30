"""The parameters of `flow: matching` (lift/models/matching), a section of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import number


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Motion found by comparing frames, then corrected by three heads."""

    neighbour: float = number(0.0)
    """Search: weight of a reference against the next frame beyond it, over that of the two references against
    each other; 0: the references alone."""
    coarsest: int = number(1, 4096)
    """Search: pixels that a scale coarser than s16 must leave of the shorter side to be where it starts."""
    reach: int = number(1, 8)
    """Search: furthest step tried at each scale, pixels of it."""
    window: int = number(1, 99, odd=True)
    """Search: side of the square over which differences are averaged, pixels."""
    temperature: float = number(1e-6)
    """Search: by how much less difference (1: white against black) a step counts e times as much."""
    prior: float = number(0.0)
    """Search: difference that a step of one pixel must save to be worth it."""
    smooth: int = number(1, 99, odd=True)
    """Search: side of the square over which motion is averaged after each scale, pixels."""
    shade: int = number(1, 99, odd=True)
    """Search: side of the square whose mean is taken from a pixel, against changing light, pixels."""
    evidence: int = number(1, 99, odd=True)
    """Visibility: side of the square over which disagreement is averaged, pixels."""
    tolerance: float = number(1e-6)
    """Visibility: disagreement (1: white against black) that is left where nothing is hidden."""
    rounds: int = number(0, 99)
    """Refinement: rounds at each scale."""
    sweeps: int = number(1, 999)
    """Refinement: relaxation sweeps in each round."""
    brightness: float = number(0.0)
    """Refinement: weight of equal brightness over that of equal gradients."""
    noise: float = number(1e-6)
    """Refinement: gradient, white per pixel, below which a pixel tells little of motion."""
    softness: float = number(1e-6)
    """Refinement: difference and step of motion, pixels, from which more of them counts linearly."""
    pool: int = number(1, 99, odd=True)
    """Refinement: side of the square over which a pixel's equations are averaged, pixels."""
    stiffness: float = number(1e-6)
    """Refinement: how strongly a pixel's motion is held to its neighbours' where one pair of frames is
    compared; with more pairs less, by their effective number."""
    bend_stiffness: float = number(1e-6)
    """Refinement: the same of its acceleration."""
    bend_prior: float = number(0.0)
    """Refinement: how strongly acceleration is held to 0."""
    bands: int = number(1, 8)
    """Blend: bands of detail, each of twice the size, in which the warped references are compared."""
    around: int = number(1, 99, odd=True)
    """Blend: side of the square over which they are, pixels."""
    close: int = number(1, 99, odd=True)
    """Blend: side of a smaller one, which the network sees as well."""
    doubt: float = number(0.0)
    """Blend: how much of a band's power counts as error, over that of half the references' difference."""
    faint: float = number(1e-6)
    """Blend: detail (1: white against black) below which there is none."""
    share_width: int = number(1, 4096)
    """Blend: hidden channels of the network that corrects what is kept."""
    widths: tuple[int, int] = number(1, 4096)
    """Heads: channels in which features are compared at s8 and s4."""
    reaches: tuple[int, int] = number(0, 16)
    """Heads: furthest motion compared at s8 and s4, pixels of that scale to either reference."""
    fine_width: int = number(8, 4096)
    """Hidden channels of the head at s2."""
    fine_blocks: int = number(0, 16)
    """Residual blocks of the head at s2."""
