"""The models by name: `build` makes the one that a configuration names.

The families are the sections of `lift.config.Model`; `create` in lift/models/<family>/interpolator.py, which
is imported when it is wanted, makes an `Interpolator` from that.
"""

import importlib

import torch

from lift.config.abilities import check_name, check_task
from lift.config.schema import Model
from lift.models.interface import Interpolator
from lift.seeds import derive


def build(model: Model, *, task: str = "interpolate", seed: int = 0, pretrained: bool = True) -> Interpolator:
    """Build the model that a configuration names, in training mode, on the CPU.

    Args:
        model: Its parameters.
        task: interpolate or predict (`clip.task`).
        seed: The initial weights are a function of this and `model` alone; the global random state is neither
            read nor changed.
        pretrained: Load the model's pretrained weights where it names some. False: a checkpoint follows that
            replaces all weights, and the file need not exist.

    Returns:
        The model, an untrained one where nothing was loaded.

    Raises:
        UserError: No model has this name, or the pretrained weights are refused.
    """
    check_name(model, "model.name")
    check_task(model, task, "model")
    create = importlib.import_module(f"lift.models.{model.name}.interpolator").create
    with torch.random.fork_rng(devices=[]):  # drawn on the CPU, so that a seed gives one model everywhere
        torch.manual_seed(derive(seed, "weights"))
        module: Interpolator = create(model)
    module.task = task
    if pretrained and model.start is not None:
        module.load_pretrained(model.start)
    return module
