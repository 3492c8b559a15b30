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
    """Number the shots and mark repeated frames, `REACH` frames behind the input.

    Yields:
        The same frames, with shot, repeats, stutters and motion filled in.
    """
    view = _View(rule)
    for frame in frames:
        view.add(frame)
        if len(view.waiting) > REACH:
            yield view.leave()
    while view.waiting:
        yield view.leave()


class _View:
    """What is known of the frames around the one that leaves next; pair k is of frames k and k + 1."""

    def __init__(self, rule: Continuity) -> None:
        self.waiting: deque[Frame] = deque()
        self._rule = rule
        self._pictures: list[Reduced] = []
        self._differences: list[float] = []
        self._peaks: list[float] = []
        self._equal: list[bool] = []
        self._place = self._shot = 0  # of the frame that leaves next
        self._last: Image | None = None

    def add(self, frame: Frame) -> None:
        """Take a further frame."""
        small = reduced(_bytes(frame.image))
        if self._last is not None:
            before = self._pictures[-1]
            self._differences.append(differ(before, small))
            self._peaks.append(peak(before, small))
            self._equal.append(self._peaks[-1] == 0 and np.array_equal(self._last, frame.image))
        self._pictures.append(small)
        self._last = frame.image
        self.waiting.append(frame)

    def leave(self) -> Frame:
        """Judge the next frame, let it go, and forget the one that is out of reach."""
        frame = self.waiting.popleft()
        if self._place > 0:
            pair = self._place - 1
            self._shot += frame.apart or self._cuts(pair)
            frame.stutters = self._repeats(pair)
            frame.repeats = frame.stutters or self._equal[pair]
            frame.motion = self._differences[pair]
        frame.shot = self._shot
        if self._place <= REACH:
            self._place += 1
        else:
            for known in (self._pictures, self._differences, self._peaks, self._equal):
                del known[0]
        return frame

    def _cuts(self, pair: int) -> bool:
        return cuts(self._pictures, self._differences, pair, self._rule)

    def _repeats(self, pair: int) -> bool:
        """Return whether the second frame repeats the first; a cut is no motion: the scene alone counts."""
        if self._peaks[pair] >= self._rule.repeat * max(self._peaks) or self._cuts(pair):
            return False  # nearly all pairs
        first, last = pair, pair + 1
        while first > 0 and not self._cuts(first - 1):
            first -= 1
        while last < len(self._peaks) and not self._cuts(last):
            last += 1
        return repeats(self._peaks[first:last], pair - first, self._rule)


def _bytes(image: Image) -> NDArray[np.uint8]:
    """Return colours of 8 bits."""
    colours = image[..., :3]
    if image.dtype == np.uint16:
        return np.asarray(cv2.convertScaleAbs(colours, alpha=1 / 257), np.uint8)
    return np.ascontiguousarray(colours, np.uint8)
