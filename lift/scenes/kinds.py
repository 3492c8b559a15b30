"""The five kinds of scenes: which layers they have and how these move (`ranges` holds the numbers).

- plain: a moving camera over a background with at most a few small objects that hardly move of their own:
  the control;
- occlusion: many large objects that pass in front of each other;
- fast_motion: everything moves at up to `ranges.FAST_FACTOR` times the fastest speed;
- repetition: spoked wheels, fences or walking legs, whose period makes two distant frames ambiguous;
- lighting: surfaces as usual, under light that changes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lift.config.data import Camera
from lift.errors import UserError
from lift.scenes import exact, ranges
from lift.scenes.light import STEADY, draw_light
from lift.scenes.motion import Motion, Wave, hand, wander, wave
from lift.scenes.scene import Layer, Scene
from lift.scenes.textures import Image, texture
from lift.seeds import generator

KINDS = ("plain", "occlusion", "fast_motion", "repetition", "lighting")
Grid = NDArray[np.float64]


def make(
    seed: int, kind: str, size: tuple[int, int], speed: tuple[float, float], *, camera: Camera | None = None
) -> Scene:
    """Draw a scene; the same arguments give the same scene.

    Args:
        seed: Any integer.
        kind: One of `KINDS`.
        size: Height and width, pixels.
        speed: Slowest and fastest typical motion (root mean square over time), pixels per frame.
        camera: More motion of the camera, more objects and textures; None: the plain scenes.

    Raises:
        UserError: An unknown kind, or speeds that are not 0 < slow <= fast.
    """
    if kind not in KINDS:
        raise UserError(f"scene kind {kind!r}: unknown; one of {', '.join(KINDS)}")
    if not 0.0 < speed[0] <= speed[1]:
        raise UserError(f"render.speed {list(speed)}: expected 0 < slowest <= fastest, pixels per frame")
    rng = generator(seed, "scene", kind)
    pace = _pace(rng, kind, speed)
    share = ranges.CAMERA_SHARE[kind]
    path = wander(  # from the world, whose origin is the frame's middle at rest, to the screen
        rng,
        share * pace,
        min(size) * rng.uniform(*ranges.ORBIT),
        0.5 * math.hypot(*size),
        centre=(0.5 * (size[1] - 1), 0.5 * (size[0] - 1)),
        roll=ranges.CAMERA_ROLL,
        zoom=ranges.CAMERA_ZOOM,
    )
    cameras: tuple[Motion, ...] = (path,)
    if camera is not None:
        cameras += hand(generator(seed, "camera", kind), camera)
    sketch = _Sketch(
        rng=rng,
        size=size,
        cameras=cameras,
        speed=math.sqrt(1.0 - share * share) * pace,
        regular=kind == "repetition",
        leaves=None if camera is None else camera.leaves,
    )
    layers = [_background(sketch)]
    if kind == "repetition":
        layers += _REPETITIONS[rng.integers(len(_REPETITIONS))](sketch)
    low, high = ranges.OBJECTS[kind]
    layers += [_object(sketch, ranges.OBJECT_RADIUS[kind]) for _ in range(rng.integers(low, high + 1))]
    if camera is not None:
        low, high = camera.objects
        layers += [_object(sketch, ranges.ANY_RADIUS) for _ in range(rng.integers(low, high + 1))]
    light = draw_light(rng, size, pace) if kind == "lighting" else STEADY
    return Scene(size=size, layers=tuple(layers), light=light)


@dataclass(frozen=True, kw_only=True)
class _Sketch:
    """What the parts of a scene share."""

    rng: np.random.Generator
    size: tuple[int, int]
    cameras: tuple[Motion, ...]
    """From the screen to the world."""
    speed: float
    """Of objects on their own, pixels per frame."""
    regular: bool
    """Whether textures may repeat."""
    leaves: float | None
    """Share of dead leaves among textures, which then have any contrast; None: the plain scenes' textures."""

    @property
    def short(self) -> int:
        """The frame's shorter side."""
        return min(self.size)

    def within(self, limits: ranges.Range) -> float:
        """Draw a length that `ranges` states as a share of the frame."""
        return self.short * self.rng.uniform(*limits)


def _pace(rng: np.random.Generator, kind: str, speed: tuple[float, float]) -> float:
    slow, fast = speed
    if kind == "fast_motion":
        return rng.uniform(fast, ranges.FAST_FACTOR * fast)
    if kind == "repetition":
        slow += ranges.REPETITION_SPEED * (fast - slow)
    return rng.uniform(slow, fast)


def _background(sketch: _Sketch) -> Layer:
    # The path's reach on each side, or the border by reflection would come into sight often.
    side = math.ceil(ranges.DENSITY * (max(sketch.size) + 2.0 * ranges.ORBIT[1] * sketch.short))
    tile = texture(sketch.rng, side, side, regular=sketch.regular, leaves=sketch.leaves)
    return Layer(tile=tile, origin=_middle(tile), motions=sketch.cameras)


