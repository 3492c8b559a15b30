"""Which frames are shown when: a multiple of what there is, or a fixed frame rate."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from lift.errors import UserError

LEAST = 2  # the smallest factor that adds frames
UNCHANGED = 1  # the factor at which only predicted frames are added


class Tick(NamedTuple):
    """A frame that is to be shown, seconds.

    Attributes:
        shown: When, in the output.
        time: Of which moment of the input.
    """

    shown: Fraction
    time: Fraction


@dataclass(frozen=True, kw_only=True)
class Multiple:
    """`factor` times as many frames: every original, and `factor` - 1 evenly spread after it.

    With `stretch` the time between frames is kept instead and the video lasts that much longer.
    """

    factor: int
    stretch: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no multiple.

        Raises:
            UserError: The factor is below 1.
        """
        if self.factor < UNCHANGED:
            raise UserError(not_a_factor(self.factor))

    @property
    def parts(self) -> int:
        """Return into how many equal parts an interval is divided, where it always is."""
        return self.factor

    def between(self, left: Fraction, right: Fraction) -> Iterator[Tick]:
        """Yield what is shown from the original at `left` up to the one at `right`, seconds."""
        for k in range(self.factor):
            time = left + (right - left) * Fraction(k, self.factor)
            yield Tick(time * self.stretch, time)

    def last(self, time: Fraction, duration: Fraction) -> Iterator[Tick]:
        """Yield when the last original is shown, which lasts for `duration`."""
        yield Tick(time * self.stretch, time)

    def count(self, originals: int, rate: Fraction, predicted: int) -> int:
        """Return how many frames are shown of `originals` at `rate` and `predicted` more after them."""
        return (originals - 1) * self.factor + 1 + predicted

    def unit(self, unit: Fraction) -> Fraction:
        """Return the time, seconds, of which all of the output's times are multiples; `unit`: the input's."""
        return unit * self.stretch / self.factor

    def rate(self, rate: Fraction) -> Fraction:
        """Return the output's mean frame rate from the input's, per second."""
        return rate * self.factor / self.stretch

    def hold(self, rate: Fraction) -> Fraction:
        """Return how long the last frame is shown, seconds: like an original, so that the length is kept."""
        return self.stretch / rate


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A fixed number of frames per second."""

    fps: Fraction
    parts: int = 1

    def between(self, left: Fraction, right: Fraction) -> Iterator[Tick]:
        """Yield the ticks in [left, right), seconds."""
        for k in range(math.ceil(left * self.fps), math.ceil(right * self.fps)):
            yield Tick(k / self.fps, k / self.fps)

    def last(self, time: Fraction, duration: Fraction) -> Iterator[Tick]:
        """Yield the ticks at which the last original is shown."""
        yield from self.between(time, time + duration)

    def count(self, originals: int, rate: Fraction, predicted: int) -> int:
        """Return how many frames are shown of `originals` at `rate` and `predicted` more after them."""
        return math.ceil((originals + predicted) / rate * self.fps)

    def unit(self, unit: Fraction) -> Fraction:
        """Return the time between two ticks, seconds."""
        return 1 / self.fps

    def rate(self, rate: Fraction) -> Fraction:
        """Return the output's frame rate.

        Raises:
            UserError: It is below the input's: this tool adds frames.
        """
        if self.fps < rate:
            raise UserError(
                f"--fps {float(self.fps):g}: the input has {float(rate):g} frames per second; give more"
            )
        return self.fps

    def hold(self, rate: Fraction) -> Fraction:
        """Return how long the last frame is shown, seconds."""
        return 1 / self.fps


Schedule = Multiple | Rate


def not_a_factor(factor: int) -> str:
    """Return what is wrong with a factor that is none."""
    return f"--factor {factor}: expected a whole number from {LEAST} on; for any other frame rate use --fps"
