"""Which frames are shown when: a multiple of what there is, or a fixed frame rate."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from lift.errors import UserError

FACTORS = (2, 4, 8)
UNCHANGED = 1  # the factor at which only predicted frames are added

Position = tuple[
    Fraction, Fraction
]  # when it is shown (seconds), where between two originals it lies (0 … 1)


@dataclass(frozen=True, kw_only=True)
class Multiple:
    """`factor` times as many frames: every original, and `factor` - 1 evenly spread after it.

    With `stretch` the time between frames is kept instead and the video lasts that much longer.
    """

    factor: int
    stretch: int = 1

    def __post_init__(self) -> None:
        """Refuse what halving cannot make.

        Raises:
            UserError: The factor is none of FACTORS.
        """
        if self.factor not in (UNCHANGED, *FACTORS):
            raise UserError(not_a_factor(self.factor))

    def between(self, left: Fraction, right: Fraction) -> Iterator[Position]:
        """Give what is shown from the original at `left` up to the one at `right`, seconds."""
        for k in range(self.factor):
            place = Fraction(k, self.factor)
            yield (left + (right - left) * place) * self.stretch, place

    def last(self, time: Fraction, duration: Fraction) -> Iterator[Fraction]:
        """Give when the last original is shown, which lasts for `duration`."""
        yield time * self.stretch

    def count(self, originals: int, rate: Fraction, predicted: int) -> int:
        """Give how many frames are shown of `originals` at `rate` and `predicted` more after them."""
        return (originals - 1) * self.factor + 1 + predicted

    def unit(self, unit: Fraction) -> Fraction:
        """Give the time, seconds, of which all of the output's times are multiples; `unit`: the input's."""
        return unit * self.stretch / self.factor

    def rate(self, rate: Fraction) -> Fraction:
        """Give the output's mean frame rate from the input's, per second."""
        return rate * self.factor / self.stretch

    def hold(self, rate: Fraction) -> Fraction:
        """Give how long the last frame is shown, seconds: like an original, so that the length is kept."""
        return self.stretch / rate


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A fixed number of frames per second, each as near to its time as halving `halvings` times comes."""

    fps: Fraction
    halvings: int

    def between(self, left: Fraction, right: Fraction) -> Iterator[Position]:
        """Give the ticks in [left, right), seconds, and where between the two originals they lie."""
        parts = 2**self.halvings
        for tick in self._ticks(left, right):
            yield tick, Fraction(round((tick - left) / (right - left) * parts), parts)

    def last(self, time: Fraction, duration: Fraction) -> Iterator[Fraction]:
        """Give the ticks at which the last original is shown."""
        yield from self._ticks(time, time + duration)

    def _ticks(self, left: Fraction, right: Fraction) -> Iterator[Fraction]:
        for k in range(math.ceil(left * self.fps), math.ceil(right * self.fps)):
            yield k / self.fps

    def count(self, originals: int, rate: Fraction, predicted: int) -> int:
        """Give how many frames are shown of `originals` at `rate` and `predicted` more after them."""
        return math.ceil((originals + predicted) / rate * self.fps)

    def unit(self, unit: Fraction) -> Fraction:
        """Give the time between two ticks, seconds."""
        return 1 / self.fps

    def rate(self, rate: Fraction) -> Fraction:
        """Give the output's frame rate.

        Raises:
            UserError: It is below the input's: this tool adds frames.
        """
        if self.fps < rate:
            raise UserError(
                f"--fps {float(self.fps):g}: the input has {float(rate):g} frames per second; give more"
            )
        return self.fps

    def hold(self, rate: Fraction) -> Fraction:
        """Give how long the last frame is shown, seconds."""
        return 1 / self.fps


Schedule = Multiple | Rate


def not_a_factor(factor: int) -> str:
    """Say what is wrong with a factor that is none of FACTORS."""
    return (
        f"--factor {factor}: the models predict the frame halfway between two, so factors are "
        f"{', '.join(map(str, FACTORS))}; for any other frame rate use --fps"
    )
