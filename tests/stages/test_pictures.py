"""Which clips are shown, and the archive that holds their frames."""

import csv
import io
import zipfile

import cv2
import numpy as np
import torch

from stages.pictures import Chosen, choose, write_pictures

GAINS = {"a1": ("a", -2.0), "a2": ("a", -1.5), "b1": ("b", 0.5), "c1": ("c", -1.0), "d1": ("d", 3.0)}


def test_the_worst_are_of_different_videos_and_the_middle_is_of_all():
    chosen = choose("davis", GAINS, 3)
    assert {one.rank: one.clip for one in chosen} == {
        "worst1": "a1",
        "worst2": "c1",
        "worst3": "b1",
        "middle": "c1",
    }
    assert [one.gain for one in chosen] == [-2.0, -1.0, 0.5, -1.0]


def test_of_few_videos_all_are_worst_and_of_none_nothing_is_chosen():
    assert len(choose("davis", GAINS, 9)) == 4 + 1
    assert choose("davis", {}, 3) == []


def test_pictures_come_back_as_they_went_and_equal_ones_give_equal_bytes(tmp_path):
    frame = torch.rand(3, 8, 12, generator=torch.Generator().manual_seed(1))
    chosen = [
        (
            Chosen(benchmark="davis", clip="x@1", rank="worst1", gain=-2.0),
            {"target": frame, "mine": frame / 2},
        )
    ]
    for name in ("one.zip", "two.zip"):
        write_pictures(tmp_path / name, chosen)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        (row,) = csv.DictReader(io.StringIO(archive.read("index.csv").decode()))
        pixels = np.frombuffer(archive.read("davis/worst1/target.png"), np.uint8)
    assert (row["clip"], row["rank"], row["gain"], row["pictures"]) == ("x@1", "worst1", "-2", "target mine")
    found = cv2.imdecode(pixels, cv2.IMREAD_COLOR_RGB).transpose(2, 0, 1)
    assert np.array_equal(found, (255 * frame.numpy()).round())
