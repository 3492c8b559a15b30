"""Frames, flow and visibility of scenes agree with each other, between any two times."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lift.errors import UserError
from lift.scenes import KINDS, Scene, Truth, make, ranges

Array = NDArray[Any]
SIZE, SPEED = (96, 128), (0.5, 3.0)
SEEDS = range(4)
STEADY = [kind for kind in KINDS if kind != "lighting"]


def warp(image: Array, flow: Array) -> Array:
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]].astype(np.float32)
    return np.asarray(
        cv2.remap(image, x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def inside(scene: Scene, target: float, reference: float, truth: Truth) -> Array:
    """Visible pixels whose neighbourhood shows one layer alone, in both frames."""
    flat = []
    for time in (target, reference):
        front = scene.front(time).astype(np.float32)
        flat.append(
            (cv2.dilate(front, np.ones((7, 7))) == cv2.erode(front, np.ones((7, 7)))).astype(np.float32)
        )
    return np.asarray(truth.visible & (flat[0] > 0) & (warp(flat[1], truth.flow) > 0.99))


@pytest.mark.parametrize("kind", STEADY)
def test_a_warped_reference_is_the_target_wherever_it_is_visible(kind: str) -> None:
    compared = 0
    for seed in SEEDS:
        scene = make(seed, kind, SIZE, SPEED)
        for target, reference in ((15, 14), (15, 16), (3.4, 9.0)):
            truth = scene.truth(target, reference)
            where = inside(scene, target, reference, truth)
            frame, other = scene.render(target).astype(np.float32), scene.render(reference).astype(np.float32)
            error = np.abs(warp(other, truth.flow) - frame)[where]
            compared += len(error)
            if len(error) > 100:
                assert error.mean() < 2.5, (seed, target, reference)
                assert np.percentile(error, 99) < 16, (seed, target, reference)
    assert compared > 10_000


def test_hidden_pixels_are_those_that_another_layer_covers_or_the_frame_ends() -> None:
    for seed in SEEDS:
        scene = make(seed, "occlusion", SIZE, SPEED)
        truth, front, other = scene.truth(10, 14), scene.front(10), scene.front(14)
        y, x = np.mgrid[: SIZE[0], : SIZE[1]]
        to_x, to_y = np.rint(x + truth.flow[0]).astype(int), np.rint(y + truth.flow[1]).astype(int)
        within = (to_x >= 0) & (to_x < SIZE[1]) & (to_y >= 0) & (to_y < SIZE[0])
        same = np.zeros(SIZE, dtype=bool)
        same[within] = other[to_y[within], to_x[within]] == front[within]
        covered = within & (other[to_y.clip(0, SIZE[0] - 1), to_x.clip(0, SIZE[1] - 1)] > front)
        # Rounding to a pixel moves edges by half of one: nearly all, not all, must agree.
        assert (truth.visible == same)[within].mean() > 0.97
        assert covered.sum() > 50
        assert truth.visible[covered].mean() < 0.2
        assert not truth.visible[~within & ((to_x < -1) | (to_x > SIZE[1]))].any()


def test_visibility_is_mutual_and_flow_there_and_back_is_zero() -> None:
    for kind in KINDS:
        scene = make(8, kind, SIZE, SPEED)
        there, back = scene.truth(6, 8), scene.truth(8, 6)
        where = inside(scene, 6, 8, there)
        assert where.sum() > 1000
        round_trip = there.flow + np.stack([warp(channel, there.flow) for channel in back.flow])
        assert np.abs(round_trip[:, where]).max() < 0.05
        # Not all: interpolation between pixels mixes in those beyond the other frame's border.
        assert warp(back.visible.astype(np.float32), there.flow)[where].mean() > 0.97


def test_flows_compose_over_an_intermediate_time() -> None:
    for kind in KINDS:
        scene = make(8, kind, SIZE, SPEED)
        whole, first, second = scene.truth(2, 8), scene.truth(2, 5.5), scene.truth(5.5, 8)
        where = inside(scene, 2, 5.5, first)
        assert where.sum() > 1000
        composed = first.flow + np.stack([warp(channel, first.flow) for channel in second.flow])
        # The test's own warp is exact to 1/32 pixel, times the change of flow between pixels.
        assert np.abs(composed - whole.flow)[:, where].max() < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_flow_to_itself_is_zero_and_everything_is_visible(kind: str) -> None:
    truth = make(1, kind, SIZE, SPEED).truth(7.25, 7.25)
    assert np.abs(truth.flow).max() < 1e-4
    assert truth.visible[1:-1, 1:-1].all()


def test_truth_has_the_documented_types_and_shapes() -> None:
    truth = make(1, "plain", (50, 70), SPEED).truth(1, 2)
    assert truth.flow.shape == (2, 50, 70)
    assert truth.flow.dtype == np.float32
    assert truth.visible.shape == (50, 70)
    assert truth.visible.dtype == np.bool_


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_depends_on_scene_and_time_alone(kind: str) -> None:
    scene = make(3, kind, SIZE, SPEED)
    late = scene.render(20)
    scene.render(0)
    again = make(3, kind, SIZE, SPEED).render(20)
    assert late.dtype == np.uint8
    assert late.shape == (*SIZE, 3)
    assert np.array_equal(late, again)
    assert not np.array_equal(late, make(4, kind, SIZE, SPEED).render(20))


def test_a_small_step_in_time_is_a_small_step_in_the_picture() -> None:
    for kind in KINDS:
        scene = make(2, kind, SIZE, SPEED)
        first, near, far = (scene.render(t).astype(np.float32) for t in (5.0, 5.02, 6.0))
        assert np.abs(first - near).mean() < 0.2 * np.abs(first - far).mean() + 0.3


def test_typical_displacements_lie_within_the_declared_speeds() -> None:
    typical = {}
    for kind in KINDS:
        flows = [
            np.hypot(*make(seed, kind, SIZE, SPEED).truth(time, time + 1).flow)
            for seed in range(12)
            for time in (4, 15)
        ]
        typical[kind] = float(np.median([np.median(f) for f in flows]))
        limit = SPEED[1] * (ranges.FAST_FACTOR if kind == "fast_motion" else 1.0)
        # The declared speeds are root mean squares over time; a sine's peak lies sqrt(2) above, and feet and
        # rims reach ranges.SWING times their body's.
        peak = 1.5 * limit * (ranges.SWING if kind == "repetition" else 1.0)
        assert SPEED[0] < typical[kind] < limit
        assert np.percentile(np.stack(flows), 95) < peak
    assert typical["fast_motion"] > 1.5 * max(typical[kind] for kind in KINDS if kind != "fast_motion")


def test_speed_scales_motion() -> None:
    slow, fast = (
        np.median([np.median(np.hypot(*make(s, "plain", SIZE, v).truth(0, 1).flow)) for s in range(8)])
        for v in ((0.2, 0.3), (2.0, 3.0))
    )
    assert fast > 5 * slow


def test_motion_is_not_linear() -> None:
    for kind in KINDS:
        bends = []
        for seed in range(6):
            scene = make(seed, kind, SIZE, SPEED)
            before, after = scene.truth(15, 9), scene.truth(15, 21)
            bends.append(np.abs(before.flow + after.flow)[:, before.visible & after.visible].mean())
        assert np.mean(bends) > 0.5


def test_only_lighting_changes_a_surface_s_brightness() -> None:
    def change(kind: str, seed: int) -> float:
        scene = make(seed, kind, SIZE, SPEED)
        truth = scene.truth(4, 10)
        where = inside(scene, 4, 10, truth)
        warped = warp(scene.render(10).astype(np.float32), truth.flow)
        return abs(float((warped - scene.render(4))[where].mean())) if where.sum() > 100 else 0.0

    assert max(change(kind, seed) for kind in STEADY for seed in range(3)) < 1.0
    assert np.median([change("lighting", seed) for seed in range(8)]) > 2.0


def test_occlusion_hides_more_by_layers_than_plain() -> None:
    def hidden(kind: str) -> float:
        shares = []
        for seed in range(8):
            truth = make(seed, kind, SIZE, SPEED).truth(10, 14)
            y, x = np.mgrid[: SIZE[0], : SIZE[1]]
            to_x, to_y = x + truth.flow[0], y + truth.flow[1]
            within = (to_x >= 0) & (to_x <= SIZE[1] - 1) & (to_y >= 0) & (to_y <= SIZE[0] - 1)
            shares.append((within & ~truth.visible).mean())
        return float(np.mean(shares))

    assert hidden("occlusion") > 3 * hidden("plain")


@pytest.mark.parametrize(("kind", "speed"), [("plane", SPEED), ("plain", (2.0, 1.0)), ("plain", (0.0, 1.0))])
def test_impossible_scenes_are_refused(kind: str, speed: tuple[float, float]) -> None:
    with pytest.raises(UserError, match=r"plane|render\.speed"):
        make(0, kind, SIZE, speed)


def test_the_truth_of_a_frame_with_more_pixels_than_a_row_may_hold_is_given() -> None:
    scene = make(1, "occlusion", (190, 256), SPEED)  # OpenCV maps 32767 points a side
    truth = scene.truth(5, 6)
    assert 0.5 < truth.visible.mean() < 1.0
