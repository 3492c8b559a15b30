"""What each stage is made from: a change of params.yaml changes the files of what it touches alone."""

import json

import pytest

from lift.config import load_all
from lift.config.resolved import check, files, first_difference
from lift.errors import UserError
from tests import params

TRAINED = ("lift15", "ctx3", "no_s1", "ifrnet", "ifrvp")
RELEASED = ("matched", "rife_v4")
BASELINES = ("dis", "untrained", "last")


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """Give every file of the profile as it is."""
    raw = params.methods(params.read(), "demo", TRAINED, RELEASED, BASELINES)
    path = params.write(raw, tmp_path_factory.mktemp("unchanged"))
    return files(*load_all(path, "demo"), path.parent / "weights")


@pytest.fixture
def resolved(tmp_path):
    """Give a function that changes values, {"a.b": value}, and gives every file of the profile."""

    def give(changes=()):
        raw = params.methods(params.read(), "demo", TRAINED, RELEASED, BASELINES)
        for key, value in dict(changes).items():
            *parts, last = key.split(".")
            at = raw
            for part in parts:
                at = at[part]
            at[last] = value
        path = params.write(raw, tmp_path)
        return files(*load_all(path, "demo"), tmp_path / "weights")

    return give


def changed(one, two):
    """Name the files that differ."""
    return {path for path in one.keys() | two.keys() if one.get(path) != two.get(path)}


def of(*methods, stages=("train", "evaluate")):
    return {f"{stage}/{method}.json" for stage in stages for method in methods}


@pytest.mark.parametrize(
    ("key", "value", "methods"),
    [
        ("model.use_s1", False, ("lift15", "ctx3")),  # no_s1 has it already, and IFRNet no such part
        ("model.rife.factor", 0.3, ()),
        ("model.matching.smooth", 7, ()),
        ("model.ifrnet.factor", 0.3, ("ifrnet", "ifrvp")),
        ("ablations.ctx3", {"clip": {"frames": 3, "shift": 0}, "train": {"clip_norm": 2.0}}, ("ctx3",)),
        ("train.seeds", [7, 8], TRAINED),
        ("train.resident", True, ()),  # how, not what
        ("download.tries", 9, ()),
        ("verify.metrics", {"psnr": 0.1}, ()),
        ("report.resamples", 300, ()),
        ("profiles.thesis.model.heads", 4, ()),
        ("profiles.demo.sources.davis.render.test", 3, ()),
    ],
)
def test_exactly_the_methods_whose_configuration_changes_are_trained_again(
    resolved, unchanged, key, value, methods
):
    found = changed(unchanged, resolved({key: value}))
    assert {path for path in found if path.startswith("train/")} == of(*methods, stages=("train",))
    measured = {path for path in found if path.startswith("evaluate/")}
    untrained = of("untrained", stages=("evaluate",)) if key == "model.use_s1" else set()
    assert measured == of(*methods, stages=("evaluate",)) | untrained


def test_how_methods_are_measured_changes_no_training(resolved, unchanged):
    found = changed(unchanged, resolved({"evaluate.edges": 0.3}))
    every = (*TRAINED, *RELEASED, *BASELINES)
    assert found == {*of(*every, stages=("evaluate",)), "report.json"}
    found = changed(unchanged, resolved({"benchmarks.vimeo90k.protocol": "another"}))
    ahead = {"ifrvp", "last"}  # which no septuplet is long enough for
    assert found == {*of(*(set(every) - ahead), stages=("evaluate",)), "report.json"}


def test_footage_concerns_its_own_sets_alone(resolved, unchanged):
    found = changed(unchanged, resolved({"profiles.demo.sources.davis.render.test": 3}))
    assert found == {"download.json", "clips/davis.json", "report.json"}
    found = changed(unchanged, resolved({"profiles.demo.clips.sets.davis.spacing": 3}))
    assert found == {"clips/davis.json", "report.json"}


def test_other_weights_of_a_released_method_are_another_method(resolved, unchanged, tmp_path):
    (tmp_path / "weights").mkdir()
    for path in (params.ROOT / "weights").glob("*.safetensors"):
        (tmp_path / "weights" / path.name).symlink_to(path)
    (tmp_path / "weights" / "matched.safetensors").unlink()
    other = params.ROOT / "weights" / "matched_ctx3.safetensors"
    (tmp_path / "weights" / "matched.safetensors").write_bytes(other.read_bytes())
    after = resolved()
    assert changed(unchanged, after) == {"evaluate/matched.json", "report.json"}
    assert after["evaluate/matched.json"]["method"]["clip"]["frames"] == 3  # its header's window
    (tmp_path / "weights" / "matched.safetensors").write_bytes(other.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"matched\.safetensors: damaged"):
        resolved()
    (tmp_path / "weights" / "matched.safetensors").unlink()
    with pytest.raises(UserError, match=r"matched\.safetensors: no weights there"):
        resolved()


def test_a_clip_set_called_train_is_checked_as_a_clip_set(resolved):
    with pytest.raises(UserError, match=r"clips\.sets\.train\.strid: unknown key; did you mean 'stride'"):
        resolved({"profiles.demo.clips.sets.train.strid": 2})


def test_another_configuration_than_the_written_one_is_refused_with_both_values(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(UserError, match=r"x\.json: not there, or damaged; run `dvc repro`"):
        check(path, {}, "demo")
    path.write_text(json.dumps({"a": {"b": [1, 2]}}))
    check(path, {"a": {"b": (1, 2)}}, "demo")
    with pytest.raises(UserError, match=r"a\.b is \[1, 2\] there and \[1, 3\] here"):
        check(path, {"a": {"b": (1, 3)}}, "demo")


def test_the_first_difference_is_the_first_by_name():
    assert first_difference({"b": 1, "a": {"c": 1}}, {"b": 2, "a": {"c": 2}}) == "a.c is 1 there and 2 here"
    assert first_difference({"a": 1}, {}) == "a is 1 there and None here"
    assert first_difference({"a": {"b": {"c": 1}}}, {"a": {}}) == "a.b is only there"  # and not all of it
    assert first_difference({"a": (1, 2)}, {"a": [1, 2]}) is None


def test_a_part_of_the_loss_that_is_off_may_be_left_out_on_either_side():
    older, newer = {"loss": {"l1": 1.0, "census": 0.0}}, {"loss": {"l1": 1.0}}
    assert first_difference(older, newer) is None
    assert first_difference({"method": {"training": newer}}, {"method": {"training": older}}) is None
    on = {"loss": {"l1": 1.0, "census": 0.5}}
    assert first_difference(on, newer) == "loss.census is 0.5 there and 0.0 here"
    assert first_difference(older, on) == "loss.census is 0.0 there and 0.5 here"
