"""A scene: layers under analytic motion, rendered at any time, with the truth between any two times.

Each layer is a picture with an alpha mask in its own coordinates u; its chain of motions gives the matrix
A(t) from u to the screen. A frame samples every layer at A(t)^-1 p for the pixel centres p and paints back
to front. The surface point seen at p is u of the front-most layer whose mask covers p at least by half; at
another time it lies at A(r) u. Both are functions of (scene, time) alone.

Pixel centres have integer coordinates. Samples are bilinear at 2 texels per pixel and 1/32 texel (cv2's
fixed point), which is exact to 1/64 pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.scenes import ranges
from lift.scenes.light import STEADY, Light
from lift.scenes.motion import Matrix, Motion, chain

Image = NDArray[np.uint8]
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

    def texels(self, time: float) -> Matrix:
        """Give the 3x3 matrix from screen pixels to texels at `time`."""
        return self._own @ np.linalg.inv(chain(self.motions, time))

    def from_texels(self, time: float) -> Matrix:
        """Give its inverse: from texels to screen pixels."""
        return chain(self.motions, time) @ np.linalg.inv(self._own)

    @property
    def _own(self) -> Matrix:
        d, (x, y) = float(ranges.DENSITY), self.origin
        return np.array([[d, 0.0, x], [0.0, d, y], [0.0, 0.0, 1.0]])

    @property
    def opaque(self) -> bool:
        """Whether the layer has no mask."""
        return bool(self.tile.shape[2] == 3)

    def box(self, time: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Give the part of a screen of `size` that the layer can touch: top, bottom, left, right."""
        if self.opaque:
            return 0, size[0], 0, size[1]
        rows, columns = self.tile.shape[:2]
        corners = np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]], dtype=np.float64)
        x, y, _ = self.from_texels(time) @ corners
        left, right = (int(v) for v in np.clip([np.floor(x.min()), np.ceil(x.max()) + 1], 0, size[1]))
        top, bottom = (int(v) for v in np.clip([np.floor(y.min()), np.ceil(y.max()) + 1], 0, size[0]))
        return top, bottom, left, right


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Layers, back to front; the first fills the screen."""

    size: tuple[int, int]
    """Height and width, pixels."""
    layers: tuple[Layer, ...]
    light: Light = STEADY

    def render(self, time: float) -> Image:
        """Give the frame at `time` (frames; any real number): uint8 RGB (H, W, 3)."""
        frame = _sample(self.layers[0].tile, self.layers[0].texels(time), self.size).astype(np.float32)
        for layer in self.layers[1:]:
            top, bottom, left, right = layer.box(time, self.size)
            if top < bottom and left < right:
                part = frame[top:bottom, left:right]
                pixels = _sample(layer.tile, _shifted(layer.texels(time), left, top), part.shape[:2])
                alpha = pixels[..., 3:] * np.float32(1.0 / 255.0)
                part += alpha * (pixels[..., :3] - part)
        lit = self.light(frame, time)
        return np.asarray(np.rint(np.clip(lit, 0.0, 255.0)), dtype=np.uint8)

    def front(self, time: float) -> NDArray[np.int32]:
        """Give the index of the layer seen at each pixel at `time`: int32 (H, W)."""
        owner = np.zeros(self.size, dtype=np.int32)
        for index, layer in enumerate(self.layers[1:], start=1):
            top, bottom, left, right = layer.box(time, self.size)
            if top < bottom and left < right:
                part = owner[top:bottom, left:right]
                mask = _sample(
                    np.ascontiguousarray(layer.tile[..., 3]),
                    _shifted(layer.texels(time), left, top),
                    part.shape,
                )
                part[mask >= HALF] = index
        return owner

    def truth(self, target: float, reference: float) -> Truth:
        """Give the flow from the frame at `target` to that at `reference` (times), and what both show.

        Changes of light move nothing: flow and visibility are those of the surfaces.
        """
        height, width = self.size
        owner = self.front(target)
        matrices = np.stack([layer.from_texels(reference) @ layer.texels(target) for layer in self.layers])
        m = matrices[owner]  # (H, W, 3, 3): each pixel's motion is its own layer's
        y, x = np.mgrid[:height, :width].astype(np.float64)
        to_x = m[..., 0, 0] * x + m[..., 0, 1] * y + m[..., 0, 2]
        to_y = m[..., 1, 0] * x + m[..., 1, 1] * y + m[..., 1, 2]
        visible = (to_x >= 0.0) & (to_x <= width - 1.0) & (to_y >= 0.0) & (to_y <= height - 1.0)
        for index, layer in enumerate(self.layers[1:], start=1):
            behind = visible & (owner < index)
            visible[behind] = ~_covers(layer, reference, to_x[behind], to_y[behind])
        return Truth(flow=np.stack([to_x - x, to_y - y]).astype(np.float32), visible=visible)


def _sample(tile: Image, matrix: Matrix, size: tuple[int, ...]) -> Image:
    """Sample a tile at matrix @ (x, y, 1) for every pixel of `size` (height, width)."""
    masked = tile.ndim == 2 or tile.shape[2] == 4
    border = cv2.BORDER_CONSTANT if masked else cv2.BORDER_REFLECT_101
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(tile, matrix[:2], (size[1], size[0]), flags=flags, borderMode=border))


def _covers(layer: Layer, time: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which screen points (x, y) a masked layer covers at `time`."""
    if x.size == 0:
        return np.zeros(x.shape, dtype=np.bool_)
    m = layer.texels(time)
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]).astype(np.float32)
    v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]).astype(np.float32)
    alpha = np.ascontiguousarray(layer.tile[..., 3])
    # In rows: cv2 refuses maps of more than 32766 pixels on either side. What fills the last row is cut off.
    rows = (-(-x.size // _ROW), _ROW)
    u, v = (np.resize(points, rows) for points in (u, v))
    mask = cv2.remap(alpha, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(mask.ravel()[: x.size] >= HALF)


def _shifted(matrix: Matrix, left: int, top: int) -> Matrix:
    """Let `matrix` act on coordinates that count from (left, top)."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, 0] * left + matrix[:, 1] * top
    return moved
