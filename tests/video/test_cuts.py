"""Where scenes change, and what only looks like it."""

from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from lift.config import load
from lift.config.load import PARAMS
from lift.video.cuts import mark
from lift.video.frame import Frame
from lift.video.settings import DEFAULTS


def marked(images):
    stream = (Frame(image=image, time=Fraction(k)) for k, image in enumerate(images))
    return list(mark(stream, DEFAULTS.continuity))


def cuts(images):
    return [k for k, (a, b) in enumerate(pairwise(marked(images)), start=1) if a.shot != b.shot]


def test_a_cut_between_two_scenes_is_found(picture):
    assert cuts([picture(k, seed=7 * (k >= 4)) for k in range(8)]) == [4]


def test_two_frames_of_two_scenes_are_a_cut(picture):
    assert cuts([picture(0, seed=0), picture(0, seed=7)]) == [1]


def test_fast_motion_is_no_cut(picture):
    assert cuts([picture(k, speed=12.0) for k in range(8)]) == []


def test_a_flash_is_no_cut(picture):
    images = [picture(k) for k in range(8)]
    images[4] = np.full_like(images[4], 255)
    assert cuts(images) == []


def test_a_fade_is_no_cut(picture):
    assert cuts([(picture(k) * (1 - k / 10)).astype(np.uint8) for k in range(10)]) == []


def test_a_scene_of_repeated_frames_still_shows_its_motion(picture):
    """Animation on twos: the change of every second pair is motion, not a cut."""
    images = [picture(k // 2, speed=12.0) for k in range(12)]
    assert cuts(images) == []
    assert [f.repeats for f in marked(images)] == [False, True] * 6
    assert [f.stutters for f in marked(images)] == [False, True] * 6


@pytest.mark.parametrize("light", [(0.15, 0), (0.15, 216), (0.06, 10)])
def test_a_cut_between_dim_or_bright_scenes_is_found_and_motion_in_them_is_none(picture, light):
    gain, offset = light
    images = [(picture(k, seed=7 * (k >= 5)) * gain + offset).astype(np.uint8) for k in range(10)]
    assert cuts(images) == [5]
    assert cuts([(picture(k, speed=12.0) * gain + offset).astype(np.uint8) for k in range(10)]) == []


@pytest.mark.parametrize("length", [2, 3, 4])
def test_scenes_of_a_few_frames_are_cut_on_both_sides(picture, length):
    seeds = [0] * 6 + [7] * length + [11] * 6
    assert cuts([picture(k, seed=seed) for k, seed in enumerate(seeds)]) == [6, 6 + length]


@pytest.mark.parametrize("shown", [2, 3, 4])
def test_a_frame_shown_up_to_four_times_stutters_and_one_shown_longer_is_a_still(picture, shown):
    images = [picture(k // shown, speed=4.0) for k in range(4 * shown)]
    assert [f.stutters for f in marked(images)] == ([False] + [True] * (shown - 1)) * 4
    still = [picture(k, speed=4.0) for k in [0, 1, 2, *[3] * 9, 4, 5, 6]]
    assert not any(f.stutters for f in marked(still))
    assert [f.repeats for f in marked(still)] == [False] * 4 + [True] * 8 + [False] * 3


def test_noise_around_a_still_scene_is_no_stutter(picture):
    rng = np.random.default_rng(0)
    still = [
        np.clip(picture(0) + rng.normal(0, 2, picture(0).shape), 0, 255).astype(np.uint8) for _ in range(9)
    ]
    assert not any(f.stutters for f in marked(still))


def test_the_rule_is_the_one_of_params_yaml():
    for profile in ("demo", "thesis"):
        assert load(PARAMS, profile).clips.continuity == DEFAULTS.continuity


def test_something_missing_begins_a_scene(picture):
    frames = [Frame(image=picture(k), time=Fraction(k), apart=k == 3) for k in range(6)]
    assert [f.shot for f in mark(iter(frames), DEFAULTS.continuity)] == [0, 0, 0, 1, 1, 1]


def test_sixteen_bits_are_judged_like_eight(picture):
    wide = [picture(k, seed=7 * (k >= 4), dtype=np.uint16) for k in range(8)]
    narrow = [picture(k, seed=7 * (k >= 4)) for k in range(8)]
    assert cuts(wide) == cuts(narrow) == [4]
    assert [f.motion for f in marked(wide)] == pytest.approx([f.motion for f in marked(narrow)], abs=1)


def test_real_footage_without_cuts_has_none_and_joined_footage_has_its_joints(shared):
    clips = []
    for name in ("tennis", "lady-running", "train", "drift-chicane", "dog-gooses"):
        folder = shared / "real" / "DAVIS" / "JPEGImages" / "480p" / name
        files = sorted(folder.glob("*.jpg"))[:10] or pytest.skip(f"{folder}: not there")
        clips.append([cv2.imread(str(f), cv2.IMREAD_REDUCED_COLOR_4)[..., ::-1].copy() for f in files])
    for clip in clips:
        assert cuts(clip) == []
    joined = [image for clip in clips for image in clip]
    assert cuts(joined) == [10, 20, 30, 40]


def test_duplicates_need_equal_pictures(picture):
    image = picture(0)
    other = image.copy()
    other[0, 0, 0] ^= 1
    assert [f.repeats for f in marked([image, image.copy(), other])] == [False, True, False]


def test_marking_passes_frames_on_as_they_are(picture):
    frames = [Frame(image=picture(k), time=Fraction(k)) for k in range(5)]
    assert list(mark(iter(frames), DEFAULTS.continuity)) == frames
