import dataclasses

import numpy as np
import pytest

from lift.clips.build import build_clip_set
from lift.data.stored.archive import TruthArchive
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError


def test_each_scene_s_truth_comes_back_exactly(made, tmp_path):
    root = made.scenes(tmp_path / "raw")
    build_clip_set(made.configure(tmp_path / "raw", ("scenes",), before=15), "set", tmp_path, tmp_path)
    archive, rows = TruthArchive(tmp_path / "truth.zip"), read_manifest(tmp_path / "clips.csv")
    assert [(row.kind, row.target) for row in rows] == [("fast_motion", 15), ("plain", 15)]
    for row in rows:
        flow, visible = archive.of(row.clip)
        with np.load(root / row.video / "truth.npz") as truth:
            assert np.array_equal(flow, truth["flow"])
            assert np.array_equal(visible, truth["visible"])
        assert (flow.dtype, visible.dtype) == (np.float32, bool)
    with pytest.raises(UserError, match=r"truth\.zip.*holds no"):
        archive.of("scenes/other@15")


@pytest.mark.parametrize("damage", ["cut", "shape", "type", "key"])
def test_a_wrong_truth_file_is_refused_by_name(made, tmp_path, damage):
    path = made.scenes(tmp_path / "raw", names=("plain_000",)) / "plain_000" / "truth.npz"
    flow, visible = np.zeros((4, 24, 32), np.float32), np.ones((2, 24, 32), bool)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:300])
    else:
        arrays = {
            "shape": {"flow": flow[:, :8], "visible": visible},
            "type": {"flow": flow, "visible": visible.astype(float)},
            "key": {"flow": flow},
        }[damage]
        np.savez(path, **arrays)
    with pytest.raises(UserError, match=r"plain_000/truth\.npz"):
        build_clip_set(made.configure(tmp_path / "raw", ("scenes",), before=15), "set", tmp_path, tmp_path)


def test_the_truth_of_another_frame_than_the_missing_one_is_refused(made, tmp_path):
    made.scenes(tmp_path / "raw", names=("plain_000",), before=15, after=20)
    config = made.configure(tmp_path / "raw", ("scenes",), before=15)
    further = dataclasses.replace(config.clips.sets["set"], before=20)
    sets = {**config.clips.sets, "further": further}  # a second set, after the scenes were rendered
    config = dataclasses.replace(config, clips=dataclasses.replace(config.clips, sets=sets))
    for name in sets:
        with pytest.raises(UserError, match=r"plain_000/truth\.npz: the truth of frame 15, but .*@20 is 20"):
            build_clip_set(config, name, tmp_path, tmp_path)


def test_a_truth_file_without_its_frame_s_number_is_told_as_old(made, tmp_path):
    path = made.scenes(tmp_path / "raw", names=("plain_000",)) / "plain_000" / "truth.npz"
    with np.load(path) as truth:
        np.savez(path, flow=truth["flow"], visible=truth["visible"])
    with pytest.raises(UserError, match=r"truth\.npz: .*a number it does not hold \(an older version"):
        build_clip_set(made.configure(tmp_path / "raw", ("scenes",), before=15), "set", tmp_path, tmp_path)


def test_scenes_are_not_resized_away_from_their_truth(made, tmp_path):
    made.scenes(tmp_path / "raw", names=("plain_000",))
    config = made.configure(tmp_path / "raw", ("scenes",), resize=(16, 16))
    with pytest.raises(UserError, match="resize: null"):
        build_clip_set(config, "set", tmp_path, tmp_path)
