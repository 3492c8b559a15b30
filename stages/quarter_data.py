"""Part of `stages.quarter`: the footage of its training, made on the machine that trains.

    python -m stages.quarter_data [FOOTAGE]

FOOTAGE is a folder of real videos, brought along (`python -m benchmarks.footage` packs one): OpenCV unpacks
them into pictures, for such a machine may lack PyAV. Sets of clips are cut from these at once, so that there
is something to train on; then as many scenes are rendered as the time gives, and the sets are cut anew from
both. What was done, and how long it took, is noted.
"""

import dataclasses
import math
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from lift.clips.build import build_clip_set
from lift.config import Config, Render, Source, load
from lift.config.quarter import load_quarter
from lift.errors import UserError
from lift.scenes import KINDS, layouts
from lift.scenes.footage import Video, write_video
from lift.seeds import derive
from lift.threads import processors
from stages.common import PARAMS, data_folder, run
from stages.quarter import PROFILE, Notes

REAL, RENDERED = "folder", "scenes"
SETS = ("train", "validation")
FREE = 2  # processors that rendering leaves to what runs beside it
QUALITY = 97  # of JPEG: what was decoded once is not to lose again


def main(footage: str = "") -> None:
    """Make data/quarter/clips/{train,validation}."""
    config, quarter, made = load(PARAMS, PROFILE), load_quarter(PARAMS), Notes("data")
    raw = data_folder(PROFILE) / "raw"
    if footage:
        with _timed(made, "unpack"):
            made.note(real_frames=unpack(Path(footage), raw / REAL, quarter.lines))
        with _timed(made, "cut_real"):
            made.note(real=_cut(_given(config, raw, real=True, scenes=0)))
    with _timed(made, "render"):
        count = _render(config, quarter.render, raw, made)
    with _timed(made, "cut"):
        made.note(clips=_cut(_given(config, raw, real=bool(footage), scenes=count)))


@contextmanager
def _timed(made: Notes, name: str) -> Iterator[None]:
    before = time.monotonic()
    yield
    seconds = round(time.monotonic() - before, 2)
    made.note(seconds={**made.values.get("seconds", {}), name: seconds})
    print(f"data: {name}: {seconds:.1f} s", flush=True)


def workers() -> int:
    """Return how many processes render."""
    return max(1, processors() - FREE)


def unpack(footage: Path, folder: Path, lines: int) -> int:
    """Decode every video of a folder into pictures, as the source `folder` reads them, all for training.

    Args:
        footage: Videos, each a recording of its own.
        folder: To be made; what stood there is replaced.
        lines: Height of frames at most, pixels.

    Returns:
        How many frames there are.

    Raises:
        UserError: There is no video that OpenCV can decode.
    """
    videos = sorted(path for path in footage.iterdir() if path.is_file() and not path.name.startswith("."))
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("train", "test"):
        (folder / part).mkdir(parents=True)
    with ThreadPoolExecutor(workers()) as pool:
        frames = sum(pool.map(partial(_unpacked, folder=folder / "train", lines=lines), videos))
    if not frames:
        raise UserError(f"{footage}: no video in it that OpenCV decodes; pack it with benchmarks.footage")
    return frames


def _unpacked(video: Path, folder: Path, lines: int) -> int:
    capture, count = cv2.VideoCapture(str(video)), 0
    place = folder / video.stem
    place.mkdir(exist_ok=True)
    while True:
        there, frame = capture.read()
        if not there:
            break
        height, width = frame.shape[:2]
        if height > lines:
            size = (2 * round(width * lines / height / 2), lines)
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        (place / f"{count:06d}.jpg").write_bytes(bytes(cv2.imencode(".jpg", frame, options)[1]))
        count += 1
    capture.release()
    if not count:
        place.rmdir()
    return count


def _given(config: Config, raw: Path, *, real: bool, scenes: int) -> Config:
    """Return the configuration with the footage that there is."""
    absent = Source(path=None, render=None, optional=True)
    folder = dataclasses.replace(absent, path=str(raw / REAL)) if real else absent
    rendered = dataclasses.replace(config.sources[RENDERED], render=_rendering(config, scenes))
    given = {REAL: folder, RENDERED: rendered if scenes else absent}
    return dataclasses.replace(config, sources={**config.sources, **given})


def _rendering(config: Config, count: int) -> Render:
    render = config.sources[RENDERED].render
    if render is None:
        raise UserError(
            f"params.yaml: profiles.{PROFILE}.sources.{RENDERED}.render: nothing to render; set it"
        )
    return dataclasses.replace(render, train=count, test=1)  # the layout is known by a test scene's truth


def _cut(config: Config) -> dict[str, Any]:
    raw, out = data_folder(PROFILE) / "raw", data_folder(PROFILE) / "clips"
    found = {name: build_clip_set(config, name, raw, out / name) for name in SETS}
    kept = ("clips", "frames", "videos")
    return {name: {key: summary[key] for key in kept} for name, summary in found.items()}


def _render(config: Config, seconds: float, raw: Path, made: Notes) -> int:
    """Render what the time gives; return how many scenes."""
    before, source = time.monotonic(), config.sources[RENDERED].render
    per_scene = _scene_seconds(config, _rendering(config, 1))
    assert source is not None
    left = seconds - (time.monotonic() - before)
    count = scenes(left, workers(), per_scene, len(KINDS), source.train)
    made.note(scene_seconds=round(per_scene, 3), workers=workers(), scenes=count)
    print(f"data: {per_scene:.2f} s a scene and process, {workers()} of them: {count} scenes", flush=True)
    render, target = _rendering(config, count), config.missing(RENDERED)
    layouts.write(RENDERED, raw / RENDERED, render, config.seed, target=target, workers=workers())
    return count


def scenes(seconds: float, workers: int, per_scene: float, least: int, most: int) -> int:
    """Return how many scenes `workers` processes render in so many seconds, `least` to `most`.

    Args:
        seconds: For all of it.
        workers: Processes.
        per_scene: Seconds of one process for a scene.
        least: Scenes without which there is nothing to learn from.
        most: Scenes wanted.
    """
    return max(least, min(most, math.floor(seconds * workers / per_scene)))


def _scene_seconds(config: Config, render: Render) -> float:
    """Return the mean time of a scene of each kind, as many at once as will be rendered."""
    spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    count = max(workers(), len(KINDS))
    with (
        tempfile.TemporaryDirectory() as place,
        ProcessPoolExecutor(workers(), spawn, cv2.setNumThreads, (1,)) as pool,
    ):
        videos = [
            Video(
                path=Path(place) / str(index),
                names="{:06d}.jpg",
                kind=KINDS[index % len(KINDS)],
                seed=derive(config.seed, "measured", index),
                render=render,
                spoilt=True,
            )
            for index in range(count)
        ]
        return sum(pool.map(_seconds, videos)) / count


def _seconds(video: Video) -> float:
    before = time.monotonic()
    write_video(video)
    return time.monotonic() - before


if __name__ == "__main__":
    run(main, "FOOTAGE", optional=1)
