"""A frame made in parts, by a method that sees one at a time: tile by tile, or colours and alpha apart.

Tiles bound memory. They overlap; weights of neighbours fall linearly to zero across what they share and sum
to one, so there is no edge at which two independent results meet. The fall takes the middle half of the
overlap: the quarter next to a tile's edge has no weight, since there convolutions see padding in place of the
picture.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lift.errors import UserError
from lift.video.methods import REFERENCES, Features, Method, Middle
from lift.video.settings import DEFAULTS, Settings

GIB = 2**30
STEP = 32  # pixels of which a tile's side is a multiple
REACH = 2  # the references' offsets are below this, at whatever time between them
Box = tuple[int, int, int, int]  # top, left, height, width, pixels


def fit(method: Method, size: tuple[int, int], tile: str = "auto", settings: Settings = DEFAULTS) -> Method:
    """Cut frames of (H, W) into tiles where they would not fit in memory.

    Args:
        method: Makes whole frames.
        size: Of the frames, pixels.
        tile: auto, off, or a tile's side in pixels.
        settings: Budget and overlap.

    Raises:
        UserError: The tile is no larger than twice the overlap.
    """
    budget = settings.memory * GIB
    if method.device.type == "cuda":
        budget = settings.share * torch.cuda.mem_get_info(method.device)[0]
    if tile == "off" or (tile == "auto" and method.whole * size[0] * size[1] <= budget):
        return method
    least = 2 * settings.overlap + STEP
    if tile == "auto":
        side = max(least, int((budget / method.tiled) ** 0.5) // STEP * STEP)
    elif not tile.isdecimal() or int(tile) < least:
        raise UserError(f"--tile {tile}: expected auto, off or a number of pixels from {least} on")
    else:
        side = int(tile)
    return Tiled(method, size, side, settings.overlap) if side < max(size) else method


class InParts(Method):
    """Is of the same name, window and abilities as the method that makes its parts."""

    def __init__(self, method: Method) -> None:
        super().__init__(method.name, method.title, method.device)
        self.window, self.past = method.window, method.past
        self.any_time, self.interpolates = method.any_time, method.interpolates
        self._method = method


class _Tiles(NamedTuple):
    """A frame's image (1, 3, H, W) while it can be a reference; of each tile what context needs."""

    image: Tensor | None
    tiles: list[Features]


class Tiled(InParts):
    """Makes the frame tile by tile.

    Of a tile only what context needs is cached; references are encoded anew for every frame, since keeping
    all tiles' features at full resolution would take the memory that tiles are to save.
    """

    def __init__(self, method: Method, size: tuple[int, int], tile: int, overlap: int) -> None:
        """Cut frames of (H, W) for `method`; `tile` and `overlap` in pixels, `overlap` < `tile`."""
        super().__init__(method)
        self._size, self._boxes = size, boxes(size, tile, overlap)
        masks = [_ramp(box, size, overlap) for box in self._boxes]
        total = torch.zeros(1, 1, *size)
        for box, mask in zip(self._boxes, masks, strict=True):
            _cut(total, box).add_(mask)
        self._shares = [mask / _cut(total, box) for box, mask in zip(self._boxes, masks, strict=True)]

    def encode(self, image: Tensor) -> Features:
        """Encode each tile and keep what context needs."""
        method = self._method
        boxes = self._boxes if method.window != REFERENCES else []  # without context nothing is kept
        return _Tiles(image, [method.shrink(method.encode(_cut(image, box))) for box in boxes])

    def shrink(self, features: Features) -> Features:
        """Drop the image."""
        return features._replace(image=None)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Make each tile and blend them; α is the tiles' mean."""
        image = torch.zeros(1, 3, *self._size, device=self.device)
        alphas: list[list[float]] = []
        for index, (box, share) in enumerate(zip(self._boxes, self._shares, strict=True)):
            parts = [self._part(index, *pair) for pair in zip(offsets, features, strict=True)]
            middle = self._method.between(offsets, parts)
            _cut(image, box).add_(middle.image * share.to(self.device))
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


def boxes(size: tuple[int, int], tile: int, overlap: int) -> list[Box]:
    """Cover a frame (H, W) with tiles of at most `tile` pixels a side that share at least `overlap`."""
    (tops, height), (lefts, width) = (_spread(side, tile, overlap) for side in size)
    return [(top, left, height, width) for top in tops for left in lefts]


def _spread(side: int, tile: int, overlap: int) -> tuple[list[int], int]:
    if side <= tile:
        return [0], side
    count = math.ceil((side - overlap) / (tile - overlap))
    return [round(k * (side - tile) / (count - 1)) for k in range(count)], tile


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


class _Layers(NamedTuple):
    """What the method made of the premultiplied colours, and of alpha as a picture; None: all opaque."""

    colours: Features
    alpha: Features | None
    size: torch.Size


class Transparent(InParts):
    """Makes colours, premultiplied, and alpha apart; where all frames are opaque, colours alone.

    Colours count by how much of them is seen, so that what lies hidden does not shine through; and no colour
    is brighter than its alpha lets it be.
    """

    def encode(self, image: Tensor) -> Features:
        """Encode both layers of (1, 4, H, W)."""
        colours, alpha = _split(image)
        seen = None if bool(alpha.min() == 1) else self._method.encode(alpha)
        return _Layers(self._method.encode(colours), seen, alpha.shape)

    def shrink(self, features: Features) -> Features:
        """Shrink both layers."""
        alpha = None if features.alpha is None else self._method.shrink(features.alpha)
        return features._replace(colours=self._method.shrink(features.colours), alpha=alpha)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Make both layers; image (1, 4, H, W)."""
        middle = self._method.between(offsets, [one.colours for one in features])
        if all(one.alpha is None for one in features):
            alpha = torch.ones_like(middle.image[:, :1])
        else:
            alpha = self._method.between(offsets, [self._alpha(one) for one in features]).image
            alpha = alpha.mean(1, keepdim=True)
        return middle._replace(image=torch.cat((middle.image.minimum(alpha), alpha), 1))

    def _alpha(self, layers: _Layers) -> Features:
        if layers.alpha is not None:
            return layers.alpha
        return self._method.encode(torch.ones(layers.size, device=self.device))

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Predict both layers, (1, 4, H, W)."""
        colours, alphas = zip(*(_split(image) for image in past), strict=True)
        made = zip(self._method.predict(colours, count), self._method.predict(alphas, count), strict=True)
        return [torch.cat((colour.minimum(alpha), alpha[:, :1]), 1) for colour, alpha in made]


def _split(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the colours, and alpha as a gray picture, each (1, 3, H, W)."""
    return image[:, :3], image[:, 3:].expand(-1, 3, -1, -1).contiguous()
