"""The reference command on generated footage: a few steps, all outputs, and what running it again does."""

import csv
import json
import shutil

import pytest
import yaml

from benchmarks.reference import export, picture, profile
from benchmarks.reference.__main__ import main
from lift import weights
from lift.config import load_all
from lift.config.footage import Render
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.scenes.layouts import WRITERS
from stages import evaluate, train

SIZE = (64, 64)
LAYOUTS = (*profile.LAYOUTS, "davis_uniform", "ucf101_uniform")
FRAMES = {"vimeo90k": 7, "snu_film": 17}


def render(layout, folder, count, part="test", frames=20):
    counts = {"train": 0, "test": 0, part: count}
    rules = Render(
        **counts, frames=FRAMES.get(layout, frames), size=SIZE, speed=(0.5, 1.5), centres=1, camera=None
    )
    WRITERS[layout](folder, rules, 3, target=1)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Make CLIPS, three sequences of which one is left out, and REAL, two videos in every layout."""
    root = tmp_path_factory.mktemp("footage")
    render("davis", root / "made", 3, "train")
    sequences = sorted((root / "made/DAVIS/JPEGImages/480p").iterdir())
    for kind, path in zip(("walks", "ucf101", "drives"), sequences, strict=True):
        shutil.copytree(path, root / "clips" / kind / path.name)
    for layout in profile.LAYOUTS:
        render(layout, root / layout, 2)
        shutil.copytree(root / layout, root / "real", dirs_exist_ok=True)
    return root


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Name a size `tiny` in the place of the others: two steps."""
    rules = read(profile.SIZES)
    size = rules["small"]
    size["scenes"].update(train=10, frames=12, size=[64, 64])
    size["profile"]["train"].update(samples_per_epoch=4, batch=2, warmup=1, log_every=1, validate_every=1)
    size["profile"]["train"]["phases"][0].update(epochs=1, crop=[32, 32])
    size["profile"]["sources"]["scenes"]["render"].update(test=5, size=[64, 64])
    size["profile"]["clips"]["sets"]["train"].update(max_clips=2, resize=[64, 96])
    size["profile"]["clips"]["sets"]["validation"].update(max_clips=1, resize=[64, 96])
    del rules["small"], rules["full"]
    rules["tiny"] = size
    rules["all"]["report"]["resamples"] = 100
    path = tmp_path / "sizes.yaml"
    path.write_text(yaml.safe_dump(rules, sort_keys=False))
    monkeypatch.setattr(profile, "SIZES", path)
    return tmp_path / "out"


def test_it_trains_measures_compares_and_exports_and_goes_on_where_it_was(tiny, footage, monkeypatch, capsys):
    main("tiny", footage / "clips", footage / "real", tiny, ["lift15"])
    main("tiny", footage / "clips", footage / "real", tiny, ["matched"])  # is added
    capsys.readouterr()

    trained = {path.name for path in (tiny / "footage" / "train").iterdir()}
    assert not any(name.startswith("ucf101") for name in trained)
    assert {name.split("-")[0] for name in trained} == {"walks", "drives", "scenes"}
    with (tiny / "tables" / "means.csv").open(newline="") as file:
        means = list(csv.DictReader(file))
    assert {row["method"] for row in means} == {"lift15", "matched", "repeat", "average", "dis"}
    videos = {
        row["benchmark"]: row["videos"] for row in means if row["method"] == "matched" and not row["kind"]
    }
    assert videos == {**dict.fromkeys(LAYOUTS, "2"), "scenes": "5", "scenes_uniform": "5"}
    with (tiny / "tables" / "differences.csv").open(newline="") as file:
        pairs = {(row["method"], row["against"]) for row in csv.DictReader(file)}
    assert pairs == {("matched", "lift15"), ("matched", "dis")}  # what was not trained is left out

    # Once more: nothing is trained or measured again.
    for stage in (train, evaluate):
        monkeypatch.setattr(stage, "main", lambda *_: pytest.fail("done already"))
    before = (tiny / "tables" / "differences.md").read_bytes()
    main("tiny", footage / "clips", footage / "real", tiny, ["lift15", "matched"])
    assert (tiny / "tables" / "differences.md").read_bytes() == before

    export.main(tiny, tiny / "weights", [])
    about = json.loads((tiny / "weights" / "matched.json").read_text())["about"]
    assert about["size"] == "tiny"
    assert about["trained"] == "2 steps of 2 clips, crop [32, 32], seed 7"
    source = tiny / "data/reference_tiny/models/lift15/best.safetensors"
    assert weights.read_config(tiny / "weights" / "lift15.json") == weights.read_config(source)
    monkeypatch.setattr(picture, "BESIDE", ("dis",))
    picture.main(tiny, ["scenes"])
    assert (tiny / "pictures" / "scenes.png").stat().st_size > 10_000


def test_a_folder_begun_with_other_footage_is_refused(tiny, footage):
    rules = profile.settings("tiny")
    wanted = profile.parameters("tiny", ["lift15"], rules, footage / "real", tiny / "footage")
    profile.write_parameters(tiny / "params.yaml", wanted)
    profile.write_parameters(tiny / "params.yaml", profile.over(wanted, {"evaluate": {"threads": 2}}))
    other = profile.parameters("tiny", ["lift15"], rules, footage / "clips", tiny / "footage")
    with pytest.raises(UserError, match=r"profiles\.reference_tiny\.sources was another"):
        profile.write_parameters(tiny / "params.yaml", other)


def test_both_sizes_are_one_budget_for_all_that_is_compared(tmp_path):
    for size in ("small", "full"):
        rules = profile.settings(size)
        path = tmp_path / f"{size}.yaml"
        profile.write_parameters(path, profile.parameters(size, rules["trains"], rules, tmp_path, tmp_path))
        base, configs = load_all(path, profile.name_of(size))
        assert set(configs) == set(rules["trains"])
        assert {c.method for c in base.report.comparisons} <= set(configs)
        start = configs.pop("matched_start")  # never learns
        assert (start.model, {phase.rate for phase in start.train.phases}) == (
            configs["matched"].model,
            {0.0},
        )
        assert len({str(config.train) for config in configs.values()}) == 1
        assert {config.loss.l1 for config in configs.values()} == {1.0}


@pytest.mark.parametrize(("size", "name", "said"), [("smal", [], "small"), ("small", ["matchd"], "matched")])
def test_a_misspelt_size_or_ablation_is_named_with_the_nearest(tmp_path, size, name, said):
    with pytest.raises(UserError, match=f"did you mean '{said}'"):
        main(size, tmp_path, tmp_path, tmp_path / "out", name)
