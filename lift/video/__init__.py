"""Smooth a video: `python -m lift.video input.mp4 output.mp4`, or `lift.video.interpolate` on arrays."""

from lift.video.api import interpolate

__all__ = ["interpolate"]
