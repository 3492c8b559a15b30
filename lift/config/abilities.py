"""What each model can do, so that a configuration that asks for more is refused before anything runs.

The registry (lift/models) makes the models; a test holds that the two name the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lift.config.schema import Loss, Model, window
from lift.errors import UserError

TWO = (-1, 1)  # the references alone
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


ABILITIES: dict[str, Ability] = {
    "lift": Ability(window=lambda model: None, encoder=True),
    "rife": Ability(window=lambda model: TWO, parts=("distillation", "teacher")),
    "ifrnet": Ability(window=lambda model: TWO, parts=("geometry",)),
    "flavr": Ability(window=lambda model: _centred(model.flavr.inputs), flow=False),
}


def check_ability(model: Model, loss: Loss, offsets: tuple[int, ...], where: str) -> None:
    """Refuse a window or a loss that the named model cannot do; the message names those that can.

    Args:
        model: The model.
        loss: The loss it is to be trained with.
        offsets: The frames it is to be given.
        where: Key of the configuration, for the message.

    Raises:
        UserError: The model is not known, or cannot.
    """
    if model.name not in ABILITIES:
        raise UserError(
            f"params.yaml: {where}.model.name: no model is called {model.name!r}; "
            f"known: {', '.join(sorted(ABILITIES))}"
        )
    ability = ABILITIES[model.name]
    only = ability.window(model)
    if only not in (None, offsets):
        able = [name for name, other in ABILITIES.items() if other.window(model) in (None, offsets)]
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


def _centred(inputs: int) -> tuple[int, ...]:
    return window(inputs // 2, inputs // 2, "uniform")


def _advice(only: tuple[int, ...] | None) -> str:
    if only is None or only == TWO:
        return "set clip.frames: 3 and clip.shift: 0"
    return f"set clip.frames: {len(only)}, clip.shift: 0 and clip.sampling: uniform"


def _shown(offsets: tuple[int, ...] | None) -> str:
    listed = [f"{offset:+d}" for offset in offsets or ()]
    return ", ".join(listed if len(listed) <= 6 else [*listed[:2], "…", *listed[-2:]])
