"""Stage verify: a real clone of a small repository, rebuilt by a stand-in for `dvc`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lift.config import yaml12
from lift.environment import processor
from lift.errors import UserError
from stages import verify
from tests import params

# Runs in the clone, as DVC would: notes how it was called, then makes what the test wants made.
DVC = """#!/bin/sh
echo "$@" > "$REBUILT/called"
cp params.yaml "$REBUILT/params.yaml"
[ ! -e "$REBUILT/fails" ] || exit 3
cp -r "$REBUILT/made/." .
"""
METRICS = {"davis": {"psnr": 30.0, "lpips": 0.0100}}
OTHER = "another kind of processor"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Stand in a repository; give (commit(processor, profile), rebuild(files))."""
    here, rebuilt, commands = tmp_path / "here", tmp_path / "rebuilt", tmp_path / "commands"
    for folder in (here, rebuilt / "made", commands):
        folder.mkdir(parents=True)
    (commands / "dvc").write_text(DVC)
    (commands / "dvc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("REBUILT", str(rebuilt))
    monkeypatch.chdir(here)
    params.write(params.read())

    def commit(made_on, profile="demo"):
        for place in (here, rebuilt / "made"):
            write(place / f"reports/{profile}/environment.json", json.dumps({"processor": made_on}))
            write(place / f"reports/{profile}/figure.png", "drawn")
            write(place / f"data/{profile}/results/x/metrics.json", json.dumps(METRICS))
            write(place / "dvc.lock", "locked: 1")
        git("init", "--quiet")
        git("add", "--all")
        git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "x")

    def rebuild(**files):
        for name, text in files.items():
            write(rebuilt / "made" / name.replace("__", "/").replace("_dot_", "."), text)

    return commit, rebuild, rebuilt


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def git(*arguments):
    subprocess.run(["git", *arguments], check=True)


def metrics(**changed):
    return json.dumps({"davis": METRICS["davis"] | changed})


def test_equal_bytes_pass_and_the_whole_pipeline_is_forced(repository, capfd):
    commit, _, rebuilt = repository
    commit(processor())
    verify.main("demo")
    assert (rebuilt / "called").read_text() == "repro --force\n"
    assert "the same kind of processor (every byte must be equal): 4 files compared, 0 differ" in said(capfd)


@pytest.mark.parametrize("name", ["reports__demo__figure_dot_png", "dvc_dot_lock"])
def test_on_the_same_kind_of_processor_every_byte_counts(repository, capfd, name):
    commit, rebuild, _ = repository
    commit(processor())
    rebuild(**{name: "other"})
    with pytest.raises(SystemExit) as end:
        verify.main("demo")
    assert end.value.code == 1
    assert "1 differ\nFAIL" in said(capfd)


@pytest.mark.parametrize("made_on", ["the same", OTHER])
def test_what_is_not_rebuilt_and_what_is_new_fails(repository, capfd, made_on):
    commit, rebuild, rebuilt = repository
    commit(processor() if made_on == "the same" else made_on)
    (rebuilt / "made/data/demo/results/x/metrics.json").unlink()
    rebuild(reports__demo__tables__more_dot_csv="a\n1\n")
    with pytest.raises(SystemExit):
        verify.main("demo")
    told = said(capfd)
    assert "FAIL  data/demo/results/x/metrics.json: not rebuilt" in told
    assert "FAIL  reports/demo/tables/more.csv: made, but not committed" in told


def test_results_without_a_report_are_said(repository):
    commit, _, _ = repository
    commit(processor())
    git("rm", "--quiet", "reports/demo/environment.json")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "y")
    with pytest.raises(UserError, match=r"reports/demo/environment\.json: not committed"):
        verify.main("demo")


def test_the_smallest_difference_of_a_number_fails_there(repository):
    commit, rebuild, _ = repository
    commit(processor())
    rebuild(data__demo__results__x__metrics_dot_json=metrics(psnr=30.000001))
    with pytest.raises(SystemExit):
        verify.main("demo")


def test_elsewhere_numbers_may_differ_a_little_and_drawings_at_will(repository, capfd):
    commit, rebuild, _ = repository
    commit(OTHER)
    rebuild(
        data__demo__results__x__metrics_dot_json=metrics(psnr=30.1, lpips=0.0105),
        reports__demo__figure_dot_png="drawn otherwise",
        reports__demo__environment_dot_json=json.dumps({"processor": processor()}),
    )
    verify.main("demo")
    lines = said(capfd)
    assert "another kind of processor" in lines
    assert "lpips within 0.005" in lines
    assert "1 files compared, 1 differ\nok  " in lines


@pytest.mark.parametrize("changed", [{"lpips": 0.018}, {"psnr": 30.5}, {"ssim": 0.9}])
def test_elsewhere_each_metric_is_held_to_its_own_scale(repository, capfd, changed):
    commit, rebuild, _ = repository
    commit(OTHER)
    rebuild(data__demo__results__x__metrics_dot_json=metrics(**changed))
    with pytest.raises(SystemExit):
        verify.main("demo")
    assert "FAIL  data/demo/results/x/metrics.json" in said(capfd)


def test_the_profile_that_is_named_is_rebuilt_whichever_is_active(repository):
    commit, _, rebuilt = repository
    commit(processor(), "thesis")
    before = Path("params.yaml").read_bytes()
    verify.main("thesis")
    found = yaml12.read(rebuilt / "params.yaml")
    given = yaml12.read(Path("params.yaml"))
    only = {name: ["thesis"] if name == "thesis" else [] for name in given["profile"]}
    assert found == given | {"profile": only}
    assert Path("params.yaml").read_bytes() == before


def test_a_profile_without_committed_results_and_a_pipeline_that_fails_are_said(repository):
    commit, _, rebuilt = repository
    commit(processor())
    with pytest.raises(UserError, match="nothing of profile thesis is committed"):
        verify.main("thesis")
    (rebuilt / "fails").touch()
    with pytest.raises(UserError, match="dvc repro --force failed"):
        verify.main("demo")


def said(capfd):
    return capfd.readouterr().out
