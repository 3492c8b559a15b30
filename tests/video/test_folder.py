"""Folders of pictures, in and out."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from lift.video.choose import choose
from lift.video.run import Job, run

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
