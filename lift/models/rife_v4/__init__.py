"""RIFE v4.25: the frame interpolation that people use today; two frames, any time between them.

Its weights are in the repository (weights/rife_v4.25.safetensors), so that it stands in tables as released.
"""

from lift.models.rife_v4.interpolator import RifeV4
from lift.models.rife_v4.network import Estimate, IfNet
from lift.models.rife_v4.released import load_released

__all__ = ["Estimate", "IfNet", "RifeV4", "load_released"]
