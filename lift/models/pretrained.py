"""Weights of other projects as PyTorch saves them."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from lift.errors import UserError


def read_state(path: Path, key: str, expected: str) -> dict[str, Tensor]:
    """Read a state dictionary, its keys without DataParallel's "module." in front.

    Args:
        path: A file of `torch.save`; no code in it is run.
        key: The parameter that names it, for messages.
        expected: What should be there, for messages.

    Raises:
        UserError: The file is missing, truncated, or no weights file.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; set {key} to {expected}, or to null") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{path}: truncated or not a PyTorch weights file ({type(error).__name__}); expected {expected}, "
            f"fetch it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path}: no dictionary of weights; expected {expected}")
    return {str(name).removeprefix("module."): value for name, value in state.items()}
