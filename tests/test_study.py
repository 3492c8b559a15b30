"""Profile `study` at a very small size: all its stages, with no real data set given, and with one."""

import csv
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lift import header
from lift.errors import UserError
from stages import clips, download, evaluate, pictures, release, report, train
from tests import params

METHODS = ("lift15", "ctx3")


def small(raw):
    """Shrink the profile to seconds: the demo's widths, few small scenes, two steps."""
    profile = raw["profiles"]["study"]
    profile["evaluate"] = {"threads": 1, "probes": {"scenes": 2}}
    profile["sources"]["scenes"]["render"].update(train=10, test=5, frames=27, size=[64, 64])
    profile["report"]["comparisons"] = [
        {"family": "width", "method": "lift15", "against": other} for other in ("ctx3", "ctx7")
    ]
    profile["clips"]["sets"]["train"]["max_clips"] = 1
    profile["clips"]["sets"]["validation"]["max_sequences"] = 1
    profile["train"] = {"seeds": [7, 8], "samples_per_epoch": 4, "batch": 2, "warmup": 1, "log_every": 1}
    profile["train"] |= {"threads": 1, "workers": 0}
    raw["train"]["phases"][0].update(epochs=1, crop=[64, 64])
    profile["clips"]["sets"]["ucf101"] = {"spacing": 8}  # a predictor needs more frames around
    raw["report"].update(resamples=200, worst=1)  # strips are most of a report's time
    return params.methods(raw, "study", (*METHODS, "ctx7"), (), ("average", "last"))


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Stand in an empty folder with a small params.yaml; gives its values, to be written again."""
    monkeypatch.chdir(tmp_path)
    found = small(params.read())
    params.resolved(found, "study")
    return found


def own_weights():
    """Give the folder of released weights a place of its own, with room for what is written to it."""
    folder = Path("weights")
    folder.unlink()
    folder.mkdir()
    for path in (params.ROOT / "weights").glob("*.safetensors"):
        if not path.stem.startswith("lift15"):  # trained here, as what this test releases
            (folder / path.name).symlink_to(path)
    return folder


def davis(text):
    return [line for line in text.splitlines() if line.startswith("davis,")]


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_it_runs_without_any_real_data_set_and_its_report_says_so(raw):
    data = Path("data/study")
    download.main("study")
    for split in raw["clips"]["sets"]:
        clips.main("study", split)
    origins = json.loads((data / "raw/sources.json").read_text())
    absent = {name for name, made in origins.items() if made["origin"] == "not given"}
    assert absent == {*raw["sources"]} - {"scenes"}
    summary = json.loads((data / "clips/davis/summary.json").read_text())
    assert (summary["clips"], summary["not_given"], summary["procedural"]) == (0, ["davis"], False)
    assert rows(data / "clips/davis/clips.csv") == []
    learnt = rows(data / "clips/train/clips.csv") + rows(data / "clips/validation/clips.csv")
    assert {row["video"].split("/")[0] for row in learnt} == {"train"}
    assert {row["extension"] for row in learnt} == {"jpg"}
    tested = {row["video"] for row in rows(data / "clips/scenes/clips.csv")}
    assert len(tested) == 5
    first = {path.read_bytes() for path in (data / "raw/scenes").rglob("*.png")}
    assert first  # test scenes; what is learnt from is jpg, and shows other scenes even where names are alike
    assert not any("train" in path.parts for path in (data / "raw/scenes").rglob("*.png"))

    for name in METHODS:
        train.main("study", name)
    for name in (*METHODS, "average", "last"):
        evaluate.main("study", name)
    metrics = json.loads((data / "results/lift15/metrics.json").read_text())
    assert metrics["scenes"]["clips"] == 5
    assert not {"davis", "ucf101"} & set(metrics)
    assert list(json.loads((data / "results/average/protocol.json").read_text())) == ["scenes"]
    with pytest.raises(UserError, match="davis: not given"):
        evaluate.main("study", "average", "davis")

    # What is trained here is released, and then measured as it is.
    own_weights()
    with pytest.raises(UserError, match="average: not trained in profile study"):
        release.main("study", "average")
    with pytest.raises(UserError, match="a name and no path"):
        release.main("study", "lift15", "some/where")
    release.main("study", "lift15", "mine")
    about = header.plain(Path("weights/mine.safetensors"), "about")
    assert (about["profile"], about["method"], about["steps"], about["seed"]) == ("study", "lift15", 2, 7)
    again = Path("weights/mine-seed8.safetensors")
    assert header.plain(again, "about") == about | {"seed": 8}
    assert header.plain(again, "config")["seed"] == 8
    digest = hashlib.sha256((data / "clips/train/clips.csv").read_bytes()).hexdigest()
    assert about["data"]["train"] == digest
    raw["released"]["mine"] = {"weights": ["mine", "mine-seed8"]}
    raw["profiles"]["study"]["methods"]["released"] = ["mine"]
    params.resolved(raw, "study")
    evaluate.main("study", "mine")
    released = json.loads((data / "results/mine/metrics.json").read_text())
    trained = {(row["clip"], row["seed"]): row for row in rows(data / "results/lift15/clips.csv")}
    measured = {(row["clip"], row["seed"]): row for row in rows(data / "results/mine/clips.csv")}
    assert measured.keys() == trained.keys()
    assert {seed for _, seed in measured} == {"7", "8"}
    for key, row in measured.items():
        assert float(row["psnr"]) == pytest.approx(float(trained[key]["psnr"]), abs=0.02)
    assert released["model"] == metrics["model"]

    pictures.main("study")
    report.main("study")
    told = Path("reports/study/summary.md").read_text()
    assert (
        "Not given in profile study, so not measured: Vimeo-90K septuplet, UCF101, DAVIS, SNU-FILM, "
        "Cityscapes" in told
    )
    assert "No declared comparison was measured on UCF101 yet." in told
    assert "Declared methods without results: ctx7" in told  # an hour is not for all ablations
    assert "not given" in Path("reports/study/index.html").read_text()
    assert not Path("reports/study/tables/results_davis.csv").exists()


def test_a_given_data_set_is_measured_as_well(raw, capsys):
    root = Path("mine/DAVIS")
    for i in range(20):
        path = root / "JPEGImages/480p/walk" / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
        cv2.imwrite(str(path), np.roll(cv2.GaussianBlur(noise, (0, 0), 2.0), 2 * i, axis=1))
    for name, lines in (("train", ""), ("val", "walk\n")):
        path = root / "ImageSets/2017" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines)
    profile = raw["profiles"]["study"]
    profile["sources"]["davis"]["path"] = "mine"
    profile["methods"]["trained"] = []
    profile["report"]["comparisons"] = [{"family": "width", "method": "matched", "against": "average"}]
    profile["methods"]["released"] = ["matched"]
    profile["sources"]["scenes"]["render"].update(train=0, test=1)
    params.resolved(raw, "study")
    download.main("study")
    for split in raw["benchmarks"]:
        clips.main("study", split)
    evaluate.main("study", "average")
    metrics = json.loads(Path("data/study/results/average/metrics.json").read_text())
    assert {"davis", "scenes"} <= set(metrics)
    assert "ucf101" not in metrics
    before = Path("data/study/results/average/clips.csv").read_text()

    # Whoever has no footage sees what others measured on it; of another configuration nothing is kept.
    profile["sources"]["davis"]["path"] = None
    params.resolved(raw, "study")
    download.main("study")
    clips.main("study", "davis")
    clips.main("study", "train")  # nothing trains: a set of no clips, and no scenes are rendered for it
    assert rows(Path("data/study/clips/davis/clips.csv")) == []
    evaluate.main("study", "average")
    assert Path("data/study/results/average/clips.csv").read_text() == before
    assert "davis" in json.loads(Path("data/study/results/average/protocol.json").read_text())
    raw["benchmarks"]["scenes"]["protocol"] = "another"  # of another benchmark: nothing to these rows
    params.resolved(raw, "study")
    evaluate.main("study", "average")
    assert "kept as they were, and not measured again: davis" in capsys.readouterr().out
    assert davis(Path("data/study/results/average/clips.csv").read_text()) == davis(before) != []
    raw["evaluate"]["edges"] = 0.2
    params.resolved(raw, "study")
    evaluate.main("study", "average")
    assert "davis: not given, and what was measured of it goes: evaluate.edges" in capsys.readouterr().out
    assert "davis" not in json.loads(Path("data/study/results/average/metrics.json").read_text())
