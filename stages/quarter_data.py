"""Part of `stages.quarter`: the footage of its training, made on the machine that trains.

    python -m stages.quarter_data NOTES [FOOTAGE]

FOOTAGE is a folder of real videos, brought along (`python -m benchmarks.footage` packs one): OpenCV unpacks
them into pictures, for such a machine may lack PyAV. Sets of clips are cut from these at once, so that there
is something to train on; then as many scenes are rendered as the time gives, and the sets are cut anew from
both. NOTES: a file of JSON that says what was done and how long it took.
"""

import dataclasses
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
from lift.config.quarter import Quarter, load_quarter
from lift.errors import UserError
from lift.files import write_json
from lift.scenes import KINDS, layouts
from lift.scenes.footage import Video, write_video
from lift.seeds import derive
from lift.threads import processors
from lift.training import plan
from stages.common import PARAMS, data_folder, run

PROFILE = "quarter"
REAL, RENDERED = "folder", "scenes"
SETS = ("train", "validation")
FREE = 2  # processors that rendering leaves to what runs beside it
QUALITY = 97  # of JPEG: what was decoded once is not to lose again


def main(notes: str, footage: str = "") -> None:
    """Make data/quarter/clips/{train,validation}."""
    config, quarter = load(PARAMS, PROFILE), load_quarter(PARAMS)
    made = _Notes(Path(notes))
    raw = data_folder(PROFILE) / "raw"
    if footage:
        with made.timed("unpack"):
            made.note(real_frames=unpack(Path(footage), raw / REAL, quarter.lines))
        with made.timed("cut_real"):
            made.note(real=_cut(_given(config, raw, real=True, scenes=None)))
    with made.timed("render"):
        count = _render(config, quarter, raw, made)
    with made.timed("cut"):
        made.note(clips=_cut(_given(config, raw, real=bool(footage), scenes=count)))


class _Notes:
    """A file of JSON that always says how far it has come."""

    def __init__(self, path: Path) -> None:
        self._path, self._values, self._seconds = path, dict[str, Any](), dict[str, float]()

    def note(self, **values: Any) -> None:
        self._values |= values
        write_json(self._path, {**self._values, "seconds": self._seconds}, sort=False)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        before = time.monotonic()
        yield
        self._seconds[name] = round(time.monotonic() - before, 2)
        self.note()
        print(f"data: {name}: {self._seconds[name]:.1f} s", flush=True)


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


def _given(config: Config, raw: Path, *, real: bool, scenes: int | None) -> Config:
    """Return the configuration with the footage that there is."""
    folder = Source(path=str(raw / REAL) if real else None, render=None, optional=True)
    rendered = config.sources[RENDERED]
    if scenes is None:
        rendered = Source(path=None, render=None, optional=True)
    else:
        rendered = dataclasses.replace(rendered, render=_rendering(config, scenes))
    return dataclasses.replace(config, sources={**config.sources, REAL: folder, RENDERED: rendered})


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
    return {
        name: {key: summary[key] for key in ("clips", "frames", "videos")} for name, summary in found.items()
    }


def _render(config: Config, quarter: Quarter, raw: Path, made: _Notes) -> int:
    """Render what the time gives; return how many scenes."""
    render = _rendering(config, 1)
    before = time.monotonic()
    per_scene = _scene_seconds(config, render)
    left = quarter.render - (time.monotonic() - before)
    source = config.sources[RENDERED].render
    assert source is not None
    count = plan.scenes(left, workers(), per_scene, len(KINDS), source.train)
    made.note(scene_seconds=round(per_scene, 3), workers=workers(), scenes=count)
    print(f"data: {per_scene:.2f} s a scene and process, {workers()} of them: {count} scenes", flush=True)
    layouts.write(
        RENDERED,
        raw / RENDERED,
        dataclasses.replace(render, train=count),
        config.seed,
        target=config.missing(RENDERED),
        workers=workers(),
    )
    return count


def _scene_seconds(config: Config, render: Render) -> float:
    """Return the mean time of a scene of each kind, as many at once as will be rendered."""
    spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    with (
        tempfile.TemporaryDirectory() as place,
        ProcessPoolExecutor(workers(), spawn, cv2.setNumThreads, (1,)) as pool,
    ):
        count = max(workers(), len(KINDS))
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
        return sum(pool.map(_timed, videos)) / count


def _timed(video: Video) -> float:
    before = time.monotonic()
    write_video(video)
    return time.monotonic() - before


if __name__ == "__main__":
    run(main, "NOTES", "FOOTAGE", optional=1)
