"""Decoded video frames as RGB."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from lift.data.stored.images import Pixels

if TYPE_CHECKING:  # FFmpeg is asked for where a video is: a machine that trains on pictures may lack it
    import av

_here = threading.local()


def convert(frame: av.VideoFrame) -> Pixels:
    """Convert a decoded frame to uint8 RGB [H, W, 3]."""
    # Preparing a conversion costs four times as much as converting 320x240: each thread does it once.
    if not hasattr(_here, "reformatter"):
        from av.video.reformatter import Interpolation, VideoReformatter

        # Without these, FFmpeg rounds as the processor's vector unit does; a third slower.
        _here.exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
        _here.reformatter = VideoReformatter()
    rgb = _here.reformatter.reformat(frame, format="rgb24", interpolation=_here.exact, threads=1)
    return np.asarray(rgb.to_ndarray(), np.uint8)
