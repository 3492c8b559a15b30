"""Models and clips for the tests: the specification's widths, and the demo's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lift.config import load

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
BASE = (*range(-8, 0), *range(1, 7))  # the specification's window: 14 processed frames


@pytest.fixture(scope="session")
def spec():
    """The specification's widths; without the weights file, which not every machine has."""
    return replace(load(PARAMS, "thesis").model, pretrained=None)


@pytest.fixture(scope="session")
def small():
    """The demo's widths."""
    return load(PARAMS, "demo").model


@pytest.fixture(scope="session")
def small_loss():
    """The demo's loss."""
    return load(PARAMS, "demo").loss


@pytest.fixture(scope="session")
def clip():
    """Give a function that makes (frames, offsets, valid) of noise."""

    def make(offsets=BASE, samples=1, size=(32, 32), seed=0):
        generator = torch.Generator().manual_seed(seed)
        frames = torch.rand(samples, len(offsets), 3, *size, generator=generator)
        times = torch.tensor(offsets).float().repeat(samples, 1)
        return frames, times, torch.ones_like(times).bool()

    return make


@pytest.fixture(scope="session")
def stir():
    """Give a function that moves a model off its start, so that no branch of it is silent."""

    def move(model, amount=0.02):
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += amount * torch.randn(parameter.shape, generator=generator)
        return model

    return move
