"""Light that changes with time: gain, gamma, a moving shadow and a repeated flash, over all surfaces."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lift.scenes import exact, ranges
from lift.scenes.motion import REST, Motion, Wave, wander, wave

Frame = NDArray[np.float32]
_LEVELS = np.arange(256) / 255.0


@dataclass(frozen=True, kw_only=True)
class Flash:
    """A Gaussian pulse of light that returns."""

    height: float
    """Logarithm of the gain at its peak."""
    period: float
    """Frames."""
    phase: float
    """Share of a period."""

    def __call__(self, time: float) -> float:
        """Return the logarithm of the gain at `time` (frames)."""
        beside = math.remainder(time / self.period + self.phase, 1.0) / ranges.FLASH_WIDTH
        return self.height * exact.exponential(-0.5 * beside * beside)


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """A round shadow with a soft edge that wanders over the screen."""

    path: Motion
    radius: float
    edge: float
    """Pixels."""
    depth: float
    """Share of the light that it takes in its middle."""

    def __call__(self, time: float, height: int, width: int) -> Frame:
        """Return the factor of light at `time`: float32 (height, width, 1)."""
        place = self.path.map(time)
        rows, columns = np.ogrid[:height, :width]
        distance = np.asarray(exact.length(columns - place.x0, rows - place.y0), dtype=np.float32)
        inside = np.clip(0.5 - (distance - self.radius) / self.edge, 0.0, 1.0)
        return np.asarray(1.0 - self.depth * inside * inside * (3.0 - 2.0 * inside))[..., None]


@dataclass(frozen=True, kw_only=True)
class Light:
    """All effects of a scene; each may be absent."""

    gain: Wave = REST
    """Logarithm of a factor on all values."""
    gamma: Wave = REST
    """Logarithm of an exponent on all values."""
    shadow: Shadow | None = None
    flash: Flash | None = None

    def __call__(self, frame: Frame, time: float) -> Frame:
        """Light a frame (H, W, 3) of 0 ... 255 at `time`; the result may exceed 255."""
        if self.gamma is not REST:
            frame = _bent(frame, exact.exponential(self.gamma(time)))
        level = self.gain(time) + (self.flash(time) if self.flash else 0.0)
        if level != 0.0:
            frame = frame * np.float32(exact.exponential(level))
        return frame * self.shadow(time, *frame.shape[:2]) if self.shadow else frame


STEADY = Light()


def _bent(frame: Frame, exponent: float) -> Frame:
    """Raise 0 ... 255 to a power of full scale: exactly at whole levels, on straight lines between them."""
    curve = np.concatenate([[0.0], 255.0 * exact.power(_LEVELS[1:], exponent)]).astype(np.float32)
    level = np.minimum(frame.astype(np.int32), 254)
    above = frame - level.astype(np.float32)
    return np.asarray(curve[level] + above * (curve[1:] - curve[:-1])[level])


def draw_light(rng: np.random.Generator, size: tuple[int, int], speed: float) -> Light:
    """Draw some of the four effects for a scene of `size` (height, width) and `speed` (pixels per frame)."""
    short = min(size)
    chosen = rng.permutation(4)[: rng.integers(ranges.EFFECTS[0], ranges.EFFECTS[1] + 1)]
    gain, gamma = (_flicker(rng, speed, amplitude) for amplitude in (ranges.GAIN, ranges.GAMMA))
    middle = (size[1] * rng.uniform(0.3, 0.7), size[0] * rng.uniform(0.3, 0.7))
    shadow = Shadow(
        path=wander(rng, speed, short * rng.uniform(*ranges.ORBIT), short, centre=middle),
        radius=short * rng.uniform(*ranges.SHADOW_RADIUS),
        edge=short * ranges.SHADOW_EDGE,
        depth=rng.uniform(*ranges.SHADOW),
    )
    flash = Flash(
        height=rng.uniform(*ranges.FLASH),
        period=rng.uniform(*ranges.FLASH_TRAVEL) / speed,
        phase=rng.random(),
    )
    effects: list[tuple[str, Any]] = [("gain", gain), ("gamma", gamma), ("shadow", shadow), ("flash", flash)]
    return Light(**dict(effects[index] for index in chosen))


def _flicker(rng: np.random.Generator, speed: float, amplitude: ranges.Range) -> Wave:
    rate = 2.0 * math.pi * speed / rng.uniform(*ranges.LIGHT_TRAVEL)
    return wave(rng, rng.uniform(*amplitude), rate)
