"""How a scene is filmed, and one video of it on disk: numbered PNG or JPEG frames or an AVI, and the truth.

A camera in a hand shakes, zooms and turns, gathers light over an exposure, and has a sensor's noise and JPEG;
plain scenes are seen by a camera without any of these. All is drawn once per scene from `render.camera` of
params.yaml. A frame stands for the middle of its exposure, so the scene's truth at that time is the frame's.
Encoded in whole numbers: equal pictures give equal bytes on every processor.
"""

import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from lift import png
from lift.config.data import Camera, Render
from lift.scenes import ranges
from lift.scenes.kinds import make
from lift.scenes.scene import Image, Scene
from lift.seeds import generator

FRAME_RATE = 25  # UCF101's
QUANTISER = 2  # MPEG-4's finest; the scenes' own detail should decide a result, not the codec's
JPEG_QUALITY = 95  # of footage that the layout wants as JPEG and nothing else speaks of


@dataclass(frozen=True, kw_only=True)
class Film:
    """How the frames of one scene are taken and kept."""

    seed: int
    """Of the noise."""
    shutter: float
    """Share of a frame's time in which light is gathered."""
    exposures: int
    """Most moments that are averaged for it."""
    noise: float
    """Standard deviation at mid grey, 0-255."""
    quality: int
    """Of JPEG."""

    def take(self, scene: Scene, number: int) -> Image:
        """Return the frame at time `number`, uint8 RGB."""
        frame = expose(scene, number, self.shutter, self.exposures)
        if not self.noise:
            return frame
        # Its variance grows with the light, on a floor: a sensor's own noise and that of photons.
        random = generator(self.seed, "noise", number).standard_normal(frame.shape, dtype=np.float32)
        value, floor = frame.astype(np.float32), ranges.NOISE_FLOOR
        deviation = self.noise * np.sqrt(floor + (1.0 - floor) * value / 127.5)
        return np.asarray(np.rint(np.clip(value + deviation * random, 0.0, 255.0)), dtype=np.uint8)


PLAIN = Film(seed=0, shutter=0.0, exposures=1, noise=0.0, quality=JPEG_QUALITY)


def draw_film(seed: int, camera: Camera | None, *, spoilt: bool) -> Film:
    """Draw how a scene is filmed.

    Args:
        seed: The scene's.
        camera: Ranges; None: as plain scenes are.
        spoilt: With noise and compression: what is learnt from. Not what is measured on, where noise in the
            true frame would bound every method alike and hide what differs.
    """
    if camera is None:
        return PLAIN
    rng = generator(seed, "film")
    shutter, noise = rng.uniform(*camera.shutter), rng.uniform(*camera.noise)
    low, high = camera.quality or (JPEG_QUALITY, JPEG_QUALITY)
    quality = int(rng.integers(low, high + 1))
    return Film(
        seed=seed,
        shutter=shutter,
        exposures=camera.exposures,
        noise=noise if spoilt else 0.0,
        quality=quality if spoilt else JPEG_QUALITY,
    )


def expose(scene: Scene, time: float, shutter: float, most: int) -> Image:
    """Average a scene over an exposure whose middle is `time`: uint8 RGB.

    Light adds up, and a value is about the square root of it (a display's gamma of 2).

    Args:
        scene: What is seen.
        time: Frames.
        shutter: Length of the exposure, frames.
        most: Most moments; so many that nothing jumps by more than `ranges.BLUR_STEP` are enough.
    """
    moments = math.ceil(_travel(scene, time, shutter) / ranges.BLUR_STEP) if shutter else 1
    count = max(1, min(most, moments))
    if count == 1:
        return scene.render(time)
    light = np.zeros((*scene.size, 3), np.float32)
    for index in range(count):
        cv2.accumulateSquare(scene.render(time + shutter * ((index + 0.5) / count - 0.5)), light)
    return np.asarray(np.rint(np.sqrt(light / count)), dtype=np.uint8)


