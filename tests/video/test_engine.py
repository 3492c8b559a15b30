"""The stream of frames: order, context, cuts, duplicates, and the cache."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from lift.video.choose import choose
from lift.video.cuts import mark
from lift.video.engine import smooth
from lift.video.frame import Frame
from lift.video.pace import Schedule
from lift.video.settings import DEFAULTS

AVERAGE = choose("average")


def smoothed(frames, method, schedule, **options):
    return smooth(mark(frames, DEFAULTS.continuity), method, schedule, **options)


def doubled(frames, method, factor=2, **options):
    return list(smoothed(frames, method, Schedule(factor=factor), **options))


def kinds(shown):
    return "".join(s.frame.kind[0] for s in shown)  # o, i, c, p


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_originals_come_through_in_order_with_the_new_ones_between(frames, factor):
    originals = frames([(k, 0) for k in range(4)])
    shown = doubled(originals, AVERAGE, factor)
    assert [s.frame for s in shown[::factor]] == originals
    assert [s.time for s in shown] == [Fraction(k, factor) for k in range(3 * factor + 1)]
    assert kinds(shown) == ("o" + "i" * (factor - 1)) * 3 + "o"


def test_times_are_honoured_where_the_frame_rate_varies(frames):
    shown = doubled(frames([(k, 0) for k in range(4)], times=[0, 1, 5, 6]), AVERAGE)
    assert [float(s.time) for s in shown] == [0, 0.5, 1, 3, 5, 5.5, 6]


def test_a_frame_between_is_the_methods(frames):
    a, b = frames([(0, 0), (1, 0)])
    middle = doubled([a, b], AVERAGE)[1].frame.image
    expected = (a.image.astype(int) + b.image) / 2
    assert np.abs(middle - expected).max() <= 0.5


def test_quarters_come_from_the_half(frames):
    a, b = frames([(0, 0), (1, 0)])
    quarter = doubled([a, b], AVERAGE, 4)[1].frame.image
    expected = 0.75 * a.image.astype(int) + 0.25 * b.image
    assert np.abs(quarter - expected).max() <= 1


def test_the_cache_changes_nothing(frames, lift):
    plan = [(k, 0) for k in range(7)]
    for factor in (2, 4):
        with_cache = doubled(frames(plan), lift(), factor)
        without = doubled(frames(plan), lift(cache=False), factor)
        for a, b in zip(with_cache, without, strict=True):
            assert np.abs(a.frame.image.astype(int) - b.frame.image).max() <= 1
            assert (a.frame.alpha or {}) == pytest.approx(b.frame.alpha or {}, abs=1e-5)


def test_cached_and_uncached_tensors_are_equal(frames, lift):
    cached, direct = lift(), lift(cache=False)
    images = [
        torch.from_numpy(f.image).permute(2, 0, 1)[None] / 255 for f in frames([(k, 0) for k in range(4)])
    ]
    results = []
    for method in (cached, direct):
        features = [method.encode(image) for image in images]
        features[0] = method.shrink(features[0])
        results.append(method.between((-3, -1, 1, 3), features))
    assert torch.allclose(results[0].image, results[1].image, atol=1e-6)
    assert results[0].alpha == pytest.approx(results[1].alpha, abs=1e-6)


def test_each_frame_is_encoded_once(frames, lift, small):
    encoded = []
    hook = small.encoder.s1.register_forward_hook(
        lambda module, inputs, output: encoded.append(len(inputs[0]))
    )
    doubled(frames([(k, 0) for k in range(9)]), lift())
    hook.remove()
    assert encoded == [1] * 9


def test_context_is_uniform_and_masked_at_the_ends(frames, lift):
    shown = doubled(frames([(k, 0) for k in range(7)]), lift())
    offsets = [tuple(s.frame.alpha) for s in shown if s.frame.kind == "interpolated"]
    assert offsets[0] == (-1, 1, 3, 5)
    assert offsets[3] == (-7, -5, -3, -1, 1, 3, 5)
    assert offsets[-1] == (-7, -5, -3, -1, 1)
    assert all(sum(s.frame.alpha.values()) == pytest.approx(1) for s in shown if s.frame.alpha)


def test_finer_levels_mask_places_without_an_original(frames, lift):
    shown = doubled(frames([(k, 0) for k in range(4)]), lift(), 4)
    quarter = shown[5].frame  # a quarter after original 1: originals 0, 1, 2 at -5, -1, +3; the half at +1
    assert tuple(quarter.alpha) == (-5, -1, 1, 3)


def test_scenes_are_never_blended(frames, lift):
    plan = [(k, 0) for k in range(4)] + [(k, 7) for k in range(4)]
    for method in (AVERAGE, lift()):
        originals = frames(plan)
        shown = doubled(originals, method, 4)
        at_cut = shown[13:16]
        assert kinds(at_cut) == "ccc"
        assert all(np.array_equal(s.frame.image, originals[3].image) for s in at_cut)
        assert [s.frame.shot for s in shown[::4]] == [0] * 4 + [1] * 4
    offsets = [tuple(s.frame.alpha) for s in shown if s.frame.alpha and s.frame.shot == 1]
    assert (-1, 1, 3, 5) in offsets  # the new shot's first gap sees nothing of the old one


def test_duplicates_are_copied_and_left_out_of_the_context_where_they_are_kept(frames, lift):
    originals = frames([(0, 0), (1, 0), (1, 0), (2, 0), (3, 0)])
    shown = doubled(originals, lift(), repeats="keep")
    assert kinds(shown) == "oiocoioio"
    assert np.array_equal(shown[3].frame.image, originals[1].image)
    assert tuple(shown[5].frame.alpha) == (-3, -1, 1, 3)  # between the second 1 and 2: 0, 1 | 2, 3


def test_halves_alone_are_taken_to_the_nearest_one(frames, lift):
    shown = doubled(frames([(k, 0) for k in range(3)]), lift(), 3)
    assert kinds(shown) == "oiioiio"
    assert tuple(shown[1].frame.alpha) == (-3, -1, 1, 5)  # 3/8: a quarter and a half beside it, 0 | 1


def centre(image):
    """Return where the bright bar of `bars` is."""
    return float((image.mean(axis=(0, 2)) * np.arange(image.shape[1])).sum() / image.mean(axis=(0, 2)).sum())


def bars(places):
    """Give frames of a bright bar, 6 pixels wide and blurred, at each of `places`."""
    x = np.arange(96)
    rows = [np.clip(4 - np.abs(x - place), 0, 1) * 255 for place in places]
    images = [np.broadcast_to(row[None, :, None], (48, 96, 3)).astype(np.uint8).copy() for row in rows]
    return [Frame(image=image, time=Fraction(k, 25)) for k, image in enumerate(images)]


RIFE = choose("rife_v4", device="cpu")


@pytest.mark.parametrize("shown_for", [2, 3])
def test_video_on_twos_and_threes_becomes_smooth(shown_for):
    for method, slack in ((RIFE, 0.6), (AVERAGE, 0.05)):
        originals = bars([20 + 4 * (k // shown_for) for k in range(5 * shown_for)])  # without features
        shown = doubled(originals, method)
        places = [centre(s.frame.image) for s in shown[: 1 - 2 * shown_for]]
        assert np.diff(places) == pytest.approx(2 / shown_for, abs=slack)
        assert [s.frame for s in shown[:: 2 * shown_for]] == originals[::shown_for]
    kept = doubled(originals, AVERAGE, repeats="keep")
    assert np.diff([centre(s.frame.image) for s in kept]).min() == 0


def test_film_on_video_is_moved_to_even_times():
    """Each fourth frame shown twice: 24 frames a second on 30."""
    film = [20 + 2 * k for k in range(24)]
    originals = bars([film[k * 4 // 5] for k in range(30)])
    shown = doubled(originals, AVERAGE)
    steps = np.diff([centre(s.frame.image) for s in shown])[24:-4]  # the rhythm is known after two rounds
    assert steps == pytest.approx(0.8, abs=0.05)
    kept = doubled(originals, AVERAGE, repeats="keep")
    assert np.diff([centre(s.frame.image) for s in kept]).min() == 0


def test_frames_dropped_on_recording_leave_the_others_where_they_are():
    """Each fifth frame shows the one before again, and the next one is two steps on."""
    originals = bars([20 + 2 * (k - (k % 5 == 4)) for k in range(24)])
    shown = doubled(originals, AVERAGE)
    assert np.diff([centre(s.frame.image) for s in shown]) == pytest.approx(1, abs=0.05)
    assert all(shown[2 * k].frame is originals[k] for k in range(24) if k % 5 != 4)


def test_a_still_is_no_motion(frames):
    """A slide that stays for seconds does not melt into the next one."""
    originals = frames([(k, 0) for k in (0, 1, 2, *[3] * 12, 6, 7, 8)])
    shown = doubled(originals, AVERAGE)
    assert all(np.array_equal(s.frame.image, originals[3].image) for s in shown[6:28])


def test_every_tick_is_shown_once_however_frames_repeat():
    pattern = [0, 1, 1, 2, 3, 3, 3, 4, 5, 5, 6, 7, 8, 8, 8, 8, 8, 8, 9, 9]
    originals = bars([20 + 3 * k for k in pattern])
    for schedule in (Schedule(factor=3), Schedule(fps=Fraction(60))):
        shown = list(smoothed(originals, AVERAGE, schedule))
        kept = list(smoothed(originals, AVERAGE, schedule, repeats="keep"))
        assert [s.time for s in shown] == [s.time for s in kept]


def test_a_fixed_rate_is_made_at_its_own_times(frames):
    originals = frames([(k, 0) for k in range(3)])
    shown = list(smoothed(originals, AVERAGE, Schedule(fps=Fraction(5, 2))))
    expected = 0.6 * originals[0].image.astype(int) + 0.4 * originals[1].image
    assert np.abs(shown[1].frame.image - expected).max() <= 0.5
    assert [float(s.time) for s in shown] == pytest.approx([0, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8])
    assert kinds(shown) == "oiiiiooo"


def test_prediction_is_appended(frames):
    shown = doubled(frames([(0, 0), (1, 0)]), choose("repeat"), predict=2)
    assert kinds(shown) == "oiopp"
    assert [float(s.time) for s in shown] == [0, 0.5, 1, 2, 3]
    assert np.array_equal(shown[-1].frame.image, shown[2].frame.image)


def test_features_are_dropped_as_frames_pass(frames, lift):
    originals = frames([(k, 0) for k in range(12)])
    stream = smoothed(originals, lift(), Schedule(factor=2))
    for _ in range(17):
        next(stream)
    full = [f for f in originals if f.features is not None and f.features[0].features is not None]
    assert len(full) <= 4  # both references and the two frames ahead


def test_one_frame_or_none_gives_nothing(frames):
    assert not doubled(frames([(0, 0)]), AVERAGE)
    assert not doubled([], AVERAGE)
