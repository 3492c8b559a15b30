"""`--predict N` with a model that was trained to predict."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lift import weights
from lift.config import load
from lift.errors import UserError
from lift.models.registry import build
from lift.video.api import interpolate
from lift.video.choose import choose
from lift.video.cuts import mark
from lift.video.engine import smooth
from lift.video.pace import Schedule
from lift.video.settings import DEFAULTS
from tests.video.conftest import PARAMS


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Give a function that writes weights of an ablation that predicts, with its clip changed."""

    def save(name="ifrvp", **changes):
        config = load(PARAMS, "demo", name)
        clip = replace(config.clip, **changes)
        model = build(config.model, task="predict", seed=3)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.01 * torch.randn(parameter.shape, generator=generator)
        path = tmp_path_factory.mktemp("predicting") / "best.safetensors"
        weights.save(path, model, replace(config, clip=clip).digestible())
        return path

    return save


def predicted(frames, path, plan, count):
    method = choose(weights=path, device="cpu")
    shown = list(smooth(mark(frames(plan), DEFAULTS.continuity), method, Schedule(factor=1), predict=count))
    return [s.frame for s in shown if s.frame.kind == "predicted"]


@pytest.mark.parametrize("name", ["ifrvp", "lift15_past"])
def test_predicted_frames_follow_the_last_and_the_originals_pass(tool, tmp_path, video, planes, saved, name):
    given = video(tmp_path / "in.mkv")
    lossless = ("--codec", "ffv1", "--weights", saved(name), "--predict", "3")
    assert tool(given, tmp_path / "out.mkv", *lossless)[0] == 0
    before, after = planes(given)[1], planes(tmp_path / "out.mkv")[1]
    assert len(after) == len(before) + 3
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=False))
    assert not np.array_equal(after[-1], after[-2])


def test_only_frames_of_the_last_scene_are_looked_at(frames, saved):
    path = saved("lift15_past")
    scene = [(k, 1) for k in range(4)]
    plain = predicted(frames, path, scene, 2)
    after_a_cut = predicted(frames, path, [(k, 0) for k in range(6)] + scene, 2)
    for a, b in zip(plain, after_a_cut, strict=True):
        assert np.array_equal(a.image, b.image)


def test_the_more_of_a_scene_is_known_the_more_a_wide_window_uses(frames, saved):
    plan = [(k, 0) for k in range(6)]
    path = saved("lift15_past")
    assert not np.array_equal(
        predicted(frames, path, plan, 1)[0].image, predicted(frames, path, plan[3:], 1)[0].image
    )


def test_a_frame_alone_in_its_scene_shows_no_motion(frames, saved):
    made = predicted(frames, saved(), [(k, 0) for k in range(6)] + [(0, 1)], 2)
    assert all(np.array_equal(frame.image, frames([(0, 1)])[0].image) for frame in made)


def test_what_was_not_learnt_is_refused_before_any_work(refused, tmp_path, video, saved):
    far = saved(mode="arbitrary", horizons=(1, 2))
    given = video(tmp_path / "in.mkv")
    assert "frames +1, +2 after the last one" in refused(given, "--weights", far, "--predict", "3")
    for options in (("--factor", "2"), ("--fps", "60")):
        assert "was trained to predict" in refused(given, "--weights", far, *options)


def test_frames_between_two_are_refused_in_python_as_well(picture, saved):
    with pytest.raises(UserError, match="makes no frame between two"):
        list(interpolate([picture(0), picture(1)], saved()))


def test_an_arbitrary_time_model_is_told_how_far(frames, saved):
    plan = [(k, 0) for k in range(3)]
    one, two = predicted(frames, saved(mode="arbitrary", horizons=(1, 2)), plan, 2)
    assert not np.array_equal(one.image, two.image)
    fed_back = predicted(frames, saved(), plan, 2)[1]
    assert not np.array_equal(two.image, fed_back.image)
