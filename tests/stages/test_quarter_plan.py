"""A training by the clock: the arithmetic of its plan."""

import pytest

from lift.config.quarter import load_quarter
from lift.errors import UserError
from stages import quarter, quarter_data, quarter_train
from tests import params


def test_as_many_scenes_as_the_time_gives_and_no_more_than_wanted():
    assert quarter_data.scenes(40, 14, 0.7, 5, 2400) == 800
    assert quarter_data.scenes(40, 14, 0.7, 5, 500) == 500
    assert quarter_data.scenes(-3, 14, 0.7, 5, 500) == 5  # the measurement itself took longer than there was


def test_what_a_group_or_a_method_leaves_goes_to_those_behind_it():
    assert quarter_train.share([0.6, 0.4], 100) == pytest.approx(60)
    assert quarter_train.share([0.4], 70) == pytest.approx(70)
    assert quarter_train.share([0.3, 0.2], 60) == pytest.approx(36)
    assert quarter_train.share([0.06, 0.04], 200) == pytest.approx(120)
    assert quarter_train.share([0.04], -100) == 0  # late: nothing is left


def test_methods_of_a_group_take_equally_many_steps_within_its_time():
    per_step, finish, margin = (0.05, 0.03), 5.0, 0.1
    steps = quarter_train.steps(200, per_step, finish, margin)
    took = steps * sum(per_step) + finish * len(per_step)
    assert took <= 180 < took + sum(per_step)
    assert quarter_train.steps(9, per_step, finish, margin) == 0


def test_half_the_bits_must_pay():
    seconds = {("32-true", True): 0.10, ("32-true", False): 0.12, ("bf16-mixed", True): 0.095}
    assert quarter_train.chosen(seconds, 1.1) == ("32-true", True)
    assert quarter_train.chosen({**seconds, ("bf16-mixed", True): 0.05}, 1.1) == ("bf16-mixed", True)
    assert quarter_train.chosen({**seconds, ("32-true", False): 0.04}, 1.1) == ("32-true", False)


def test_files_that_are_too_large_to_be_brought_home_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quarter, "SIZE", 100)
    (tmp_path / "lift15.safetensors").write_bytes(bytes(101))
    (tmp_path / "ctx3.safetensors").write_bytes(bytes(100))
    quarter._Quarter(load_quarter(params.SOURCE), 0, tmp_path, "")._pack()
    (line,) = capsys.readouterr().out.splitlines()
    assert "lift15.safetensors: 0.0 MiB are too many" in line


def test_the_project_s_own_plan_names_methods_that_there_are():
    plan = load_quarter(params.SOURCE)
    trained = params.read()["profiles"]["quarter"]["methods"]["trained"]
    assert [name for group in plan.groups for name in group.methods] == trained
    assert sum(group.share for group in plan.groups) == pytest.approx(1)
    # What is promised of nine minutes: more than half of them train.
    assert plan.tests + plan.speed + plan.write < 9 * 60 / 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"groups": [{"methods": ["lift51"], "share": 1.0}]}, "did you mean 'lift15'"),
        ({"groups": [{"methods": [], "share": 1.0}]}, "a group needs methods"),
        ({"margin": 2.0}, r"quarter.margin: 2.0 is out of range"),
    ],
)
def test_a_wrong_plan_is_refused_by_its_key(tmp_path, change, words):
    raw = params.read()
    raw["quarter"].update(change)
    with pytest.raises(UserError, match=words):
        load_quarter(params.write(raw, tmp_path))
