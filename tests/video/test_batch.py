"""Several inputs into one folder."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from lift.video.batch import _duration, _size

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--model", "average")


@pytest.fixture
def three(tmp_path, video):
    """Give three videos of which the middle one is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "2.mkv").write_bytes(b"no video")
    return [video(folder / "1.mkv"), folder / "2.mkv", video(folder / "3.mkv", count=7)]


def test_several_videos_go_into_a_folder_and_a_bad_one_costs_the_others_nothing(
    tool, tmp_path, three, planes
):
    status, said = tool(*three, tmp_path / "out", *QUICK)
    assert status == 1
    assert "error: " in said.splitlines()[1]  # before any work
    assert f"2 of 3 done; not: {tmp_path / 'out' / '2.mkv'}" in said
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"1.mkv", "3.mkv"}
    assert [len(planes(tmp_path / "out" / name)[0]) for name in ("1.mkv", "3.mkv")] == [9, 13]


def test_what_is_done_is_not_made_again(tool, tmp_path, three):
    tool(*three, tmp_path / "out", *QUICK)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "1.mkv").unlink()
    _, said = tool(*three, tmp_path / "out", *QUICK)
    assert "1 of 3 are there already" in said
    after = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    assert {file.name for file in after if after[file] == before[file]} == {"3.mkv"}


def test_a_folder_of_sequences_and_videos_stands_for_them(tool, tmp_path, video, picture):
    folder = tmp_path / "in"
    for name in ("10", "9", ".hidden"):
        (folder / name).mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(folder / name / f"{k}.png"), picture(k))
    video(folder / "film.avi", codec="mpeg4")
    (folder / "notes.txt").write_text("")
    status, said = tool(folder, tmp_path / "out", *QUICK)
    assert status == 0
    assert "3 of 3 done" in said
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"9", "10", "film.avi"}
    assert len(list((tmp_path / "out" / "9").iterdir())) == 5


def test_two_inputs_of_one_name_and_a_file_in_the_way_are_refused_before_the_work(tool, tmp_path, video):
    (tmp_path / "b").mkdir()
    one, other = video(tmp_path / "a.mkv"), video(tmp_path / "b" / "a.mkv")
    status, said = tool(one, other, tmp_path / "out", *QUICK)
    assert (status, "both" in said, (tmp_path / "out").exists()) == (1, True, False)
    status, said = tool(one, tmp_path / "b", video(tmp_path / "c.mkv"), *QUICK)
    assert (status, "several inputs go into a folder" in said) == (1, True)


@pytest.fixture(scope="module")
def long(video, tmp_path_factory):
    """Give a short video, and one that takes so long that a kill finds it in work."""
    folder = tmp_path_factory.mktemp("long")
    return [video(folder / f"{k}.mkv", count=count, size=(120, 160)) for k, count in enumerate((3, 150))]


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_leaves_whole_outputs_and_a_further_run_makes_what_is_missing(
    tool, tmp_path, long, planes, kill
):
    inputs = long
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lift.video", *map(str, inputs), str(out), *QUICK]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not ((out / "0.mkv").exists() and list(out.glob(".*"))) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(kill)
        said = process.stderr.read()
    assert process.returncode != 0
    assert [file.name for file in out.iterdir() if not file.name.startswith(".")] == ["0.mkv"]
    if kill == signal.SIGTERM:
        assert f"stopped; 1 of 2 are whole; missing: {out / '1.mkv'}; run the same command again" in said
        assert [file.name for file in out.iterdir()] == ["0.mkv"]
    status, said = tool(*inputs, out, *QUICK)
    assert (status, "1 of 2 are there already" in said) == (0, True)
    assert len(planes(out / "1.mkv")[0]) == 299


def test_a_dry_run_tells_frames_time_and_size_and_writes_nothing(tool, tmp_path, video):
    given = video(tmp_path / "in.mkv", count=30)
    status, said = tool(given, tmp_path / "out.mp4", "--dry-run", "--fps", "60", *QUICK)
    assert status == 0
    assert "72 frames from 30, about " in said
    assert re.search(r"about \d+ s \(\d+\.\d\d s for each frame made, 64 x 48\), about [\d.]+ kB\n", said)
    assert [file.name for file in tmp_path.iterdir()] == ["in.mkv"]
    assert tool(tmp_path / "none.mkv", tmp_path / "out.mp4", "--dry-run", *QUICK)[0] == 1


def test_times_and_sizes_are_written_with_their_units():
    assert [_duration(s) for s in (0.2, 59.6, 3599, 7384)] == [
        "0 s",
        "1 min 00 s",
        "59 min 59 s",
        "2 h 03 min",
    ]
    sizes = [_size(count) for count in (12, 999.7, 110_400, 2.5e9, 3e12)]
    assert sizes == ["12 bytes", "1 kB", "110 kB", "2.5 GB", "3 TB"]


def test_repeats_are_told_in_one_line_and_kept_if_asked(tool, tmp_path, picture, planes):
    (tmp_path / "in").mkdir()
    for k in range(16):
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), picture(k // 2, speed=3.0))
    status, said = tool(tmp_path / "in", tmp_path / "out", *QUICK)
    assert status == 0
    assert said.count("the motion between distinct frames is smoothed") == 1
    assert "31 frames from 16, 8 of them repeated" in said
    _, kept = tool(tmp_path / "in", tmp_path / "kept", *QUICK, "--repeats", "keep")
    assert kept.count("they are kept") == 1

    def distinct(folder):
        return len({file.read_bytes() for file in folder.iterdir()})

    assert (distinct(tmp_path / "out"), distinct(tmp_path / "kept")) == (29, 15)
