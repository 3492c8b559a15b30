"""What `download` records of footage: other content is noticed, equal footage is kept."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from lift.errors import UserError
from lift.scenes import layouts
from stages import clips, download
from tests import params

RECORD = Path("data/study/raw/sources.json")


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Stand in an empty folder; the small profile `study` has a local copy and rendered scenes."""
    monkeypatch.chdir(tmp_path)
    found = params.read()
    profile = found["profiles"]["study"]
    profile["sources"]["scenes"]["render"].update(train=2, test=1, size=[32, 32])
    profile["sources"]["davis"] = {"path": "mine"}
    for i in range(20):
        path = Path("mine/DAVIS/JPEGImages/480p/walk") / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(path), np.roll(noise, 2 * i, axis=1))
    for name, lines in (("train", ""), ("val", "walk\n")):
        path = Path("mine/DAVIS/ImageSets/2017") / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines)
    params.methods(found, "study", ("lift15", "ctx3"))
    params.resolved(found, "study")
    return found


@pytest.fixture
def rendered(monkeypatch):
    """List the sources that are rendered."""
    seen = []
    write = layouts.write

    def watched(name, *given, **named):
        seen.append(name)
        write(name, *given, **named)

    monkeypatch.setattr(layouts, "write", watched)
    return seen


def test_a_local_copy_is_recorded_by_its_content(raw):
    download.main("study")
    first = RECORD.read_bytes()
    assert json.loads(first)["davis"]["files"] == 22
    download.main("study")
    assert RECORD.read_bytes() == first
    Path("mine/DAVIS/ImageSets/2017/train.txt").write_text("\n")
    download.main("study")
    assert RECORD.read_bytes() != first


def test_footage_that_changes_under_its_digest_is_refused_and_nothing_is_lost(raw):
    download.main("study")
    clips.main("study", "davis")
    made = {path: path.read_bytes() for path in Path("data/study/clips/davis").iterdir()}
    frame = Path("mine/DAVIS/JPEGImages/480p/walk/00007.jpg")
    frame.write_bytes(frame.with_name("00003.jpg").read_bytes())
    with pytest.raises(
        UserError, match=r"mine: has changed under its digest: 22 files of .*`dvc repro` again"
    ) as caught:
        clips.main("study", "davis")
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in Path("data/study/clips/davis").iterdir()} == made
    clips.main("study", "scenes")  # which has nothing of it
    download.main("study")
    clips.main("study", "davis")
    assert (
        Path("data/study/clips/davis/frames.zip").read_bytes()
        != made[Path("data/study/clips/davis/frames.zip")]
    )


@pytest.mark.parametrize("record", ["{}", '{"davis": null}', '{"davis": {}}', "null"])
def test_what_was_never_recorded_is_refused(raw, record):
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(record)
    with pytest.raises(UserError, match=r"sources\.json: says nothing of davis"):
        clips.main("study", "davis")


def test_equal_scenes_are_not_rendered_again_and_others_or_damaged_ones_are(raw, rendered):
    download.main("study")
    download.main("study")
    assert rendered == ["scenes"]
    frame = next(Path("data/study/raw/scenes").rglob("*.png"))
    whole = frame.read_bytes()
    frame.write_bytes(b"damaged")
    download.main("study")
    assert rendered == ["scenes"] * 2
    assert frame.read_bytes() == whole
    raw["profiles"]["study"]["sources"]["scenes"]["render"]["speed"] = [0.5, 1.0]
    params.resolved(raw, "study")
    download.main("study")
    assert rendered == ["scenes"] * 3


def test_an_experiment_s_own_tree_takes_footage_from_the_checkout(raw, rendered, tmp_path, monkeypatch):
    download.main("study")
    tree = tmp_path / ".dvc/tmp/exps/standalone/tmp1"
    tree.mkdir(parents=True)
    shutil.copytree("data/study/resolved", tree / "data/study/resolved")
    shutil.copy("params.yaml", tree)
    monkeypatch.chdir(tree)
    download.main("study")  # the path `mine` is relative, and found in the checkout
    assert rendered == ["scenes"]
    assert RECORD.read_bytes() == (tmp_path / RECORD).read_bytes()
    ours, theirs = (next((base / "data/study/raw/scenes").rglob("*.png")) for base in (tree, tmp_path))
    assert ours.samefile(theirs)
    raw["profiles"]["study"]["sources"]["scenes"]["render"]["speed"] = [0.5, 1.0]
    params.resolved(raw, "study")
    before = theirs.read_bytes()
    download.main("study")
    assert rendered == ["scenes"] * 2
    assert theirs.read_bytes() == before != ours.read_bytes()
