"""What a window gives to RIFE: every frame measured once, tables of the same rows, strips."""

import csv
import math

import numpy as np
import pytest

from lift.errors import UserError
from stages import gain


@pytest.fixture
def footage(tmp_path, made):
    """Two sequences of DAVIS and one video of UCF101, 64 pixels wide, that move evenly."""
    root = made.davis(tmp_path / "real", train=("bear",), test=("camel",), frames=12)
    for seed, name in enumerate(("bear", "camel")):
        wide = made.picture(seed, (48, 96))
        for i in range(12):
            pixels = np.ascontiguousarray(wide[:, 2 * i : 2 * i + 64])
            made.save(root / "JPEGImages" / "480p" / name / f"{i:05d}.jpg", pixels)
    made.ucf101(tmp_path / "real")
    return tmp_path / "real"


def test_each_frame_is_measured_once_by_each_method_and_drawn(footage, tmp_path, capsys):
    out = tmp_path / "out"
    gain.main(str(footage), str(out))
    with (out / "gain.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    main = [row for row in rows if row["method"] in (gain.RIFE, gain.ALONE, "dense", "uniform")]
    assert len(main) == 3 * gain.TARGETS * 4
    assert len(rows) == len(main) + 3 * 2 * 3  # the curve: one frame a video, two samplings, three widths
    assert all(math.isfinite(float(row["lpips"])) for row in main)
    text = (out / "gain.md").read_text()
    assert text in capsys.readouterr().out
    mean = np.mean([float(row["psnr"]) for row in main if (row["set"], row["method"]) == ("davis", "dense")])
    assert f"| dense | {mean:.2f} |" in text
    assert sorted(path.name for path in out.glob("*.png")) == [
        "davis_bear.png",
        "davis_camel.png",
        "ucf101_A_v_A_g01_c01.png",
    ]
    before = (out / "gain.csv").stat().st_mtime_ns
    gain.main(str(footage), str(out))
    assert (out / "gain.csv").stat().st_mtime_ns == before


def test_a_folder_without_footage_is_refused(tmp_path):
    with pytest.raises(UserError, match="DAVIS"):
        gain.main(str(tmp_path), str(tmp_path / "out"))
