"""Folders of pictures, in and out."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.run import run

AVERAGE = choose("average")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_to_pictures_are_lossless(tmp_path, picture, dtype):
    (tmp_path / "in").mkdir()
    for k in (2, 10, 1):  # named so that text order differs from the order of numbers
        cv2.imwrite(str(tmp_path / "in" / f"f{k}.png"), picture(k, dtype=dtype)[..., ::-1])
    run(Job(input=tmp_path / "in", output=tmp_path / "out"), AVERAGE)
    files = sorted((tmp_path / "out").iterdir())
    assert [f.name for f in files] == [f"{k:06d}.png" for k in range(1, 6)]
    found = [cv2.imread(str(f), cv2.IMREAD_UNCHANGED)[..., ::-1] for f in files[::2]]
    assert all(np.array_equal(a, picture(k, dtype=dtype)) for a, k in zip(found, (1, 2, 10), strict=True))


def test_a_folder_of_pictures_is_as_open_to_others_as_any_new_folder(tmp_path, video):
    (tmp_path / "usual").mkdir()
    given = video(tmp_path / "in.mkv", count=2)
    for force in (False, True):
        run(Job(input=given, output=tmp_path / "out", force=force), AVERAGE)
        assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_pictures_to_a_video_at_their_rate(tmp_path, picture, planes):
    (tmp_path / "in").mkdir()
    for k in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), picture(k))
    run(Job(input=tmp_path / "in", output=tmp_path / "out.mp4", input_fps=Fraction(10)), AVERAGE)
    assert [float(t) for t in planes(tmp_path / "out.mp4")[0]] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def pictures(folder, files):
    folder.mkdir()
    for name, image in files.items():
        cv2.imwrite(str(folder / name), image[..., ::-1])
    return folder


def read(folder):
    return [cv2.imread(str(file), cv2.IMREAD_UNCHANGED)[..., ::-1] for file in sorted(folder.iterdir())]


def test_hidden_files_are_no_pictures(tool, tmp_path, picture):
    folder = pictures(tmp_path / "in", {f"{k}.png": picture(k) for k in range(3)})
    for k in range(3):
        (folder / f"._{k}.png").write_bytes(b"\0\5\x16\7" + bytes(80))
    assert tool(folder, tmp_path / "out", "--model", "average")[0] == 0
    assert len(read(tmp_path / "out")) == 5


def test_nothing_is_made_across_missing_pictures_and_time_goes_on(tool, tmp_path, picture, planes):
    folder = pictures(tmp_path / "in", {f"frame_{k:04d}.png": picture(k) for k in (1, 2, 3, 7, 8)})
    status, said = tool(folder, tmp_path / "out", "--model", "average")
    assert status == 0
    assert "3 missing between frame_0003.png and frame_0007.png; nothing is made from" in said
    found = read(tmp_path / "out")
    assert len(found) == 9
    assert np.array_equal(found[5], picture(3))
    assert np.array_equal(found[6], picture(7))
    tool(folder, tmp_path / "out.mkv", "--model", "average", "--codec", "ffv1")
    times = [float(time) for time in planes(tmp_path / "out.mkv")[0]]
    assert times == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.16, 0.24, 0.26, 0.28], abs=1e-3)


@pytest.mark.parametrize("deep", [(0, 1), (2, 3), (1,)])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm"])
def test_mixed_depths_all_become_the_deeper_one(tmp_path, picture, deep, suffix):
    kinds = {k: np.uint16 if k in deep else np.uint8 for k in range(4)}
    folder = pictures(tmp_path / "in", {f"{k}{suffix}": picture(k, dtype=kinds[k]) for k in kinds})
    run(Job(input=folder, output=tmp_path / "out"), AVERAGE)
    for k, found in enumerate(read(tmp_path / "out")[::2]):
        given = picture(k, dtype=kinds[k]).astype(int) * (1 if k in deep else 257)
        assert np.array_equal(found, given)


def test_a_damaged_picture_in_the_middle_keeps_what_was_made(tool, tmp_path, picture):
    folder = pictures(tmp_path / "in", {f"{k}.png": picture(k) for k in range(6)})
    data = (folder / "4.png").read_bytes()
    (folder / "4.png").write_bytes(data[: len(data) // 3])
    status, said = tool(folder, tmp_path / "out", "--model", "average")
    assert status == 1
    assert "4.png: damaged" in said
    assert "stopped after 4 pictures" in said
    assert len(read(tmp_path / "out")) == 7


def test_a_name_that_looks_like_a_protocol_is_a_name(tool, tmp_path, video, monkeypatch, planes):
    monkeypatch.chdir(tmp_path)
    video(tmp_path / "Talk: part 1.mp4", codec="libx264")
    status, said = tool("Talk: part 1.mp4", "Talk: smooth.mp4", "--model", "average")
    assert (status, "error" in said) == (0, False)
    assert len(planes(tmp_path / "Talk: smooth.mp4")[0]) == 9
