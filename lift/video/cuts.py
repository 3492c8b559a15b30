"""Scene cuts and repeated frames in a stream, by the rule of lift/clips/continuity.py."""

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.clips.continuity import AROUND, HELD, Reduced, cuts, differ, peak, reduced, repeats
from lift.config.data import Continuity
from lift.video.frame import Frame, Image

REACH = AROUND + HELD
"""Frames on either side of a pair by which it is judged."""


def mark(frames: Iterable[Frame], rule: Continuity) -> Iterator[Frame]:
    """Number the scenes and mark repeated frames, `REACH` frames behind the input.

    Yields:
        The same frames, with scene, repeats, stutters and motion filled in.
    """
    view, waiting, scene = _View(), deque[Frame](), 0

    def leave() -> Frame:
        nonlocal scene
        frame = waiting.popleft()
        if view.place > 0:
            pair = view.place - 1
            scene += frame.apart or view.cuts(pair, rule)
            frame.stutters = view.repeats(pair, rule)
            frame.repeats = frame.stutters or view.equal[pair]
            frame.motion = view.differences[pair]
        frame.scene = scene
        view.move()
        return frame

    for frame in frames:
        view.add(frame.image)
        waiting.append(frame)
        if len(waiting) > REACH:
            yield leave()
    while waiting:
        yield leave()


class _View:
    """What is known of the frames around the one that leaves next; pair k is of frames k and k + 1."""

    def __init__(self) -> None:
        self.pictures: list[Reduced] = []
        self.differences: list[float] = []
        self.peaks: list[float] = []
        self.equal: list[bool] = []
        self.place = 0
        """Of the frame that leaves next."""
        self._last: Image | None = None

    def add(self, image: Image) -> None:
        """Take a further frame."""
        small = reduced(_bytes(image))
        if self._last is not None:
            before = self.pictures[-1]
            self.differences.append(differ(before, small))
            self.peaks.append(peak(before, small))
            self.equal.append(self.peaks[-1] == 0 and np.array_equal(self._last, image))
        self.pictures.append(small)
        self._last = image

    def cuts(self, pair: int, rule: Continuity) -> bool:
        """Return whether there is a cut."""
        return cuts(self.pictures, self.differences, pair, rule)

    def repeats(self, pair: int, rule: Continuity) -> bool:
        """Return whether the second frame repeats the first; a cut is no motion: the scene alone counts."""
        if self.peaks[pair] >= rule.repeat * max(self.peaks) or self.cuts(pair, rule):
            return False  # nearly all pairs
        first, last = pair, pair + 1
        while first > 0 and not self.cuts(first - 1, rule):
            first -= 1
        while last < len(self.peaks) and not self.cuts(last, rule):
            last += 1
        return repeats(self.peaks[first:last], pair - first, rule)

    def move(self) -> None:
        """Go on to the next frame, and forget the one that is out of reach."""
        self.place += 1
        if self.place > REACH + 1:
            self.place -= 1
            for known in (self.pictures, self.differences, self.peaks, self.equal):
                del known[0]


def _bytes(image: Image) -> NDArray[np.uint8]:
    """Return colours of 8 bits."""
    colours = image[..., :3]
    if image.dtype == np.uint16:
        return np.asarray(cv2.convertScaleAbs(colours, alpha=1 / 257), np.uint8)
    return np.ascontiguousarray(colours, np.uint8)
