"""The Makefile's recipes that do more than call one command, with a stand-in for DVC."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# As DVC: leaves the profile in params.yaml, whatever comes of the run.
DVC = """#!/bin/bash
echo "$*" >> called
echo "profile: {study: [study]}" > params.yaml
[ -e waits ] && sleep 30
[ ! -e fails ]
"""


@pytest.fixture
def place(tmp_path):
    """Give a folder with the Makefile, a params.yaml, and an environment that is ready."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "params.yaml").write_text("profile: {demo: [demo]}  # as the user has it\n")
    dvc = tmp_path / ".venv" / "bin" / "dvc"
    dvc.parent.mkdir(parents=True)
    dvc.write_text(DVC)
    dvc.chmod(0o755)
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


def make(place, *more):
    command = ["make", "study", *more]
    # Where the tests run in a shell's background SIGINT is ignored, which what they start would inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(command, cwd=place, start_new_session=True, stderr=subprocess.PIPE, text=True)


def left(place):
    assert list((place / ".dvc" / "tmp").iterdir()) == []
    return (place / "params.yaml").read_text()


def test_study_takes_footage(place):
    make(place, "GIVEN=ucf101=../real davis=/data/DAVIS").communicate(timeout=30)
    (call,) = (place / "called").read_text().splitlines()
    paths = (
        "-S ++profiles.study.sources.ucf101.path=../real -S ++profiles.study.sources.davis.path=/data/DAVIS"
    )
    assert call == f"exp run -S profile.demo=[] -S profile.study=[study] {paths}"


@pytest.mark.parametrize("fails", [False, True])
def test_study_leaves_params_as_they_were(place, fails):
    before = (place / "params.yaml").stat().st_mode, (place / "params.yaml").read_text()
    if fails:
        (place / "fails").touch()
    process = make(place)
    _, said = process.communicate(timeout=30)
    assert (process.returncode == 0) is not fails, said
    calls = (place / "called").read_text().splitlines()
    assert calls == ["exp run -S profile.demo=[] -S profile.study=[study]"]
    assert ((place / "params.yaml").stat().st_mode, left(place)) == before


def test_a_report_of_nothing_is_one_line_and_calls_no_dvc(place):
    def report():
        command = ["make", "--silent", "report"]
        # `make test` would make this one a part of itself, which says so in its messages
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, env=env)

    done = report()
    assert done.returncode != 0
    first, *others = done.stderr.splitlines()
    assert first == "error: data/demo/results: nothing is measured yet; run make repro first"
    assert all(line.startswith("make: ***") for line in others)
    assert not (place / "called").exists()
    assert not (place / "data").exists()
    made = place / "data" / "demo" / "results" / "dis" / "made_from.json"
    made.parent.mkdir(parents=True)
    made.touch()
    assert report().returncode == 0
    assert (place / "called").read_text() == "repro --single-item resolve pictures report\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_study_leaves_params_as_they_were_where_it_is_stopped(place, number):
    before = (place / "params.yaml").read_text()
    (place / "waits").touch()
    process = make(place)
    deadline = time.monotonic() + 30
    while "study" not in (place / "params.yaml").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, number)  # as a terminal's Ctrl-C reaches all of them
    process.communicate(timeout=30)
    assert process.returncode
    assert left(place) == before
