"""RIFE's published weights: flownet.pkl of the paper's repository, or RIFE 2.x's ContextNet alone.

Our modules carry the names of the first, so its keys are ours. RIFE 2.x keeps its nets in a file each, of
twice the width, and its ContextNet has one block more, `conv1`, between `conv0` and `conv2`: without that the
shapes are those of `context_width: 32`, and the strides are not, so these weights are a start and no replica.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from lift.errors import UserError
from lift.models.interface import LoadReport
from lift.models.pretrained import read_state

KEY, EXPECTED = "model.rife.pretrained", "RIFE's flownet.pkl, or RIFE 2.x's contextnet.pkl"
OPTIONAL = "block_tea."  # released weights may come without the teacher, whom only training needs
CONTEXTNET = {"conv0": "conv1", "conv2": "conv2", "conv3": "conv3", "conv4": "conv4"}
"""Block of RIFE 2.x's ContextNet -> ours."""


def load_rife(rife: nn.Module, path: Path | str) -> LoadReport:
    """Start RIFE from its own weights, half or single precision; a refused file changes nothing.

    Args:
        rife: The model; its parameters have RIFE's names.
        path: The file as RIFE saves it.

    Returns:
        What was taken and what started fresh.

    Raises:
        UserError: The file is missing or damaged, matches nothing, is incomplete, or is of other widths.
    """
    path = Path(path)
    own = dict(rife.named_parameters())
    state = read_state(path, KEY, EXPECTED)
    named = {name: key for key in state if (name := _our_name(key)) is not None and name in own}
    _check_complete(path, state, own, named)
    for name, key in named.items():
        if own[name].shape != state[key].shape:
            raise UserError(
                f"{path}: {key} is {_sizes(state[key])} but {name} is {_sizes(own[name])}; set model.rife to "
                f"that file's widths (context_width: 32 for RIFE 2.x) and factor: 1.0, or {KEY}: null"
            )
        if not bool(state[key].isfinite().all()):
            raise UserError(f"{path}: {key} holds values that are not finite; the file is damaged")
    with torch.no_grad():
        for name, key in named.items():
            own[name].copy_(state[key])
    return LoadReport(
        path=path,
        taken=tuple(named),
        cut={},
        fresh=tuple(name for name in own if name not in named),
        unused=tuple(key for key in state if key not in named.values()),
    )


def _our_name(key: str) -> str | None:
    """Translate a key, of either kind of file, into a parameter's name; None: it has no counterpart."""
    block, _, rest = key.partition(".")
    if block in CONTEXTNET:
        return f"contextnet.{CONTEXTNET[block]}.{rest}"
    return None if block == "conv1" else key


def _check_complete(
    path: Path, state: dict[str, Tensor], own: dict[str, nn.Parameter], named: dict[str, str]
) -> None:
    if not named:
        first = ", ".join(list(state)[:3]) or "none"
        raise UserError(f"{path}: nothing in it matches RIFE (first entries: {first}); expected {EXPECTED}")
    alone = all(name.startswith("contextnet.") for name in named)
    wanted = [n for n in own if not n.startswith(OPTIONAL) and (not alone or n.startswith("contextnet."))]
    missing = [name for name in wanted if name not in named]
    if missing:
        raise UserError(
            f"{path}: incomplete: {len(missing)} of {len(wanted)} entries are missing, {missing[0]} first; "
            f"expected {EXPECTED}"
        )


def _sizes(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape)
