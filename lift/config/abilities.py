"""What each model can do, so that a configuration that asks for more is refused before anything runs.

The registry (lift/models) makes the models; a test holds that the two name the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lift.config.schema import Loss, Model, window
from lift.errors import UserError

if TYPE_CHECKING:
    from lift.config.base import Config

TWO = (-1, 1)  # the references alone
PAST = (-2, -1)  # the same, of prediction
PREDICTORS = ("last", "extrapolated")
"""The methods without training (lift/evaluation/baselines.py) that predict; all others interpolate."""
UNTRAINED = "untrained"
"""The base model before its first step: what training has to add to."""
BASELINES = ("repeat", "average", "dis", UNTRAINED, *PREDICTORS)
"""All methods without training."""
OF_THE_MODEL = ("distillation", "teacher", "geometry")
"""Loss parts that a model computes itself, in training (`Output.auxiliary`)."""
OF_FLOW = ("smoothness", "warping")


@dataclass(frozen=True, kw_only=True)
class Ability:
    """What one model can do."""

    window: Callable[[Model], tuple[int, ...] | None]
    """The only offsets that it takes; None: any window with both references."""
    parts: tuple[str, ...] = ()
    """Which of OF_THE_MODEL it contributes."""
    flow: bool = True
    """Whether it estimates optical flow."""
    encoder: bool = False
    """Whether `model.pretrained` starts its encoder, which a phase may then freeze."""
    tasks: tuple[str, ...] = ("interpolate",)
    """What it can be trained for (`clip.task`)."""

    def takes(self, model: Model, task: str) -> tuple[int, ...] | None:
        """Return the only offsets that it takes for a task; None: any window with both references."""
        only = self.window(model)
        return PAST if task == "predict" and only == TWO else only


ABILITIES: dict[str, Ability] = {
    "lift": Ability(window=lambda model: None, encoder=True, tasks=("interpolate", "predict")),
    "rife": Ability(window=lambda model: TWO, parts=("distillation", "teacher")),
    "rife_v4": Ability(window=lambda model: TWO),
    "ifrnet": Ability(window=lambda model: TWO, parts=("geometry",), tasks=("interpolate", "predict")),
    "flavr": Ability(window=lambda model: _centred(model.flavr.inputs), flow=False),
}


def check_ability(
    model: Model, loss: Loss, offsets: tuple[int, ...], where: str, task: str = "interpolate"
) -> None:
    """Refuse a task, a window or a loss that the named model cannot do; the message names those that can.

    Args:
        model: The model.
        loss: The loss it is to be trained with.
        offsets: The frames it is to be given.
        where: Key of the configuration, for the message.
        task: interpolate or predict.

    Raises:
        UserError: The model is not known, or cannot.
    """
    if model.name not in ABILITIES:
        raise UserError(
            f"params.yaml: {where}.model.name: no model is called {model.name!r}; "
            f"known: {', '.join(sorted(ABILITIES))}"
        )
    ability = ABILITIES[model.name]
    fit = check_task(model, task, f"{where}.clip.task")
    only = ability.takes(model, task)
    if only not in (None, offsets):
        able = [name for name, other in fit.items() if other.takes(model, task) in (None, offsets)]
        raise UserError(
            f"params.yaml: {where}.clip: {model.name} takes frames at offsets {_shown(only)} alone, and the "
            f"clip has {_shown(offsets)}; {_advice(only)}; models that take this window: {', '.join(able)}"
        )
    for part in OF_THE_MODEL:
        if getattr(loss, part) and part not in ability.parts:
            able = [name for name, other in ABILITIES.items() if part in other.parts]
            raise UserError(
                f"params.yaml: {where}.loss.{part}: {model.name} has no such part; set it to 0; models that "
                f"have it: {', '.join(able)}"
            )
    for part in OF_FLOW:
        if getattr(loss, part) and not ability.flow:
            able = [name for name, other in ABILITIES.items() if other.flow]
            raise UserError(
                f"params.yaml: {where}.loss.{part}: {model.name} estimates no flow; set it to 0; models that "
                f"do: {', '.join(able)}"
            )


def sees_context(config: Config) -> bool:
    """Whether a model's frames depend on others than the two references."""
    searches = config.model.name == "lift" and config.model.flow != "plain"
    return len(config.clip.offsets) > len(TWO) and (config.model.use_context or searches)


def check_task(model: Model, task: str, where: str) -> dict[str, Ability]:
    """Refuse a model that cannot do a task; give those that can.

    Args:
        model: One of ABILITIES.
        task: interpolate or predict.
        where: Key of the configuration, for the message.

    Raises:
        UserError: It cannot.
    """
    fit = {name: other for name, other in ABILITIES.items() if task in other.tasks}
    if model.name not in fit:
        raise UserError(
            f"params.yaml: {where}: {model.name} cannot {task}; models that can: {', '.join(fit)}"
        )
    if task == "predict" and model.name == "lift" and model.flow != "plain":
        raise UserError(
            f"params.yaml: {where}: lift with model.flow: {model.flow} cannot predict: it looks for motion "
            f"between a frame before and one after; set model.flow: plain"
        )
    return fit


def _centred(inputs: int) -> tuple[int, ...]:
    return window(inputs // 2, inputs // 2, "uniform")


def _advice(only: tuple[int, ...] | None) -> str:
    if only is None or only in (TWO, PAST):
        return f"set clip.frames: 3 and clip.shift: {int(only == PAST)}"
    return f"set clip.frames: {len(only)}, clip.shift: 0 and clip.sampling: uniform"


def _shown(offsets: tuple[int, ...] | None) -> str:
    listed = [f"{offset:+d}" for offset in offsets or ()]
    return ", ".join(listed if len(listed) <= 6 else [*listed[:2], "…", *listed[-2:]])
