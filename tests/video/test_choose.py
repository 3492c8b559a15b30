"""Which model, with which weights; any registered one."""

from dataclasses import replace
from pathlib import Path

import pytest

import lift.video
from lift import weights
from lift.config import load
from lift.config.restore import restore
from lift.models import MODELS, build
from lift.video.choose import DEFAULT_MODEL, choose
from lift.video.methods import Cached, Direct

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_any_registered_model_smooths_from_its_weights_file(tmp_path, picture, name):
    config = load(PARAMS, "demo", "lift15")
    config = replace(config, model=replace(config.model, name=name))
    path = tmp_path / "best.safetensors"
    weights.save(path, build(config.model), config.digestible())
    found = list(lift.video.interpolate([picture(k) for k in range(6)], path, device="cpu"))
    assert len(found) == 11
    method = choose(None, path, device="cpu").method
    assert isinstance(method, Cached if name == "lift" else Direct)
    assert method.window == {"lift": (*range(-15, 0, 2), *range(1, 12, 2)), "flavr": (-3, -1, 1, 3)}.get(
        name, (-1, 1)
    )


def test_a_configuration_is_restored_from_the_header(tmp_path):
    config = load(PARAMS, "demo", "shift3")
    path = tmp_path / "best.safetensors"
    weights.save(path, build(config.model), config.digestible())
    assert restore(path, weights.read_config(path)) == (config.clip, config.model)


def test_the_title_says_model_weights_and_device(weights_file):
    title = choose(None, weights_file, device="cpu").title
    assert title == f"lift15 (lift), weights {weights_file}, on cpu"


def test_the_demos_models_are_found_by_name(tmp_path, monkeypatch, weights_file):
    monkeypatch.setattr("lift.video.choose.MODELS", tmp_path)
    (tmp_path / DEFAULT_MODEL).mkdir()
    (tmp_path / DEFAULT_MODEL / "best.safetensors").write_bytes(weights_file.read_bytes())
    assert choose(device="cpu").title == choose(DEFAULT_MODEL, device="cpu").title
    assert str(tmp_path / DEFAULT_MODEL / "best.safetensors") in choose(device="cpu").title


def test_sixteen_bit_arithmetic_stays_near(picture, weights_file):
    frames = [picture(k) for k in range(4)]
    exact, rough = (
        list(lift.video.interpolate(frames, weights_file, device="cpu", precision=p)) for p in ("32", "bf16")
    )
    assert max(abs(a.astype(int) - b).max() for a, b in zip(exact, rough, strict=True)) < 16
