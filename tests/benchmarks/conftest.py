"""Footage for the reference command, and a size of seconds."""

import shutil

import pytest
import yaml

from benchmarks.reference import profile
from lift.config.footage import Render
from lift.config.yaml12 import read
from lift.scenes.layouts import WRITERS

SIZE = (64, 64)
FRAMES = {"vimeo90k": 7, "snu_film": 17}


def render(layout, folder, count, part="test", frames=20):
    counts = {"train": 0, "test": 0, part: count}
    rules = Render(
        **counts, frames=FRAMES.get(layout, frames), size=SIZE, speed=(0.5, 1.5), centres=1, camera=None
    )
    WRITERS[layout](folder, rules, 3, target=1)


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    """Make CLIPS, three sequences of which one is left out, and REAL, two videos in every layout."""
    root = tmp_path_factory.mktemp("footage")
    render("davis", root / "made", 3, "train")
    sequences = sorted((root / "made/DAVIS/JPEGImages/480p").iterdir())
    for kind, path in zip(("walks", "ucf101", "drives"), sequences, strict=True):
        shutil.copytree(path, root / "clips" / kind / path.name)
    for layout in profile.LAYOUTS:
        render(layout, root / layout, 2)
        shutil.copytree(root / layout, root / "real", dirs_exist_ok=True)
    return root


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Name a size `tiny` in the place of the others: two steps."""
    rules = read(profile.SIZES)
    size = rules["small"]
    size["scenes"].update(train=10, frames=12, size=[64, 64])
    size["profile"]["train"].update(samples_per_epoch=4, batch=2, warmup=1, log_every=1, validate_every=1)
    size["profile"]["train"]["phases"][0].update(epochs=1, crop=[32, 32])
    size["profile"]["sources"]["scenes"]["render"].update(test=5, size=[64, 64])
    size["profile"]["clips"]["sets"]["train"].update(max_clips=2, resize=[64, 96])
    size["profile"]["clips"]["sets"]["validation"].update(max_clips=1, resize=[64, 96])
    del rules["small"], rules["full"]
    rules["tiny"] = size
    rules["all"]["report"]["resamples"] = 100
    path = tmp_path / "sizes.yaml"
    path.write_text(yaml.safe_dump(rules, sort_keys=False))
    monkeypatch.setattr(profile, "SIZES", path)
    return tmp_path / "out"
