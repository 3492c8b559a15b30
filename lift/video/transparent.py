"""Video with alpha: a method that makes RGBA frames out of one that makes RGB."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lift.video.methods import Features, Method, Middle


class _Layers(NamedTuple):
    """What the method made of the premultiplied colours, and of alpha as a picture; None: all opaque."""

    colours: Features
    alpha: Features | None
    size: torch.Size


class Transparent(Method):
    """Makes colours, premultiplied, and alpha each by a method; where all frames are opaque, colours alone.

    Colours count by how much of them is seen, so that what lies hidden does not shine through; and no colour
    is brighter than its alpha lets it be.
    """

    def __init__(self, method: Method) -> None:
        """Wrap a method."""
        self.take_over(method)
        self._method = method

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
