"""What a camera in a hand does to a scene: shake, zoom and turns, exposure, a sensor's noise, JPEG.

Plain scenes are seen by a camera without any of these. All is drawn once per scene from `render.camera` of
params.yaml; a frame stands for the middle of its exposure, so the scene's truth at that time is the frame's.
"""

import math
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from lift.config.data import Camera
from lift.scenes import ranges
from lift.scenes.motion import Motion, Wave
from lift.scenes.scene import Image, Scene
from lift.seeds import generator

JPEG_QUALITY = 95
"""Of footage that the layout wants as JPEG and nothing else speaks of."""


def draw_motions(rng: np.random.Generator, camera: Camera) -> tuple[Motion, ...]:
    """Draw what the camera does besides its path, in the world's coordinates: a slow part and two fast ones.

    Each value of `camera` is a root mean square change per frame; a wave's is its amplitude x rate / √2.
    """
    zoom, turn, shake = (rng.uniform(*span) for span in (camera.zoom, camera.turn, camera.shake))
    slow = Motion(
        zoom=_swing(rng, zoom, rng.uniform(*ranges.ZOOM_REACH)),
        roll=_swing(rng, turn, rng.uniform(*ranges.TURN_REACH)),
    )
    return (slow, *(Motion(x=_jolt(rng, shake / 2.0), y=_jolt(rng, shake / 2.0)) for _ in range(2)))


def _swing(rng: np.random.Generator, change: float, amplitude: float) -> Wave:
    rate = math.sqrt(2.0) * change / amplitude
    return Wave(amplitude=amplitude, rate=rate, phase=rng.uniform(0.0, 2.0 * math.pi))


def _jolt(rng: np.random.Generator, change: float) -> Wave:
    rate = 2.0 * math.pi / rng.uniform(*ranges.SHAKE_PERIOD)
    amplitude = math.sqrt(2.0) * change / rate
    return Wave(amplitude=amplitude, rate=rate, phase=rng.uniform(0.0, 2.0 * math.pi))


@dataclass(frozen=True, kw_only=True)
class Film:
    """How the frames of one scene are taken and kept."""

    seed: int
    """Of the noise."""
    shutter: float
    """Share of a frame's time in which light is gathered."""
    exposures: int
    """Most moments that are averaged for it."""
    noise: float
    """Standard deviation at mid grey, 0-255."""
    quality: int
    """Of JPEG."""

    def take(self, scene: Scene, number: int) -> Image:
        """Return the frame at time `number`, uint8 RGB."""
        frame = expose(scene, number, self.shutter, self.exposures)
        return self._noisy(frame, number) if self.noise else frame

    def _noisy(self, frame: Image, number: int) -> Image:
        """Add noise whose variance grows with the light, on a floor: a sensor's own and that of photons."""
        random = generator(self.seed, "noise", number).standard_normal(frame.shape, dtype=np.float32)
        value = frame.astype(np.float32)
        floor = ranges.NOISE_FLOOR
        deviation = self.noise * np.sqrt(floor + (1.0 - floor) * value / 127.5)
        return np.asarray(np.rint(np.clip(value + deviation * random, 0.0, 255.0)), dtype=np.uint8)


PLAIN = Film(seed=0, shutter=0.0, exposures=1, noise=0.0, quality=JPEG_QUALITY)


def draw_film(seed: int, camera: Camera | None, *, spoilt: bool) -> Film:
    """Draw how a scene is filmed.

    Args:
        seed: The scene's.
        camera: Ranges; None: as plain scenes are.
        spoilt: With noise and compression: what is learnt from. Not what is measured on, where noise in the
            true frame would bound every method alike and hide what differs.
    """
    if camera is None:
        return PLAIN
    rng = generator(seed, "film")
    shutter, noise = rng.uniform(*camera.shutter), rng.uniform(*camera.noise)
    low, high = camera.quality or (JPEG_QUALITY, JPEG_QUALITY)
    quality = int(rng.integers(low, high + 1))
    return Film(
        seed=seed,
        shutter=shutter,
        exposures=camera.exposures,
        noise=noise if spoilt else 0.0,
        quality=quality if spoilt else JPEG_QUALITY,
    )


def expose(scene: Scene, time: float, shutter: float, most: int) -> Image:
    """Average a scene over an exposure whose middle is `time`: uint8 RGB.

    Light adds up, and a value is about the square root of it (a display's gamma of 2).

    Args:
        scene: What is seen.
        time: Frames.
        shutter: Length of the exposure, frames.
        most: Most moments; so many that nothing jumps by more than `ranges.BLUR_STEP` are enough.
    """
    moments = math.ceil(_travel(scene, time, shutter) / ranges.BLUR_STEP) if shutter else 1
    count = max(1, min(most, moments))
    if count == 1:
        return scene.render(time)
    light = np.zeros((*scene.size, 3), np.float32)
    for index in range(count):
        cv2.accumulateSquare(scene.render(time + shutter * ((index + 0.5) / count - 0.5)), light)
    return np.asarray(np.rint(np.sqrt(light / count)), dtype=np.uint8)


def _travel(scene: Scene, time: float, shutter: float) -> float:
    """Return the longest way of a layer's corner, inside the screen, over an exposure, pixels."""
    longest = 0.0
    start, end = time - 0.5 * shutter, time + 0.5 * shutter
    for layer in scene.layers:
        top, bottom, left, right = layer.box(time, scene.size)
        if top < bottom and left < right:
            moved = layer.from_texels(end).after(layer.texels(start))
            for x, y in product((left, right), (top, bottom)):
                to_x, to_y = moved(float(x), float(y))
                longest = max(longest, math.hypot(to_x - x, to_y - y))
    return longest
