"""Shapes: signed distances in screen pixels (negative inside) on a grid of a layer's own coordinates.

Each function takes grids x and y (float64, pixels, origin where the layer turns) and gives distances of the
same shape. `coverage` turns distances into anti-aliased alpha.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lift.scenes import exact, ranges

Field = NDArray[np.float64]


def coverage(distance: Field) -> NDArray[np.uint8]:
    """Return the share of a pixel's area inside an edge at `distance`, as 0 ... 255."""
    return np.asarray(np.rint(255.0 * np.clip(0.5 - distance / ranges.EDGE, 0.0, 1.0)), dtype=np.uint8)


def blob(rng: np.random.Generator, x: Field, y: Field, radius: float) -> Field:
    """A smooth star-shaped outline of mean radius `radius`; its largest is below 1.4 times that."""
    angle = exact.angle(y, x)
    outline = np.ones_like(angle)
    for order in range(2, 6):
        height, phase = rng.uniform(0.0, 0.25 / order), rng.uniform(0.0, 2.0 * math.pi)
        outline += height * exact.cosine(order * angle + phase)
    return np.asarray(exact.length(x, y) - radius * outline)


def box(rng: np.random.Generator, x: Field, y: Field, radius: float) -> Field:
    """A rounded rectangle whose corners lie within 1.4 times `radius`."""
    half_x, half_y = radius * rng.uniform(0.6, 0.95), radius * rng.uniform(0.6, 0.95)
    corner = 0.2 * min(half_x, half_y)
    dx, dy = np.abs(x) - (half_x - corner), np.abs(y) - (half_y - corner)
    outside = exact.length(np.maximum(dx, 0.0), np.maximum(dy, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0.0) - corner)


def capsule(x: Field, y: Field, length: float, width: float) -> Field:
    """A limb from the origin to (0, length), with round ends."""
    return np.asarray(exact.length(x, y - np.clip(y, 0.0, length)) - width / 2.0)


def wheel(x: Field, y: Field, radius: float, spokes: int, width: float) -> Field:
    """A rim, a hub and `spokes` equal spokes, each `width` of their spacing wide."""
    distance = exact.length(x, y)
    thickness = max(0.1 * radius, 2.0)
    rim = np.abs(distance - (radius - thickness / 2.0)) - thickness / 2.0
    hub = distance - 0.25 * radius
    spacing = 2.0 * math.pi / spokes
    folded = np.abs(np.mod(exact.angle(y, x), spacing) - spacing / 2.0)
    # Spokes narrow towards the hub like the gaps between them: a constant share of every circle.
    spoke = np.maximum(distance * (folded - width * spacing / 2.0), distance - radius)
    return np.asarray(np.minimum(np.minimum(rim, hub), spoke))


def fence(x: Field, y: Field, pitch: float, width: float, rails: tuple[float, float], rail: float) -> Field:
    """Upright bars every `pitch`, `width` of it wide, and two rails, `rail` thick, at heights `rails`."""
    bars = np.abs(np.mod(x, pitch) - pitch / 2.0) - width * pitch / 2.0
    across = np.minimum(np.abs(y - rails[0]), np.abs(y - rails[1])) - rail / 2.0
    return np.asarray(np.minimum(bars, across))
