"""Motion as analytic, invertible maps: a layer's place at any time, without accumulation over frames.

A motion maps a layer's own coordinates to its parent's by a similarity, x = c(t) + s(t) R(a(t)) u, whose
parameters are sums of waves. Chains of motions (camera, body, thigh, shin) are products of affine maps.
Units: screen pixels, frames, radians; x to the right, y down.
"""

import math
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from lift.config.data import Camera
from lift.scenes import exact, ranges
from lift.scenes.exact import Real
from lift.scenes.ranges import Range


class Affine(NamedTuple):
    """A map of the plane: (x, y) to (xx x + xy y + x0, yx x + yy y + y0).

    Not a 3x3 array: how a product of arrays is rounded depends on the processor's linear algebra.
    """

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    def __call__(self, x: Real, y: Real) -> tuple[Real, Real]:
        """Return where the points (x, y) go."""
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def after(self, first: "Affine") -> "Affine":
        """Return the map that applies `first`, then this one."""
        x0, y0 = self(first.x0, first.y0)
        return Affine(
            self.xx * first.xx + self.xy * first.yx,
            self.xx * first.xy + self.xy * first.yy,
            x0,
            self.yx * first.xx + self.yy * first.yx,
            self.yx * first.xy + self.yy * first.yy,
            y0,
        )

    def inverse(self) -> "Affine":
        """Return the map back."""
        area = self.xx * self.yy - self.xy * self.yx
        xx, xy, yx, yy = self.yy / area, -self.xy / area, -self.yx / area, self.xx / area
        return Affine(xx, xy, -(xx * self.x0 + xy * self.y0), yx, yy, -(yx * self.x0 + yy * self.y0))


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A sine of time."""

    amplitude: float = 0.0
    """In the unit of what it drives."""
    rate: float = 0.0
    """Radians per frame."""
    phase: float = 0.0
    """Radians."""

    def __call__(self, time: float) -> float:
        """Return the value at `time` (frames)."""
        return self.amplitude * exact.sine(self.rate * time + self.phase) if self.amplitude else 0.0


REST = Wave()


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A similarity that changes smoothly with time."""

    centre: tuple[float, float] = (0.0, 0.0)
    """Where the layer's origin lies in its parent, pixels, when x and y are zero."""
    x: Wave = REST
    y: Wave = REST
    angle: float = 0.0
    """Constant part of the rotation, clockwise on the screen."""
    spin: float = 0.0
    """Steady rotation, radians per frame."""
    roll: Wave = REST
    """Periodic part of the rotation."""
    zoom: Wave = REST
    """Logarithm of the scale."""

    @lru_cache(maxsize=64)  # noqa: B019 -- motions are small; a scene's layers share their camera's
    def map(self, time: float) -> Affine:
        """Return the map from the layer's coordinates to its parent's at `time` (frames)."""
        angle = self.angle + self.spin * time + self.roll(time)
        scale = exact.exponential(self.zoom(time))
        c, s = (scale * part for part in exact.circle(angle))
        return Affine(c, -s, self.centre[0] + self.x(time), s, c, self.centre[1] + self.y(time))


def chain(motions: tuple[Motion, ...], time: float) -> Affine:
    """Return the product of `motions`, outermost first, at `time`: innermost coordinates to the screen."""
    return reduce(Affine.after, (motion.map(float(time)) for motion in motions))


def wave(rng: np.random.Generator, amplitude: float, rate: float) -> Wave:
    """Draw a wave's phase."""
    return Wave(amplitude=amplitude, rate=rate, phase=rng.uniform(0.0, 2.0 * math.pi))


def swing(rng: np.random.Generator, amplitude: float, change: float) -> Wave:
    """Draw a wave whose root mean square change per frame is `change`: amplitude x rate / √2."""
    return wave(rng, amplitude, math.sqrt(2.0) * change / amplitude)


def wander(
    rng: np.random.Generator,
    speed: float,
    orbit: float,
    reach: float,
    *,
    centre: tuple[float, float] = (0.0, 0.0),
    roll: Range = ranges.OBJECT_ROLL,
    zoom: Range = ranges.OBJECT_ZOOM,
    angle: float = 0.0,
) -> Motion:
    """Draw a smooth wandering motion.

    Args:
        rng: Where the draws come from.
        speed: Root mean square speed of the origin, pixels per frame.
        orbit: Radius of the path, pixels.
        reach: The layer's radius, pixels: roll and zoom move its rim at `ranges.TURN_SHARE` of `speed`.
        centre: Middle of the path in the parent.
        roll: Range of the roll's amplitude, radians.
        zoom: Range of the zoom's amplitude, log scale.
        angle: Constant rotation.
    """
    heading = rng.uniform(0.0, 2.0 * math.pi)
    first, second = (rng.uniform(*ranges.RATE_RATIO) for _ in range(2))
    phase = rng.uniform(0.0, 2.0 * math.pi)
    # A quarter of a period between the two waves bends the path into a loop; less would let it stop at its
    # turning points.
    lag = rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.65) * math.pi
    turn = ranges.TURN_SHARE * speed
    fastest, across, down = speed * math.sqrt(2.0), first * speed / orbit, second * speed / orbit
    return Motion(
        centre=centre,
        x=Wave(amplitude=fastest * exact.cosine(heading) / across, rate=across, phase=phase),
        y=Wave(amplitude=fastest * exact.sine(heading) / down, rate=down, phase=phase + lag),
        angle=angle,
        roll=swing(rng, rng.uniform(*roll), turn / reach),
        zoom=swing(rng, rng.uniform(*zoom), turn / reach),
    )


def hand(rng: np.random.Generator, camera: Camera) -> tuple[Motion, ...]:
    """Draw what a hand does to a camera, in the world's coordinates: a slow part and two fast ones.

    Each value of `camera` is a root mean square change per frame.
    """
    zoom, turn, shake = (rng.uniform(*span) for span in (camera.zoom, camera.turn, camera.shake))
    slow = Motion(
        zoom=swing(rng, rng.uniform(*ranges.ZOOM_REACH), zoom),
        roll=swing(rng, rng.uniform(*ranges.TURN_REACH), turn),
    )
    return (slow, *(Motion(x=_jolt(rng, shake / 2.0), y=_jolt(rng, shake / 2.0)) for _ in range(2)))


def _jolt(rng: np.random.Generator, change: float) -> Wave:
    rate = 2.0 * math.pi / rng.uniform(*ranges.SHAKE_PERIOD)
    return wave(rng, math.sqrt(2.0) * change / rate, rate)
