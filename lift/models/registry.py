"""The models by name: adding one is a file in this folder and a line here.

A model is an `Interpolator` made from a `lift.config.Model`.
"""

import difflib
from collections.abc import Callable

import torch

from lift.config.abilities import check_task
from lift.config.schema import Model
from lift.errors import UserError
from lift.models.flavr import Flavr
from lift.models.ifrnet import IfrNet
from lift.models.interface import Interpolator
from lift.models.lift import Lift
from lift.models.lift_rife import LiftRife
from lift.models.rife import Rife
from lift.models.rife_v4 import RifeV4
from lift.seeds import derive


def _lift(model: Model) -> Interpolator:
    return LiftRife(model) if model.refinement in ("none", "fusion") else Lift(model)


MODELS: dict[str, Callable[[Model], Interpolator]] = {
    "lift": _lift,
    "rife": Rife,
    "rife_v4": RifeV4,
    "ifrnet": IfrNet,
    "flavr": Flavr,
}


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
        A module called as `module(frames, offsets, valid) -> Output`.

    Raises:
        UserError: No model has this name, or the pretrained weights are refused.
    """
    if model.name not in MODELS:
        close = difflib.get_close_matches(model.name, MODELS, n=1)
        raise UserError(
            f"params.yaml: model.name: no model is called {model.name!r}; known: {', '.join(sorted(MODELS))}"
            + (f"; did you mean {close[0]}?" if close else "")
        )
    check_task(model, task, "model")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "weights"))
        module = MODELS[model.name](model)
    module.task = task
    if pretrained and model.start is not None:
        module.load_pretrained(model.start)
    return module
