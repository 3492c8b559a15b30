"""Which model, with which weights; any registered one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import lift.video
from lift import header, weights
from lift.config import load
from lift.config.load import restore
from lift.config.schema import MODELS
from lift.models.interface import Interpolator
from lift.models.registry import build
from lift.video.__main__ import main
from lift.video.choose import DEFAULT_MODEL, WEIGHTS, choose, of_model
from lift.video.frame import to_tensor
from lift.video.methods import Computing
from tests.video.conftest import Anew

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_any_registered_model_smooths_from_its_weights_file(tmp_path, picture, name):
    config = load(PARAMS, "demo", "lift15")
    config = replace(config, model=replace(config.model, name=name))
    path = tmp_path / "best.safetensors"
    weights.save(path, build(config.model), config.digestible())
    found = list(lift.video.interpolate([picture(k) for k in range(6)], path, device="cpu"))
    assert len(found) == 11
    method = choose(None, path, device="cpu")
    assert method.window == {"lift": (*range(-15, 0, 2), *range(1, 12, 2)), "flavr": (-3, -1, 1, 3)}.get(
        name, (-1, 1)
    )


@pytest.mark.parametrize(
    "offsets", [(-3, -1, 1, 3), (-1, 1), (-1, 1, 3), (-2.5, -0.5, 1.5, 3.5), (-8 / 3, -2 / 3, 4 / 3, 10 / 3)]
)
def test_what_is_made_of_a_frame_once_gives_what_the_whole_window_gives(picture, offsets):
    once = choose("lift_rife", device="cpu")
    anew = Anew(once._model, "anew", "anew", once.window, Computing(torch.device("cpu")))
    images = [to_tensor(picture(k, (45, 70)), once.device) for k in range(len(offsets))]
    known = [once.encode(image) for image in images]
    kept = [once.shrink(one) if abs(offset) > 2 else one for offset, one in zip(offsets, known, strict=True)]
    expected = anew.between(offsets, images).image
    assert torch.equal(once.between(offsets, known).image, expected)
    assert torch.equal(once.between(offsets, kept).image, expected)  # context needs no features
    assert expected.shape == images[0].shape


@pytest.mark.parametrize("name", ["lift_rife", "rife_v4"])
def test_released_models_do_in_advance_what_can_be_done_with_one_frame(name):
    model = choose(name, device="cpu")._model
    assert type(model).know is not Interpolator.know
    assert type(model).make is not Interpolator.make


def test_a_configuration_is_restored_from_the_header(tmp_path):
    config = load(PARAMS, "demo", "shift3")
    path = tmp_path / "best.safetensors"
    weights.save(path, build(config.model), config.digestible())
    assert restore(path, weights.read_config(path)) == (config.clip, config.model)


def test_the_title_says_model_weights_and_device(weights_file):
    title = choose(None, weights_file, device="cpu").title
    assert title == f"lift15 (lift), weights {weights_file}, on cpu"


def test_messages_call_a_model_by_its_whole_name(weights_file, small):
    assert choose(None, weights_file, device="cpu").name == "lift15"
    method = of_model(small, (-1, 1), "my model", device="cpu")
    assert (method.name, method.title) == ("my model", "my model, on cpu")


def test_the_demos_models_are_found_by_name(tmp_path, monkeypatch, weights_file):
    monkeypatch.setattr("lift.video.choose.TRAINED", tmp_path)
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "best.safetensors").write_bytes(weights_file.read_bytes())
    assert str(tmp_path / "another" / "best.safetensors") in choose("another", device="cpu").title


def halved(folder, weights_file, name):
    """Keep a weights file as reference weights are."""
    config, tensors = weights.read_config(weights_file), weights.read_tensors(weights_file)
    weights.save_released(folder / f"{name}.safetensors", tensors, config, {}, 2**17)


def test_reference_weights_come_before_the_demos(tmp_path, monkeypatch, weights_file):
    monkeypatch.setattr("lift.video.choose.WEIGHTS", tmp_path)
    halved(tmp_path, weights_file, "lift15")
    assert str(tmp_path / "lift15.safetensors") in choose("lift15", device="cpu").title
    assert choose(None, tmp_path / "lift15.safetensors", device="cpu").title.startswith("lift15 (lift)")


OURS = [path for path in sorted(WEIGHTS.glob("*.safetensors")) if header.plain(path, "config")]


@pytest.mark.parametrize("index", OURS, ids=lambda path: path.stem)
def test_the_repositorys_weights_are_of_this_version_of_the_project(index, picture):
    name, _, further = index.stem.partition("-")  # another seed's is chosen by its file alone
    chosen = choose(None, index, device="cpu") if further else choose(name, device="cpu")
    assert chosen.title.startswith(f"{name} (")
    assert len(list(lift.video.interpolate([picture(k) for k in range(3)], index, device="cpu"))) == 5


def test_the_default_model_comes_with_the_repository():
    assert choose(device="cpu").title == choose(DEFAULT_MODEL, device="cpu").title


def test_absent_and_damaged_weights_are_one_line(tmp_path, monkeypatch, weights_file, capsys):
    monkeypatch.setattr("lift.video.choose.TRAINED", tmp_path / "none")
    monkeypatch.setattr("lift.video.choose.WEIGHTS", tmp_path)

    def told(*model):
        assert main([str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4"), *model]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        return line

    assert "rife_v4.25.safetensors" in told("--model", "rife_v4")
    halved(tmp_path, weights_file, "lift15")
    shard = header.files(tmp_path / "lift15.safetensors")[-1]
    shard.write_bytes(shard.read_bytes()[:-1])
    assert f"{shard}: damaged" in told("--model", "lift15")
    shard.unlink()
    assert f"{shard.name}: missing; restore it: git checkout -- weights" in told("--model", "lift15")


def test_a_model_that_only_halves_is_told_and_one_of_any_time_is_not(tool, tmp_path, video, weights_file):
    given = video(tmp_path / "in.mkv", count=3)
    _, said = tool(given, tmp_path / "a.mkv", "--factor", 3, "--weights", weights_file)
    assert "only makes the frame halfway between two: each frame is made for the nearest 1/8" in said
    for more in (("--factor", 4, "--weights", weights_file), ("--factor", 3, "--model", "average")):
        assert "halfway" not in tool(given, tmp_path / "b.mkv", "--force", *more)[1]


def test_sixteen_bit_arithmetic_stays_near(picture, weights_file):
    frames = [picture(k) for k in range(4)]
    exact, rough = (
        list(lift.video.interpolate(frames, weights_file, device="cpu", precision=p)) for p in ("32", "bf16")
    )
    assert max(abs(a.astype(int) - b).max() for a, b in zip(exact, rough, strict=True)) < 16
