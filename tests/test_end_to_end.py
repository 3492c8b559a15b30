"""All stages in a row, on a very small copy of the demo, as `python -m stages.X` runs them."""

import csv
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from lift.config import yaml12
from lift.errors import UserError
from lift.training.step import Stepper
from stages import clips, download, evaluate, pictures, report, train
from tests import params

TRAINED = ("lift15", "ctx3", "ifrvp_arbitrary")
RELEASED = ("matched_ctx3", "rife_v4")
BASELINES = ("repeat", "average", "dis", "untrained", "last")


def small(raw):
    """Shrink the demo to seconds: three ablations, one of them with two seeds, five scenes, few steps."""
    demo = raw["profiles"]["demo"]
    for name, source in demo["sources"].items():
        source["render"]["train"] = min(source["render"].get("train", 0), 10)
        source["render"]["test"] = 5 if name in ("scenes", "ucf101") else 2  # there are five kinds of scenes
        source["render"]["size"] = [64, 64]
    demo["clips"]["sets"]["train"]["max_clips"] = 1
    raw["clips"]["validation_share"] = 0.2
    raw["train"].update(samples_per_epoch=4, batch=2, warmup=1, log_every=1, threads=1)
    raw["evaluate"]["threads"] = 1  # what is so small only waits for a second thread
    raw["train"]["phases"][0].update(epochs=1)
    raw["ablations"]["ctx3"]["train"] = {"seeds": [7, 8]}
    raw["report"].update(resamples=200, worst=1)  # strips are most of a report's time
    return params.methods(raw, "demo", TRAINED, RELEASED, (*BASELINES, "extrapolated"))


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """Make a folder with a small params.yaml, its footage and its clips."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        params.resolved(small(params.read()), "demo")
        download.main("demo")
        for split in yaml12.read(Path("params.yaml"))["clips"]["sets"]:
            clips.main("demo", split)
    return folder


@pytest.fixture
def place(cut, tmp_path, monkeypatch):
    """Stand in a copy of that folder."""
    monkeypatch.chdir(shutil.copytree(cut, tmp_path / "place", symlinks=True))
    return Path.cwd()


def test_the_pipeline_makes_weights_metrics_tables_and_figures_and_makes_them_again_alike(place):
    results = Path("data/demo/results")
    for name in TRAINED:
        train.main("demo", name)
        assert not list(Path("data/demo/scratch").glob(f"{name}-*/"))
    for name in (*TRAINED, *RELEASED, *BASELINES):
        evaluate.main("demo", name)
    (results / "stale").mkdir()
    pictures.main("demo")
    report.main("demo")
    assert not (results / "stale").exists()  # what params.yaml no longer names goes

    metrics = json.loads((results / "lift15" / "metrics.json").read_text())
    assert metrics["snu_film"]["clips"] == 8
    assert metrics["model"]["parameters"] > 1000
    assert metrics["snu_film"]["seeds"] == 1
    two = json.loads((results / "ctx3" / "metrics.json").read_text())
    assert (two["snu_film"]["clips"], two["snu_film"]["seeds"]) == (8, 2)
    rows = list(csv.DictReader((results / "ctx3" / "clips.csv").read_text().splitlines()))
    assert {row["seed"] for row in rows} == {"7", "8"}
    assert len({(row["clip"], row["psnr"]) for row in rows}) == len(rows)  # another seed, another model
    assert metrics["scenes"]["clips"] == metrics["ucf101"]["clips"] == 5
    released = list(csv.DictReader((results / "matched_ctx3" / "clips.csv").read_text().splitlines()))
    assert {row["seed"] for row in released} == {""}
    assert json.loads((results / "rife_v4" / "metrics.json").read_text())["model"]["parameters"] > 5e6
    chosen = json.loads(Path("data/demo/metrics.json").read_text())
    assert {name: set(means) for name, means in chosen.items()} == {
        name: {"ucf101", "scenes"} for name in ("lift15", "ctx3")
    }
    untrained = json.loads((results / "untrained" / "metrics.json").read_text())
    assert untrained["scenes"]["psnr"] != metrics["scenes"]["psnr"]
    ahead = list(csv.DictReader((results / "ifrvp_arbitrary" / "clips.csv").read_text().splitlines()))
    assert {(row["benchmark"], row["horizon"]) for row in ahead} == {
        (name, horizon) for name in ("ucf101", "davis", "scenes") for horizon in "123"
    }
    assert (place / "reports/demo/index.html").is_file()
    predicted = (place / "reports/demo/tables/prediction_ucf101.csv").read_text()
    assert all(name in predicted for name in ("ifrvp_arbitrary", "last", "extrapolated,2,–,missing"))
    assert "ifrvp" not in (place / "reports/demo/tables/results_ucf101.csv").read_text()
    assert list((place / "reports/demo/tables").glob("*.tex"))
    assert list((place / "reports/demo/figures").glob("*.svg"))

    # The same parameters give the same bytes.
    before = made("ctx3")
    assert len(before) == 5
    shutil.rmtree("data/demo/models/ctx3")
    train.main("demo", "ctx3")
    assert made("ctx3") == before


def made(name):
    """Read what training leaves: two weights files per seed, and the curves of all seeds."""
    data = Path("data/demo")
    files = [*(data / "models" / name).rglob("*.safetensors"), data / "training" / name / "curves.csv"]
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("resident", [False, True])
def test_a_stopped_training_continues_with_the_seed_where_it_was(place, monkeypatch, resident):
    train.main("demo", "ctx3")
    whole = made("ctx3")
    if resident:  # where the frames lie changes no bit of what is trained, stopped or not
        raw = yaml12.read(Path("params.yaml"))
        raw["train"]["resident"] = True
        params.write(raw)
    trained = []
    original = Stepper.take

    def take(self, wrapped, batches, step, recent):
        trained.append((self._job.config.seed, step))
        if len(trained) == 3:  # after the first seed's two steps, in the second seed
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, wrapped, batches, step, recent)

    monkeypatch.setattr(Stepper, "take", take)
    shutil.rmtree("data/demo/models")
    shutil.rmtree("data/demo/training")
    with pytest.raises(SystemExit) as stop:
        train.main("demo", "ctx3")
    assert stop.value.code == train.RESUME
    assert not Path("data/demo/models").exists()
    train.main("demo", "ctx3")
    assert trained == [(7, 0), (7, 1), (8, 0), (8, 1)]
    assert made("ctx3") == whole


def test_weights_of_another_configuration_are_refused_by_the_key(place):
    train.main("demo", "ctx3")
    shutil.copytree("data/demo/models/ctx3", "data/demo/models/lift15")
    with pytest.raises(UserError, match="another configuration"):
        evaluate.main("demo", "lift15", "scenes")
    with pytest.raises(UserError, match="no such benchmark"):
        evaluate.main("demo", "ctx3", "scene")
