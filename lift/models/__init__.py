"""Interpolation models behind one interface; `build` makes the one that a configuration names."""

from lift.models.interface import Interpolator, LoadReport
from lift.models.output import Output
from lift.models.pretrained import load_rife_contextnet
from lift.models.registry import MODELS, build

__all__ = ["MODELS", "Interpolator", "LoadReport", "Output", "build", "load_rife_contextnet"]
