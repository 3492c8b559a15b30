"""Several frames ahead: what each mode is given, on which frames it is judged, and what is written."""

import csv
import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lift.config.abilities import PREDICTORS as NAMED
from lift.errors import UserError
from lift.evaluation.baselines import BASELINES, PREDICTORS, extrapolated, last
from lift.evaluation.method import Prediction, of_predictor
from lift.evaluation.results import summary
from lift.evaluation.run import evaluate_ahead
from lift.metrics import Lpips, psnr

OFFSETS = (-3, -2, -1)


class Clips:
    """Two clips whose frame at offset o is uniformly grey, 0.5 + 0.02 o (a little more in the second)."""

    def __init__(self):
        self.rows = [
            SimpleNamespace(clip=f"set/v@{i}", video="v", group="v", kind="", motion=2.0) for i in range(2)
        ]
        self.read = []

    def __len__(self):
        return 2

    def frame(self, index, offset):
        self.read.append(offset)
        return torch.full((3, 40, 48), 0.5 + 0.02 * offset + 0.01 * index)

    def __getitem__(self, index):
        self.read.clear()
        frames = torch.stack([self.frame(index, offset) for offset in OFFSETS])
        offsets, valid = torch.tensor(OFFSETS).float(), torch.tensor([index == 0, True, True])
        return {"frames": frames, "offsets": offsets, "valid": valid, "clip": self.rows[index].clip}

    def truth(self, index):
        return None


