"""Videos that are stored turned."""

import av
import cv2
import numpy as np
import pytest

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.run import run

AVERAGE = choose("average")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_turned_video_stays_turned(tmp_path, video, planes, suffix):
    given = video(tmp_path / "in.mp4", codec="libx264", prepare=lambda c, s: s.set_display_rotation(90))
    assert planes(given)[2].rotation == 90
    run(Job(input=given, output=tmp_path / f"out{suffix}"), AVERAGE)
    first = planes(tmp_path / f"out{suffix}")[2]
    assert first.rotation == 90
    assert (first.height, first.width) == (48, 64)


@pytest.mark.parametrize("suffix", [".avi", ".webm", ".gif", ""])
def test_where_turning_cannot_be_stored_the_pixels_are_turned(tmp_path, video, suffix):
    given = video(tmp_path / "in.mp4", codec="libx264", prepare=lambda c, s: s.set_display_rotation(90))
    output = tmp_path / f"out{suffix}"
    run(Job(input=given, output=output), AVERAGE)
    if suffix:
        with av.open(str(output)) as container:
            found = next(container.decode(video=0)).to_ndarray(format="rgb24")
    else:
        found = cv2.imread(str(output / "000001.png"))[..., ::-1]
    with av.open(str(given)) as container:
        expected = np.rot90(next(container.decode(video=0)).to_ndarray(format="rgb24"))
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 16  # of a palette's 216 colours, in a gif
