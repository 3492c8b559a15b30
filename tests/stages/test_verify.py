"""Stage verify: a real clone of a small repository, rebuilt by a stand-in for `dvc`."""

import os
import subprocess
from pathlib import Path

import pytest

from lift.config import yaml12
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
CLIPS = "data/demo/results/x/clips.csv"
VERDICTS = "reports/demo/tables/verdicts.csv"
SUMMARY = "data/demo/clips/davis/summary.json"
FILES = {
    CLIPS: (
        "benchmark,clip,seed,psnr,ssim,lpips,ie,warping\n"
        "davis,a,,30,0.9,0.05,2,\nscenes,b,7,40,0.99,0.01,1,3\n"
    ),
    VERDICTS: "comparison,reading,population,n,psnr,verdict\na - b,width,DAVIS,40,0.5,better\n",
    SUMMARY: '{"clips": 0, "not_given": ["davis"]}',
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Stand in a repository of the demo's results; give what to rebuild in it, and where."""
    here, rebuilt, commands = tmp_path / "here", tmp_path / "rebuilt", tmp_path / "commands"
    for folder in (here, rebuilt / "made", commands):
        folder.mkdir(parents=True)
    (commands / "dvc").write_text(DVC)
    (commands / "dvc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("REBUILT", str(rebuilt))
    monkeypatch.chdir(here)
    params.write(params.read())
    for name, text in FILES.items():
        for place in (here, rebuilt / "made"):
            write(place / name, text)
    git("init", "--quiet")
    git("add", "--all")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "x")
    return lambda name, old, new: write(rebuilt / "made" / name, FILES[name].replace(old, new)), rebuilt


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def git(*arguments):
    subprocess.run(["git", *arguments], check=True)


def failures(capfd):
    with pytest.raises(SystemExit) as end:
        verify.main("demo")
    assert end.value.code == 1
    return [line for line in capfd.readouterr().out.splitlines() if line.startswith("FAIL")]


def test_equal_results_pass_the_pipeline_is_forced_and_what_was_kept_is_told(repository, capfd):
    _, rebuilt = repository
    verify.main("demo")
    assert (rebuilt / "called").read_text() == "repro --force\n"
    told = capfd.readouterr().out
    assert "2 tables compared" in told
    assert "not measured again, as no footage is given: davis" in told
    assert "every verdict is the same" in told


def test_numbers_within_their_own_tolerance_pass_and_the_largest_is_told(repository, capfd):
    rebuild, _ = repository
    rebuild(CLIPS, "davis,a,,30,", "davis,a,,30.01,")
    verify.main("demo")
    assert "psnr 0.01 of 0.02" in capfd.readouterr().out


@pytest.mark.parametrize(("old", "new", "metric"), [
    (",,30,", ",,30.03,", "psnr"), (",0.05,", ",0.06,", "lpips"), ("0.01,1,3", "0.01,1,", "warping"),
    (",,30,", ",,nan,", "psnr"),
])  # fmt: skip
def test_a_clip_beyond_its_tolerance_fails_by_its_name(repository, capfd, old, new, metric):
    rebuild, _ = repository
    rebuild(CLIPS, old, new)
    (line,) = failures(capfd)
    assert CLIPS in line
    assert f": {metric} " in line


def test_another_verdict_fails_however_close_the_numbers(repository, capfd):
    rebuild, _ = repository
    rebuild(VERDICTS, "better", "no difference shown")
    (line,) = failures(capfd)
    assert "a - b, DAVIS" in line or "width, a - b, DAVIS" in line
    assert "'better' was committed, now 'no difference shown'" in line


def test_other_clips_and_what_is_not_rebuilt_fail(repository, capfd):
    rebuild, rebuilt = repository
    rebuild(CLIPS, "scenes,b", "scenes,c")
    write(rebuilt / "made/data/demo/results/new/clips.csv", FILES[CLIPS])
    told = failures(capfd)
    assert any("other clips" in line for line in told)
    assert any("results/new/clips.csv: made, but not committed" in line for line in told)


def test_the_profile_that_is_named_is_rebuilt_on_the_footage_that_is_given(repository, tmp_path):
    _, rebuilt = repository
    before = Path("params.yaml").read_bytes()
    write(tmp_path / "here/reports/study/tables/verdicts.csv", FILES[VERDICTS])
    git("add", "--all")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "y")
    verify.main("study", f"ucf101={tmp_path}")
    found, given = yaml12.read(rebuilt / "params.yaml"), yaml12.read(Path("params.yaml"))
    assert found["profile"] == {name: ["study"] if name == "study" else [] for name in given["profile"]}
    assert found["profiles"]["study"]["sources"]["ucf101"]["path"] == str(tmp_path)
    assert Path("params.yaml").read_bytes() == before
    for wrong in ("ucf101", f"ucf={tmp_path}", "ucf101=nowhere"):
        with pytest.raises(UserError, match="expected SOURCE=FOLDER"):
            verify.main("study", wrong)


def test_a_profile_without_committed_results_and_a_pipeline_that_fails_are_said(repository):
    _, rebuilt = repository
    with pytest.raises(UserError, match="nothing of profile thesis is committed"):
        verify.main("thesis")
    (rebuilt / "fails").touch()
    with pytest.raises(UserError, match="dvc repro --force failed"):
        verify.main("demo")
