"""How a picture is to be turned or mirrored when shown: FFmpeg's display matrix, 9 numbers.

Of its 2 x 2 part (a b; c d) a pixel at (x, y) from the middle is shown at (a x + c y, b x + d y), y
downwards.
"""

import contextlib
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

TRANSPOSED = {  # signs of b and c: direction of FFmpeg's transpose filter
    (1, 1): "cclock_flip",
    (1, -1): "clock",
    (-1, 1): "cclock",
    (-1, -1): "clock_flip",
}
Filter = tuple[str, str | None]


def matrix_of(frame: Any) -> list[int] | None:
    """Read a frame's display matrix; None: it is shown as it is."""
    with contextlib.suppress(KeyError):
        data = cast(Any, frame.side_data)["DISPLAYMATRIX"]
        values = [int(value) for value in np.frombuffer(bytes(data), np.int32)]
        return values if turning(values) or slanted(values) else None
    return None


def slanted(matrix: Sequence[int]) -> bool:
    """Return whether a matrix turns by other than quarters; no filter here does that."""
    a, b, _, c, d = matrix[:5]
    return bool((a or d) and (b or c))


def angle(matrix: Sequence[int]) -> int:
    """Return the angle by which a matrix turns a picture counterclockwise, degrees."""
    return round(-math.degrees(math.atan2(matrix[1], matrix[0])))


def mirrored(matrix: Sequence[int]) -> bool:
    """Return whether a matrix shows a picture as in a mirror, turned or not."""
    a, b, _, c, d = matrix[:5]
    return a * d - b * c < 0


def sideways(matrix: Sequence[int] | None) -> bool:
    """Return whether a matrix swaps width and height."""
    return matrix is not None and not slanted(matrix) and bool(matrix[1])


def turning(matrix: Sequence[int] | None) -> list[Filter]:
    """Return the filters that do to the pixels what a matrix says; no pixel's value changes."""
    if matrix is None or slanted(matrix):
        return []
    a, b, _, c, d = matrix[:5]
    if b and c:
        return [("transpose", TRANSPOSED[1 if b > 0 else -1, 1 if c > 0 else -1])]
    mirrored: list[Filter] = [("hflip", None)] * (a < 0)
    return mirrored + [("vflip", None)] * (d < 0)
