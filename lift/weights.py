"""A model's weights on disk: safetensors, with the resolved configuration in the header."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import nn

from lift.errors import UserError
from lift.files import atomic


def save(path: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Write a model's weights with `config` (plain values) in the header; equal weights give equal bytes.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    # As bytes first: the library's own writer gives no reason when a disk is full.
    whole = to_bytes(tensors, metadata={"config": json.dumps(config, sort_keys=True)})
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(whole)
        file.flush()
        os.fsync(file.fileno())  # a checkpoint that counts on this file must not outlive it in a power cut


def load(path: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Load weights into `model`, which must have been built from the configuration that the file names.

    Raises:
        UserError: The file is missing, damaged, or of another configuration (the first differing key is
        named).
    """
    found = read_config(path)
    # Through JSON on both sides: tuples become lists there.
    difference = first_difference(found, json.loads(json.dumps(config)))
    if difference is not None:
        raise UserError(f"{path}: weights of another configuration: {difference}; train it again: dvc repro")
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    missing = set(model.state_dict()) ^ set(tensors)
    if missing:
        raise UserError(
            f"{path}: not the weights of this model (differs in {sorted(missing)[0]}); train it again"
        )
    model.load_state_dict(tensors)


def read_config(path: Path) -> dict[str, Any]:
    """Read the configuration in a weights file's header.

    Raises:
        UserError: The file is missing, damaged, or carries no configuration.
    """
    if not path.is_file():
        raise UserError(f"{path}: no weights there; train the model first: dvc repro")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
        return dict(json.loads(header["config"]))
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(
            f"{path}: damaged, or no LIFT weights ({error}); give a best.safetensors of the pipeline, which "
            f"makes its own anew with: dvc repro"
        ) from error


def first_difference(found: object, wanted: object, path: str = "") -> str | None:
    """Name the first key at which two plain configurations differ, with both values; None: they are equal."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted(set(found) | set(wanted)):
            where = f"{path}.{key}".lstrip(".")
            difference = first_difference(found.get(key), wanted.get(key), where)
            if difference is not None:
                return difference
        return None
    return None if found == wanted else f"{path} is {found!r} there and {wanted!r} here"
