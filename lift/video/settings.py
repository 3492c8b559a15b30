"""The numbers of the video tool: defaults of its command line and of `lift.video.interpolate`."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How frames are judged and how much is held at once; the text under a field gives unit and meaning."""

    cut: float = 20.0
    """A cut must change the picture by this much: mean absolute difference of two frames shrunk to
    `small` pixels, 0-255."""
    cut_ratio: float = 2.0
    """... and be this many times the largest change among the neighbouring pairs: motion lasts, a cut does
    not."""
    cut_colour: float = 0.15
    """... and this share of the pixels must change to another coarse colour in the histogram: motion moves
    colours about and keeps them."""
    neighbours: int = 2
    """Pairs on either side that count as neighbours."""
    small: int = 64
    """Longer side of the shrunken frames, pixels."""
    duplicate: float = 0.0
    """Frames whose mean absolute difference, 0-255, is not above this are one frame shown twice; 0: equal."""
    halvings: int = 3
    """How often an interval is halved for --fps: 3 gives eighths, so that a frame is at most 1/16 of an
    interval off its time."""
    fastest: float = 1000.0
    """Highest rate that --fps and --input-fps take, frames per second: as fast as the fastest data set,
    X4K1000FPS; far above it a slip of the finger would fill the disk."""
    memory: float = 6.0
    """Budget of `tile: auto` for features and activations on a CPU, GiB; on CUDA `share` of what is free."""
    share: float = 0.8
    """Share of free CUDA memory that may be used."""
    overlap: int = 64
    """Pixels that neighbouring tiles share at least; the seam is blended over them."""
    queue: int = 4
    """Frames that decoding may run ahead and encoding lag behind."""


DEFAULTS = Settings()
