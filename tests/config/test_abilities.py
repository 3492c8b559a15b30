"""What a model cannot do is refused when the configuration is read, naming the models that can."""

from dataclasses import replace
from pathlib import Path

import pytest

from lift.config import load, window
from lift.config.abilities import BASELINES, OF_THE_MODEL, PREDICTORS, UNTRAINED, check_ability
from lift.config.schema import MODELS
from lift.errors import UserError
from lift.evaluation import baselines
from lift.models.blocks import narrowed

CONFIG = load(Path(__file__).resolve().parents[2] / "params.yaml", "demo")
LONG, TWO, FOUR = window(8, 6, "dense"), (-1, 1), (-3, -1, 1, 3)


def check(name, offsets, **loss):
    check_ability(replace(CONFIG.model, name=name), replace(CONFIG.loss, **loss), offsets, "ablations.x")


def test_the_known_baselines_are_those_that_can_be_measured():
    assert set(BASELINES) == {*baselines.BASELINES, *baselines.PREDICTORS, UNTRAINED}
    assert set(PREDICTORS) == set(baselines.PREDICTORS)


@pytest.mark.parametrize(
    ("name", "offsets", "loss"),
    [
        ("lift", LONG, {}),
        ("lift", TWO, {"warping": 1.0}),
        ("rife", TWO, {"distillation": 0.01, "teacher": 1.0}),
        ("ifrnet", TWO, {"geometry": 0.01, "smoothness": 0.1}),
        ("flavr", FOUR, {}),
    ],
)
def test_what_a_model_can_do_passes(name, offsets, loss):
    check(name, offsets, **loss)


@pytest.mark.parametrize(
    ("name", "offsets", "loss", "words"),
    [
        (
            "rife",
            LONG,
            {},
            ["ablations.x.clip", "-8, -7, …, +5, +6", "clip.frames: 3", "lift"],
        ),
        ("ifrnet", FOUR, {}, ["ifrnet takes frames at offsets -1, +1 alone", "lift, flavr"]),
        ("flavr", TWO, {}, ["clip.frames: 4", "clip.sampling: uniform", "lift, rife, rife_v4, ifrnet"]),
        ("lift", LONG, {"geometry": 0.01}, ["ablations.x.loss.geometry", "ifrnet"]),
        ("ifrnet", TWO, {"distillation": 0.01}, ["loss.distillation", "have it: rife"]),
        ("flavr", FOUR, {"warping": 1.0}, ["loss.warping", "no flow", "lift, rife, rife_v4, ifrnet"]),
        ("rive", TWO, {}, ["ablations.x.model.name", "'rive'", "rife"]),
    ],
)
def test_what_it_cannot_is_one_line_that_names_who_can(name, offsets, loss, words):
    with pytest.raises(UserError) as error:
        check(name, offsets, **loss)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_parts_that_models_compute_are_fields_of_the_loss():
    assert set(OF_THE_MODEL) == {part for family in MODELS.values() for part in family.auxiliary}
    assert all(hasattr(CONFIG.loss, part) for part in OF_THE_MODEL)


def test_a_digest_holds_the_named_models_section_alone():
    def sections(name):
        config = replace(CONFIG, model=replace(CONFIG.model, name=name))
        return {key for key in config.digestible()["model"] if key in ("rife", "ifrnet", "flavr")}

    assert sections("lift") == set()
    assert sections("ifrnet") == {"ifrnet"}


def test_narrowed_widths_keep_their_multiple_and_never_vanish():
    assert narrowed((240, 150, 90), 1.0, 2) == (240, 150, 90)
    assert narrowed((240, 150, 90), 0.1, 2) == (24, 16, 8)
    assert narrowed((32,), 0.01) == (1,)
