"""Which frames are shown when, and when the scene looked like each original.

Repeated frames of a moving scene stand for no moment of their own: animation on twos, film on video and
phones that cannot keep up show a frame again in place of a new one, so that motion stops and goes. `smooth`
takes the distinct frames alone and interpolates the motion between them. Where frames were dropped on
recording, each distinct one is of the time at which it is shown. Where a film was spread over more frames
(each fourth one shown twice, say), its frames are evenly spaced in truth, and are moved there: later by less
than one interval, so that sound stays in step.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from lift.errors import UserError
from lift.video.frame import Frame
from lift.video.settings import DEFAULTS, Settings

LEAST = 2  # the smallest factor that adds frames
UNCHANGED = 1  # the factor at which only predicted frames are added
# Distinct frames after which a cadence begins again: 2:3:2:3:2, film on 60 frames a second, has 5.
LONGEST = 5
FAITH = 2 * LONGEST  # distinct frames without a cadence after which the last one is given up


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which frames are shown: all originals and `factor` - 1 evenly spread after each, or a fixed rate."""

    factor: int = LEAST
    fps: Fraction | None = None
    """Frames per second, in place of `factor`."""
    slow_motion: bool = False
    """Keep the time between frames, so that the video lasts `factor` times longer."""

    def __post_init__(self) -> None:
        """Refuse what is no schedule.

        Raises:
            UserError: A factor or a rate that is none, or slow motion at a fixed rate.
        """
        if self.factor < UNCHANGED:
            raise UserError(not_a_factor(self.factor))
        if self.fps is not None:
            check_rate("--fps", self.fps)
            if self.slow_motion:
                raise UserError("--slow-motion keeps the frame rate and goes with --factor; leave --fps out")

    @property
    def stretch(self) -> int:
        """How many times longer the output lasts than the input."""
        return self.factor if self.slow_motion else 1

    def between(self, left: Fraction, right: Fraction) -> Iterator[Fraction]:
        """Yield the input's moments that are shown from the original at `left` up to the one at `right`."""
        if self.fps is None:
            yield from (left + (right - left) * Fraction(k, self.factor) for k in range(self.factor))
        else:
            first, end = math.ceil(left * self.fps), math.ceil(right * self.fps)
            yield from (k / self.fps for k in range(first, end))

    def last(self, time: Fraction, duration: Fraction) -> Iterator[Fraction]:
        """Yield the moments at which the last original is shown, which lasts for `duration`."""
        return iter([time]) if self.fps is None else self.between(time, time + duration)

    def count(self, originals: int | None, rate: Fraction, predicted: int) -> int | None:
        """Return how many frames are shown of `originals` at `rate` and `predicted` more after them.

        None: the number of originals is not known.
        """
        if not originals:
            return None
        if self.fps is None:
            return (originals - 1) * self.factor + 1 + predicted
        return math.ceil((originals + predicted) / rate * self.fps)

    def unit(self, unit: Fraction) -> Fraction:
        """Return the time, seconds, of which all of the output's times are multiples; `unit`: the input's."""
        return unit * self.stretch / self.factor if self.fps is None else 1 / self.fps

    def rate(self, rate: Fraction) -> Fraction:
        """Return the output's mean frame rate from the input's, per second.

        Raises:
            UserError: A fixed rate is below the input's: this tool adds frames.
        """
        if self.fps is None:
            return rate * self.factor / self.stretch
        if self.fps < rate:
            raise UserError(
                f"--fps {float(self.fps):g}: the input has {float(rate):g} frames per second; give more"
            )
        return self.fps

    def hold(self, rate: Fraction) -> Fraction:
        """Return how long the last frame is shown, seconds: as an original, so that the length is kept."""
        return self.stretch / rate if self.fps is None else 1 / self.fps


def not_a_factor(factor: int) -> str:
    """Return what is wrong with a factor that is none."""
    return f"--factor {factor}: expected a whole number from {LEAST} on; for any other frame rate use --fps"


