"""ImageNet weights that the user has downloaded, where PyTorch keeps them; the network is never used."""

import pickle
from pathlib import Path
from typing import Any

import torch

from lift.errors import UserError


def cache() -> Path:
    """Give PyTorch's folder of weights (`TORCH_HOME`, else ~/.cache/torch)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def imagenet(model: str, key: str) -> dict[str, torch.Tensor]:
    """Read the ImageNet weights of a model from PyTorch's cache (`TORCH_HOME`, else ~/.cache/torch).

    Args:
        model: torchvision's name, which also begins the file's name: alexnet, vgg19.
        key: The parameter that asks for it, with its way out, for the message.

    Returns:
        The state dictionary, as saved.

    Raises:
        UserError: The file is not there, or damaged.
    """
    folder = cache()
    files = sorted(folder.glob(f"{model}-*.pth"))
    if not files:
        raise UserError(
            f"{folder}: no ImageNet weights of {model} ({model}-*.pth), needed by {key}; run the stage "
            f"`download`, or put the file there"
        )
    try:
        state: dict[str, Any] = torch.load(files[0], map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(f"{files[0]}: damaged ({error}); delete it and download it again") from error
    return state
