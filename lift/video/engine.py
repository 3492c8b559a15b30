"""From a stream of originals to the stream that is shown.

A frame between two is made at its own time from the originals around it, by a method that can (`any_time`).
Others only make the frame halfway between two: quarters and eighths come by halving again, where the
references are the two nearest frames, made or not, and a time is taken to the nearest of them. In both cases
the context is uniform: the frame k places after the left original has the offset 2 * (k - place).
Nothing is held but the window, so memory does not grow with the video.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from typing import Literal

from lift.video.frame import Frame, Image, Shown, to_image, to_tensor
from lift.video.methods import Method
from lift.video.pace import Paced, Schedule, pace
from lift.video.settings import DEFAULTS, Settings

Repeats = Literal["keep", "smooth"]


def smooth(
    frames: Iterable[Frame],
    method: Method,
    schedule: Schedule,
    *,
    settings: Settings = DEFAULTS,
    predict: int = 0,
    repeats: Repeats = "smooth",
) -> Iterator[Shown]:
    """Interpolate.

    Args:
        frames: Originals in order, times ascending, marked (see `mark`).
        method: How the frame between two is made.
        schedule: Which frames are shown when.
        settings: Rules of repeats and times.
        predict: Frames to append after the last, for a method that can.
        repeats: smooth: frames that repeat the one before while the scene moves are made anew, from the
            distinct ones around; keep: they are shown.

    Yields:
        What is shown, in order. Every original in between is passed on as the object that it was.
    """
    times: deque[Fraction] = deque(maxlen=2)

    def timed() -> Iterator[Frame]:
        for frame in frames:
            times.append(frame.time)
            yield frame

    keys = pace(timed(), schedule, settings, smoothed=repeats == "smooth")
    last: Paced | None = None
    past: deque[Frame] = deque(maxlen=method.past if predict else 0)
    for gap in _gaps(keys, method, finest(schedule, settings), settings.snap):
        for tick in gap.ticks:
            yield Shown(time=tick * schedule.stretch, frame=gap.at(tick))
        gap.close()
        past.append(gap.left)
        last = gap.last
    if last is None:
        return
    for tick in last.ticks:
        yield Shown(time=tick * schedule.stretch, frame=last.frame)
    past.append(last.frame)
    end, duration = times[-1], times[-1] - times[0]
    for step, made in enumerate(_predicted(list(past), method, predict), start=1):
        frame = Frame(image=made, time=end + step * duration, kind="predicted", shot=last.frame.shot)
        for tick in schedule.last(frame.time, duration):
            yield Shown(time=tick * schedule.stretch, frame=frame)


def finest(schedule: Schedule, settings: Settings) -> int:
    """Return into how many parts an interval is halved by a method that can do no more."""
    parts = schedule.factor if schedule.fps is None else 1
    return int(2 ** max(settings.halvings, math.ceil(math.log2(parts))))


def _predicted(past: list[Frame], method: Method, count: int) -> list[Image]:
    """Make `count` frames after the last one, from those of its shot."""
    if not count:
        return []
    known = _context(past[::-1], newer=True)[::-1]
    images = [to_tensor(frame.image, method.device) for frame in known]
    return [to_image(image, past[-1].image) for image in method.predict(images, count)]


def _gaps(keys: Iterator[Paced], method: Method, parts: int, snap: Fraction) -> "Iterator[_Gap]":
    """Slide over pairs of neighbours, with as many frames around as the method can use."""
    ahead = deque(islice(keys, sum(offset > 0 for offset in method.window)))
    behind: deque[Paced] = deque(maxlen=sum(offset < 0 for offset in method.window))
    while ahead:
        behind.append(ahead.popleft())
        ahead.extend(islice(keys, 1))
        if ahead:
            yield _Gap(list(reversed(behind)), list(ahead), method, parts, snap)


class _Gap:
    """The frames between two neighbouring originals, each made when it is first asked for.

    A place is 0 at the left original and 1 at the right one.
    """

    def __init__(
        self, past: list[Paced], future: list[Paced], method: Method, parts: int, snap: Fraction
    ) -> None:
        """Look at what is around, nearest first; `parts` and `snap` round a place, by what the method can."""
        self.left, self.right, self.last = past[0].frame, future[0].frame, future[0]
        self.ticks = past[0].ticks
        self._start, self._length = past[0].moment, future[0].moment - past[0].moment
        self._method, self._parts, self._snap = method, parts, snap
        # Nothing can be made where the right original is of another shot, or the same picture.
        self._parted = self.left.shot != self.right.shot or self.right.repeats
        self._known = {Fraction(0): self.left, Fraction(1): self.right}
        around = dict(enumerate(_context([one.frame for one in future], newer=False), start=1))
        around |= {-k: frame for k, frame in enumerate(_context([one.frame for one in past], newer=True))}
        self._around = around

    def at(self, time: Fraction) -> Frame:
        """Return the frame of a moment from the left original's on to the right one's, seconds."""
        place = (time - self._start) / self._length if self._length > 0 else Fraction(0)
        place = min(max(place, Fraction(0)), Fraction(1))
        if not self._parted:
            if not self._method.any_time:
                place = Fraction(round(place * self._parts), self._parts)
            elif min(place, 1 - place) <= self._snap:
                place = Fraction(round(place))
        return self._at(place)

    def close(self) -> None:
        """Forget what only a reference needs: the left original is context from now on."""
        if self.left.features is not None:
            self.left.features = self._method.shrink(self.left.features)

    def _at(self, place: Fraction) -> Frame:
        if place not in self._known:
            self._known[place] = self._copy(place) if self._parted else self._made(place)
        return self._known[place]

    def _time(self, place: Fraction) -> Fraction:
        return self._start + self._length * place

    def _copy(self, place: Fraction) -> Frame:
        """Return the left original again."""
        image, picture, shot = self.left.image, self.left.picture, self.left.shot
        time = self._time(place)
        return Frame(image=image, picture=picture, time=time, kind="copied", shot=shot, repeats=True)

    def _window(self, place: Fraction) -> dict[Fraction, Frame]:
        """Return the frames from which that at `place` is made, by offset."""
        if self._method.any_time:
            wanted = {(offset + 1) // 2 for offset in self._method.window}
            return {2 * (k - place): frame for k, frame in self._around.items() if k in wanted}
        half = Fraction(1, place.denominator)
        around = {(k - place) / half: frame for k, frame in self._around.items()}
        window = {offset: frame for offset, frame in around.items() if offset in self._method.window}
        return window | {Fraction(-1): self._at(place - half), Fraction(1): self._at(place + half)}

    def _made(self, place: Fraction) -> Frame:
        window = self._window(place)
        offsets = sorted(window)
        numbers = [int(offset) if offset.denominator == 1 else float(offset) for offset in offsets]
        middle = self._method.between(numbers, [self._features(window[offset]) for offset in offsets])
        return Frame(
            image=to_image(middle.image, self.left.image),
            time=self._time(place),
            kind="interpolated",
            shot=self.left.shot,
            motion=self.right.motion,
            alpha=None if middle.alpha is None else dict(zip(numbers, middle.alpha, strict=True)),
        )

    def _features(self, frame: Frame) -> object:
        if frame.features is None:
            frame.features = self._method.encode(to_tensor(frame.image, self._method.device))
        return frame.features


def _context(frames: list[Frame], *, newer: bool) -> list[Frame]:
    """Keep what belongs to the first one's shot, without duplicates: nearest first.

    Args:
        frames: Originals from a gap outwards.
        newer: Whether each frame is newer than the next of the list.
    """
    kept = frames[:1]
    for near, far in pairwise(frames):
        if far.shot != frames[0].shot:
            break
        if not (near if newer else far).repeats:
            kept.append(far)
    return kept
