"""From a stream of originals to the stream that is shown.

The frame halfway between two is predicted from the originals around it (uniform context: offsets ±1, ±3 …).
Quarters and eighths come by halving again: the references are then the two nearest frames, predicted or not,
and the window is the same uniform one at the finer spacing, in which places without an original are masked.
Nothing is held but the window, so memory does not grow with the video.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice, pairwise

from lift.video.cuts import mark
from lift.video.frame import Frame, Image, Shown, to_image, to_tensor
from lift.video.methods import Method
from lift.video.schedule import Schedule
from lift.video.settings import DEFAULTS, Settings


def smooth(
    frames: Iterable[Frame],
    method: Method,
    schedule: Schedule,
    *,
    settings: Settings = DEFAULTS,
    predict: int = 0,
) -> Iterator[Shown]:
    """Interpolate.

    Args:
        frames: Originals in order, times ascending.
        method: How the frame between two is made.
        schedule: Which frames are shown when.
        settings: Rules of cuts and duplicates.
        predict: Frames to append after the last, for a method that can.

    Yields:
        What is shown, in order. Every original in between is passed on as the object that it was.
    """
    last: Frame | None = None
    duration = Fraction(0)
    past: deque[Frame] = deque(maxlen=method.past if predict else 0)
    for gap in _gaps(mark(frames, settings), method):
        for time, place in schedule.between(gap.left.time, gap.right.time):
            yield Shown(time=time, frame=gap.at(place))
        gap.close()
        past.extend((gap.left, gap.right) if last is None else (gap.right,))
        last, duration = gap.right, gap.right.time - gap.left.time
    if last is None:
        return
    for time in schedule.last(last.time, duration):
        yield Shown(time=time, frame=last)
    for step, made in enumerate(_predicted(list(past), method, predict), start=1):
        ahead = Frame(image=made, time=last.time + step * duration, kind="predicted", scene=last.scene)
        for time in schedule.last(ahead.time, duration):
            yield Shown(time=time, frame=ahead)


def _predicted(past: list[Frame], method: Method, count: int) -> list[Image]:
    """Make `count` frames after the last one, from those of its scene."""
    if not count:
        return []
    known = _context(past[::-1], newer=True)[::-1]
    images = [to_tensor(frame.image, method.device) for frame in known]
    return [to_image(image, past[-1].image) for image in method.predict(images, count)]


def _gaps(frames: Iterator[Frame], method: Method) -> "Iterator[_Gap]":
    """Slide over pairs of neighbours, with as many frames around as the method can use."""
    ahead = deque(islice(frames, sum(offset > 0 for offset in method.window)))
    behind: deque[Frame] = deque(maxlen=sum(offset < 0 for offset in method.window))
    while ahead:
        behind.append(ahead.popleft())
        ahead.extend(islice(frames, 1))
        if ahead:
            yield _Gap(list(reversed(behind)), list(ahead), method)


class _Gap:
    """The frames between two neighbouring originals, each made when it is first asked for."""

    def __init__(self, past: list[Frame], future: list[Frame], method: Method) -> None:
        self.left, self.right = past[0], future[0]
        self._method = method
        self._past, self._future = _context(past, newer=True), _context(future, newer=False)
        self._known = {Fraction(0): self.left, Fraction(1): self.right}

    def at(self, place: Fraction) -> Frame:
        """Give the frame at `place`, 0 … 1, a number of halves, quarters, eighths ..."""
        if place not in self._known:
            if self.left.scene != self.right.scene or self.right.repeats:
                self._known[place] = self._copy(place)
            else:
                self._known[place] = self._middle(place, Fraction(1, place.denominator))
        return self._known[place]

    def close(self) -> None:
        """Forget what only a reference needs: the left original is context from now on."""
        if self.left.features is not None:
            self.left.features = self._method.shrink(self.left.features)

    def _time(self, place: Fraction) -> Fraction:
        return self.left.time + (self.right.time - self.left.time) * place

    def _copy(self, place: Fraction) -> Frame:
        """Show the left original again: the right one is of another scene, or the same picture."""
        left = self.left
        return Frame(
            image=left.image,
            picture=left.picture,
            time=self._time(place),
            kind="copied",
            scene=left.scene,
            repeats=True,
        )

    def _middle(self, place: Fraction, half: Fraction) -> Frame:
        window = {-1: self.at(place - half), 1: self.at(place + half)}
        for position, frame in [
            *enumerate(self._future, start=1),
            *((-k, f) for k, f in enumerate(self._past)),
        ]:
            offset = (position - place) / half
            if offset in self._method.window and offset not in window:
                window[int(offset)] = frame
        offsets = sorted(window)
        middle = self._method.between(offsets, [self._features(window[offset]) for offset in offsets])
        return Frame(
            image=to_image(middle.image, self.left.image),
            time=self._time(place),
            kind="interpolated",
            scene=self.left.scene,
            motion=self.right.motion,
            weights=None if middle.weights is None else dict(zip(offsets, middle.weights, strict=True)),
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
