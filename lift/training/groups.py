"""Parameter groups with rates of their own, and the freezing of loaded weights (specification section 5)."""

from collections.abc import Collection
from typing import Any

import torch
from torch import nn


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters into the groups `encoder`, `s1` (its full-resolution layers) and `rest`.

    One optimiser holds all groups from step 0, frozen or not, so that unfreezing changes no state but a
    flag. Biases and normalisation weights are not decayed.
    """
    members: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        members.setdefault((_group(name), parameter.ndim > 1), []).append(parameter)
    return [
        {"params": params, "name": group, "weight_decay": weight_decay if decays else 0.0}
        for (group, decays), params in sorted(members.items())
    ]


def set_rates(optimizer: torch.optim.Optimizer, rates: dict[str, float]) -> None:
    """Set each group's learning rate by its name."""
    for group in optimizer.param_groups:
        group["lr"] = rates[group["name"]]


def freeze(model: nn.Module, names: Collection[str]) -> None:
    """Freeze the parameters called `names`; every other parameter trains.

    A frozen parameter builds no graph, so the steps of a frozen phase are cheaper, and it is skipped by the
    optimiser because its gradient is None.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in names)


def _group(name: str) -> str:
    if name.startswith("encoder.s1."):
        return "s1"
    return "encoder" if name.startswith("encoder.") else "rest"
