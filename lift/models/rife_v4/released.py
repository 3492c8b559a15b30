"""The released weights of RIFE v4.25: all of the network, or none."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lift.errors import UserError
from lift.models.interface import LoadReport
from lift.models.pretrained import read_state
from lift.models.rife_v4.network import IfNet

RELEASED = "weights/rife_v4.25.safetensors"
EXPECTED = f"RIFE v4.25's IFNet, as in {RELEASED} or Practical-RIFE's flownet.pkl of that version"
KEY = "model.rife_v4.pretrained"
UNUSED = ("teacher.", "caltime.")  # parts of flownet.pkl that only its authors' training used


def load_released(network: IfNet, path: Path | str) -> LoadReport:
    """Load RIFE v4.25's own weights, half or single precision; a refused file changes nothing.

    Args:
        network: Its parameters have the names of the file.
        path: `.safetensors`, or the file as Practical-RIFE saves it.

    Raises:
        UserError: The file is missing or damaged, holds values that are not finite, or is of another version
            or of other widths.
    """
    path = Path(path)
    state = _read(path)
    own = dict(network.named_parameters())
    wanted = {name: tuple(parameter.shape) for name, parameter in own.items()}
    found = {key: tuple(value.shape) for key, value in state.items() if not key.startswith(UNUSED)}
    if found != wanted:
        raise UserError(f"{path}: {_difference(found, wanted)}; expected {EXPECTED}; or set {KEY}: null")
    for name in own:
        if not bool(state[name].isfinite().all()):
            raise UserError(
                f"{path}: {name} holds values that are not finite: the file is damaged; expected {EXPECTED}"
            )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(state[name])
    unused = tuple(key for key in state if key not in own)
    return LoadReport(path=path, taken=tuple(own), cut={}, fresh=(), unused=unused)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        return read_state(path, KEY, EXPECTED)
    try:
        return dict(load_file(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; set {KEY} to {EXPECTED}, or to null") from error
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: truncated or no weights file ({reason}); expected {EXPECTED}") from error


def _difference(found: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]) -> str:
    """Return in which entry a file is not what was wanted, in words."""
    version = "another version of RIFE"
    for name in (name for name in wanted if name in found and found[name] != wanted[name]):
        return f"{name} is {_sizes(found[name])} and not {_sizes(wanted[name])}: {version}"
    missing = [name for name in wanted if name not in found]
    if len(missing) == len(wanted):
        return f"nothing in it is RIFE's (first entries: {', '.join(list(found)[:3]) or 'none'})"
    if missing:
        return f"{len(missing)} of {len(wanted)} entries are missing, {missing[0]} first: {version}"
    return f"{next(name for name in found if name not in wanted)} has no counterpart: {version}"


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
