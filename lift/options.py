"""How parameters are declared: fields with their checks, and what a family of models can do.

Free of PyTorch: lift/config reads, from the options in the folders of lift/models, what params.yaml may say.
"""

import dataclasses
from typing import Any, ClassVar

TWO = (-1, 1)
"""Offsets of the references alone."""
PAST = (-2, -1)
"""The same, of prediction."""


def number(least: float | None = None, most: float | None = None, *, odd: bool | None = None) -> Any:
    """Declare a required numeric field (or a list) within [least, most]; odd or even where `odd` says so."""
    return dataclasses.field(metadata={"least": least, "most": most, "odd": odd})


def choice(*values: str) -> Any:
    """Declare a required text field (or a list of texts) with one of `values`."""
    return dataclasses.field(metadata={"choices": values})


def width_factor() -> Any:
    """Declare what a family's widths are multiplied by; 1: the published model.

    Widths are the published ones in every profile, so that a variant's numbers stand once and the demo needs
    no second set.
    """
    return number(0.01, 4.0)


class Family:
    """What a family of models can do; a subclass, a frozen dataclass, has its parameters as fields.

    Attributes:
        auxiliary: Parts of the loss that the model computes itself (`Output.auxiliary`).
        estimates_flow: Whether it estimates optical flow.
        freezable: Whether `pretrained` starts an encoder, which a phase of training may then freeze.
        tasks: What it can be trained for (`clip.task`).
    """

    auxiliary: ClassVar[tuple[str, ...]] = ()
    estimates_flow: ClassVar[bool] = True
    freezable: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("interpolate",)

    def only(self, task: str = "interpolate") -> tuple[int, ...] | None:
        """Return the only offsets that it takes for a task; None: any window with both references."""
        return PAST if task == "predict" else TWO

    def objection(self, task: str) -> str | None:
        """Return why these parameters are not fit for one of `tasks`, in words; None: they are."""
        return None
