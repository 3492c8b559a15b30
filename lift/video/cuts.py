"""Scene cuts and duplicated frames.

The rule: a cut parts two frames where the picture changes much (`Settings.cut`), much more than between the
pairs around (`cut_ratio`; a flash is two large changes in a row, hence none), and its colours change
(`cut_colour`). With the defaults, 5550 frames of 52 real clips without cuts show none, nor does every second
or fourth of them, and of 2652 joints of two of the clips 2645 are found.
A duplicate is a frame that equals the one before it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.video.frame import Frame, Image
from lift.video.settings import Settings

LEVELS = 4  # per channel of the coarse colours: 64 in all


@dataclass(frozen=True)
class _Change:
    """How a frame differs from the one before it."""

    motion: float
    colour: float
    same: bool


def mark(frames: Iterable[Frame], settings: Settings) -> Iterator[Frame]:
    """Number the scenes and mark duplicates, `settings.neighbours` frames behind the input.

    Yields:
        The same frames, with scene, repeats and motion filled in.
    """
    waiting: deque[tuple[Frame, _Change]] = deque()
    before: deque[float] = deque(maxlen=settings.neighbours)
    scene = 0

    def leave() -> Frame:
        nonlocal scene
        frame, change = waiting.popleft()
        after = [other.motion for _, other in list(waiting)[: settings.neighbours]]
        scene += frame.apart or _is_cut(change, [*before, *after], settings)
        if not change.same:  # a repeated frame says nothing about how fast the scene moves
            before.append(change.motion)
        frame.scene, frame.repeats, frame.motion = scene, change.same, change.motion
        return frame

    for frame, change in _changes(frames, settings):
        waiting.append((frame, change))
        if len(waiting) > settings.neighbours:
            yield leave()
    while waiting:
        yield leave()


def _is_cut(change: _Change, neighbours: list[float], settings: Settings) -> bool:
    return (
        change.motion >= settings.cut
        and change.colour >= settings.cut_colour
        and change.motion >= settings.cut_ratio * max(neighbours, default=0.0)
    )


def _changes(frames: Iterable[Frame], settings: Settings) -> Iterator[tuple[Frame, _Change]]:
    last: tuple[Image, NDArray[np.uint8], NDArray[np.float64]] | None = None
    for frame in frames:
        small = _shrink(frame.image, settings.small)
        colours = _colours(small)
        if last is None:
            change = _Change(0.0, 0.0, False)
        else:
            change = _Change(
                float(cv2.norm(last[1], small, cv2.NORM_L1)) / small.size,
                float(np.abs(last[2] - colours).sum()) / 2,
                _difference(last[0], frame.image) <= settings.duplicate,
            )
        last = frame.image, small, colours
        yield frame, change


def _shrink(image: Image, longer: int) -> NDArray[np.uint8]:
    scale = min(1.0, longer / max(image.shape[:2]))
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small >> 8 if image.dtype == np.uint16 else small, np.uint8)


def _colours(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give the share of pixels of each coarse colour."""
    counts = cv2.calcHist([small], [0, 1, 2], None, [LEVELS] * 3, [0, 256] * 3)
    return np.asarray(counts / (small.size // 3), np.float64)


def _difference(first: Image, second: Image) -> float:
    """Give the mean absolute difference of two frames, 0-255."""
    unit = 257 if first.dtype == np.uint16 else 1
    return float(cv2.norm(first, second, cv2.NORM_L1)) / first.size / unit
