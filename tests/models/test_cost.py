"""The cost of a model: counts against direct ones, memory against what is known."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cost import kept
from lift.config import load
from lift.models.cost import (
    _operations,
    exact,
    gmacs,
    grey_clip,
    parameters,
    peak_memory,
)
from lift.models.registry import build

SMALL = load(Path(__file__).resolve().parents[2] / "params.yaml", "demo").model
WINDOWS = {"lift": (-4, -3, -2, -1, 1, 2), "rife": (-1, 1), "ifrnet": (-1, 1), "flavr": (-3, -1, 1, 3)}


class Chain(nn.Module):
    """Keeps its input while it makes two maps of the same size, one after the other from the first."""

    multiple, training_only = 8, ("spare",)

    def __init__(self):
        super().__init__()
        self.used, self.spare = nn.Conv2d(3, 5, 1), nn.Conv2d(3, 7, 1)

    def forward(self, frames, offsets, valid):
        first = self.used(frames[:, 0])
        second = first + 1
        del first
        return second * 2


def test_parameters_of_training_alone_do_not_count():
    assert parameters(Chain()) == 3 * 5 + 5


@pytest.mark.parametrize("name", WINDOWS)
def test_operations_extrapolated_from_small_frames_are_the_counted_ones(name):
    model = build(replace(SMALL, name=name)).eval()
    size = (88, 136)  # a multiple of no model's
    assert gmacs(model, WINDOWS[name], size) == [_operations(model, grey_clip(WINDOWS[name], size)) / 2e9]


@pytest.mark.parametrize("name", ["lift", "flavr"])
def test_operations_are_those_of_pytorchs_own_counter(name):
    model, clip = build(replace(SMALL, name=name)).eval(), grey_clip(WINDOWS[name], (64, 64))
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(*clip)
    assert _operations(model, clip) == counter.get_total_flops()


def test_a_convolutions_operations_are_the_textbooks():
    assert gmacs(Chain(), (-1, 1), (256, 448)) == [3 * 5 * 256 * 448 / 1e9]


def test_memory_is_what_lives_at_once():
    model, clip = Chain(), grey_clip((-1, 1), (32, 32))
    weights = 4 * sum(p.numel() for p in model.parameters())
    given = sum(t.numel() * t.element_size() for t in clip)
    map_ = 4 * 5 * 32 * 32
    with torch.no_grad():
        assert peak_memory(model, lambda: model(*clip), clip) == weights + given + 2 * map_


def test_memory_of_a_step_counts_weights_gradients_and_what_lives_at_once():
    model = Chain()
    sizes = {name: 4 * p.numel() for name, p in model.named_parameters()}

    def step():
        model.used.weight.square().sum().backward()  # the square, and its gradient as large
        assert model.used.weight.grad is not None

    taken = peak_memory(model, step) - sum(sizes.values())
    assert 2 * sizes["used.weight"] <= taken <= 5 * sizes["used.weight"]


def test_what_is_told_as_exact_is_equal_each_time():
    model = build(replace(SMALL, name="rife", rife=replace(SMALL.rife, factor=0.1))).eval()
    found = exact(model, (-1, 1))
    assert found == exact(model, (-1, 1))
    assert list(found) == ["parameters", "gmacs_256x448", "gmacs_720x1280"]
    clip = grey_clip((-1, 1), (64, 64))
    with torch.no_grad():
        first, second = (peak_memory(model, lambda: model(*clip), clip) for _ in range(2))
    assert first == second


class Parts(nn.Module):
    """Two parts, each of which keeps what is known, and an operation outside of both."""

    multiple, training_only = 8, ()

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 5, 1), nn.Sequential(nn.Conv2d(5, 2, 1), nn.Sigmoid())

    def forward(self, frames):
        return self.second(self.first(frames)).square()


def test_what_is_kept_for_the_backward_pass_is_counted_by_part_and_weights_for_none():
    model, frames = Parts(), torch.rand(1, 3, 16, 16)
    map_ = 4 * 16 * 16
    found = kept(model, lambda: model(frames))
    assert list(found) == ["first", "second", "rest"]
    assert found["first"] == 3 * map_  # a convolution keeps its input
    assert found["second"] == (5 + 2) * map_  # and a sigmoid its output, which the square keeps as well
    assert found["rest"] == 0


def test_a_transformer_that_is_recomputed_keeps_less_and_nothing_else_changes():
    model = build(replace(SMALL, dropout=0.0))
    clip = grey_clip(WINDOWS["lift"], (64, 64))
    plain = kept(model, lambda: model(*clip))
    model.recompute(["transformer"])
    less = kept(model, lambda: model(*clip))
    assert less["context"] < 0.5 * plain["context"]
    assert less == {**plain, "context": less["context"]}
