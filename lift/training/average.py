"""A running average of the weights, measured and published in their place (Polyak and Juditsky 1992)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """An exponential moving average of a model's parameters.

    The decay grows from 0.1 to its value, min(decay, (1 + step) / (10 + step)), a function of the step alone,
    so that the random initial weights are forgotten and nothing but the average needs saving.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start from the model's present weights.

        Args:
            model: Its parameters are followed.
            decay: Share of the old average that a step keeps, late in training.
        """
        self._parameters = dict(model.named_parameters())
        self._decay = decay
        self.values = {name: value.detach().clone() for name, value in self._parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step `step` (0-based)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), list(self._parameters.values()), 1 - decay)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Continue from the `values` of a checkpoint; an empty one had no average, and the present stays."""
        for name, value in values.items():
            self.values[name].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model have the averaged weights within the block, and its own again after it."""
        own = {name: value.detach().clone() for name, value in self._parameters.items()}
        self._put(self.values)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])
