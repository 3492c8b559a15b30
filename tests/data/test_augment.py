import dataclasses

import numpy as np
import pytest

from lift.config import Augment
from lift.data.augment import Draw, centred, draw
from lift.errors import UserError
from lift.seeds import generator

NEVER = Augment(
    flip_horizontal=0, flip_vertical=0, rotate=0, reverse_time=0, reverse_channels=0, colour=0, jitter=0.1
)
ALWAYS = Augment(
    flip_horizontal=1, flip_vertical=1, rotate=1, reverse_time=1, reverse_channels=1, colour=1, jitter=0.1
)
MAYBE = Augment(
    flip_horizontal=0.5,
    flip_vertical=0.5,
    rotate=0.5,
    reverse_time=0.5,
    reverse_channels=0.5,
    colour=0.5,
    jitter=0.1,
)


def drawn(key, size=(24, 32), crop=(16, 16), augment=MAYBE):
    return draw(generator(7, key), size, crop, augment, "clip")


def apply(change, frames):
    arranged = np.stack([change.arrange(frame) for frame in frames])
    assert arranged.shape[1:3] == change.size
    return arranged[..., ::-1] if change.reverse_channels else arranged


def reference(change, pixels):
    """Do the same step by step with NumPy."""
    cut = pixels[change.top : change.top + change.height, change.left : change.left + change.width]
    frame = np.rot90(cut, change.turns)
    frame = frame[:, ::-1] if change.flip_horizontal else frame
    frame = frame[::-1] if change.flip_vertical else frame
    return frame[..., ::-1] if change.reverse_channels else frame


def put(change, pixels):
    out = np.full((3, *change.size), np.nan, np.float32)
    change.put(pixels, out)
    return out


def test_frames_are_cut_turned_flipped_and_coloured_in_this_order(made):
    frame = made.picture(0)
    for key in range(80):
        change = drawn(key, crop=(14, 22))
        assert np.array_equal(put(change, frame), change.curve[reference(change, frame)].transpose(2, 0, 1))


def test_a_draw_is_a_function_of_its_generator():
    assert [drawn(key) for key in range(50)] == [drawn(key) for key in range(50)]
    assert len({drawn(key) for key in range(50)}) > 45


def test_all_frames_get_the_same_transform(made):
    frame = made.picture(0)
    for key in range(50):
        result = apply(drawn(key), [frame] * 5)
        assert result.shape == (5, 16, 16, 3)
        assert (result == result[0]).all()


@pytest.mark.parametrize("crop", [(16, 16), (24, 32), (8, 20), (20, 30), None])
def test_the_result_has_the_crop_s_size_and_nothing_but_the_frame_s_pixels(crop):
    labels = np.arange(24 * 32 * 3, dtype=np.int32).reshape(24, 32, 3)  # each value names its place
    for key in range(60):
        change = drawn(key, crop=crop)
        result = apply(change, [labels])[0]
        assert result.shape == (*(crop or (24, 32)), 3)
        assert len(np.unique(result)) == result.size
        rows, columns = np.unique(result // 96), np.unique(result // 3 % 32)
        assert (np.diff(rows) == 1).all()
        assert (np.diff(columns) == 1).all()


def test_crops_reach_every_border():
    places = [drawn(key, augment=NEVER) for key in range(600)]
    assert {change.top for change in places} == set(range(9))
    assert {change.left for change in places} == set(range(17))


def test_no_chance_means_no_change_and_certainty_means_all():
    assert dataclasses.replace(drawn(1, augment=NEVER), top=0, left=0) == Draw(
        top=0, left=0, height=16, width=16
    )
    assert drawn(1, augment=None) == drawn(1, augment=NEVER)
    certain = drawn(1, augment=ALWAYS)
    assert certain.turns in (1, 2, 3)
    assert certain.flip_horizontal
    assert certain.flip_vertical
    assert certain.reverse_time
    assert certain.reverse_channels
    assert certain.gain != 1.0 != certain.gamma


@pytest.mark.parametrize("name", ["rotate", "flip_horizontal", "reverse_time", "colour"])
def test_switching_one_kind_off_leaves_the_others_as_they_were(name):
    fields = {
        "rotate": ("turns",), "flip_horizontal": (name,), "reverse_time": (name,), "colour": ("gain", "gamma")
    }[name]  # fmt: skip
    neutral = {"turns": 0, "gain": 1.0, "gamma": 1.0}
    for key in range(40):
        without = drawn(key, augment=dataclasses.replace(MAYBE, **{name: 0.0}))
        assert without == dataclasses.replace(
            drawn(key), **{field: neutral.get(field, False) for field in fields}
        )


def test_chances_come_true_about_as_often_as_asked():
    changes = [drawn(key) for key in range(400)]
    for field in ("flip_horizontal", "flip_vertical", "reverse_time", "reverse_channels", "turns"):
        assert 140 < sum(bool(getattr(change, field)) for change in changes) < 260


def test_colour_keeps_black_and_order_and_stays_within_its_jitter():
    levels = np.arange(256, dtype=np.uint8)
    plain = Draw(top=0, left=0, height=1, width=1)
    assert np.array_equal(plain.curve, levels.astype(np.float32) / np.float32(255))
    for key in range(50):
        change = drawn(key, augment=ALWAYS)
        assert 0.9 <= change.gain <= 1.1
        assert 0.9 <= change.gamma <= 1.1
        result = change.curve
        assert result.dtype == np.float32
        assert result[0] == 0.0
        assert result.max() <= 1.0
        assert (np.diff(result) >= 0).all()
        assert result[64] == pytest.approx(change.gain * (64 / 255) ** change.gamma, rel=1e-6)


def test_the_middle_crop_is_in_the_middle():
    assert centred((24, 32), (16, 20), "c") == Draw(top=4, left=6, height=16, width=20)
    assert centred((24, 32), None, "c") == Draw(top=0, left=0, height=24, width=32)


@pytest.mark.parametrize("crop", [(25, 8), (8, 33)])
def test_a_crop_larger_than_the_frames_names_the_clip_and_both_sizes(crop):
    for make in (lambda: drawn(1, crop=crop), lambda: centred((24, 32), crop, "clip")):
        with pytest.raises(UserError, match=rf"clip clip: frames of 24x32 .* crop {crop[0]}x{crop[1]}"):
            make()
