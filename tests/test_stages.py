"""The command line of the stages: a user's mistake is one line and exit code 1."""

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_training_before_there_are_clips_names_the_set(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    done = call("stages.train", "demo", "ctx3", folder=tmp_path)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "clips.csv" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "error: data/demo/clips/train/clips.csv: no such file: the set train is not cut"
    )
    assert "Traceback" not in done.stderr


def test_outside_the_repository_the_missing_file_is_named(tmp_path):
    done = call("stages.clips", "demo", "train", folder=tmp_path)
    assert done.returncode == 1
    assert "params.yaml: not found" in done.stderr