def _travel(scene: Scene, time: float, shutter: float) -> float:
    """Return the longest way of a layer's corner, inside the screen, over an exposure, pixels."""
    longest = 0.0
    start, end = time - 0.5 * shutter, time + 0.5 * shutter
    for layer in scene.layers:
        top, bottom, left, right = layer.box(time, scene.size)
        if top < bottom and left < right:
            moved = layer.from_texels(end).after(layer.texels(start))
            for x, y in product((left, right), (top, bottom)):
                to_x, to_y = moved(float(x), float(y))
                longest = max(longest, math.hypot(to_x - x, to_y - y))
    return longest


@dataclass(frozen=True, kw_only=True)
class Video:
    """What to render and where to put it."""

    path: Path
    """Folder of the frames, or the AVI file."""
    names: str | None
    """Format of a frame's file name from its number; None: an AVI."""
    first: int = 0
    """Number of the first frame."""
    truth: int | None = None
    """Index of the frame whose truth is written beside the frames; None: none."""
    kind: str
    seed: int
    render: Render
    """Frames, size, speed and camera."""
    spoilt: bool
    """With the camera's noise and compression."""


def write_video(video: Video) -> int:
    """Render and write a video; the bytes depend on `video` alone.

    Returns:
        The number of frames written.
    """
    render = video.render
    scene = make(video.seed, video.kind, render.size, render.speed, camera=render.camera)
    film = draw_film(video.seed, render.camera, spoilt=video.spoilt)
    frames = (film.take(scene, number) for number in range(render.frames))
    video.path.parent.mkdir(parents=True, exist_ok=True)
    if video.names is None:
        _write_avi(video.path, frames, render.size)
    else:
        video.path.mkdir(parents=True)
        for number, frame in enumerate(frames, video.first):
            data = encode(frame, Path(video.names).suffix, film.quality)
            (video.path / video.names.format(number)).write_bytes(data)
    if video.truth is not None:
        _write_truth(video.path / "truth.npz", scene, video.truth, video.first + video.truth)
    return render.frames


def encode(frame: Image, suffix: str, quality: int = JPEG_QUALITY) -> bytes:
    """Return a frame (uint8 RGB) as a PNG or JPEG file's bytes; `quality` is JPEG's.

    JPEG by libjpeg-turbo, whose vector code gives what its plain C gives.
    """
    if suffix == ".png":
        return png.encode(frame)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(suffix, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
    return bytes(data)


def _write_avi(path: Path, frames: Iterator[Image], size: tuple[int, int]) -> None:
    """Write frames as MPEG-4 in AVI, like UCF101.

    One thread, FFmpeg's bit-exact paths, and its transforms in C: those in vector code round otherwise.
    """
    import av  # here alone: pictures need no FFmpeg, which a machine that only trains may lack
    from av.video.reformatter import Interpolation

    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mpeg4", rate=FRAME_RATE)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        limits = {"qmin": str(QUANTISER), "qmax": str(QUANTISER)}
        stream.options = {"flags": "+bitexact", "dct": "int", "idct": "simple", **limits}
        for frame in frames:
            rgb = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(rgb.reformat(format="yuv420p", interpolation=exact, threads=1)))
        container.mux(stream.encode())


def _write_truth(path: Path, scene: Scene, target: int, number: int) -> None:
    """Write a frame's flow (4, H, W) float32 (to the frame before, then after) and visible (2, H, W) bool.

    `target` is its time; its `number` is kept beside its truth, for other frames of the scene have others.
    """
    before, after = (scene.truth(target, target + step) for step in (-1, 1))
    arrays = {
        "number": np.asarray(number, np.int64),
        "flow": np.concatenate([before.flow, after.flow]),
        "visible": np.stack([before.visible, after.visible]),
    }
    # Not by np.savez, which notes the time, nor compressed, which differs from one zlib to another.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue())
