"""A frame on its way through the tool."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Image = NDArray[np.uint8] | NDArray[np.uint16]
Kind = Literal["original", "interpolated", "copied", "predicted"]


@dataclass(eq=False, kw_only=True)
class Frame:
    """One picture and what is known about it."""

    image: Image
    """RGB [H, W, 3], the whole range of its type, or RGBA [H, W, 4] with colours premultiplied."""
    time: Fraction
    """When it is shown, seconds."""
    kind: Kind = "original"
    picture: Any = None
    """An original as it came (a decoded frame, a user's array): passed on untouched."""
    apart: bool = False
    """Begins a shot whatever it shows: something is missing before it."""
    shot: int = 0
    """Number of the shot, from cut to cut; nothing is blended across two."""
    repeats: bool = False
    """Shows the same as the frame before it."""
    stutters: bool = False
    """Repeats it although the scene moves: where motion is smoothed, it is made anew."""
    motion: float = 0.0
    """Mean absolute difference from the frame before it, both shrunken, 0-255."""
    alpha: dict[float, float] | None = None
    """α by offset, of an interpolated frame."""
    features: Any = None
    """What the method made of it, until it is needed no more."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A frame that leaves the tool, and when."""

    time: Fraction
    """Seconds."""
    frame: Frame


def to_tensor(image: Image, device: torch.device) -> Tensor:
    """Turn an array [H, W, C] of 8 or 16 bits into (1, C, H, W), float32, [0, 1]."""
    scale = 1.0 / np.iinfo(image.dtype).max
    # PyTorch does little with unsigned numbers of 16 bits; numbers of 8 are moved as they are, in a quarter.
    numbers = image.astype(np.int32) if image.dtype == np.uint16 else np.ascontiguousarray(image)
    return torch.from_numpy(numbers).to(device).permute(2, 0, 1)[None].float() * scale


def to_image(tensor: Tensor, like: Image) -> Image:
    """Round (1, C, H, W) in [0, 1] to an array [H, W, C] of the type of `like`."""
    top = np.iinfo(like.dtype).max
    values = (tensor[0].float().clamp(0, 1) * top).round().permute(1, 2, 0)
    return np.ascontiguousarray(values.cpu().numpy().astype(like.dtype))
