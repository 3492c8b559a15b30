"""One video of a procedural scene on disk: numbered PNG or JPEG frames or an AVI, and the truth.

Encoded in whole numbers: equal pictures give equal bytes on every processor.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lift import png
from lift.config.data import Camera
from lift.scenes.filming import JPEG_QUALITY, draw_film
from lift.scenes.kinds import make
from lift.scenes.scene import Image, Scene

FRAME_RATE = 25  # UCF101's
QUANTISER = 2  # MPEG-4's finest; the scenes' own detail should decide a result, not the codec's


@dataclass(frozen=True, kw_only=True)
class Video:
    """What to render and where to put it."""

    path: Path
    """Folder of the frames, or the AVI file."""
    names: str | None
    """Format of a frame's file name from its number; None: an AVI."""
    first: int
    """Number of the first frame."""
    truth: int | None
    """Index of the frame whose truth is written beside the frames; None: none."""
    frames: int
    kind: str
    seed: int
    size: tuple[int, int]
    """Height and width, pixels."""
    speed: tuple[float, float]
    """Slowest and fastest typical motion, pixels per frame."""
    camera: Camera | None
    """How it varies and is filmed beyond the plain scenes; None: not at all."""
    spoilt: bool
    """With the camera's noise and compression."""


def write_video(video: Video) -> int:
    """Render and write a video; the bytes depend on `video` alone.

    Returns:
        The number of frames written.
    """
    scene = make(video.seed, video.kind, video.size, video.speed, camera=video.camera)
    film = draw_film(video.seed, video.camera, spoilt=video.spoilt)
    frames = (film.take(scene, number) for number in range(video.frames))
    video.path.parent.mkdir(parents=True, exist_ok=True)
    if video.names is None:
        write_avi(video.path, frames, video.size)
    else:
        video.path.mkdir(parents=True)
        for number, frame in enumerate(frames, video.first):
            data = encode(frame, Path(video.names).suffix, film.quality)
            (video.path / video.names.format(number)).write_bytes(data)
    if video.truth is not None:
        write_truth(video.path / "truth.npz", scene, video.truth, video.first + video.truth)
    return video.frames


def encode(frame: Image, suffix: str, quality: int = JPEG_QUALITY) -> bytes:
    """Return a frame (uint8 RGB) as a PNG or JPEG file's bytes; `quality` is JPEG's.

    JPEG by libjpeg-turbo, whose vector code gives what its plain C gives.
    """
    if suffix == ".png":
        return png.encode(frame)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode(suffix, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
    return bytes(data)


def write_avi(path: Path, frames: Iterator[Image], size: tuple[int, int]) -> None:
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


def write_truth(path: Path, scene: Scene, target: int, number: int) -> None:
    """Write a frame's flow (4, H, W) float32 (to the frame before, then after) and visible (2, H, W) bool.

    Args:
        path: The file.
        scene: What was filmed.
        target: The frame's index, which is its time.
        number: Its number, kept beside its truth: other frames of the scene have others.
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
