"""`load(path, profile, method) -> Config`: one run's parameters, resolved from params.yaml and checked."""

from lift.config.base import Config
from lift.config.data import (
    Benchmark,
    Clips,
    ClipSet,
    Comparison,
    Continuity,
    Download,
    Evaluate,
    Report,
    Verify,
)
from lift.config.footage import Camera, Render, Source
from lift.config.load import load, load_all
from lift.config.schema import Augment, Clip, Loss, Model, Phase, Train, window

__all__ = [
    "Augment", "Benchmark", "Camera", "Clip", "ClipSet", "Clips", "Comparison", "Config",
    "Continuity", "Download", "Evaluate", "Loss", "Model", "Phase", "Render", "Report", "Source", "Train",
    "Verify", "load", "load_all", "window",
]  # fmt: skip
