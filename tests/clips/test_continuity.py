import dataclasses

import av
import cv2
import numpy as np
import pytest

from lift.clips.build import build_clip_set
from lift.clips.continuity import breaks, reduced
from lift.config import load
from lift.data.dataset import ClipDataset
from lift.data.stored.manifest import read_manifest
from lift.scenes import KINDS, make


@pytest.fixture
def rule(made):
    return made.configure("anywhere").clips.continuity


def moving(made, seed, count, step=1, size=(72, 128)):
    """Give `count` frames of a textured picture that moves by `step` pixels a frame."""
    coarse = cv2.resize(made.picture(seed, (9, 16)), (2 * size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(np.roll(coarse, step * i, axis=1)[:, : size[1]]) for i in range(count)]


def judge(frames, rule):
    return breaks([reduced(frame) for frame in frames], rule)


@pytest.mark.parametrize("place", [1, 5, 9])
def test_a_hard_cut_is_found_where_it_is(made, rule, place):
    frames = [*moving(made, 1, place), *moving(made, 2, 10 - place)]
    assert judge(frames, rule) == ["cut" if i == place - 1 else "" for i in range(9)]


def test_fast_motion_a_fade_and_a_flash_are_no_cuts(made, rule):
    first, second = moving(made, 1, 12), moving(made, 2, 12)
    fade = [
        np.uint8((a * (11.0 - i) + b * i) / 11) for i, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    flash = [np.uint8(frame * (1.0 if i == 5 else 0.5)) for i, frame in enumerate(first)]
    for frames in (moving(made, 1, 12, step=12), fade, flash):
        assert judge(frames, rule) == [""] * 11


def test_a_repeated_frame_is_a_duplicate_and_a_still_camera_is_none(made, rule):
    frames = moving(made, 1, 6)
    assert judge([*frames[:3], frames[2], *frames[3:]], rule) == ["", "", "duplicate", "", "", ""]
    random = np.random.default_rng(0)
    still = [np.uint8(np.clip(frames[0] + random.normal(0, 2, frames[0].shape), 0, 255)) for _ in range(8)]
    assert judge(still, rule) == [""] * 7


def test_a_black_frame_cuts_and_does_not_divide_by_zero(made, rule):
    black = np.zeros((72, 128, 3), np.uint8)
    assert judge([*moving(made, 1, 5), black, black], rule)[-2:] == ["cut", "duplicate"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_rendered_scene_is_broken(rule, kind):
    for seed in range(3):
        scene = make(seed, kind, (96, 128), (0.3, 2.0))
        assert judge([scene.render(float(time)) for time in range(10)], rule) == [""] * 9


@pytest.mark.parametrize(
    ("name", "found"), [("kinetics_v_ZNV/v_ZNVhz7ctTq0", {0: "duplicate"}), ("cockatoo/cockatoo", {})]
)
def test_recorded_footage_keeps_its_motion_and_loses_its_repeated_frame(shared, rule, name, found):
    """Neither has a cut: one has a step of the exposure, the other a head that comes close and fast."""
    with av.open(str(shared / "clips" / "video" / f"{name}.mp4")) as container:
        frames = [reduced(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert {i: what for i, what in enumerate(breaks(frames, rule)) if what} == found


def test_recorded_footage_spliced_is_cut_at_every_splice(shared, rule):
    folders = sorted((shared / "real" / "DAVIS" / "JPEGImages" / "480p").iterdir())
    frames = [
        reduced(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB))
        for folder in folders
        for path in sorted(folder.iterdir())[:8]
    ]
    wanted = ["cut" if i % 8 == 7 else "" for i in range(8 * len(folders) - 1)]
    assert breaks(frames, rule) == wanted


def spliced(made, folder, lengths, repeat=None):
    """Make DAVIS with one test sequence of several shots, and frame `repeat` shown twice."""
    root = made.davis(folder, test=("dog",), frames=1)
    frames = [frame for seed, count in enumerate(lengths) for frame in moving(made, seed, count)]
    if repeat is not None:
        frames.insert(repeat, frames[repeat])
    for i, frame in enumerate(frames):
        made.save(root / "JPEGImages/480p/dog" / f"{i:05d}.jpg", frame)
    return root


def test_no_window_spans_a_cut_and_dropped_clips_are_counted(made, tmp_path):
    spliced(made, tmp_path / "raw", (12, 9))
    config = made.configure(tmp_path / "raw", ("davis",), before=3, after=2)
    summary = build_clip_set(config, "set", tmp_path, tmp_path / "out")
    rows = {row.target: row for row in read_manifest(tmp_path / "out" / "clips.csv")}
    # Required are three frames before and two after: 10 and 11 lack one after, 12 to 14 one before.
    assert sorted(rows) == [*range(3, 10), *range(15, 19)]
    assert summary["dropped"] == {"cut": 5}
    for target, row in rows.items():
        shot = range(12) if target < 12 else range(12, 21)
        assert {row.number(offset) for offset in row.offsets} == {
            *shot[max(0, target - 15 - shot.start) :]
        } & {*range(target - 15, target + 12)} - {target}


def test_a_window_that_is_drawn_lies_anywhere_in_its_shot_and_nowhere_else(made, tmp_path):
    spliced(made, tmp_path / "raw", (12, 9))
    found = {}
    for windows in ("fixed", "random"):
        rules = {"before": 3, "after": 2, "spacing": 13, "windows": windows}
        config = made.configure(tmp_path / "raw", ("davis",), **rules)
        near = dataclasses.replace(config, clips=dataclasses.replace(config.clips, before=3, after=2))
        build_clip_set(near, "set", tmp_path, tmp_path / windows)
        found[windows] = read_manifest(tmp_path / windows / "clips.csv")
    assert [row.target for row in found["fixed"]] == [row.target for row in found["random"]] == [3, 16]
    assert all({*row.offsets} <= {*range(-3, 3)} for row in found["fixed"])
    shots = [range(12), range(12, 21)]
    for row, shot in zip(found["random"], shots, strict=True):
        assert {row.number(offset) for offset in (*row.offsets, 0)} == {*shot}
    clips = ClipDataset(tmp_path / "random", (-3, -2, -1, 1, 2), seed=1, anywhere=(3, 2))
    for index, shot in enumerate(shots):
        plans = [clips.plan((index, 0, visit)) for visit in range(200)]
        assert {plan.numbers[-1] for plan in plans} == {*shot[3:-2]}
        assert all({*plan.numbers} <= {*shot} for plan in plans)


def test_a_window_ends_at_a_repeated_frame(made, tmp_path):
    spliced(made, tmp_path / "raw", (14,), repeat=6)
    config = made.configure(tmp_path / "raw", ("davis",), before=2, after=2)
    summary = build_clip_set(config, "set", tmp_path, tmp_path / "out")
    rows = {row.target: row.offsets for row in read_manifest(tmp_path / "out" / "clips.csv")}
    assert summary["dropped"] == {"duplicate": 4}
    assert sorted(rows) == [2, 3, 4, 9, 10, 11, 12]
    assert max(rows[4]) == 2
    assert min(rows[9]) == -2


def test_an_official_test_set_is_kept_whole_and_its_training_part_is_not(made, tmp_path):
    root = made.vimeo90k(tmp_path / "raw", train=("00001/0001", "00002/0001", "00003/0001"))
    for name in ("00001/0002", "00001/0001", "00002/0001", "00003/0001"):
        for i, frame in enumerate([*moving(made, 1, 4), *moving(made, 2, 3)], 1):
            made.save(root / "sequences" / name / f"im{i}.png", frame)
    summary = build_clip_set(made.configure(tmp_path / "raw"), "set", tmp_path, tmp_path / "out")
    assert (summary["clips"], summary["dropped"]) == (1, {})
    for i, frame in enumerate(moving(made, 1, 7), 1):
        for name in ("00001/0001", "00002/0001"):
            made.save(root / "sequences" / name / f"im{i}.png", frame)
    config = made.configure(tmp_path / "raw", part="train", share=0.0)
    summary = build_clip_set(config, "set", tmp_path, tmp_path / "out")
    assert (summary["clips"], summary["dropped"]) == (2, {"cut": 1})


def test_a_set_of_nothing_but_repeated_frames_is_refused(made, tmp_path):
    root = spliced(made, tmp_path / "raw", (1,))
    for i in range(8):
        made.save(root / "JPEGImages/480p/dog" / f"{i:05d}.jpg", moving(made, 1, 1)[0])
    with pytest.raises(Exception, match=r"no clip.*repeated frames.*duplicate"):
        build_clip_set(made.configure(tmp_path / "raw", ("davis",)), "set", tmp_path, tmp_path / "out")


def test_every_profile_has_one_rule_for_all_sets(made):
    assert load("params.yaml", "demo").clips.continuity == load("params.yaml", "thesis").clips.continuity
