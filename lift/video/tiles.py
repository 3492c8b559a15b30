"""High resolution in bounded memory: overlapping tiles, blended over the overlap.

Weights of neighbouring tiles fall linearly to zero across what they share and sum to one, so there is no edge
at which two independent results meet. The fall takes the middle half of the overlap: the quarter next to a
tile's edge has no weight, since there convolutions see padding in place of the picture.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lift.video.methods import REFERENCES, Features, Method, Middle

REACH = 2  # the references' offsets are below this, at whatever time between them
Box = tuple[int, int, int, int]  # top, left, height, width, pixels


def boxes(size: tuple[int, int], tile: int, overlap: int) -> list[Box]:
    """Cover a frame (H, W) with tiles of at most `tile` pixels a side that share at least `overlap`."""
    (tops, height), (lefts, width) = (_spread(side, tile, overlap) for side in size)
    return [(top, left, height, width) for top in tops for left in lefts]


def _spread(side: int, tile: int, overlap: int) -> tuple[list[int], int]:
    if side <= tile:
        return [0], side
    count = math.ceil((side - overlap) / (tile - overlap))
    return [round(k * (side - tile) / (count - 1)) for k in range(count)], tile


class _Parts(NamedTuple):
    """A frame's image (1, 3, H, W) while it can be a reference; of each tile what context needs."""

    image: Tensor | None
    tiles: list[Features]


class Tiled(Method):
    """A method that sees the frame tile by tile.

    Of a tile only what context needs is cached; references are encoded anew for every frame, since keeping
    all tiles' features at full resolution would take the memory that tiles are to save.
    """

    def __init__(self, method: Method, size: tuple[int, int], tile: int, overlap: int) -> None:
        """Cut frames of (H, W) for `method`; `tile` and `overlap` in pixels, `overlap` < `tile`."""
        self.take_over(method)
        self._method, self._boxes = method, boxes(size, tile, overlap)
        self._size, self._masks = size, [_ramp(box, size, overlap) for box in self._boxes]
        self._total = torch.zeros(1, 1, *size)
        for box, mask in zip(self._boxes, self._masks, strict=True):
            _cut(self._total, box).add_(mask)

    def encode(self, image: Tensor) -> Features:
        """Encode each tile and keep what context needs."""
        method = self._method
        boxes = self._boxes if method.window != REFERENCES else []  # without context nothing is kept
        return _Parts(image, [method.shrink(method.encode(_cut(image, box))) for box in boxes])

    def shrink(self, features: Features) -> Features:
        """Drop the image."""
        return features._replace(image=None)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Make each tile and blend them; α is the tiles' mean."""
        image = torch.zeros(1, 3, *self._size, device=self.device)
        alphas: list[list[float]] = []
        for index, (box, mask) in enumerate(zip(self._boxes, self._masks, strict=True)):
            parts = [self._part(index, *pair) for pair in zip(offsets, features, strict=True)]
            middle = self._method.between(offsets, parts)
            _cut(image, box).add_(middle.image * (mask / _cut(self._total, box)).to(self.device))
            alphas += [] if middle.alpha is None else [middle.alpha]
        means = [sum(column) / len(column) for column in zip(*alphas, strict=True)]
        return Middle(image, means or None)

    def _part(self, index: int, offset: float, features: Features) -> Features:
        image, tiles = features
        if abs(offset) < REACH and image is not None:
            return self._method.encode(_cut(image, self._boxes[index]))
        return tiles[index]

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Predict the whole frame."""
        return self._method.predict(past, count)


def _cut(image: Tensor, box: Box) -> Tensor:
    top, left, height, width = box
    return image[..., top : top + height, left : left + width]


def _ramp(box: Box, size: tuple[int, int], overlap: int) -> Tensor:
    """Weigh a tile's pixels (1, 1, h, w): 1 inside, falling to 0 towards its inner edges."""
    top, left, height, width = box
    rows = _side(height, overlap, top > 0, top + height < size[0])
    columns = _side(width, overlap, left > 0, left + width < size[1])
    return (rows[:, None] * columns)[None, None]


def _side(length: int, overlap: int, first: bool, last: bool) -> Tensor:
    ramp = ((torch.arange(length) + 0.5 - overlap / 4) / (overlap / 2)).clamp(0, 1)
    one = torch.ones(length)
    return torch.minimum(ramp if first else one, ramp.flip(0) if last else one)
