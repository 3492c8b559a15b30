"""The command line of the stages: a user's mistake is one line and exit code 1."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import params

ROOT = Path(__file__).resolve().parents[1]


def call(*arguments, folder=ROOT):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stages.resolve", "demmo"], "profiles.demmo: unknown key; did you mean 'demo'?"),
        (["stages.clips", "demmo", "train"], "profiles.demmo: unknown key; did you mean 'demo'?"),
        (["stages.clips", "demo", "trian"], "clips.sets.trian: unknown key; did you mean 'train'?"),
        (["stages.clips", "demo"], "usage: python -m stages.clips PROFILE SPLIT"),
        (["stages.report", "demo", "twice"], "usage: python -m stages.report PROFILE"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(arguments, words):
    done = call(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_not_resolved_and_what_is_not_cut_are_named_with_what_to_run(tmp_path):
    params.write(params.read(), tmp_path)
    done = call("stages.train", "demo", "ctx3", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: data/demo/resolved/train/ctx3.json: not there")
    assert "python -m stages.resolve demo" in done.stderr
    assert call("stages.resolve", "demo", folder=tmp_path).returncode == 0
    done = call("stages.train", "demo", "ctx3", folder=tmp_path)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "clips.csv" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "error: data/demo/clips/train/clips.csv: no such file: the set train is not cut"
    )
    assert "Traceback" not in done.stderr


def test_params_that_changed_since_they_were_resolved_are_refused_with_both_values(tmp_path):
    raw = params.read()
    params.write(raw, tmp_path)
    assert call("stages.resolve", "demo", folder=tmp_path).returncode == 0
    raw["model"]["use_s1"] = False
    params.write(raw, tmp_path)
    done = call("stages.train", "demo", "lift15", folder=tmp_path)
    assert done.returncode == 1
    assert "params.yaml has changed since: model.use_s1 is True there and False here" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_outside_the_repository_the_missing_file_is_named(tmp_path):
    done = call("stages.clips", "demo", "train", folder=tmp_path)
    assert done.returncode == 1
    assert "params.yaml: not found" in done.stderr
