"""The reference command on generated footage: a few steps, all outputs, and what running it again does."""

import csv
import json
import os

import pytest
from safetensors.torch import save_file

from benchmarks.reference import export, picture, profile
from benchmarks.reference.__main__ import main
from lift import weights
from lift.config import load_all
from lift.errors import UserError
from stages import evaluate, train

LAYOUTS = (*profile.LAYOUTS, "davis_uniform", "ucf101_uniform")


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

    # Once more: nothing is trained or measured again, however new the weights' time.
    monkeypatch.setattr(train, "main", lambda *_: pytest.fail("done already"))
    measured = []
    monkeypatch.setattr(evaluate, "main", lambda profile, method: measured.append(method))
    models = tiny / "data/reference_tiny/models"
    (models / "lift15" / "best.safetensors").touch()
    before = (tiny / "tables" / "differences.md").read_bytes()
    main("tiny", footage / "clips", footage / "real", tiny, ["lift15", "matched"])
    assert (tiny / "tables" / "differences.md").read_bytes() == before
    assert measured == []

    with pytest.raises(UserError, match="models/matchd: no such trained model; there are: lift15, matched"):
        export.main(tiny, tiny / "weights", ["lift15", "matchd"])
    assert not (tiny / "weights").exists()
    export.main(tiny, tiny / "weights", [])
    about = json.loads((tiny / "weights" / "matched.json").read_text())["about"]
    assert about["size"] == "tiny"
    assert about["trained"] == "2 steps of 2 clips, crop [32, 32], seed 7"
    source = tiny / "data/reference_tiny/models/lift15/best.safetensors"
    assert weights.read_config(tiny / "weights" / "lift15.json") == weights.read_config(source)
    monkeypatch.setattr(picture, "BESIDE", ("dis",))
    picture.main(tiny, ["scenes"])
    assert (tiny / "pictures" / "scenes.png").stat().st_size > 10_000

    # Other weights of the same configuration are measured, whatever their time, and nothing else is.
    path = models / "matched" / "best.safetensors"
    time = path.stat().st_mtime
    tensors, config = weights.read_tensors(path), json.dumps(weights.read_config(path))
    save_file({name: tensor * 0.5 for name, tensor in tensors.items()}, path, metadata={"config": config})
    os.utime(path, (time, time))
    main("tiny", footage / "clips", footage / "real", tiny, ["lift15", "matched"])
    assert measured == ["matched"]


def test_a_folder_begun_by_other_rules_is_refused(tiny, footage):
    rules = profile.settings("tiny")
    wanted = profile.parameters("tiny", ["lift15"], rules, footage / "real", tiny / "footage")
    path = tiny / "params.yaml"
    profile.write_parameters(path, wanted)
    profile.check_parameters(path, profile.over(wanted, {"evaluate": {"threads": 2}}))
    with pytest.raises(UserError, match="seed is 7 there and 8 here"):
        profile.check_parameters(path, profile.over(wanted, {"seed": 8}))
    other = profile.parameters("tiny", ["lift15"], rules, footage / "clips", tiny / "footage")
    with pytest.raises(UserError, match=r"sources\.davis\.path is '.*/real' there and '.*/clips' here"):
        profile.check_parameters(path, other)


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
