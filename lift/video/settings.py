"""The numbers of the video tool: defaults of its command line and of `lift.video.interpolate`."""

from dataclasses import dataclass
from fractions import Fraction

from lift.config.data import Continuity

CONTINUITY = Continuity(
    cut_floor=1.0,
    cut_ratio=1.6,
    cut_alike=2.5,
    cut_correlation=0.65,
    duplicate=0.05,
    repeat=0.2,
    motion=2.0,
)
"""As in params.yaml (`clips.continuity`), which a test holds; equal frames alone count as duplicates here."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How frames are judged and how much is held at once; the text under a field gives unit and meaning."""

    continuity: Continuity = CONTINUITY
    """Cuts and repeats."""
    dropped: float = 1.5
    """Motion over a longer gap between distinct frames, as a multiple of that over a shorter one, from which
    frames were dropped on recording; below, they were repeated later on and are evenly spaced in truth."""
    snap: Fraction = Fraction(1, 64)
    """An original that lies this near to the time of a frame, in intervals, is shown in its place."""
    halvings: int = 3
    """How often an interval is halved at least, by a model that only makes the middle of two frames: 3 gives
    eighths, so that a frame is at most 1/16 of an interval off its time."""
    fastest: float = 1000.0
    """Highest rate that --fps and --input-fps take, frames per second: as fast as the fastest data set,
    X4K1000FPS; far above it a slip of the finger would fill the disk."""
    memory: float = 2.0
    """Budget of `tile: auto` for features and activations on a CPU, GiB; on CUDA `share` of what is free."""
    share: float = 0.8
    """Share of free CUDA memory that may be used."""
    overlap: int = 64
    """Pixels that neighbouring tiles share at least; the seam is blended over them."""
    queue: int = 4
    """Frames that decoding may run ahead and encoding lag behind."""


DEFAULTS = Settings()
