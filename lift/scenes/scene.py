"""A scene: layers under analytic motion, rendered at any time, with the truth between any two times.

Each layer is a picture with an alpha mask in its own coordinates u; its chain of motions gives the matrix
A(t) from u to the screen. A frame samples every layer at A(t)^-1 p for the pixel centres p and paints back
to front. The surface point seen at p is u of the front-most layer whose mask covers p at least by half; at
another time it lies at A(r) u. Both are functions of (scene, time) alone.

Pixel centres have integer coordinates. Samples are bilinear at 2 texels per pixel and 1/32 texel, which is
exact to 1/64 pixel. They are taken in whole numbers, and all else is made of operations that IEEE 754 fixes
to the bit, so frames and truth are equal on every processor.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.scenes import ranges
from lift.scenes.light import STEADY, Light
from lift.scenes.motion import Affine, Motion, chain

Image = NDArray[np.uint8]
Coordinates = NDArray[np.float64]
Steps = NDArray[np.int32]
_STEPS = 32  # places between two texels: the unit of cv2's maps of whole numbers
_FURTHEST = 2**15 - 2  # texels, by their type
_ROW = 1024
HALF = 128  # a mask of at least one half: the layer is what the pixel shows


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known of a target frame with respect to a reference frame."""

    flow: NDArray[np.float32]
    """(2, H, W) pixels, channel 0 = x to the right, 1 = y down: target(p) is reference(p + flow(p))."""
    visible: NDArray[np.bool_]
    """(H, W): the point seen at p in the target lies inside the reference frame and is front-most there."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A flat surface."""

    tile: Image
    """Texels: (rows, columns, 3) RGB, continued by reflection; or RGBA, transparent outside."""
    origin: tuple[float, float]
    """The texel (x, y) at which the layer's own coordinates are zero."""
    motions: tuple[Motion, ...]
    """From the screen (first) down to the layer's own coordinates (last)."""

    def texels(self, time: float) -> Affine:
        """Return the map from screen pixels to texels at `time`."""
        return self._own.after(chain(self.motions, time).inverse())

    def from_texels(self, time: float) -> Affine:
        """Return its inverse: from texels to screen pixels."""
        return chain(self.motions, time).after(self._own.inverse())

    @property
    def _own(self) -> Affine:
        d, (x, y) = float(ranges.DENSITY), self.origin
        return Affine(d, 0.0, x, 0.0, d, y)

    @property
    def opaque(self) -> bool:
        """Whether the layer has no mask."""
        return bool(self.tile.shape[2] == 3)

    def box(self, time: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the part of a screen of `size` that the layer can touch: top, bottom, left, right."""
        if self.opaque:
            return 0, size[0], 0, size[1]
        rows, columns = self.tile.shape[:2]
        screen = self.from_texels(time)
        corners = [screen(float(x), float(y)) for x in (0, columns) for y in (0, rows)]
        left, right = _span([x for x, _ in corners], size[1])
        top, bottom = _span([y for _, y in corners], size[0])
        return top, bottom, left, right


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Layers, back to front; the first fills the screen."""

    size: tuple[int, int]
    """Height and width, pixels."""
    layers: tuple[Layer, ...]
    light: Light = STEADY

    def render(self, time: float) -> Image:
        """Return the frame at `time` (frames; any real number): uint8 RGB (H, W, 3)."""
        frame = _sample(self.layers[0].tile, self.layers[0].texels(time), self.size).astype(np.float32)
        for _, where, pixels in self._masked(time):
            part, alpha = frame[where], pixels[..., 3:] * np.float32(1.0 / 255.0)
            part += alpha * (pixels[..., :3] - part)
        lit = self.light(frame, time)
        return np.asarray(np.rint(np.clip(lit, 0.0, 255.0)), dtype=np.uint8)

    def front(self, time: float) -> NDArray[np.int32]:
        """Return the index of the layer seen at each pixel at `time`: int32 (H, W)."""
        owner = np.zeros(self.size, dtype=np.int32)
        for index, where, mask in self._masked(time, mask=True):
            owner[where][mask >= HALF] = index
        return owner

    def _masked(self, time: float, *, mask: bool = False) -> Iterator[tuple[int, Any, Image]]:
        """Yield index, part of the screen and pixels (or mask alone) of each layer in front of the first."""
        for index, layer in enumerate(self.layers[1:], start=1):
            top, bottom, left, right = layer.box(time, self.size)
            if top < bottom and left < right:
                tile = np.ascontiguousarray(layer.tile[..., 3]) if mask else layer.tile
                texels = layer.texels(time)
                x0, y0 = texels(float(left), float(top))
                pixels = _sample(tile, texels._replace(x0=x0, y0=y0), (bottom - top, right - left))
                yield index, np.s_[top:bottom, left:right], pixels

    def truth(self, target: float, reference: float) -> Truth:
        """Return the flow from the frame at `target` to that at `reference` (times), and what both show.

        Changes of light move nothing: flow and visibility are those of the surfaces.
        """
        height, width = self.size
        owner = self.front(target)
        maps = [layer.from_texels(reference).after(layer.texels(target)) for layer in self.layers]
        xx, xy, x0, yx, yy, y0 = np.array(maps)[owner].transpose(2, 0, 1)  # each pixel's, by its own layer
        y, x = np.mgrid[:height, :width].astype(np.float64)
        to_x, to_y = xx * x + xy * y + x0, yx * x + yy * y + y0
        visible = (to_x >= 0.0) & (to_x <= width - 1.0) & (to_y >= 0.0) & (to_y <= height - 1.0)
        for index, layer in enumerate(self.layers[1:], start=1):
            behind = visible & (owner < index)
            visible[behind] = ~_covers(layer, reference, to_x[behind], to_y[behind])
        return Truth(flow=np.stack([to_x - x, to_y - y]).astype(np.float32), visible=visible)


def _sample(tile: Image, texels: Affine, size: tuple[int, ...]) -> Image:
    """Sample a tile at texels(x, y) for every pixel of `size` (height, width)."""
    x, y = np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64)
    # Rows and columns apart: a sum of a row's share and a column's is all that each pixel costs.
    u = _steps(_STEPS * texels.xx * x, _STEPS * (texels.xy * y + texels.x0))
    v = _steps(_STEPS * texels.yx * x, _STEPS * (texels.yy * y + texels.y0))
    return _at(tile, u, v)


