import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.evaluation.method import Prediction, of_model
from lift.evaluation.probes import PROBES
from lift.evaluation.results import kept
from lift.evaluation.run import evaluate
from lift.metrics import Lpips, psnr, ssim

OFFSETS = (-2, -1, 1, 2)


class Clips:
    """Three small clips in memory, the last without its earliest frame; truth where asked."""

    def __init__(self, truth: bool = False, size: tuple[int, int] = (36, 50)) -> None:
        self.size, self.known = size, truth
        self.rows = [
            SimpleNamespace(
                clip=f"set/v{i // 2}@{i}", video=f"v{i // 2}", group="v", kind=k if truth else "", motion=1.5
            )
            for i, k in enumerate(("plain", "plain", "occlusion"))
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, object]:
        frames = torch.rand(5, 3, *self.size, generator=torch.Generator().manual_seed(index))
        valid = torch.tensor([index != 2, True, True, True])
        return {
            "frames": frames[:4] * valid.view(4, 1, 1, 1),
            "offsets": torch.tensor(OFFSETS, dtype=torch.float32),
            "valid": valid,
            "target": frames[4],
            "clip": self.rows[index].clip,
        }

    def truth(self, index: int):
        if not self.known:
            return None
        visible = np.ones((2, *self.size), dtype=bool)
        visible[0, : self.size[0] // 2] = False
        return np.full((4, *self.size), 3.0, np.float32), visible


class Model(nn.Module):
    """A mean of the references, with a flow of one quarter-size pixel everywhere and even weights."""

    def __init__(self, share=0.5):
        super().__init__()
        self.share = share

    def forward(self, frames, offsets, valid):
        assert not self.training
        batch, _, _, height, width = frames.shape
        small = (-(-height // 4), -(-width // 4))
        return SimpleNamespace(
            frame=torch.lerp(frames[:, 2], frames[:, 1], self.share),
            flow=frames.new_ones(batch, 4, *small),
            occlusion=frames.new_ones(batch, 2, *small),
            alpha=valid / valid.sum(dim=1, keepdim=True),
        )


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips()


@pytest.fixture(scope="module")
def measured(lpips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    benchmarks = {"davis": Clips(), "scenes": Clips(truth=True)}
    means = evaluate({7: of_model(Model())}, "model", benchmarks, lpips, edges=0.1, out=folder)
    with (folder / "clips.csv").open(newline="") as file:
        return means, list(csv.DictReader(file)), folder


def test_every_clip_has_a_row_in_the_manifests_order(measured):
    _, rows, _ = measured
    clips = [row.clip for row in Clips().rows]
    assert [(row["benchmark"], row["clip"]) for row in rows] == [
        (name, clip) for name in ("davis", "scenes") for clip in clips
    ]
    assert [row["context"] for row in rows[:3]] == ["4", "4", "3"]


def test_rows_hold_what_the_metrics_say(measured):
    _, rows, _ = measured
    sample = Clips()[0]
    frame = (sample["frames"][1] + sample["frames"][2]) / 2
    assert float(rows[0]["psnr"]) == pytest.approx(psnr(frame, sample["target"], data_range=1.0), rel=1e-6)
    assert float(rows[0]["ssim"]) == pytest.approx(ssim(frame, sample["target"], data_range=1.0), rel=1e-6)


def test_flow_is_judged_at_full_resolution_against_the_truth(measured):
    means, rows, _ = measured
    # One quarter-size pixel is 4 pixels; the truth says 3, in x and in y.
    assert float(rows[3]["epe"]) == pytest.approx(2**0.5, rel=1e-5)
    assert float(rows[3]["occluded"]) == pytest.approx(0.5)
    assert (rows[0]["epe"], rows[0]["occluded"]) == ("", "")
    assert float(rows[0]["warping"]) > 0
    assert "epe" not in means["davis"]


def test_means_are_written_by_benchmark_and_kind(measured):
    means, _, folder = measured
    assert json.loads((folder / "metrics.json").read_text()) == means
    assert set(means) == {"davis", "scenes", "scenes_plain", "scenes_occlusion"}
    assert (means["scenes"]["clips"], means["scenes"]["videos"]) == (3, 2)


def test_weights_of_absent_frames_are_left_out(measured):
    with (measured[2] / "alpha.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["benchmark"] == "davis"]
    assert len(rows) == 4 + 4 + 3
    last = {int(row["offset"]): float(row["alpha"]) for row in rows if row["clip"] == "set/v1@2"}
    assert last == {-1: 0.3333333, 1: 0.3333333, 2: 0.3333333}


def test_errors_at_edges_and_where_occluded_are_of_those_pixels_alone(measured):
    _, rows, _ = measured
    sample = Clips(truth=True)[0]
    frame = (sample["frames"][1] + sample["frames"][2]) / 2
    wrong = (255 * frame.numpy()).round() - (255 * sample["target"].numpy()).round()
    hidden = np.abs(wrong[:, : Clips().size[0] // 2]).mean()
    assert float(rows[3]["ie_occluded"]) == pytest.approx(hidden, rel=1e-5)
    assert rows[0]["ie_occluded"] == ""
    assert float(rows[0]["ie_edges"]) != pytest.approx(float(rows[0]["ie"]), rel=1e-3)


def test_rows_of_other_benchmarks_are_kept_as_they_were(measured, lpips, tmp_path):
    _, rows, folder = measured
    old = kept(folder, ["davis"])
    evaluate(
        {7: of_model(Model())},
        "model",
        {"scenes": Clips(truth=True)},
        lpips,
        edges=0.1,
        out=tmp_path,
        kept=old,
    )
    with (tmp_path / "clips.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == rows
    for name in ("alpha.csv", "metrics.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert kept(tmp_path / "nothing", ["davis"]) == ([], [])
    (tmp_path / "alpha.csv").unlink()  # as in results of an older version
    assert kept(tmp_path, ["other"]) == ([], [])
    with pytest.raises(UserError, match=r"alpha\.csv: missing, so rows of clips\.csv .* delete the folder"):
        kept(tmp_path, ["davis"])
    (tmp_path / "clips.csv").write_text("benchmark,clip\ndavis,a\n")
    with pytest.raises(UserError, match=r"clips\.csv: not a table of this version"):
        kept(tmp_path, ["davis"])


@pytest.mark.parametrize("name", list(BASELINES))
def test_baselines_run_the_same_way_and_give_equal_bytes_twice(name, lpips, tmp_path):
    for folder in ("one", "two"):
        means = evaluate(
            {None: BASELINES[name]},
            name,
            {"scenes": Clips(truth=True)},
            lpips,
            edges=0.1,
            out=tmp_path / folder,
        )
    for file in ("clips.csv", "metrics.json", "alpha.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert ("epe" in means["scenes"]) == (name != "repeat")
    assert (tmp_path / "one/alpha.csv").read_text().count("\n") == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_prediction_that_is_not_finite_names_its_clip_and_writes_nothing(processes, lpips, tmp_path):
    def broken(sample):
        frame = sample["target"] * (torch.nan if sample["clip"].endswith("1") else 1)
        return Prediction(frame)

    with pytest.raises(UserError, match=r"davis: set/v0@1: broken \(seed 7\) gives a frame"):
        evaluate(
            {7: broken},
            "broken",
            {"davis": Clips()},
            lpips,
            edges=0.1,
            out=tmp_path / "results",
            processes=processes,
        )
    assert not (tmp_path / "results").exists()


def seeds():
    return {seed: of_model(Model(share)) for seed, share in ((7, 0.5), (8, 0.3))}


@pytest.mark.parametrize("probes", [{}, {"scenes": 2}])
def test_two_processes_give_the_bytes_of_one_of_every_seed_and_probe(probes, lpips, tmp_path):
    for processes in (1, 2):
        evaluate(
            seeds(),
            "model",
            {"davis": Clips(), "scenes": Clips(truth=True)},
            lpips,
            edges=0.1,
            out=tmp_path / str(processes),
            probes=probes,
            processes=processes,
        )
    for file in ("clips.csv", "metrics.json", "alpha.csv", "probes.csv"):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()
    with (tmp_path / "1/clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    order = [(row["benchmark"], row["seed"], row["clip"]) for row in rows]
    clips = [row.clip for row in Clips().rows]
    assert order == [(name, seed, clip) for name in ("davis", "scenes") for seed in "78" for clip in clips]
    assert len({row["psnr"] for row in rows}) == 6  # of three clips by two models
    with (tmp_path / "1/probes.csv").open(newline="") as file:
        probed = list(csv.DictReader(file))
    assert len(probed) == (2 * 2 * len(PROBES) if probes else 0)
    whole = {(row["benchmark"], row["seed"], row["clip"]): row["psnr"] for row in rows}
    assert all(row["whole"] == whole[row["benchmark"], row["seed"], row["clip"]] for row in probed)


def test_a_benchmark_that_loses_clips_is_an_error(lpips, tmp_path):
    clips = Clips()
    clips.rows.append(clips.rows[0])
    clips.__class__ = type("Short", (Clips,), {"__len__": lambda self: 3})
    with pytest.raises(RuntimeError, match="3 results for 4 clips"):
        evaluate({None: BASELINES["repeat"]}, "repeat", {"davis": clips}, lpips, edges=0.1, out=tmp_path)
