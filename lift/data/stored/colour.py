"""Decoded video frames as RGB."""

import threading

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from lift.data.stored.images import Pixels

EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""Without these, FFmpeg rounds as the processor's vector unit does; a third slower."""
_here = threading.local()


def convert(frame: av.VideoFrame) -> Pixels:
    """Convert a decoded frame to uint8 RGB [H, W, 3]."""
    # Preparing a conversion costs four times as much as converting 320x240: each thread does it once.
    if not hasattr(_here, "reformatter"):
        _here.reformatter = VideoReformatter()
    rgb = _here.reformatter.reformat(frame, format="rgb24", interpolation=EXACT, threads=1)
    return np.asarray(rgb.to_ndarray(), np.uint8)
