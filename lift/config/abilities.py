"""A configuration that asks more of a model than its family can do is refused before anything runs."""

import difflib

from lift.config.base import Config
from lift.config.parse import ParamsError
from lift.config.schema import LIFT, MODELS, Loss, Model
from lift.options import PAST, TWO, Family

PREDICTORS = ("last", "extrapolated")
"""The methods without training (lift/evaluation/baselines.py) that predict; all others interpolate."""
UNTRAINED = "untrained"
"""The base model before its first step: what training has to add to."""
BASELINES = ("repeat", "average", "dis", UNTRAINED, *PREDICTORS)
"""All methods without training."""
OF_THE_MODEL = ("distillation", "teacher", "geometry")
"""Loss parts that a model computes itself, in training (`Output.auxiliary`)."""
OF_FLOW = ("smoothness", "warping")


def check_ability(
    model: Model, loss: Loss, offsets: tuple[int, ...], where: str, task: str = "interpolate"
) -> None:
    """Refuse a task, a window or a loss that the named model cannot do; the message names those that can.

    `where` is the method's key, for the message.

    Raises:
        UserError: There is no such model, or it cannot.
    """
    check_name(model, f"{where}.model.name")
    family = model.family
    fit = check_task(model, task, f"{where}.clip.task")
    only = family.only(task)
    if only not in (None, offsets):
        advice = f"set clip.frames: 3 and clip.shift: {int(only == PAST)}"
        if only not in (TWO, PAST):
            advice = f"set clip.frames: {len(only or ())}, clip.shift: 0 and clip.sampling: uniform"
        able = [name for name, other in fit.items() if other.only(task) in (None, offsets)]
        raise ParamsError(
            f"{where}.clip: {model.name} takes frames at offsets {_shown(only)} alone, and the clip has "
            f"{_shown(offsets)}; {advice}; models that take this window: {', '.join(able)}"
        )
    for part in OF_THE_MODEL:
        if getattr(loss, part) and part not in family.auxiliary:
            able = [name for name, other in MODELS.items() if part in other.auxiliary]
            raise ParamsError(
                f"{where}.loss.{part}: {model.name} has no such part; set it to 0; models that have it: "
                f"{', '.join(able)}"
            )
    for part in OF_FLOW:
        if getattr(loss, part) and not family.estimates_flow:
            able = [name for name, other in MODELS.items() if other.estimates_flow]
            raise ParamsError(
                f"{where}.loss.{part}: {model.name} estimates no flow; set it to 0; models that do: "
                f"{', '.join(able)}"
            )


def check_name(model: Model, where: str) -> None:
    """Refuse the name of a model that there is not.

    Raises:
        UserError: There is none; the message names those that there are.
    """
    if model.name not in MODELS:
        close = difflib.get_close_matches(model.name, MODELS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ParamsError(
            f"{where}: no model is called {model.name!r}; known: {', '.join(sorted(MODELS))}{hint}"
        )


def check_task(model: Model, task: str, where: str) -> dict[str, Family]:
    """Return the families that can do a task, interpolate or predict; refuse a model that cannot.

    Raises:
        UserError: It cannot, which is said of `where`, a key of the configuration.
    """
    fit = {name: family for name, family in model.families.items() if task in family.tasks}
    if model.name not in fit:
        raise ParamsError(f"{where}: {model.name} cannot {task}; models that can: {', '.join(fit)}")
    objection = model.family.objection(task)
    if objection is not None:
        raise ParamsError(f"{where}: {objection}")
    return fit


def _shown(offsets: tuple[int, ...] | None) -> str:
    listed = [f"{offset:+d}" for offset in offsets or ()]
    return ", ".join(listed if len(listed) <= 6 else [*listed[:2], "…", *listed[-2:]])


def sees_context(config: Config) -> bool:
    """Whether a model's frames depend on others than the two references."""
    searches = config.model.name == LIFT and config.model.flow != "plain"
    return len(config.clip.offsets) > len(TWO) and (config.model.use_context or searches)


def predicts(config: Config, method: str) -> bool:
    """Whether a method predicts; `config` is its own, or the base's where it has no model."""
    if config.kind in ("trained", "released"):
        return config.clip.task == "predict"
    return method in PREDICTORS