def _object(sketch: _Sketch, limits: ranges.Range) -> Layer:
    """A free object of random shape, and of a radius within `limits`, on its own path."""
    rng, radius = sketch.rng, sketch.within(limits)
    shape = blob if rng.random() < 0.6 else box
    path = wander(
        rng,
        sketch.speed,
        sketch.within(ranges.ORBIT),
        radius,
        centre=_place(sketch),
        angle=rng.uniform(0.0, 2.0 * math.pi),
    )
    reach = 1.4 * radius
    return _cut_out(sketch, (reach, reach), lambda x, y: shape(rng, x, y, radius), (path,))


def _wheels(sketch: _Sketch) -> list[Layer]:
    low, high = ranges.WHEELS
    return [_wheel(sketch) for _ in range(sketch.rng.integers(low, high + 1))]


def _wheel(sketch: _Sketch) -> Layer:
    """A wheel whose rim turns at the objects' speed, with spokes `ranges.ALIAS` frames apart."""
    rng, radius = sketch.rng, sketch.within(ranges.WHEEL_RADIUS)
    advance = ranges.SWING * sketch.speed / radius
    wanted = round(2.0 * math.pi / (advance * rng.uniform(*ranges.ALIAS)))
    # As many as can be seen: at least five, no closer than the shortest period.
    spokes = max(5, min(wanted, int(2.0 * math.pi * radius / ranges.MIN_PITCH)))
    width = rng.uniform(*ranges.SPOKE_WIDTH)
    hub = wander(rng, 0.5 * sketch.speed, sketch.within(ranges.ORBIT), radius, centre=_place(sketch))
    turn = Motion(spin=float(rng.choice([-1.0, 1.0])) * advance)
    shape = partial(wheel, radius=radius, spokes=spokes, width=width)
    return _cut_out(sketch, (radius, radius), shape, (hub, turn), _skin(sketch))


def _fence(sketch: _Sketch) -> list[Layer]:
    """A fence across the whole frame that slides along its own direction."""
    rng, orbit = sketch.rng, sketch.within(ranges.FENCE_RADIUS)
    rate = sketch.speed / orbit
    pitch = max(ranges.MIN_PITCH, math.sqrt(2.0) * sketch.speed * rng.uniform(*ranges.ALIAS))
    width = rng.uniform(*ranges.SPOKE_WIDTH)
    rails = (-sketch.within((0.2, 0.35)), sketch.within((0.2, 0.35)))
    slide = wave(rng, math.sqrt(2.0) * orbit, rate)
    reach = 0.75 * math.hypot(*sketch.size)
    across = (reach + math.sqrt(2.0) * orbit, reach)
    shape = partial(fence, pitch=pitch, width=width, rails=rails, rail=max(2.0, 0.04 * sketch.short))
    motions = (Motion(angle=rng.uniform(-0.4, 0.4)), Motion(x=slide))
    return [_cut_out(sketch, across, shape, motions, _skin(sketch))]


def _walker(sketch: _Sketch) -> list[Layer]:
    """A body on pairs of legs: thighs swing from hips, shins a quarter of a period later from knees."""
    rng, leg = sketch.rng, sketch.within(ranges.LEG)
    pairs = int(rng.integers(ranges.LEG_PAIRS[0], ranges.LEG_PAIRS[1] + 1))
    stride = rng.uniform(*ranges.STRIDE)
    # The foot's speed is that of two swings in quadrature, at two and at one segment's distance.
    rate = math.sqrt(2.0) * ranges.SWING * sketch.speed / (stride * leg * math.hypot(2.0, 1.0))
    start = rng.uniform(0.0, 2.0 * math.pi)
    body = wander(
        rng,
        0.5 * sketch.speed,
        sketch.within(ranges.ORBIT),
        2.0 * leg,
        centre=(0.0, -0.8 * leg),
        roll=(0.04, 0.1),
        zoom=(0.02, 0.06),
    )
    skin, limb = _skin(sketch), partial(capsule, length=leg, width=0.42 * leg)
    far: list[Layer] = []
    near: list[Layer] = []
    for pair in range(pairs):
        hip = (1.4 * leg * (pair - 0.5 * (pairs - 1)), 0.4 * leg)
        for side, legs in enumerate((far, near)):
            phase = start + math.pi * (side + pair)
            thigh = Motion(centre=hip, roll=Wave(amplitude=stride, rate=rate, phase=phase))
            knee = Wave(amplitude=stride, rate=rate, phase=phase - 0.5 * math.pi)
            shin = Motion(centre=(0.0, leg), angle=stride, roll=knee)
            for chain in ((body, thigh, shin), (body, thigh)):
                legs.append(_cut_out(sketch, (1.25 * leg, 1.25 * leg), limb, chain, skin))
    half = (0.7 * leg * (pairs - 1) + 0.8 * leg, 0.7 * leg)
    long = half[0] - half[1]
    trunk = _cut_out(sketch, half, lambda x, y: capsule(y, x + long, 2 * long, 1.8 * half[1]), (body,), skin)
    return [*far, trunk, *near]


