"""Procedural footage in the official layouts of the data sets, for the code that reads the real ones.

`write` fills `raw/<source>` with the same roots as the official archive: `vimeo_septuplet/`, `UCF-101/`
and `ucfTrainTestlist/`, `DAVIS/`, `SNU-FILM/`; `scenes/` is our own and keeps the truth of test scenes. The
five kinds take turns; a video's kind stands in its name where the official naming has room for one. A video
depends on (seed, source, part, index) alone, so the bytes do not depend on how many workers there are.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2

from lift.config.data import Render
from lift.errors import UserError
from lift.files import atomic_folder
from lift.progress import bar
from lift.scenes.footage import Video, write_video
from lift.scenes.kinds import KINDS
from lift.seeds import derive

TEST_GROUPS, GROUPS = 7, 25  # UCF101 split 1: groups 1-7 are tested, 8-25 train
SNU_GAPS = {"easy": 1, "medium": 2, "hard": 4, "extreme": 8}  # frames from the missing one to each reference
SNU_MARGIN = 16  # official lists keep at least so many frames on both sides of each of them
_Draw = Callable[..., Video]  # from part, index, path and names of frames; and a Video's `first` and `truth`


def _vimeo90k(root: Path, render: Render, draw: _Draw, target: int) -> Iterator[Video]:
    base = root / "vimeo_septuplet"
    if render.frames != 7:
        raise UserError(f"sources.vimeo90k.render.frames: {render.frames}; a septuplet has 7")
    for part, count, start in (("train", render.train, 0), ("test", render.test, render.train)):
        # Sequences of one official folder share their footage: each has one of its own here.
        names = [f"{start + i + 1:05d}/0001" for i in range(count)]
        _write_list(base / f"sep_{part}list.txt", names)
        for i, name in enumerate(names):
            yield draw(part, i, base / "sequences" / name, "im{}.png", first=1)


def _ucf101(root: Path, render: Render, draw: _Draw, target: int) -> Iterator[Video]:
    lists = root / "ucfTrainTestlist"
    classes = ["".join(word.capitalize() for word in kind.split("_")) for kind in KINDS]
    _write_list(lists / "classInd.txt", [f"{i} {name}" for i, name in enumerate(classes, 1)], "\r\n")
    for part, count in (("train", render.train), ("test", render.test)):
        groups = range(1, TEST_GROUPS + 1) if part == "test" else range(TEST_GROUPS + 1, GROUPS + 1)
        lines = []
        for i in range(count):
            turn, label = divmod(i, len(KINDS))
            clip, group = divmod(turn, len(groups))
            name = f"{classes[label]}/v_{classes[label]}_g{groups[group]:02d}_c{clip + 1:02d}.avi"
            lines.append(f"{name} {label + 1}" if part == "train" else name)
            yield draw(part, i, root / "UCF-101" / name, None)
        _write_list(lists / f"{part}list01.txt", lines, "\r\n")


def _davis(root: Path, render: Render, draw: _Draw, target: int) -> Iterator[Video]:
    base = root / "DAVIS"
    for part, title, count in (("train", "train", render.train), ("test", "val", render.test)):
        names = [f"{_kind(i).replace('_', '-')}-{title}-{i:02d}" for i in range(count)]
        _write_list(base / "ImageSets" / "2017" / f"{title}.txt", names)
        for i, name in enumerate(names):
            yield draw(part, i, base / "JPEGImages" / "480p" / name, "{:05d}.jpg")


def _snu_film(root: Path, render: Render, draw: _Draw, target: int) -> Iterator[Video]:
    base, names = root / "SNU-FILM", [f"{_kind(i)}_{i:02d}" for i in range(render.test)]
    widest = max(SNU_GAPS.values())
    margin = SNU_MARGIN if render.frames > 2 * SNU_MARGIN else widest
    span = render.frames - 2 * margin - 1
    if span < 0:
        raise UserError(
            f"sources.snu_film.render.frames: {render.frames}; at least {2 * widest + 1} are needed"
        )
    count = render.centres or 1
    centres = sorted({1 + margin + round((i + 0.5) * span / count) for i in range(count)})
    for level, gap in SNU_GAPS.items():
        triplets = [
            " ".join(
                f"data/SNU-FILM/test/GOPRO_test/{name}/{centre + step:06d}.png" for step in (-gap, 0, gap)
            )
            for name in names
            for centre in centres
        ]
        _write_list(base / "eval_modes" / f"test-{level}.txt", triplets)
    for i, name in enumerate(names):
        yield draw("test", i, base / "test" / "GOPRO_test" / name, "{:06d}.png", first=1)


def _scenes(root: Path, render: Render, draw: _Draw, target: int) -> Iterator[Video]:
    if not 1 <= target <= render.frames - 2:
        raise UserError(
            f"sources.scenes.render.frames: {render.frames}; the missing frame {target} needs neighbours"
        )
    base = root / "scenes"
    names = [f"{_kind(i)}_{i // len(KINDS):03d}" for i in range(render.test)]
    _write_list(base / "list.txt", names)
    for i, name in enumerate(names):
        yield draw("test", i, base / name, "{:06d}.png", truth=target)
    lossy = render.camera is not None and render.camera.quality is not None
    for i in range(render.train):
        path = base / "train" / f"{_kind(i)}_{i // len(KINDS):04d}"
        yield draw("train", i, path, "{:06d}.jpg" if lossy else "{:06d}.png")


LAYOUTS: dict[str, Callable[[Path, Render, _Draw, int], Iterator[Video]]] = {
    "vimeo90k": _vimeo90k,
    "ucf101": _ucf101,
    "davis": _davis,
    "snu_film": _snu_film,
    "scenes": _scenes,
}
"""By source, what writes its lists and says which videos it has."""


def write(
    source: str, folder: Path, render: Render, seed: int, *, target: int, workers: int | None = None
) -> None:
    """Write a source in its official layout as a whole: it appears complete or not at all.

    Args:
        source: One of LAYOUTS.
        folder: `raw/<source>`; what stood there is replaced.
        render: Counts, frames, size and speed.
        seed: The run's seed.
        target: Index of the missing frame, whose truth `scenes` keeps: `Config.missing`.
        workers: Videos rendered at once (None: one per processor); the bytes are the same.

    Raises:
        UserError: No such layout, too few frames for it, a full disk or a folder that cannot be written.
    """
    if source not in LAYOUTS:
        raise UserError(
            f"params.yaml: sources.{source}.render: nothing renders its layout; set a path, or add it to "
            f"LAYOUTS in lift/scenes/layouts.py (there are {', '.join(LAYOUTS)})"
        )

    def draw(part: str, index: int, path: Path, names: str | None, **options: int) -> Video:
        own, spoilt = derive(seed, source, part, index), part == "train"
        return Video(
            path=path, names=names, kind=_kind(index), seed=own, render=render, spoilt=spoilt, **options
        )

    with atomic_folder(folder) as root:
        videos = list(LAYOUTS[source](root, render, draw, target))
        pool = _pool(render, min(workers or os.cpu_count() or 1, max(len(videos), 1)))
        with bar(title=f"render {source}", unit="frame", total=len(videos) * render.frames) as progress:
            try:
                for count in pool.map(write_video, videos):
                    progress.update(count)
            except BrokenProcessPool as error:
                raise UserError(
                    f"{folder}: a rendering process was killed, most likely for lack of memory; free some "
                    "and run again"
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


def _pool(render: Render, workers: int) -> Executor:
    if render.camera is None:  # then pictures are read once, and nothing has to start
        return ThreadPoolExecutor(workers)
    # Filmed scenes do much outside OpenCV, which alone lets other threads run.
    spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    return ProcessPoolExecutor(workers, spawn, cv2.setNumThreads, (1,))


def _write_list(path: Path, lines: list[str], end: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + end for line in lines), encoding="utf-8", newline="")


def _kind(index: int) -> str:
    return KINDS[index % len(KINDS)]
