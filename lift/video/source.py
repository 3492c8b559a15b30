"""What an input is: which part of it is wanted, what is known of it before it is read, and its frames."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.video.filters import matrix_of
from lift.video.frame import Frame
from lift.video.look import Light, Look, transparent
from lift.video.settings import DEFAULTS


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
    """What a video is like: an input, an output as it is wished for, or as a reader finds it."""

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
    light: Light = field(default_factory=Light)
    matrix: list[int] | None = None
    """How pictures are to be turned when shown, if they were not: FFmpeg's display matrix, 9 numbers."""
    chapters: list[Any] = field(default_factory=list)
    """As FFmpeg gives them, on the file's own clock."""
    transparent: bool = False
    """Whether something shines through the first picture."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Title and other texts of the file."""
    stream_metadata: dict[str, str] = field(default_factory=dict)
    """The same of the video's stream."""

    @classmethod
    def of(cls, container: InputContainer, video: VideoStream, first: av.VideoFrame) -> "Format":
        """Return that of an open file, by its header and its first frame, which knows more."""
        look = Look.of(first)
        rates = (video.average_rate, video.guessed_rate, video.base_rate)
        rate = next((Fraction(rate) for rate in rates if rate and rate <= DEFAULTS.fastest), Fraction(25))
        return cls(
            look=look,
            size=(first.height, first.width),
            rate=rate,
            unit=video.time_base or 1 / rate,
            aspect=Fraction(video.sample_aspect_ratio or 1),
            light=Light.of(first),
            matrix=matrix_of(first),
            chapters=list(container.chapters()),
            transparent=look.alpha and transparent(look.unmixed(first)),
            metadata=dict(container.metadata),
            stream_metadata=dict(video.metadata),
        )


@dataclass(kw_only=True)
class Source(Format):
    """An input; times of its frames are counted from `origin`."""

    path: Path
    span: Span
    total: int | None
    """How many frames are wanted, as far as the header tells."""
    warnings: list[str]
    """What of it is not carried on."""
    begin: Fraction = Fraction(0)
    """The file's first time on its own clock, seconds."""
    origin: Fraction = field(init=False)
    """What is zero in the output, on the file's own clock, seconds."""
    remarks: list[str] = field(default_factory=list)
    """What was found on the way and is no fault."""
    trouble: str | None = None
    """What is wrong with the file, known once it is read; None: nothing."""

    def __post_init__(self) -> None:
        self.origin = self.begin + self.span.start

    @property
    def length(self) -> Fraction | None:
        """How long what is wanted of it lasts, seconds; None: to its end."""
        return None if self.span.end is None else self.begin + self.span.end - self.origin

    def frames(self) -> Iterator[Frame]:
        """Decode, once; what cannot be read on ends the video, and `trouble` says so."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file, if one is open."""