class Line(nn.Module):
    """Carries on the line through the last two frames, to where the offsets say; keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, frames, offsets, valid):
        self.given.append((frames[0, :, 0, 0, 0].tolist(), offsets[0].tolist(), valid[0].tolist()))
        frame = frames[:, -1] - offsets[0, -1] * (frames[:, -1] - frames[:, -2])
        weights = valid / valid.sum(dim=1, keepdim=True)
        return SimpleNamespace(frame=frame, coarse=None, flow=None, alpha=weights, blend=None)


@pytest.fixture(scope="module")
def lpips():
    return Lpips()


def test_the_configuration_knows_the_methods_that_predict():
    assert set(NAMED) == set(PREDICTORS)
    assert not set(PREDICTORS) & set(BASELINES)


def test_recurrent_moves_the_window_on_over_its_own_frames():
    model = Line()
    found = of_predictor(model, (1,), recurrent=True)(Clips()[1], 3)
    assert list(found) == [1, 2, 3]
    assert [round(float(p.frame[0, 0, 0]), 4) for p in found.values()] == [0.51, 0.53, 0.55]
    frames, offsets, valid = zip(*model.given, strict=True)
    assert {tuple(o) for o in offsets} == {OFFSETS}
    rounded = [[round(f, 4) for f in given] for given in frames]
    assert rounded == [[0.45, 0.47, 0.49], [0.47, 0.49, 0.51], [0.49, 0.51, 0.53]]
    assert list(valid) == [[False, True, True], [True, True, True], [True, True, True]]


@pytest.mark.parametrize(("learnt", "made"), [((1, 3), [1, 3]), ((2,), [2]), ((1, 9), [1])])
def test_direct_modes_make_what_they_have_learnt_from_what_is_given(learnt, made):
    model = Line()
    found = of_predictor(model, learnt, recurrent=False)(Clips()[0], 5)
    assert list(found) == made
    for horizon, (frames, offsets, _) in zip(found, model.given, strict=True):
        assert frames == pytest.approx([0.44, 0.46, 0.48])
        assert offsets == [o - (horizon - 1) for o in OFFSETS]
        assert float(found[horizon].frame[0, 0, 0]) == pytest.approx(0.48 + 0.02 * horizon)


def test_every_frame_is_judged_by_the_one_that_came_and_none_ahead_is_given(lpips, tmp_path):
    clips = Clips()

    def method(sample, horizon):
        assert (sample["offsets"] < 0).all()
        assert max(clips.read) < 0  # nothing from the missing frame on was read before it was predicted
        return last(sample, horizon)

    means = evaluate_ahead({None: method}, "last", {"set": (clips, 3)}, lpips, out=tmp_path)
    rows = list(csv.DictReader((tmp_path / "clips.csv").read_text().splitlines()))
    found = [(row["clip"], row["horizon"]) for row in rows]
    assert found == [(f"set/v@{i}", str(k)) for i in (0, 1) for k in (1, 2, 3)]
    for row, index in zip(rows, (0, 0, 0, 1, 1, 1), strict=True):
        shown, truth = (Clips().frame(index, offset) for offset in (-1, int(row["horizon"]) - 1))
        expected = psnr(shown, truth, data_range=1.0)
        assert float(row["psnr"]) == pytest.approx(expected, abs=1e-4)
    assert {row["context"] for row in rows} == {"3", "2"}
    assert json.loads((tmp_path / "metrics.json").read_text()) == means
    assert means["set"]["clips"] == 2
    for metric in ("ms_ssim", "lpips"):
        of_horizon = [means["set"][f"{metric}_{k}"] for k in (1, 2, 3)]
        assert means["set"][f"{metric}_to_2"] == pytest.approx(sum(of_horizon[:2]) / 2, abs=1e-6)
        assert means["set"][f"{metric}_to_3"] == pytest.approx(sum(of_horizon) / 3, abs=1e-6)
    assert (tmp_path / "alpha.csv").read_text().count("\n") == 1


def test_seeds_and_the_contexts_weights_are_kept_and_equal_results_are_equal_bytes(lpips, tmp_path):
    methods = {seed: of_predictor(Line(), (1,), recurrent=True) for seed in (7, 8)}
    for name, processes in (("one", 1), ("two", 2)):
        evaluate_ahead(
            methods,
            "line",
            {"set": (Clips(), 2)},
            lpips,
            out=tmp_path / name,
            model={"parameters": 5},
            processes=processes,
        )
    files = ("clips.csv", "alpha.csv", "metrics.json", "probes.csv")
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    weights = list(csv.DictReader((tmp_path / "one" / "alpha.csv").read_text().splitlines()))
    assert len(weights) == 2 * (3 + 2)  # of two seeds: three frames of one clip, two of the other
    means = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert (means["model"]["parameters"], means["set"]["seeds"]) == (5, 2)


def test_a_running_mean_stops_at_a_horizon_that_was_not_made():
    common = {
        "benchmark": "set",
        "clip": "a",
        "video": "a",
        "group": "a",
        "kind": "",
        "motion": 1.0,
        "seed": 7,
        "context": 2,
    }
    values = {"psnr": 30.0, "ssim": 0.9, "ms_ssim": 0.9, "lpips": 0.1}
    means = summary([{**common, "horizon": k, **values} for k in (1, 3)])["set"]
    assert "ms_ssim_to_1" in means
    assert "psnr_3" in means
    assert not {"ms_ssim_to_2", "ms_ssim_to_3"} & set(means)


def test_a_frame_that_is_not_finite_names_its_clip_and_writes_nothing(lpips, tmp_path):
    def method(sample, horizon):
        return {1: Prediction(torch.full((3, 40, 48), torch.nan))}

    with pytest.raises(UserError, match="set/v@0"):
        evaluate_ahead({None: method}, "bad", {"set": (Clips(), 2)}, lpips, out=tmp_path)
    assert not list(tmp_path.iterdir())


def moving(speed=2, size=(64, 96)):
    """A smooth picture that moves to the right, `speed` pixels a frame: frames by offset."""
    coarse = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(1))
    world = nn.functional.interpolate(coarse, (size[0], size[1] + 40), mode="bicubic")[0].clamp(0, 1)
    return {t: world[:, :, 20 - speed * t : 20 - speed * t + size[1]] for t in range(-2, 4)}


def test_extrapolation_carries_uniform_motion_on():
    at = moving()
    sample = {
        "frames": torch.stack([at[-2], at[-1]]),
        "offsets": torch.tensor([-2.0, -1.0]),
        "clip": "moving",
    }
    sample["valid"] = torch.ones(2).bool()
    for found, bound in ((extrapolated(sample, 3), 0.012), (last(sample, 3), 1)):
        errors = [float((found[k].frame - at[k - 1])[:, 8:-8, 16:-16].abs().mean()) for k in (1, 2, 3)]
        assert max(errors) < bound
    assert min(errors) > 0.015  # the last frame again is far off
    with pytest.raises(UserError, match="extrapolated needs frames of at least 16"):
        extrapolated({**sample, "frames": sample["frames"][..., :8, :8]}, 1)
