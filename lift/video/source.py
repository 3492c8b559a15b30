"""What an input is: which part of it is wanted, what is known of it before it is read, and its frames."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from lift.errors import UserError
from lift.video.filters import Filter
from lift.video.frame import Frame
from lift.video.hdr import DARK, Light
from lift.video.look import Look


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which part of the input is wanted, seconds from its beginning."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse an empty span.

        Raises:
            UserError: It ends before it starts.
        """
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise UserError(
                f"--start {float(self.start):g} --end {self.end}: expected 0 <= start < end, in seconds"
            )


WHOLE = Span()


@dataclass(kw_only=True)
class Format:
    """What a video is like: an input, or an output as it is wished for."""

    look: Look
    """How pixels are stored."""
    size: tuple[int, int]
    """(H, W), pixels, as given on."""
    rate: Fraction
    """Mean frame rate, per second."""
    unit: Fraction
    """Seconds of which all times are multiples."""
    aspect: Fraction = Fraction(1)
    """Width of a pixel by its height, as given on."""
    light: Light = DARK
    matrix: list[int] | None = None
    """How pictures are to be turned when shown, if they were not: FFmpeg's display matrix, 9 numbers."""
    chapters: list[Any] = field(default_factory=list)
    """As FFmpeg gives them, on the file's own clock."""
    transparent: bool = False
    """Whether something shines through the first picture."""


@dataclass(kw_only=True)
class Facts(Format):
    """What is known of an input before it is read; what only a video file has is as if it were not there."""

    total: int | None
    """How many frames there are, as far as the header tells."""
    warnings: list[str] = field(default_factory=list)
    """What of it is not carried on."""
    index: int = 0
    """Which stream is the video."""
    begin: Fraction = Fraction(0)
    """The file's first time, seconds."""
    stored: tuple[int, int] = (0, 0)
    """(W, H) before turning."""
    filters: list[Filter] = field(default_factory=list)
    timed: bool = True
    """False: its timestamps are of no use, as in AVI, which stores none, with frames out of order."""
    interlaced: bool = False


class Source(Facts):
    """An input; times are counted from its beginning, or from `span.start`.

    Attributes:
        origin: What is zero in the output, on the file's own clock, seconds.
        length: How long what is wanted of it lasts, seconds; None: to its end.
        remarks: What was found on the way and is no fault.
        trouble: What is wrong with the file, known once it is read; None: nothing.
    """

    def __init__(self, path: Path, span: Span, facts: Facts) -> None:
        super().__init__(**vars(facts))
        self.path, self.span = path, span
        self.origin = facts.begin + span.start
        self.length = None if span.end is None else span.end - span.start
        self.remarks: list[str] = []
        self.trouble: str | None = None

    def frames(self) -> Iterator[Frame]:
        """Decode, once; what cannot be read on ends the video, and `trouble` says so."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file, if one is open."""
