"""The command line of the stages: a user's mistake is one line and exit code 1."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from stages import resolve
from tests import params

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def refused(monkeypatch):
    """Give a function that runs a stage as `python -m` does and gives the line with which it ends.

    In this process: Python writes such a line to stderr and exits with 1, as the last test here sees.
    """

    def call(stage, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{stage}.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "stages" / f"{stage}.py"), run_name="__main__")
        (line,) = ended.value.code.splitlines()
        return line

    return call


def test_help_is_the_usage_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--help"])
    runpy.run_path(str(ROOT / "stages" / "evaluate.py"), run_name="__main__")
    assert capsys.readouterr().out == "usage: python -m stages.evaluate PROFILE METHOD [BENCHMARK]\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["resolve", "demmo"], "profiles.demmo: unknown key; did you mean 'demo'?"),
        (["clips", "demmo", "train"], "profiles.demmo: unknown key; did you mean 'demo'?"),
        (["clips", "demo", "trian"], "clips.sets.trian: unknown key; did you mean 'train'?"),
        (["clips", "demo"], "usage: python -m stages.clips PROFILE SPLIT"),
        (["report", "demo", "twice"], "usage: python -m stages.report PROFILE"),
        (["evaluate", "demo"], "usage: python -m stages.evaluate PROFILE METHOD [BENCHMARK]"),
    ],
)
def test_a_mistake_is_one_line(refused, monkeypatch, arguments, words):
    monkeypatch.chdir(ROOT)
    assert words in refused(*arguments)


def test_what_is_not_resolved_and_what_is_not_cut_are_named_with_what_to_run(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params.write(params.read())
    told = refused("train", "demo", "ctx3")
    assert told.startswith("error: data/demo/resolved/train/ctx3.json: not there")
    assert "python -m stages.resolve demo" in told
    resolve.main("demo")
    told = refused("train", "demo", "ctx3")
    assert told.startswith("error: data/demo/clips/train/clips.csv: no such file: the set train is not cut")


def test_params_that_changed_since_they_were_resolved_are_refused_with_both_values(
    refused, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    raw = params.read()
    params.resolved(raw, "demo")
    raw["model"]["use_s1"] = False
    params.write(raw)
    told = refused("train", "demo", "lift15")
    assert "params.yaml has changed since: model.use_s1 is True there and False here" in told


def test_outside_the_repository_the_missing_file_is_named_in_one_line_with_exit_code_1(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stages.clips", "demo", "train"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "params.yaml: not found" in done.stderr
    assert len(done.stderr.splitlines()) == 1
