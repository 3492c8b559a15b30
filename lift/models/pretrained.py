"""Weights of other projects as a start for parts of models: all checks come before the first write."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lift.errors import UserError


class LoadReport(NamedTuple):
    """What became of a weights file and of the part of a model that it was loaded into.

    Attributes:
        path: The file.
        taken: Parameters that came from it.
        cut: Those of `taken` for which only leading channels were used: what was cut, in words.
        fresh: Parameters that start at random.
        unused: Entries of the file without a counterpart.
    """

    path: Path
    taken: tuple[str, ...]
    cut: dict[str, str]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        """Return the report in four lines."""
        cut = "; ".join(f"{name}: {what}" for name, what in self.cut.items())
        return (
            f"{self.path}: {len(self.taken)} parameters loaded, {len(self.unused)} entries unused\n"
            f"  taken: {', '.join(self.taken)}\n"
            f"  cut: {cut or 'none'}\n"
            f"  fresh: {', '.join(self.fresh) or 'none'}"
        )


class Wanted(NamedTuple):
    """What a file of weights is to be, in the words of messages.

    Attributes:
        part: What starts from it.
        file: The file.
        key: The parameter that names it.
        otherwise: What it means, or what to set, where its sizes are others.
    """

    part: str
    file: str
    key: str
    otherwise: str

    @property
    def advice(self) -> str:
        """What to do about another file."""
        return f"expected {self.file}, or set {self.key}: null"


def read_state(path: Path, wanted: Wanted) -> dict[str, Tensor]:
    """Read `.safetensors`, or a file of `torch.save`, of which no code is run; "module." is cut from keys.

    Raises:
        UserError: The file is missing, truncated, or no weights file.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; set {wanted.key} to {wanted.file}, or to null") from error
    except (
        OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError, SafetensorError,
    ) as error:  # fmt: skip
        raise UserError(
            f"{path}: truncated or no weights file ({type(error).__name__}); expected {wanted.file}, fetch "
            f"it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path}: no dictionary of weights; expected {wanted.file}")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def start(
    path: Path,
    state: Mapping[str, Tensor],
    own: Mapping[str, nn.Parameter],
    named: Mapping[str, str],
    wanted: Wanted,
    cuttable: tuple[str, ...] = (),
) -> LoadReport:
    """Start parameters from a file, half or single precision; a refused file changes nothing.

    Args:
        path: The file.
        state: Its entries.
        own: Parameters by name.
        named: Of those that are started, the entry of each.
        wanted: What the file is to be.
        cuttable: How the names begin of those that may take leading channels alone.

    Returns:
        What was started, from which entries.

    Raises:
        UserError: An entry is missing, of another size, or holds values that are not finite.
    """
    missing = [key for key in named.values() if key not in state]
    if len(missing) == len(named):
        first = ", ".join(list(state)[:3]) or "none"
        raise UserError(
            f"{path}: nothing in it matches {wanted.part} (first entries: {first}); {wanted.advice}"
        )
    if missing:
        raise UserError(
            f"{path}: incomplete: {len(missing)} of {len(named)} entries are missing, {missing[0]} first; "
            f"{wanted.advice}"
        )
    values, cut = {}, {}
    for name, key in named.items():
        ours, theirs = own[name], state[key]
        room = [slice(size) for size in ours.shape[:2]] if name.startswith(cuttable) else []
        values[name] = theirs[tuple(room[: theirs.ndim])]
        if values[name].shape != ours.shape:
            raise UserError(
                f"{path}: {key} is {_sizes(theirs)} but {wanted.part}'s {name} is {_sizes(ours)}: "
                f"{wanted.otherwise}; {wanted.advice}"
            )
        if not bool(theirs.isfinite().all()):
            raise UserError(f"{path}: {key} holds values that are not finite: it is damaged; {wanted.advice}")
        if ours.shape != theirs.shape:
            cut[name] = f"leading {_sizes(ours)} of {_sizes(theirs)}"
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    fresh = tuple(name for name in own if name not in values)
    unused = tuple(key for key in state if key not in named.values())
    return LoadReport(path, tuple(values), cut, fresh, unused)


def _sizes(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape)
