"""A model's weights on disk: safetensors, with the resolved configuration in the header.

What the repository carries (`weights/<name>.safetensors`, written by the stage `release`) is the same in half
precision, with where it is from in the header as well.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from lift import header
from lift.config.resolved import first_difference
from lift.errors import UserError
from lift.files import atomic

CONFIG, ABOUT = "config", "about"
"""Keys of the metadata: what the model is, and where a released one is from."""
LIMIT = 16 * 2**20 - 2**18  # bytes of a file's tensors in the repository at most; the rest is for the header


def save(path: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Write a model's weights with `config` (plain values) in the header; equal weights give equal bytes.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    _write(path, to_bytes(tensors, metadata={CONFIG: json.dumps(config, sort_keys=True)}))


def save_released(
    path: Path,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    about: Mapping[str, Any],
    limit: int = LIMIT,
) -> list[Path]:
    """Write weights in half precision, and remove older files of the same name.

    Args:
        path: `<name>.safetensors`; shards `<name>-<k>-of-<n>.safetensors` where one file would be too large.
        tensors: The model's state.
        config: As in the header of the file that they are from.
        about: Where they are from; plain values.
        limit: Bytes of a file's tensors at most, but at least one tensor each.

    Returns:
        The files.

    Raises:
        UserError: A value does not fit into half precision, or the disk is full.
    """
    shards: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name, tensor in tensors.items():
        half = tensor.half() if tensor.is_floating_point() else tensor
        if not bool(torch.isfinite(half).all()):
            raise UserError(
                f"{path}: {name} has values beyond half precision; keep these weights as they are"
            )
        if shards[-1] and filled + half.nbytes > limit:
            shards.append({})
            filled = 0
        shards[-1][name] = half.contiguous()
        filled += half.nbytes
    metadata = {CONFIG: json.dumps(config, sort_keys=True), ABOUT: json.dumps(about, sort_keys=True)}
    count = len(shards)
    written = [
        path if count == 1 else path.with_name(f"{path.stem}-{number}-of-{count}{header.SUFFIX}")
        for number in range(1, count + 1)
    ]
    for file, shard in zip(written, shards, strict=True):
        content = header.content(to_bytes(shard))
        _write(file, header.ordered(to_bytes(shard, metadata={**metadata, header.CONTENT: content})))
    for old in existing(path) - set(written):
        old.unlink()
    return written


def existing(path: Path) -> set[Path]:
    """Return the files that there are of released weights: `path` itself, or shards of it."""
    return {path, *path.parent.glob(f"{path.stem}-*-of-*{header.SUFFIX}")} & set(path.parent.glob("*"))


def load(path: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Load weights into `model`, which must have been built from the configuration that the file names.

    Half precision widens to the model's own.

    Raises:
        UserError: The file is missing, damaged, or of another configuration (the first differing key is
        named).
    """
    difference = first_difference(read_config(path), config)
    if difference is not None:
        raise UserError(f"{path}: weights of another configuration: {difference}; train it again: dvc repro")
    fill(path, model)


def fill(path: Path, model: nn.Module) -> None:
    """Load weights into `model` by the names and shapes of its tensors alone.

    Raises:
        UserError: The file is missing, damaged, or of another model.
    """
    tensors = read_tensors(path)
    state = model.state_dict()
    differing = sorted(set(state) ^ set(tensors)) or [
        name for name, tensor in state.items() if tensor.shape != tensors[name].shape
    ]
    if differing:
        raise UserError(
            f"{path}: weights of another model than the one that is built from its configuration (first "
            f"difference: {differing[0]}); {_restored(path)}"
        )
    model.load_state_dict(tensors)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a file, or of its shards.

    Raises:
        UserError: A file is missing, or not the one that was written.
    """
    tensors: dict[str, Tensor] = {}
    try:
        header.check(path)
        for file in header.files(path):
            tensors |= from_bytes(file.read_bytes())
    except (UserError, SafetensorError) as error:
        raise UserError(f"{error}; {_restored(path)}") from error
    return tensors


def read_config(path: Path) -> dict[str, Any]:
    """Read the configuration in a weights file's header.

    Raises:
        UserError: The file is missing, damaged, or carries no configuration.
    """
    try:
        found = header.plain(path, CONFIG)
    except (UserError, ValueError) as error:
        raise UserError(f"{error}; {_restored(path)}") from error
    if found is None:
        raise UserError(
            f"{path}: no weights of LIFT's (no configuration in its header); give a best.safetensors of the "
            f"pipeline, or a file of weights/"
        )
    return found


def _restored(path: Path) -> str:
    """Return how a file comes back: what is released from git, what is trained from the pipeline."""
    if path.parent.name == "weights":
        return "restore it: git checkout -- weights"
    if "models" in path.parts:  # data/<profile>/models/<method>
        return "train the model first, or again: dvc repro"
    return "give a best.safetensors of the pipeline, or a file of weights/"


def _write(path: Path, whole: bytes) -> None:
    # As bytes: the library's own writer gives no reason when a disk is full.
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(whole)
        file.flush()
        os.fsync(file.fileno())  # a checkpoint that counts on this file must not outlive it in a power cut
