"""When the scene looked like each frame: repeated frames of a moving scene stand for no moment of their own.

Animation on twos, film on video and phones that cannot keep up show a frame again in place of a new one, so
that motion stops and goes. `smooth` takes the distinct frames alone and interpolates the motion between them.
Where frames were dropped on recording, each distinct one is of the time at which it is shown. Where a film
was spread over more frames (each fourth one shown twice, say), its frames are evenly spaced in truth, and are
moved there: later by less than one interval, so that sound stays in step.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from lift.video.frame import Frame
from lift.video.settings import Settings
from lift.video.ticks import Schedule, Tick

# Distinct frames after which a cadence begins again: 2:3:2:3:2, film on 60 frames a second, has 5.
LONGEST = 5
FAITH = 2 * LONGEST  # distinct frames without a cadence after which the last one is given up


@dataclass
class Paced:
    """A distinct frame and what is shown from its moment up to the next one's."""

    frame: Frame
    ticks: list[Tick]


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
    ticks: deque[Tick] = deque()
    keys: deque[Frame] = deque()
    before: Frame | None = None
    duration = Fraction(0)

    def ready() -> Iterator[Paced]:
        # Ticks are known up to the last frame's time.
        while len(keys) > 1 and before is not None and moment(keys[1]) <= before.time:
            key = keys.popleft()
            yield Paced(key, _until(ticks, moment(keys[0])))

    for frame in frames:
        if before is not None:
            duration = frame.time - before.time
            ticks.extend(schedule.between(before.time, frame.time))
        cut = before is not None and before.scene != frame.scene
        if not smoothed or cut or not frame.stutters:
            if smoothed:
                frame.moment = cadence.moment(frame, duration, cut=cut or before is None)
            keys.append(frame)
        before = frame
        yield from ready()
    if before is None:
        return
    ticks.extend(schedule.last(before.time, duration))
    while keys:
        key = keys.popleft()
        yield Paced(key, _until(ticks, moment(keys[0]) if keys else None))


def moment(frame: Frame) -> Fraction:
    """Return when the scene looked like the frame."""
    return frame.time if frame.moment is None else frame.moment


def _until(ticks: deque[Tick], end: Fraction | None) -> list[Tick]:
    taken = []
    while ticks and (end is None or ticks[0].time < end):
        taken.append(ticks.popleft())
    return taken


class _Cadence:
    """The rhythm in which distinct frames come, from those that have come."""

    def __init__(self, dropped: float) -> None:
        self._dropped = dropped
        self._known: deque[tuple[int, Fraction, float]] = deque(maxlen=2 * LONGEST)
        """Intervals since the last distinct frame, seconds since it, motion since it."""
        self._last: Frame | None = None
        self._step: Fraction | None = None
        self._doubt = 0

    def moment(self, frame: Frame, duration: Fraction, *, cut: bool) -> Fraction:
        """Return when the scene looked like a distinct frame that follows one of `duration`."""
        last, self._last = self._last, frame
        if last is None or duration <= 0:
            return frame.time
        passed = frame.time - last.time
        self._known.append((round(passed / duration), passed, 0.0 if cut else frame.motion))
        self._judge()
        if cut or self._step is None:
            return frame.time
        return min(max(moment(last) + self._step, frame.time), frame.time + duration)

    def _judge(self) -> None:
        """Look for the shortest rhythm that the last frames keep, twice over or more."""
        known = list(self._known)[::-1]
        counts = [count for count, _, _ in known]
        for length in range(1, len(known) // 2 + 1):
            if counts[:-length] == counts[length:]:
                even = len(set(counts)) == 1 or not self._drops(known)
                self._step = sum((passed for _, passed, _ in known[:length]), Fraction(0)) / length
                self._step = self._step if even else None
                self._doubt = 0
                return
        self._doubt += 1
        if self._doubt > FAITH:
            self._step = None

    def _drops(self, known: list[tuple[int, Fraction, float]]) -> bool:
        """Return whether more time means more motion: then frames are missing where others are repeated."""
        shortest = min(count for count, _, _ in known)
        short = median(motion for count, _, motion in known if count == shortest)
        long = median(motion for count, _, motion in known if count > shortest)
        return long > self._dropped * short