def _steps(across: Coordinates, down: Coordinates) -> Steps:
    """Return the nearest whole numbers of the sums of each of `down` and each of `across`."""
    down = down + 0.5
    place = down[:, None] + across
    limit = float(_STEPS * _FURTHEST)
    if max(np.abs(down).max(initial=0.0) + np.abs(across).max(initial=0.0), limit) > limit:
        np.clip(place, -limit, limit, out=place)
    return np.floor(place, out=place).astype(np.int32)


def _at(tile: Image, columns: Steps, rows: Steps) -> Image:
    """Sample a tile at places (H, W) in 1/32 texel.

    With maps of whole numbers cv2 computes in whole numbers, which a test holds; with a matrix, or maps of
    floats, it rounds as the processor's vector unit does.
    """
    masked = tile.ndim == 2 or tile.shape[2] == 4
    border = cv2.BORDER_CONSTANT if masked else cv2.BORDER_REFLECT_101
    whole = np.empty((*columns.shape, 2), np.int16)
    whole[..., 0], whole[..., 1] = columns >> 5, rows >> 5
    between = ((rows & 31) << 5 | columns & 31).astype(np.uint16)
    return np.asarray(cv2.remap(tile, whole, between, cv2.INTER_LINEAR, borderMode=border))


def _span(places: list[float], most: int) -> tuple[int, int]:
    """Return the whole pixels, between 0 and `most`, around some places."""
    low, high = math.floor(min(places)), math.ceil(max(places)) + 1
    return min(max(low, 0), most), min(max(high, 0), most)


def _covers(layer: Layer, time: float, x: Coordinates, y: Coordinates) -> NDArray[np.bool_]:
    """Return which screen points (x, y) a masked layer covers at `time`."""
    if x.size == 0:
        return np.zeros(x.shape, dtype=np.bool_)
    # In rows: cv2 refuses maps of more than 32766 pixels on either side. What fills the last row is cut off.
    rows, nothing = (-(-x.size // _ROW), _ROW), np.zeros(1)
    u, v = (np.resize(_steps(nothing, _STEPS * points), rows) for points in layer.texels(time)(x, y))
    return np.asarray(_at(np.ascontiguousarray(layer.tile[..., 3]), u, v).ravel()[: x.size] >= HALF)
