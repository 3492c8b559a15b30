"""Which part of a video is wanted."""

from dataclasses import dataclass
from fractions import Fraction

from lift.errors import UserError


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
