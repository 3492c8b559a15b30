"""A model's configuration from the plain values that stand in the header of its weights file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lift.config.parse import build
from lift.config.schema import Clip, Model
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.files import ROOT

PARAMS = ROOT / "params.yaml"


def restore(path: Path, values: Mapping[str, Any]) -> tuple[Clip, Model]:
    """Rebuild what a model was trained with.

    Args:
        path: The weights file, for messages.
        values: Its header, as `Config.digestible` made it. What of `model` belongs to other models than the
            named one is left out there; it decides nothing and is filled in from params.yaml.

    Raises:
        UserError: The header is of another version of the project.
    """
    current = read(PARAMS).get("model")
    model = {**(current if isinstance(current, Mapping) else {}), **(values.get("model") or {})}
    try:
        return build(Clip, values.get("clip"), "clip"), build(Model, model, "model")
    except UserError as error:
        reason = str(error).removeprefix("params.yaml: ")
        raise UserError(
            f"{path}: weights of another version of the project: {reason}; train them again"
        ) from error
