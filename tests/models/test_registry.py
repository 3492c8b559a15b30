"""Building models by name, from a seed."""

from dataclasses import replace

import pytest
import torch

from lift.config.schema import MODELS
from lift.errors import UserError
from lift.models.registry import build


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_a_function_of_the_seed_alone(small, name):
    model = replace(small, name=name)
    first = build(model, seed=3).state_dict()
    torch.rand(5)
    second = build(model, seed=3).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], value) for key, value in build(model, seed=4).state_dict().items())


def test_building_leaves_the_global_random_state_alone(small):
    before = torch.get_rng_state()
    build(small)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_name_lists_the_known_ones(small):
    with pytest.raises(UserError, match=r"no model is called 'lfit'; known: .*lift.*; did you mean lift\?"):
        build(replace(small, name="lfit"))


def test_pretrained_weights_are_loaded_unless_a_checkpoint_follows(spec):
    model = replace(spec, pretrained="nowhere/contextnet.pkl")
    with pytest.raises(UserError, match=r"nowhere/contextnet.pkl: not found"):
        build(model)
    assert not build(model, pretrained=False).loaded
