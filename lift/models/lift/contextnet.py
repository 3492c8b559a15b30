"""RIFE v2.x's ContextNet as a start for the encoder (specification section 3.6).

ContextNet (Huang et al. 2022, RIFE's repository) is a chain of blocks `convK` of two 3x3 convolutions,
`conv1` and `conv2`, each saved as `[module.]convK.conv1.0.weight|bias` with a PReLU slope in `…1.weight`. Its
leading shapes are the encoder's; its strides and activations are not, so these weights are a start and no
replica.
"""

from pathlib import Path

import torch
from torch import Tensor

from lift.errors import UserError
from lift.models.interface import LoadReport
from lift.models.lift.encoder import Encoder
from lift.models.pretrained import read_state

SOURCES = {"s1": "conv0", "s2": "conv2", "s4": "conv3", "s8": "conv4"}
"""Block of ours <- block of theirs; their conv1 has no counterpart, our s16 none of theirs."""
CUT = "s8"  # the block that may be cut: 192 of 256 channels (specification section 3)
EXPECTED = "RIFE v2.x's contextnet.pkl"
LAYERS = {"0": "conv1.0", "2": "conv2.0"}
"""Convolution of a block of ours, between which stands an activation <- theirs."""


def load_rife_contextnet(encoder: Encoder, path: Path | str) -> LoadReport:
    """Start an encoder from a RIFE v2.x ContextNet, half or single precision.

    All checks come before the first write: a refused file leaves the encoder as it was.

    Args:
        encoder: Of the specification's widths at s1, s2, s4, and at most RIFE's 256 at s8.
        path: The weights file as RIFE saves it.

    Returns:
        What was taken, what was cut, what started fresh; `str()` of it is fit for printing.

    Raises:
        UserError: The file is missing, truncated, no weights file, no ContextNet or an incomplete one, or
            holds values that are not finite; or the encoder's widths are not RIFE's.
    """
    path = Path(path)
    state = read_state(path, "model.pretrained", EXPECTED)
    own = dict(encoder.named_parameters())
    pairs = {
        f"{box}.{layer}.{kind}": f"{source}.{name}.{kind}"
        for box, source in SOURCES.items()
        for layer, name in LAYERS.items()
        for kind in ("weight", "bias")
    }
    _check_complete(path, state, tuple(pairs.values()))
    values, cut = {}, {}
    for name, key in pairs.items():
        values[name] = _fit(path, name, own[name], key, state[key])
        if values[name].shape != state[key].shape:
            cut[name] = f"leading {_sizes(values[name])} of {_sizes(state[key])}"
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    return LoadReport(
        path=path,
        taken=tuple(values),
        cut=cut,
        fresh=tuple(name for name in own if name not in values),
        unused=tuple(key for key in state if key not in pairs.values()),
    )


def _check_complete(path: Path, state: dict[str, Tensor], wanted: tuple[str, ...]) -> None:
    missing = [key for key in wanted if key not in state]
    if len(missing) == len(wanted):
        first = ", ".join(list(state)[:3]) or "none"
        raise UserError(
            f"{path}: nothing in it matches the encoder (its first entries: {first}); expected RIFE v2.x's "
            f"contextnet.pkl with entries such as module.{wanted[0]}"
        )
    if missing:
        raise UserError(
            f"{path}: an incomplete ContextNet, {len(missing)} of {len(wanted)} entries are missing, "
            f"{missing[0]} first; expected RIFE v2.x's contextnet.pkl"
        )
    for key in wanted:
        if not bool(state[key].isfinite().all()):
            raise UserError(f"{path}: {key} holds values that are not finite; the file is damaged")


def _fit(path: Path, name: str, own: Tensor, key: str, theirs: Tensor) -> Tensor:
    """Take the leading channels that the encoder has room for, where cutting is allowed."""
    cuttable = (0, 1) if name.startswith(f"{CUT}.") else ()
    fits = own.ndim == theirs.ndim and all(
        ours == source or (dim in cuttable and ours < source)
        for dim, (ours, source) in enumerate(zip(own.shape, theirs.shape, strict=True))
    )
    if not fits:
        raise UserError(
            f"{path}: {key} is {_sizes(theirs)} but the encoder's {name} is {_sizes(own)}; these weights "
            f"need model.widths [32, 64, 128, at most 256, any]; or set model.pretrained: null"
        )
    return theirs[tuple(slice(size) for size in own.shape)]


def _sizes(tensor: Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape)
