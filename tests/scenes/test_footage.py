"""What a camera does to scenes: more variety, exposures around the truth's time, noise, compression."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lift.config import Camera, Render
from lift.scenes import KINDS, Layer, Scene, make
from lift.scenes.footage import PLAIN, draw_film, expose
from lift.scenes.layouts import write
from lift.scenes.motion import Motion, Wave
from lift.seeds import generator

Array = NDArray[Any]
SIZE, SPEED = (64, 96), (0.5, 3.0)
CAMERA = Camera(
    objects=(2, 4),
    leaves=0.5,
    zoom=(0.0, 0.01),
    turn=(0.0, 0.01),
    shake=(0.0, 1.0),
    shutter=(0.2, 0.6),
    exposures=8,
    noise=(2.0, 4.0),
    quality=(40, 90),
)


def slide(speed: float) -> Scene:
    """A texture that moves to the right at a steady `speed` (pixels per frame), near time 0."""
    rng = generator(3, "slide")
    noise = rng.integers(60, 200, (64, 96, 3), dtype=np.uint8)
    tile = np.asarray(cv2.resize(noise, (384, 256), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    long = 1e4  # frames: a wave so slow is straight here
    path = Motion(centre=(48.0, 32.0), x=Wave(amplitude=speed * long, rate=1 / long))
    return Scene(size=SIZE, layers=(Layer(tile=tile, origin=(192.0, 128.0), motions=(path,)),))


def warp(image: Array, flow: Array) -> Array:
    y, x = np.mgrid[: flow.shape[1], : flow.shape[2]].astype(np.float32)
    return np.asarray(cv2.remap(image, x + flow[0], y + flow[1], cv2.INTER_CUBIC))


def test_without_a_camera_a_frame_is_the_scene_at_its_time() -> None:
    scene = make(5, "occlusion", SIZE, SPEED)
    assert draw_film(5, None, spoilt=True) is PLAIN
    assert np.array_equal(PLAIN.take(scene, 3), scene.render(3))


def test_an_exposure_is_the_mean_light_around_its_time() -> None:
    scene, shutter = slide(6.0), 0.5
    frame = expose(scene, 2.0, shutter, 64).astype(float)
    moments = [scene.render(2.0 + shutter * offset).astype(float) for offset in np.linspace(-0.5, 0.5, 101)]
    assert np.abs(frame - np.sqrt(np.mean(np.square(moments), axis=0))).mean() < 2.0
    assert np.abs(frame - scene.render(2.0)).mean() > 4.0  # and it is blurred


def test_what_stands_still_is_not_blurred() -> None:
    scene = slide(0.0)
    assert np.array_equal(expose(scene, 1.0, 0.9, 16), scene.render(1.0))


def test_the_truth_is_of_the_middle_of_the_exposure() -> None:
    for seed in range(3):
        scene = make(seed, "plain", SIZE, SPEED, camera=CAMERA)
        film = draw_film(seed, CAMERA, spoilt=False)
        assert film.shutter >= 0.2
        assert not film.noise
        target, reference = film.take(scene, 5).astype(np.float32), film.take(scene, 6).astype(np.float32)
        errors = {}
        for shift in (-0.3, 0.0, 0.3):
            truth = scene.truth(5, 6 + shift)
            errors[shift] = np.abs(warp(reference, truth.flow) - target)[truth.visible].mean()
        assert errors[0.0] == min(errors.values()), errors


def test_a_scene_with_a_camera_has_more_objects_and_its_own_motion() -> None:
    plain, varied = (make(9, "plain", SIZE, SPEED, camera=camera) for camera in (None, CAMERA))
    assert len(varied.layers) >= 1 + CAMERA.objects[0] > 0
    assert len(varied.layers[0].motions) == len(plain.layers[0].motions) + 3
    again = make(9, "plain", SIZE, SPEED, camera=CAMERA)
    assert np.array_equal(varied.render(4), again.render(4))


def test_noise_has_the_declared_deviation_and_is_the_frame_s_own() -> None:
    scene = slide(0.0)
    film = dataclasses.replace(PLAIN, noise=4.0, seed=1)
    clean = scene.render(0).astype(float)
    first, second = (film.take(scene, number).astype(float) - clean for number in (0, 1))
    grey = np.abs(clean - 127.5) < 20
    assert first[grey].std() == pytest.approx(4.0, rel=0.1)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    assert np.array_equal(film.take(scene, 1), film.take(scene, 1))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The same filmed source, written by one process and by two."""
    render = Render(train=6, test=5, frames=5, size=SIZE, speed=SPEED, centres=None, camera=CAMERA)
    found = {}
    for workers in (1, 2):
        found[workers] = tmp_path_factory.mktemp(f"by{workers}") / "scenes"
        write("scenes", found[workers], render, 7, target=2, workers=workers)
    return found


def test_training_scenes_lie_apart_and_do_not_depend_on_the_processes(written: dict[int, Path]) -> None:
    one, two = (
        {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.suffix in (".jpg", ".png")}
        for root in written.values()
    )
    assert one == two
    folders = {name.rpartition("/")[0] for name in one}
    assert {f"scenes/train/{kind}_0000" for kind in KINDS} | {"scenes/train/plain_0001"} < folders
    assert {f"scenes/{kind}_000" for kind in KINDS} < folders
    assert not list(written[1].glob("scenes/train/*/truth.npz"))


def test_training_scenes_are_others_than_test_scenes(written: dict[int, Path]) -> None:
    root = written[1] / "scenes"
    for kind in KINDS:
        train, test = root / "train" / f"{kind}_0000" / "000002.jpg", root / f"{kind}_000" / "000002.png"
        frames = [np.asarray(cv2.imread(str(path))).astype(float) for path in (train, test)]
        assert np.abs(frames[0] - frames[1]).mean() > 10.0


def test_each_training_scene_has_a_quality_of_its_own() -> None:
    drawn = {draw_film(seed, CAMERA, spoilt=True).quality for seed in range(12)}
    assert len(drawn) > 4
    assert all(40 <= quality <= 90 for quality in drawn)
    assert draw_film(0, CAMERA, spoilt=False).quality == PLAIN.quality
