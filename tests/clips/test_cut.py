import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lift.clips.cut import Cutter, Lack, Stored, Written
from lift.clips.plan import Entry, Planned
from lift.clips.sources import Target, Video
from lift.data.stored.images import Unreadable
from lift.data.stored.manifest import ClipRow
from lift.video.settings import DEFAULTS

RULE = DEFAULTS.continuity
ENTRY = Entry(source="davis", video=Video(name="bear", group="bear", path=Path("bear")))


def clip(target, *offsets, step=1, kind=""):
    return Planned(
        target=Target(number=target, step=step, kind=kind, uniform=bool(kind)),
        span=tuple(sorted((*offsets, 0))),
        required=(-1, 0, 1),
        judged=False,
    )


def stored(number, shape=(24, 32, 3)):
    return Stored(data=bytes([number]), shape=shape, extension="png")


def feed(made, clips, faults=None):
    cutter = Cutter(ENTRY, clips, RULE)
    pixels = made.picture(0)
    results = [
        result
        for number in cutter.numbers
        for result in cutter.add(number, (faults or {}).get(number, stored(number)), pixels)
    ]
    entries = [result for result in results if isinstance(result, Written)]
    assert all(name == f"davis/bear/{data[0]:06d}.png" for name, data in entries)
    return (
        [data[0] for _, data in entries],
        [result for result in results if isinstance(result, ClipRow)],
        [
            (result.reason, result.message)
            for result in results
            if isinstance(result, Lack) and result.kind == "dropped"
        ],
    )


def test_each_needed_frame_leaves_once_and_in_order(made):
    clips = [
        clip(20, -1, 1, step=8, kind="extreme"),
        clip(20, -3, -1, 1, 3, kind="easy"),
        clip(22, -1, 1, kind="easy"),
    ]
    frames, rows, dropped = feed(made, clips)
    assert frames == [12, 17, 19, 20, 21, 22, 23, 28]
    assert len(rows) == 3
    assert dropped == []


def test_a_lost_frame_drops_its_clips_alone_and_their_other_frames_are_not_stored(made):
    clips = [clip(2, -1, 1), clip(5, -1, 1), clip(7, -1, 1)]
    frames, rows, dropped = feed(made, clips, {4: Unreadable(Path("bear/4.png"), "truncated")})
    assert [row.target for row in rows] == [2, 7]
    assert frames == [1, 2, 3, 6, 7, 8]
    assert dropped == [("unreadable", "bear/4.png: truncated")]


@pytest.mark.parametrize("fault", [Unreadable(Path("bear/9.png"), "truncated"), stored(9, (48, 64, 3))])
def test_a_far_frame_that_no_rule_demands_is_left_out_and_its_clips_stay(made, fault):
    frames, rows, dropped = feed(made, [clip(5, *range(-4, 0), *range(1, 8))], {9: fault})
    assert [row.offsets for row in rows] == [(-4, -3, -2, -1, 1, 2, 3, 5, 6, 7)]
    assert frames == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]
    assert dropped == []


def test_frames_of_two_sizes_drop_the_clips_that_mix_them(made):
    sizes = {number: stored(number, (48, 64, 3)) for number in (6, 7, 8)}
    frames, rows, dropped = feed(made, [clip(2, -1, 1), clip(5, -1, 1), clip(7, -1, 1)], sizes)
    assert [row.target for row in rows] == [2, 7]
    assert frames == [1, 2, 3, 6, 7, 8]
    assert dropped == [("mixed_sizes", "bear: frames of 32x24 and 64x48 in one clip")]


@pytest.mark.parametrize("length", [100, 1000])
def test_no_more_frames_wait_than_a_clip_has_whatever_the_length(made, length):
    clips = [clip(target, *range(-5, 0), 1, 2) for target in range(5, length - 2)]
    cutter, pixels, waiting = Cutter(ENTRY, clips, RULE), made.picture(0), 0
    for number in cutter.numbers:
        frame = Stored(data=b"", shape=(24, 32, 3), extension="png")
        waiting += 1 - sum(isinstance(result, Written) for result in cutter.add(number, frame, pixels))
        assert waiting <= 8
        assert len(cutter._pictures) <= 8
    assert waiting == 0


def test_what_is_known_of_frames_is_forgotten_with_them(made):
    wide = made.picture(3, (36, 400)).mean(axis=2).astype(np.uint8)
    clips = [dataclasses.replace(clip(target, *range(-5, 0), 1, 2), judged=True) for target in range(5, 150)]
    cutter, rows = Cutter(ENTRY, clips, RULE), 0
    for number in cutter.numbers:
        small = np.ascontiguousarray(wide[:, 2 * number : 2 * number + 64])
        results = cutter.add(number, dataclasses.replace(stored(number), reduced=small), made.picture(0))
        rows += sum(isinstance(result, ClipRow) for result in results)
        assert len(cutter._known) <= 8
        assert len(cutter._wanted) <= 8
    assert rows == len(clips)
    assert not cutter._known
    assert not cutter._wanted


@pytest.mark.parametrize(("target", "kind"), [(10, "judder"), (29, "")])
def test_a_clip_is_of_judder_where_a_frame_near_it_repeats_the_one_before_in_motion(made, target, kind):
    wide = made.picture(3, (36, 200))
    shown = [i - (i >= 12) for i in range(44)]  # frame 12 shows frame 11 again
    small = {
        i: np.ascontiguousarray(wide[:, 2 * at : 2 * at + 64]).mean(axis=2) for i, at in enumerate(shown)
    }
    planned = dataclasses.replace(clip(target, *range(-10, 0), *range(1, 11)), judged=True)
    cutter, results = Cutter(ENTRY, [planned], RULE), []
    for number in cutter.numbers:
        frame = dataclasses.replace(stored(number), reduced=small[number].astype(np.uint8))
        results += cutter.add(number, frame, made.picture(number))
    assert [result.kind for result in results if isinstance(result, ClipRow)] == [kind]
