"""Procedural scenes in continuous time with known truth: stand-ins for footage, and a benchmark."""

from lift.scenes.kinds import KINDS, make
from lift.scenes.scene import Layer, Scene, Truth

__all__ = ["KINDS", "Layer", "Scene", "Truth", "make"]
