"""`load(path, profile, method) -> Config`: one run's parameters, resolved from params.yaml and checked."""

from lift.config.base import Config, Source
from lift.config.data import Benchmark, Camera, Clips, ClipSet, Continuity, Download, Render
from lift.config.load import load, load_all
from lift.config.schema import Augment, Clip, Loss, Model, Phase, Train, window

__all__ = [
    "Augment", "Benchmark", "Camera", "Clip", "ClipSet", "Clips", "Config", "Continuity", "Download", "Loss",
    "Model", "Phase", "Render", "Source", "Train", "load", "load_all", "window",
]  # fmt: skip