def check_rate(name: str, rate: Fraction) -> None:
    """Refuse a frame rate that would fill the disk.

    Raises:
        UserError: Not above 0, or above `Settings.fastest`.
    """
    if not 0 < rate <= DEFAULTS.fastest:
        raise UserError(
            f"{name} {float(rate):g}: expected more than 0 and at most {DEFAULTS.fastest:g} frames per second"
        )


class Paced(NamedTuple):
    """A distinct frame.

    Attributes:
        frame: The frame.
        moment: When the scene looked like it, seconds.
        ticks: What is shown from this moment up to the next one's, moments of the input.
    """

    frame: Frame
    moment: Fraction
    ticks: list[Fraction]


def pace(
    frames: Iterable[Frame], schedule: Schedule, settings: Settings, *, smoothed: bool
) -> Iterator[Paced]:
    """Take out the frames that stutter, where they are to be smoothed, and set the others' moments.

    Args:
        frames: Marked originals (see `mark`), times ascending.
        schedule: Which frames are shown when.
        settings: Rules.
        smoothed: False: every frame is kept, at its time.

    Yields:
        The frames that remain, with their moments, and the ticks of the schedule, each once and in order.
    """
    cadence = _Cadence(settings.dropped)
    ticks: deque[Fraction] = deque()
    keys: deque[tuple[Frame, Fraction]] = deque()
    before: Frame | None = None
    duration = Fraction(0)

    def next_paced() -> Paced:
        frame, moment = keys.popleft()
        taken = []
        while ticks and not (keys and ticks[0] >= keys[0][1]):
            taken.append(ticks.popleft())
        return Paced(frame, moment, taken)

    for frame in frames:
        if before is not None:
            duration = frame.time - before.time
            ticks.extend(schedule.between(before.time, frame.time))
        cut = before is None or before.shot != frame.shot
        if not smoothed or cut or not frame.stutters:
            keys.append((frame, cadence.moment(frame, duration, cut=cut) if smoothed else frame.time))
        before = frame
        while len(keys) > 1 and keys[1][1] <= frame.time:  # up to there ticks are known
            yield next_paced()
    if before is not None:
        ticks.extend(schedule.last(before.time, duration))
    while keys:
        yield next_paced()


class _Cadence:
    """The rhythm in which distinct frames come, from those that have come."""

    def __init__(self, dropped: float) -> None:
        self._dropped = dropped
        self._known: deque[tuple[int, Fraction, float]] = deque(maxlen=2 * LONGEST)
        """Intervals since the last distinct frame, seconds since it, motion since it."""
        self._last: tuple[Fraction, Fraction] | None = None
        """Time and moment of the last distinct frame."""
        self._step: Fraction | None = None
        self._doubt = 0

    def moment(self, frame: Frame, duration: Fraction, *, cut: bool) -> Fraction:
        """Return when the scene looked like a distinct frame that follows one of `duration`."""
        found = frame.time
        if self._last is not None and duration > 0:
            time, moment = self._last
            passed = frame.time - time
            self._known.append((round(passed / duration), passed, 0.0 if cut else frame.motion))
            self._judge()
            if self._step is not None and not cut:
                found = min(max(moment + self._step, frame.time), frame.time + duration)
        self._last = frame.time, found
        return found

    def _judge(self) -> None:
        """Look for the shortest rhythm that the last frames keep, twice over or more."""
        known = list(self._known)[::-1]
        counts = [count for count, _, _ in known]
        for length in range(1, len(known) // 2 + 1):
            if counts[:-length] == counts[length:]:
                total = sum((passed for _, passed, _ in known[:length]), Fraction(0))
                self._step = None if self._drops(known) else total / length
                self._doubt = 0
                return
        self._doubt += 1
        if self._doubt > FAITH:
            self._step = None

    def _drops(self, known: list[tuple[int, Fraction, float]]) -> bool:
        """Return whether more time means more motion: then frames are missing where others are repeated."""
        shortest = min(count for count, _, _ in known)
        short = [motion for count, _, motion in known if count == shortest]
        long = [motion for count, _, motion in known if count > shortest]
        return bool(long) and median(long) > self._dropped * median(short)