_REPETITIONS: tuple[Callable[[_Sketch], list[Layer]], ...] = (_wheels, _fence, _walker)


def _skin(sketch: _Sketch) -> Image:
    """A calm texture for thin parts, as large as the frame."""
    side = ranges.DENSITY * max(sketch.size)
    return texture(sketch.rng, side, side, calm=True)


def _cut_out(
    sketch: _Sketch,
    reach: tuple[float, float],
    distance: Callable[[Grid, Grid], Grid],
    motions: tuple[Motion, ...],
    skin: Image | None = None,
) -> Layer:
    """Cut a shape within `reach` (pixels beside its origin) from `skin` or a fresh texture."""
    columns, rows = (2 * math.ceil(ranges.DENSITY * (side + ranges.EDGE)) + 1 for side in reach)
    if skin is None:
        skin = texture(sketch.rng, rows, columns, regular=sketch.regular, leaves=sketch.leaves)
    colour = skin[:rows, :columns]
    y, x = np.mgrid[:rows, :columns].astype(np.float64)
    x, y = (x - (columns - 1) / 2) / ranges.DENSITY, (y - (rows - 1) / 2) / ranges.DENSITY
    alpha = coverage(distance(x, y))
    below, right = rows - colour.shape[0], columns - colour.shape[1]
    filled = np.pad(colour, ((0, below), (0, right), (0, 0)), mode="symmetric")
    tile = np.ascontiguousarray(np.dstack([filled, alpha]))
    return Layer(tile=tile, origin=_middle(tile), motions=(*sketch.cameras, *motions))


def _middle(tile: Image) -> tuple[float, float]:
    return 0.5 * (tile.shape[1] - 1), 0.5 * (tile.shape[0] - 1)


def _place(sketch: _Sketch) -> tuple[float, float]:
    height, width = sketch.size
    across, down = (sketch.rng.uniform(-ranges.SPREAD, ranges.SPREAD) for _ in range(2))
    return width * across, height * down


# Shapes: signed distances in pixels (negative inside) on grids x and y of a layer's own coordinates, whose
# origin is where the layer turns.


def coverage(distance: Grid) -> NDArray[np.uint8]:
    """Return the share of a pixel's area inside an edge at `distance`, as 0 ... 255."""
    return np.asarray(np.rint(255.0 * np.clip(0.5 - distance / ranges.EDGE, 0.0, 1.0)), dtype=np.uint8)


def blob(rng: np.random.Generator, x: Grid, y: Grid, radius: float) -> Grid:
    """A smooth star-shaped outline of mean radius `radius`; its largest is below 1.4 times that."""
    angle = exact.angle(y, x)
    outline = np.ones_like(angle)
    for order in range(2, 6):
        height, phase = rng.uniform(0.0, 0.25 / order), rng.uniform(0.0, 2.0 * math.pi)
        outline += height * exact.cosine(order * angle + phase)
    return np.asarray(exact.length(x, y) - radius * outline)


def box(rng: np.random.Generator, x: Grid, y: Grid, radius: float) -> Grid:
    """A rounded rectangle whose corners lie within 1.4 times `radius`."""
    half_x, half_y = radius * rng.uniform(0.6, 0.95), radius * rng.uniform(0.6, 0.95)
    corner = 0.2 * min(half_x, half_y)
    dx, dy = np.abs(x) - (half_x - corner), np.abs(y) - (half_y - corner)
    outside = exact.length(np.maximum(dx, 0.0), np.maximum(dy, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0.0) - corner)


def capsule(x: Grid, y: Grid, length: float, width: float) -> Grid:
    """A limb from the origin to (0, length), with round ends."""
    return np.asarray(exact.length(x, y - np.clip(y, 0.0, length)) - width / 2.0)


def wheel(x: Grid, y: Grid, radius: float, spokes: int, width: float) -> Grid:
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


def fence(x: Grid, y: Grid, pitch: float, width: float, rails: tuple[float, float], rail: float) -> Grid:
    """Upright bars every `pitch`, `width` of it wide, and two rails, `rail` thick, at heights `rails`."""
    bars = np.abs(np.mod(x, pitch) - pitch / 2.0) - width * pitch / 2.0
    across = np.minimum(np.abs(y - rails[0]), np.abs(y - rails[1])) - rail / 2.0
    return np.asarray(np.minimum(bars, across))
