"""From a stream of originals to the stream that is shown.

A frame between two is made at its own time from the originals around it, by a method that can (`any_time`).
Others only make the frame halfway between two: quarters and eighths come by halving again, where the
references are the two nearest frames, made or not, and a time is taken to the nearest of them. In both cases
the context is uniform: the frame k places after the left original has the offset 2 * (k - place).
Nothing is held but the window, so memory does not grow with the video.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from typing import Literal

from lift.video.cuts import mark
from lift.video.frame import Frame, Image, Shown, to_image, to_tensor
from lift.video.methods import Method
from lift.video.pace import Paced, moment, pace
from lift.video.settings import DEFAULTS, Settings
from lift.video.ticks import Schedule

Repeats = Literal["keep", "smooth"]


def smooth(
    frames: Iterable[Frame],
    method: Method,
    schedule: Schedule,
    *,
    settings: Settings = DEFAULTS,
    predict: int = 0,
    repeats: Repeats = "smooth",
    stuttered: Callable[[], None] = lambda: None,
) -> Iterator[Shown]:
    """Interpolate.

    Args:
        frames: Originals in order, times ascending.
        method: How the frame between two is made.
        schedule: Which frames are shown when.
        settings: Rules of cuts and repeats.
        predict: Frames to append after the last, for a method that can.
        repeats: smooth: frames that repeat the one before while the scene moves are made anew, from the
            distinct ones around; keep: they are shown.
        stuttered: Is called at every frame that repeats the one before in a moving scene.

    Yields:
        What is shown, in order. Every original in between is passed on as the object that it was.
    """
    times: deque[Fraction] = deque(maxlen=2)
    marked = _watched(mark(frames, settings.continuity), times, stuttered)
    keys = pace(marked, schedule, settings, smoothed=repeats == "smooth")
    last: Paced | None = None
    past: deque[Frame] = deque(maxlen=method.past if predict else 0)
    for gap in _gaps(keys, method, depth(schedule.parts, settings), settings.snap):
        for tick in gap.ticks:
            yield Shown(time=tick.shown, frame=gap.at(tick.time))
        gap.close()
        past.extend((gap.left, gap.right) if last is None else (gap.right,))
        last = gap.last
    if last is None:
        return
    for tick in last.ticks:
        yield Shown(time=tick.shown, frame=last.frame)
    end, duration = times[-1], times[-1] - times[0]
    for step, made in enumerate(_predicted(list(past), method, predict), start=1):
        frame = Frame(image=made, time=end + step * duration, kind="predicted", scene=last.frame.scene)
        for tick in schedule.last(frame.time, duration):
            yield Shown(time=tick.shown, frame=frame)


def _watched(
    frames: Iterator[Frame], times: deque[Fraction], stuttered: Callable[[], None]
) -> Iterator[Frame]:
    for frame in frames:
        times.append(frame.time)
        if frame.stutters:
            stuttered()
        yield frame


def depth(parts: int, settings: Settings) -> int:
    """Return how often an interval is halved by a method that can do no more."""
    return max(settings.halvings, math.ceil(math.log2(parts)))


def _predicted(past: list[Frame], method: Method, count: int) -> list[Image]:
    """Make `count` frames after the last one, from those of its scene."""
    if not count:
        return []
    known = _context(past[::-1], newer=True)[::-1]
    images = [to_tensor(frame.image, method.device) for frame in known]
    return [to_image(image, past[-1].image) for image in method.predict(images, count)]


def _gaps(keys: Iterator[Paced], method: Method, depth: int, snap: Fraction) -> "Iterator[_Gap]":
    """Slide over pairs of neighbours, with as many frames around as the method can use."""
    ahead = deque(islice(keys, sum(offset > 0 for offset in method.window)))
    behind: deque[Paced] = deque(maxlen=sum(offset < 0 for offset in method.window))
    while ahead:
        behind.append(ahead.popleft())
        ahead.extend(islice(keys, 1))
        if ahead:
            yield _Gap(list(reversed(behind)), list(ahead), method, depth, snap)


class _Gap:
    """The frames between two neighbouring originals, each made when it is first asked for."""

    def __init__(
        self, past: list[Paced], future: list[Paced], method: Method, depth: int, snap: Fraction
    ) -> None:
        self.left, self.right, self.last = past[0].frame, future[0].frame, future[0]
        self.ticks = past[0].ticks
        self._method, self._depth, self._snap = method, depth, snap
        self._past = _context([one.frame for one in past], newer=True)
        self._future = _context([one.frame for one in future], newer=False)
        self._known = {Fraction(0): self.left, Fraction(1): self.right}

    def at(self, time: Fraction) -> Frame:
        """Return the frame of a moment from the left original's on to the right one's, seconds."""
        start, end = moment(self.left), moment(self.right)
        place = (
            min(max((time - start) / (end - start), Fraction(0)), Fraction(1)) if end > start else Fraction(0)
        )
        if self._parted:
            return self._at(place)
        if not self._method.any_time:
            parts = 2**self._depth
            place = Fraction(round(place * parts), parts)
        elif min(place, 1 - place) <= self._snap:
            place = Fraction(round(place))
        return self._at(place)

    def close(self) -> None:
        """Forget what only a reference needs: the left original is context from now on."""
        if self.left.features is not None:
            self.left.features = self._method.shrink(self.left.features)

    @property
    def _parted(self) -> bool:
        """Whether nothing can be made: the right original is of another scene, or the same picture."""
        return self.left.scene != self.right.scene or self.right.repeats

    def _at(self, place: Fraction) -> Frame:
        if place not in self._known:
            if self._parted:
                self._known[place] = self._copy(place)
            elif self._method.any_time:
                self._known[place] = self._between(place)
            else:
                self._known[place] = self._middle(place, Fraction(1, place.denominator))
        return self._known[place]

    def _time(self, place: Fraction) -> Fraction:
        return moment(self.left) + (moment(self.right) - moment(self.left)) * place

    def _copy(self, place: Fraction) -> Frame:
        """Return the left original again."""
        left = self.left
        return Frame(
            image=left.image,
            picture=left.picture,
            time=self._time(place),
            kind="copied",
            scene=left.scene,
            repeats=True,
        )

    def _around(self) -> Iterator[tuple[int, Frame]]:
        """Yield the originals with their places: 0 the left one, 1 the right one."""
        yield from enumerate(self._future, start=1)
        yield from ((-k, frame) for k, frame in enumerate(self._past))

    def _between(self, place: Fraction) -> Frame:
        """Make the frame at `place` from the originals alone."""
        wanted = {(offset + 1) // 2 for offset in self._method.window}
        window = {2 * (k - place): frame for k, frame in self._around() if k in wanted}
        return self._made(place, window)

    def _middle(self, place: Fraction, half: Fraction) -> Frame:
        """Make the frame at `place` as the middle of those `half` an interval away on either side."""
        window = {Fraction(-1): self._at(place - half), Fraction(1): self._at(place + half)}
        for k, frame in self._around():
            offset = (k - place) / half
            if offset in self._method.window and offset not in window:
                window[offset] = frame
        return self._made(place, window)

    def _made(self, place: Fraction, window: dict[Fraction, Frame]) -> Frame:
        offsets = sorted(window)
        numbers = [int(offset) if offset.denominator == 1 else float(offset) for offset in offsets]
        middle = self._method.between(numbers, [self._features(window[offset]) for offset in offsets])
        return Frame(
            image=to_image(middle.image, self.left.image),
            time=self._time(place),
            kind="interpolated",
            scene=self.left.scene,
            motion=self.right.motion,
            alpha=None if middle.alpha is None else dict(zip(numbers, middle.alpha, strict=True)),
        )

    def _features(self, frame: Frame) -> object:
        if frame.features is None:
            frame.features = self._method.encode(to_tensor(frame.image, self._method.device))
        return frame.features


def _context(frames: list[Frame], *, newer: bool) -> list[Frame]:
    """Keep what belongs to the first one's scene, without duplicates: nearest first.

    Args:
        frames: Originals from a gap outwards.
        newer: Whether each frame is newer than the next of the list.
    """
    kept = frames[:1]
    for near, far in pairwise(frames):
        if far.scene != frames[0].scene:
            break
        if not (near if newer else far).repeats:
            kept.append(far)
    return kept
