"""Drop and rebuild: the numbers that the tool is judged by."""

import numpy as np
import pytest

from benchmarks.rebuild import minterpolate, read, rebuild
from benchmarks.video_cost import SIZES, cost, ratio
from lift.metrics import Lpips

LPIPS = Lpips()


def test_a_still_scene_is_rebuilt_exactly(picture):
    quality, seconds = rebuild([picture(0)] * 5, lambda images: [images[0]] * 5, LPIPS)
    assert quality == {"psnr": 100, "ssim": pytest.approx(1), "lpips": pytest.approx(0, abs=1e-6)}
    assert seconds >= 0


def test_what_is_rebuilt_is_compared_with_what_was_dropped(picture):
    images = [picture(k) for k in range(5)]
    quality, _ = rebuild(images, lambda kept: [kept[0], images[1], kept[1], images[3], kept[2]], LPIPS)
    assert quality["psnr"] == 100
    assert all(a is b for a, b in zip(images[::2], _given(images), strict=True))


def _given(images):
    given = []
    rebuild(images, lambda kept: given.extend(kept) or [images[0]] * 5, LPIPS)
    return given


def test_ffmpegs_filter_gives_the_frames_between(picture):
    images = [picture(k, (96, 128), speed=4.0) for k in range(9)]
    made = list(minterpolate(images[::2]))
    assert len(made) == 9
    assert all(a is b for a, b in zip(made[::2], images[::2], strict=True))
    for k in (3, 5):
        shifts = [
            np.abs(made[k].astype(float) - picture(k + s, (96, 128), speed=4.0)).mean() for s in (-1, 0, 1)
        ]
        assert int(np.argmin(shifts)) == 1


def test_an_odd_number_of_frames_is_read(tmp_path, video, picture):
    assert len(read(video(tmp_path / "in.mkv", count=8), 6)) == 5
    assert len(read(tmp_path / "in.mkv", 99)) == 7


def test_the_cost_of_a_frame_is_measured(weights_file):
    clock, processor, peak = cost(str(weights_file), (64, 64), 3, 1)
    assert clock > 0
    assert processor > 0
    assert peak > 0


def test_ratios_are_of_a_model_of_pictures_and_of_files(monkeypatch, capsys):
    monkeypatch.setitem(SIZES, "480p", (64, 64))
    ratio(["average"], 1, 1)
    rows = [row.split(" | ") for row in capsys.readouterr().out.splitlines()[2:]]
    named = ["| rife_v4, as a model", "| rife_v4, from pictures to pictures", "| average"]
    assert [row[0] for row in rows] == named
    assert all(float(row[1]) > 0 for row in rows)
