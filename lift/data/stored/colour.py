"""Decoded video frames as RGB."""

import threading

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from lift.data.stored.images import Pixels

_here = threading.local()


def convert(frame: av.VideoFrame) -> Pixels:
    """Convert a decoded frame to uint8 RGB [H, W, 3]."""
    # Preparing a conversion costs four times as much as converting 320x240: each thread does it once.
    if not hasattr(_here, "reformatter"):
        _here.reformatter = VideoReformatter()
    return np.asarray(_here.reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8)
