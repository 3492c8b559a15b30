"""A model's weights on disk: safetensors, with the resolved configuration in the header.

For a repository, which takes no large files, they are also kept in half precision: an index `<name>.json`,
with the configuration and where the weights are from, and beside it the shards that it names.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from lift.errors import UserError
from lift.files import atomic

INDEX, SHARD = ".json", ".safetensors"


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


def save_half(
    index: Path,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    about: Mapping[str, Any],
    limit: int,
) -> None:
    """Write weights in half precision: shards beside `index`, then `index` (JSON) itself.

    Args:
        index: `<name>.json`; its shards are `<name>-<k>.safetensors`, of which older ones are removed.
        tensors: The model's state.
        config: As in the header of the file that they are from.
        about: What a reader should know of them; plain values.
        limit: Bytes of a shard's tensors at most, but at least one tensor each.

    Raises:
        UserError: A value does not fit into half precision, or the disk is full.
    """
    shards: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name, tensor in tensors.items():
        half = tensor.half() if tensor.is_floating_point() else tensor
        if not bool(torch.isfinite(half).all()):
            raise UserError(
                f"{index}: {name} has values beyond half precision; keep these weights as they are"
            )
        if shards[-1] and filled + half.nbytes > limit:
            shards.append({})
            filled = 0
        shards[-1][name] = half.contiguous()
        filled += half.nbytes
    before = _read_index(index)["shards"] if index.is_file() else {}
    names = {}
    for number, shard in enumerate(shards, 1):
        path, whole = index.with_name(f"{index.stem}-{number}{SHARD}"), to_bytes(shard)
        names[path.name] = hashlib.sha256(whole).hexdigest()
        with atomic(path) as temporary:
            temporary.write_bytes(whole)
    content = {"about": about, "config": config, "shards": names}
    with atomic(index) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for old in set(before) - set(names):
        index.with_name(old).unlink(missing_ok=True)


def load(path: Path, model: nn.Module, config: dict[str, Any]) -> None:
    """Load weights into `model`, which must have been built from the configuration that the file names.

    Args:
        path: A file of `save`, or an index of `save_half`.
        model: Takes the weights; half precision widens to its own.
        config: What it was built from.

    Raises:
        UserError: The file is missing, damaged, or of another configuration (the first differing key is
        named).
    """
    found = read_config(path)
    # Through JSON on both sides: tuples become lists there.
    difference = first_difference(found, json.loads(json.dumps(config)))
    if difference is not None:
        raise UserError(f"{path}: weights of another configuration: {difference}; train it again: dvc repro")
    tensors = read_tensors(path)
    missing = set(model.state_dict()) ^ set(tensors)
    if missing:
        raise UserError(
            f"{path}: not the weights of this model (differs in {sorted(missing)[0]}); train it again"
        )
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:  # a tensor of another shape
        raise UserError(f"{path}: not the weights of the configuration that it names: {error}") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a file of `save`, or of an index of `save_half`.

    Raises:
        UserError: A shard is missing or is not the one that was written.
    """
    if path.suffix != INDEX:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    tensors: dict[str, Tensor] = {}
    for name, digest in _read_index(path)["shards"].items():
        shard = path.with_name(name)
        whole = shard.read_bytes() if shard.is_file() else None
        if whole is None or hashlib.sha256(whole).hexdigest() != digest:
            fault = "missing" if whole is None else f"damaged: not the file that {path.name} names"
            raise UserError(f"{shard}: {fault}; restore it: git checkout -- {path.parent.name}")
        tensors |= from_bytes(whole)
    return tensors


def _read_index(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key: dict(content[key]) for key in ("about", "config", "shards")}
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(
            f"{path}: damaged, or no LIFT weights ({error} in their index); one of this repository comes "
            f"back with: git checkout -- {path.parent.name}"
        ) from error


def read_config(path: Path) -> dict[str, Any]:
    """Read the configuration in a weights file's header, or in an index of shards.

    Raises:
        UserError: The file is missing, damaged, or carries no configuration.
    """
    if not path.is_file():
        raise UserError(f"{path}: no weights there; train the model first: dvc repro")
    if path.suffix == INDEX:
        return dict(_read_index(path)["config"])
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
