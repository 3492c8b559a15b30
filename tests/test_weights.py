"""Released weights: rounded to half precision once, in files that must be those that were written."""

import pytest
import torch
from torch import nn

from lift import header, weights
from lift.config.load import _seeds
from lift.errors import UserError

CONFIG = {"method": "lift15", "model": {"name": "lift"}}
ABOUT = {"commit": "0123456", "steps": 10}


def made():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 3))  # a whole number inside


@pytest.fixture
def model():
    torch.manual_seed(0)
    return made()


@pytest.fixture
def path(tmp_path, model):
    """Write shards, and give the name by which they go together."""
    weights.save_released(tmp_path / "small.safetensors", model.state_dict(), CONFIG, ABOUT, limit=600)
    return tmp_path / "small.safetensors"


def test_loaded_weights_are_those_saved_rounded_to_half_precision(model, path):
    loaded = made()
    weights.load(path, loaded, weights.read_config(path))
    for name, value in model.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(loaded.state_dict()[name], expected), name
        assert loaded.state_dict()[name].dtype == value.dtype


def test_weights_of_a_version_that_wrote_parts_of_the_loss_that_are_off_are_loaded(model, tmp_path):
    path = tmp_path / "best.safetensors"
    weights.save(path, model, CONFIG | {"loss": {"l1": 1.0, "census": 0.0}})
    weights.load(path, made(), CONFIG | {"loss": {"l1": 1.0}})
    with pytest.raises(UserError, match=r"loss\.census is 0\.0 there and 0\.5 here"):
        weights.load(path, made(), CONFIG | {"loss": {"l1": 1.0, "census": 0.5}})


def test_trainings_of_two_versions_are_of_one_method_where_a_part_of_the_loss_is_off(model, tmp_path):
    paths = [tmp_path / f"{seed}.safetensors" for seed in (1, 2, 3)]
    for seed, own in enumerate(({"l1": 1.0, "census": 0.0}, {"l1": 1.0}, {"l1": 2.0}), 1):
        weights.save(paths[seed - 1], model, CONFIG | {"seed": seed, "loss": own})
    assert _seeds(paths[:2]) == [1, 2]
    with pytest.raises(UserError, match=r"3\.safetensors: trained otherwise than .*\(loss differ\)"):
        _seeds(paths)


def test_shards_keep_to_the_limit_and_one_file_takes_their_place(model, path):
    shards = sorted(path.parent.glob("*.safetensors"))
    assert len(shards) > 1
    assert shards == header.files(path)
    assert all(shard.name.endswith(f"-of-{len(shards)}.safetensors") for shard in shards)
    assert (header.plain(path, "about"), header.plain(path, "config")) == (ABOUT, CONFIG)
    weights.save_released(path, model.state_dict(), CONFIG, {})
    assert list(path.parent.glob("*.safetensors")) == [path]


def test_equal_weights_are_equal_bytes(model, path, tmp_path):
    weights.save_released(tmp_path / "again" / "small.safetensors", model.state_dict(), CONFIG, ABOUT, 600)
    again = list((tmp_path / "again").iterdir())
    assert len(again) == len(header.files(path))
    for file in again:
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()


@pytest.mark.parametrize("fault", ["missing", "damaged", "truncated"])
@pytest.mark.parametrize("folder", ["weights", "models"])
def test_a_file_that_is_not_the_one_written_is_named_with_the_remedy(model, tmp_path, folder, fault):
    path = tmp_path / folder / "small.safetensors"
    shard = weights.save_released(path, model.state_dict(), CONFIG, ABOUT, limit=600)[1]
    whole = bytearray(shard.read_bytes())
    whole[-1] ^= 1
    shard.unlink()
    if fault != "missing":
        shard.write_bytes(whole if fault == "damaged" else whole[:-1])
    with pytest.raises(UserError) as refused:
        weights.load(path, model, CONFIG)
    said = str(refused.value)
    assert shard.name in said
    assert ("missing" if fault == "missing" else "damaged") in said
    assert ("git checkout -- weights" if folder == "weights" or fault == "missing" else "dvc repro") in said
    assert "\n" not in said


@pytest.mark.parametrize("text", [b"", b"{}", b"x" * 100, b"\2\0\0\0\0\0\0\0{}", b"\4\0\0\0\0\0\0\0null"])
def test_what_is_no_weights_file_is_one_clear_line(path, text):
    for shard in header.files(path):
        shard.unlink()
    path.write_bytes(text)
    with pytest.raises(UserError, match=r"small\.safetensors: (damaged|no weights of LIFT's)"):
        weights.read_config(path)


def test_another_configuration_and_another_model_are_refused_by_the_first_difference(model, path):
    with pytest.raises(UserError, match=r"model\.name is 'lift' there and 'rife' here"):
        weights.load(path, model, {**CONFIG, "model": {"name": "rife"}})
    with pytest.raises(UserError, match=r"weights of another model .*first difference: 0\.weight"):
        weights.fill(path, nn.Sequential(nn.Conv2d(3, 9, 3), nn.BatchNorm2d(9), nn.Conv2d(9, 3, 3)))
    with pytest.raises(UserError, match=r"first difference: 2\.bias"):
        weights.fill(path, nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)))


def test_what_half_precision_cannot_hold_is_refused(model, tmp_path):
    model[0].bias.data[0] = 1e6
    with pytest.raises(UserError, match=r"0\.bias has values beyond half precision"):
        weights.save_released(tmp_path / "large.safetensors", model.state_dict(), CONFIG, {}, 600)
    assert not list(tmp_path.iterdir())


def test_a_file_of_full_precision_is_read_alike(model, tmp_path):
    weights.save(tmp_path / "best.safetensors", model, CONFIG)
    assert weights.read_config(tmp_path / "best.safetensors") == CONFIG
    loaded = made()
    weights.load(tmp_path / "best.safetensors", loaded, CONFIG)
    assert torch.equal(loaded[0].weight, model[0].weight)
