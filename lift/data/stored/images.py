"""Encoded pictures and decoded video frames -> uint8 RGB arrays, with damage reported and never passed on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # FFmpeg is asked for where a video is: a machine that trains on pictures may lack it
    import av

Pixels = NDArray[np.uint8]
_here = threading.local()


class Unreadable(Exception):
    """A frame or video that cannot be had; the clips that need it are dropped and counted.

    Attributes:
        reason: Under which it is counted: `unreadable` or `missing`.
    """

    def __init__(self, path: Path, why: str, reason: str = "unreadable") -> None:
        super().__init__(f"{path}: {why}")
        self.reason = reason


def decode(data: bytes) -> Pixels | None:
    """Decode PNG or JPEG to uint8 RGB [H, W, 3]; None where it is truncated, damaged or no picture."""
    if not data:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def convert(frame: av.VideoFrame) -> Pixels:
    """Convert a decoded video frame to uint8 RGB [H, W, 3]."""
    # Preparing a conversion costs four times as much as converting 320x240: each thread does it once.
    if not hasattr(_here, "reformatter"):
        from av.video.reformatter import Interpolation, VideoReformatter

        # Without these, FFmpeg rounds as the processor's vector unit does; a third slower.
        _here.exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
        _here.reformatter = VideoReformatter()
    rgb = _here.reformatter.reformat(frame, format="rgb24", interpolation=_here.exact, threads=1)
    return np.asarray(rgb.to_ndarray(), np.uint8)


def crop(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Take (height, width) from the middle, less where the picture is smaller."""
    top, left = (max(0, (have - want) // 2) for have, want in zip(pixels.shape, size, strict=False))
    return np.ascontiguousarray(pixels[top : top + size[0], left : left + size[1]])


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize to (height, width): area averaging where that shrinks, bicubic where it enlarges."""
    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = height <= pixels.shape[0] and width <= pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def difference(first: Pixels, second: Pixels) -> float:
    """Return the mean absolute difference of two pictures of one size, 0-255."""
    # The sum of whole numbers is exact, so the manifest does not depend on the order of additions.
    return float(cv2.norm(first, second, cv2.NORM_L1)) / first.size
