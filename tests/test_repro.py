"""DVC itself over a very small demo: what runs again, what is refused, and that nothing is lost by it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests import params
from tests.test_end_to_end import small

NAMES = ("lift", "stages", "weights", "benchmarks", "dvc.yaml", ".gitignore", ".dvcignore", "Makefile")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Run the whole pipeline once, in a repository of its own; give a function that calls a command there."""
    folder = tmp_path_factory.mktemp("dvc") / "lift"
    folder.mkdir()
    for name in NAMES:
        source = params.ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    raw = params.methods(small(params.read()), "demo", ("lift15", "ctx3"), ("matched",), ("repeat",))
    raw["evaluate"]["probes"] = {}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    author = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t"}
    committer = {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}

    def call(*command, code=0):
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **author, **committer, "PATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    call("git", "init", "--quiet")
    call("dvc", "init", "--quiet")
    call("git", "add", "--all")
    call("git", "commit", "--quiet", "--message", "tiny")
    call("dvc", "repro")
    return folder, call


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_leaves_dvc_lock_alone_to_git_and_a_second_one_does_nothing(place):
    _, call = place
    assert call("git", "status", "--short") in ("?? dvc.lock\n", "")
    call("git", "add", "dvc.lock")
    call("git", "commit", "--quiet", "--allow-empty", "--message", "lock")
    assert "are up to date" in call("dvc", "repro")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_typing_error_ends_in_resolve_with_everything_still_there(place):
    folder, call = place
    before = {path: path.read_bytes() for path in (folder / "data/demo/models").rglob("*.*")}
    kept = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(kept.replace("use_s1: true", "use_s1: flase", 1))
    said = call("dvc", "repro", code=255)
    assert "params.yaml: model.use_s1: expected true or false, found 'flase'" in said
    (folder / "params.yaml").write_text(kept)
    assert {path: path.read_bytes() for path in (folder / "data/demo/models").rglob("*.*")} == before
    assert (folder / "reports/demo/index.html").is_file()
    assert "are up to date" in call("dvc", "repro")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_methods_change_trains_it_alone_and_an_old_result_is_refused_until_then(place):
    folder, call = place
    kept = (folder / "params.yaml").read_text()
    raw = yaml.safe_load(kept)
    raw["ablations"]["ctx3"]["model"] = {"use_s1": False}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    call("dvc", "repro", "--single-item", "resolve@demo")
    page = (folder / "reports/demo/index.html").read_bytes()
    said = call("dvc", "repro", "--single-item", "report@demo", code=255)
    assert "results/ctx3: made from another configuration than today's" in said
    assert "model.use_s1 is True there and False here" in said
    assert (folder / "reports/demo/index.html").read_bytes() == page
    said = call("dvc", "repro")
    assert {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")} == {
        "train@demo-ctx3", "evaluate@demo-ctx3", "pictures@demo", "report@demo",
    }  # fmt: skip
    assert json.loads((folder / "data/demo/metrics.json").read_text()).keys() == {"lift15", "ctx3"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_experiment_ends_and_what_it_changed_is_seen_at_a_glance(place):
    _, call = place
    call("git", "add", "--all")
    call("git", "commit", "--quiet", "--allow-empty", "--message", "before")
    said = call("dvc", "exp", "run", "-S", "model.use_s1=false")
    ran = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
    assert {"train@demo-lift15", "evaluate@demo-lift15", "report@demo"} <= ran
    assert not {name for name in ran if name.startswith(("download", "clips", "released", "baseline"))}
    shown = call("dvc", "exp", "show", "--no-pager", "--only-changed")
    assert max(map(len, shown.splitlines())) <= 200
    heads = next(line for line in shown.splitlines() if "Experiment" in line).split()
    assert heads[:2] == ["Experiment", "Created"]
    assert {"lift15.ucf101", "lift15.scenes", "model.use_s1"} <= set(heads)
    differ = call("dvc", "metrics", "diff")
    assert {line.split()[1] for line in differ.splitlines()[1:]} >= {"lift15.ucf101", "lift15.scenes"}
    assert call("dvc", "params", "diff").split()[-4:] == ["params.yaml", "model.use_s1", "True", "False"]
    call("git", "checkout", "--quiet", ".")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_queued_experiment_ends_without_rendering_anew(place):
    _, call = place
    call("dvc", "exp", "run", "--queue", "--name", "later", "-S", "train.warmup=2")
    call("dvc", "queue", "start")
    while "Running" in (told := call("dvc", "queue", "status")) or "Queued" in told:
        time.sleep(2)
    said = call("dvc", "queue", "logs", "later")
    assert "Success" in told, said
    assert "render" not in said
    assert "later" in call("dvc", "exp", "list", "--name-only").split()
