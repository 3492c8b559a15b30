"""Half-precision weights: rounded once, in shards, each of which must be the one that was written."""

import json

import pytest
import torch
from torch import nn

from lift import weights
from lift.errors import UserError

CONFIG = {"ablation": "lift15", "model": {"name": "lift"}}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 3)
    )  # with a whole number inside


@pytest.fixture
def index(tmp_path, model):
    weights.save_half(tmp_path / "small.json", model.state_dict(), CONFIG, {"size": "small"}, limit=600)
    return tmp_path / "small.json"


def test_loaded_weights_are_those_saved_rounded_to_half_precision(model, index):
    loaded = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 3))
    weights.load(index, loaded, weights.read_config(index))
    for name, value in model.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(loaded.state_dict()[name], expected), name
        assert loaded.state_dict()[name].dtype == value.dtype


def test_shards_keep_to_the_limit_and_older_ones_go(model, index):
    shards = sorted(index.parent.glob("*.safetensors"))
    content = json.loads(index.read_text())
    assert [path.name for path in shards] == sorted(content["shards"])
    assert len(shards) > 1
    assert content["about"] == {"size": "small"}
    assert weights.read_config(index) == CONFIG
    weights.save_half(index, model.state_dict(), CONFIG, {}, limit=10**6)
    assert [path.name for path in index.parent.glob("*.safetensors")] == ["small-1.safetensors"]


def test_equal_weights_are_equal_bytes(model, index, tmp_path):
    weights.save_half(tmp_path / "again" / "small.json", model.state_dict(), CONFIG, {"size": "small"}, 600)
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


@pytest.mark.parametrize("fault", ["missing", "damaged"])
def test_a_shard_that_is_not_the_one_written_is_named_with_the_remedy(model, index, fault):
    shard = index.with_name("small-2.safetensors")
    whole = bytearray(shard.read_bytes())
    whole[-1] ^= 1
    shard.unlink()
    if fault == "damaged":
        shard.write_bytes(whole)
    with pytest.raises(
        UserError, match=rf"{shard}: {fault}.*; restore it: git checkout -- {index.parent.name}"
    ):
        weights.load(index, model, CONFIG)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"about": {}, "config": {}, "shards": 3}'])
def test_a_damaged_index_is_one_clear_line(model, index, text):
    index.write_text(text)
    with pytest.raises(UserError, match=r"small\.json: damaged, or no LIFT weights"):
        weights.read_config(index)


def test_another_configuration_is_refused_by_its_key(model, index):
    with pytest.raises(UserError, match=r"model\.name is 'lift' there and 'rife' here"):
        weights.load(index, model, {**CONFIG, "model": {"name": "rife"}})


def test_what_half_precision_cannot_hold_is_refused(model, tmp_path):
    model[0].bias.data[0] = 1e6
    with pytest.raises(UserError, match=r"0\.bias has values beyond half precision"):
        weights.save_half(tmp_path / "large.json", model.state_dict(), CONFIG, {}, 600)
    assert not list(tmp_path.iterdir())
