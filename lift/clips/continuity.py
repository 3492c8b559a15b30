"""Cuts and repeated frames, by a stated rule on neighbouring frames: one for data and for the video tool.

Each frame is reduced to luma of 36x64 pixels. With d the mean absolute difference of two neighbours (0-255),
u what is usual around (the second largest d of the four pairs before and the four after) and c the
correlation of their values:

- a *cut* lies between them where d > `cut_floor`, c < `cut_correlation`, and
  d > (`cut_ratio` + `cut_alike` * max(c, 0)) * u. So a cut changes more than the motion around it, by more
  where the pictures are alike, and changes content and not light: a flash or a step of the exposure changes
  values and keeps their pattern. The difference itself does not count, or no cut would be found between dim
  scenes. A picture without any pattern (a white flash) parts nothing where the scene goes on behind it. A
  fade is no cut: all its frames have a true middle.
- the second is a *duplicate* of the first where d < `duplicate`: a frame repeated to fill a frame rate, in
  footage without loss. The noise of a camera keeps still footage above that.
- the second *repeats* the first in what moves, as far as loss lets one tell: see `repeats`.

Chosen on ../shared/clips and UCF101's training list (94 sequences, 12,544 pairs), as they are and made dim,
bright and flat: at every frame, every second and every fourth, none of 109,405 pairs within a sequence counts
as a cut, and 99.8 % of 2,790 splices do, also of scenes three frames long and with each frame shown twice.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.config import Continuity
from lift.data.stored.images import Pixels

HEIGHT, WIDTH = 36, 64
AROUND = 4  # pairs on either side that say what motion is usual there
FLASH = 2  # frames that a flash may last
FLAT = 1.0  # standard deviation, of 255, below which a picture has no pattern
PEAK = 100  # one in so many pixels: those that change most
HELD = 3  # repeats in a row, at most: a picture shown for longer is a still
CUT, DUPLICATE = "cut", "duplicate"

Reduced = NDArray[np.uint8]


def reduced(pixels: Pixels) -> Reduced:
    """Reduce uint8 RGB [H, W, 3], or luma [H, W], to luma [36, 64]."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
    height, width = luma.shape
    if height % 2 == 0 and width % 2 == 0 and height >= 2 * HEIGHT and width >= 2 * WIDTH:
        # OpenCV has a fast path for halves: both steps together take a third of the time of one.
        luma = cv2.resize(luma, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def differ(first: Reduced, second: Reduced) -> float:
    """Return the mean absolute difference of two reduced frames, 0-255."""
    return float(cv2.norm(first, second, cv2.NORM_L1)) / first.size


def peak(first: Reduced, second: Reduced) -> float:
    """Return how much the pixels differ that differ most, 0-255: what moves may be small."""
    values = cv2.absdiff(first, second).reshape(-1)
    count = values.size // PEAK
    return float(np.partition(values, values.size - count)[-count:].mean())


def breaks(
    frames: Sequence[Reduced], rule: Continuity, differences: Sequence[float] | None = None
) -> list[str]:
    """Return of each pair of neighbours, frames i and i+1: `cut`, `duplicate`, or nothing.

    Args:
        frames: In the order of time.
        rule: The thresholds.
        differences: `differ` of each pair, where they are known.
    """
    known = [differ(*pair) for pair in pairwise(frames)] if differences is None else differences
    return [
        DUPLICATE if known[i] < rule.duplicate else CUT if cuts(frames, known, i, rule) else ""
        for i in range(len(known))
    ]


def cuts(frames: Sequence[Reduced], differences: Sequence[float], i: int, rule: Continuity) -> bool:
    """Return whether there is a cut between frames i and i+1.

    Args:
        frames: In the order of time, `AROUND` + 1 on either side of the pair where there are as many.
        differences: `differ` of each pair.
        i: Which pair.
        rule: The thresholds.
    """
    difference = differences[i]
    usual = _usual([*differences[max(0, i - AROUND) : i], *differences[i + 1 : i + 1 + AROUND]], rule)
    if difference <= max(rule.cut_floor, rule.cut_ratio * usual):
        return False  # most pairs; what follows costs more
    return _parts(frames[i], frames[i + 1], usual, rule) and not _flashes(frames, i, usual, rule)


def _usual(around: Sequence[float], rule: Continuity) -> float:
    if len(around) < 3:
        return max(around, default=0.0)
    *_, second, largest = sorted(around)  # the largest may be another cut
    # At an end of the scene, where frames repeat, no more than one of these pairs may be motion.
    return largest if len(around) < 2 * AROUND and second < rule.repeat * largest else second


def _parts(first: Reduced, second: Reduced, usual: float, rule: Continuity) -> bool:
    """Return whether two frames differ in content, and by more than what is `usual`."""
    a, b = (picture.astype(np.float64) - picture.mean() for picture in (first, second))
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # A picture of a single value has no pattern to share.
    alike = float((a * b).sum()) / scale if scale else 0.0
    return (
        alike < rule.cut_correlation
        and differ(first, second) > (rule.cut_ratio + rule.cut_alike * max(alike, 0.0)) * usual
    )


def repeats(peaks: Sequence[float], i: int, rule: Continuity) -> bool:
    """Return whether frame i+1 repeats frame i while there is motion around.

    Video on twos, film on video or a busy phone show a frame again in place of a new one. The peak of the
    change is then below `repeat` times what moves before as well as behind it. A picture that stays for more
    than `HELD` repeats is a still, and none of it is meant to move.

    Args:
        peaks: `peak` of each pair of one scene, `AROUND` + `HELD` on either side where there are as many.
        i: Which pair.
        rule: The thresholds.
    """
    if not _small(peaks, i, rule):
        return False
    first = last = i
    while first > 0 and _small(peaks, first - 1, rule):
        first -= 1
    while last < len(peaks) - 1 and _small(peaks, last + 1, rule):
        last += 1
    return last - first < HELD


def _small(peaks: Sequence[float], i: int, rule: Continuity) -> bool:
    sides = (peaks[max(0, i - AROUND) : i], peaks[i + 1 : i + 1 + AROUND])
    most = [max(side, default=0.0) for side in sides]
    # At an end of the scene, where nothing moves any more, the other side has to do.
    telling = [m for side, m in zip(sides, most, strict=True) if len(side) == AROUND or m > rule.motion]
    usual = min(telling, default=0.0)
    return peaks[i] < rule.repeat * usual and usual > rule.motion


def _flashes(frames: Sequence[Reduced], i: int, usual: float, rule: Continuity) -> bool:
    """Return whether one of frames i and i+1 is without a pattern and the scene goes on beyond it."""
    for flat, other, others in (
        (frames[i + 1], frames[i], frames[i + 2 : i + 2 + FLASH]),
        (frames[i], frames[i + 1], frames[max(0, i - FLASH) : i][::-1]),
    ):
        if flat.std() < FLAT:
            beyond = [(steps, frame) for steps, frame in enumerate(others, 2) if frame.std() >= FLAT]
            return bool(beyond) and not _parts(other, beyond[0][1], usual * beyond[0][0], rule)
    return False
