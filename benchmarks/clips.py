"""How fast clips are built and read, each beside a plain loop over the same footage.

`python -m benchmarks.clips FOLDER`, where FOLDER holds data sets in their official layouts (such as
`../shared/real`). Both sides of a ratio run in turns, and the best of several turns counts, since other work
on the machine only ever slows. Processor time stands beside the clock: it is the fairer figure on a busy
machine, and free cores do not change it.

- Building: the stage's own function on UCF101's videos with the thesis' rule for training clips, reading and
  writing, against loops that decode the same videos and do nothing with the frames: OpenCV's, and PyAV's to
  RGB. At least 70 % is wanted.
- Reading: 15 frames and the missing one, cut to 256x256 (UCF101: 224x224, its frames have 240 lines) and
  augmented, against a loop that decodes the same bytes with OpenCV (UCF101: PyAV). At least 80 % is wanted.
"""

import dataclasses
import io
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import av
import cv2
import torch

from lift.clips.build import build_clip_set
from lift.config import ClipSet, Config, Source, load, window
from lift.data.dataset import ClipDataset
from lift.data.stored import images, mpeg4
from lift.data.stored.archive import entry_name
from lift.data.stored.manifest import ClipRow, read_manifest

TURNS = 5
CROPS = {"davis": (256, 256), "vimeo90k": (256, 256), "ucf101": (224, 224)}
WINDOW = window(8, 6, "dense")


def main(folder: Path) -> None:
    """Print all ratios."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        for title, plain in (("OpenCV", with_opencv), ("PyAV to RGB", with_pyav)):
            ours, theirs = building(folder, out / "built"), partial(plain, folder, out / "built")
            report(f"building, ucf101 (avi), {title}", ours, theirs)
        for name, crop in CROPS.items():
            report(f"reading 15 frames of {crop[0]}x{crop[1]}, {name}", *reading(folder, out / name, name))


def building(folder: Path, out: Path) -> Callable[[], int]:
    """Return the stage's work on UCF101; it returns the frames that it goes through."""
    rules = load("params.yaml", "thesis").clips.sets["train"]
    config = over(folder, dataclasses.replace(rules, part="test", sources=("ucf101",)))

    def ours() -> int:
        build_clip_set(config, "set", folder, out)
        return sum(lengths(out).values())

    return ours


def lengths(out: Path) -> dict[str, int]:
    """Count the frames of each video up to the last that a clip needs."""
    found: dict[str, int] = {}
    for row in read_manifest(out / "clips.csv"):
        found[row.video] = max(found.get(row.video, 0), row.number(row.offsets[-1]) + 1)
    return found


def with_opencv(folder: Path, out: Path) -> int:
    """Decode the same frames with OpenCV."""
    for video, length in lengths(out).items():
        capture = cv2.VideoCapture(str(folder / "UCF-101" / f"{video}.avi"))
        for _ in range(length):
            capture.read()
    return sum(lengths(out).values())


def with_pyav(folder: Path, out: Path) -> int:
    """Decode the same frames with PyAV and convert them to RGB."""
    for video, length in lengths(out).items():
        with av.open(str(folder / "UCF-101" / f"{video}.avi")) as container:
            for frame in islice(container.decode(video=0), length):
                frame.to_ndarray(format="rgb24")
    return sum(lengths(out).values())


def reading(folder: Path, out: Path, name: str) -> tuple[Callable[[], int], Callable[[], int]]:
    """Return the loader's work on a data set's clips, and the plain decoding of the same bytes."""
    base = load("params.yaml", "demo").clips.sets["davis"]
    before, after = (3, 3) if name == "vimeo90k" else (8, 6)
    clip_set = dataclasses.replace(base, sources=(name,), before=before, after=after, spacing=1, max_clips=3)
    config = over(folder, clip_set)
    build_clip_set(config, "set", folder, out)
    clips = ClipDataset(out, WINDOW, crop=CROPS[name], augment=config.train.augment, seed=config.seed)
    plain = _plain_runs if clips.rows[0].extension == mpeg4.EXTENSION else _plain_pictures
    visits = range(max(1, 24 // len(clips)))

    def ours() -> int:
        return sum(int(clips[i, 0, v]["valid"].sum()) + 1 for v in visits for i in range(len(clips)))

    return ours, lambda: sum(plain(clips, row) for _ in visits for row in clips.rows)


def _numbers(row: ClipRow) -> list[int]:
    return sorted(row.number(offset) for offset in {*WINDOW, 0} if offset in (*row.offsets, 0))


def _plain_pictures(clips: ClipDataset, row: ClipRow) -> int:
    for number in _numbers(row):
        images.decode(clips.archive.read(entry_name(row.stored, number, row.extension)))
    return len(_numbers(row))


def _plain_runs(clips: ClipDataset, row: ClipRow) -> int:
    """Decode the runs that hold the window, and convert the window's frames."""
    numbers = _numbers(row)
    starts = [
        n for n in range(numbers[-1], -1, -1) if entry_name(row.stored, n, mpeg4.EXTENSION) in clips.archive
    ]
    for start in reversed(starts[: 1 + sum(start > numbers[0] for start in starts)]):
        data = clips.archive.read(entry_name(row.stored, start, mpeg4.EXTENSION))
        with av.open(io.BytesIO(data), "r", format="m4v") as container:
            for number, frame in enumerate(container.decode(video=0), start):
                if numbers[0] <= number <= numbers[-1]:
                    frame.to_ndarray(format="rgb24")
                if number == numbers[-1]:
                    break
    return len(numbers)


def over(folder: Path, clip_set: ClipSet) -> Config:
    """Return the demo's parameters with one clip set, `set`, whose sources lie in `folder`."""
    base = load("params.yaml", "demo")
    sources = {name: Source(path=str(folder), render=None, optional=False) for name in clip_set.sources}
    return dataclasses.replace(
        base, clips=dataclasses.replace(base.clips, sets={"set": clip_set}), sources=sources
    )


def report(title: str, ours: Callable[[], int], plain: Callable[[], int]) -> None:
    """Time both in turns and print frames per second by the clock, and processor time per frame."""
    best = {"ours": (1e9, 1e9), "plain": (1e9, 1e9)}
    counts = {}
    for _ in range(TURNS):
        for key, work in (("ours", ours), ("plain", plain)):
            clock, processor = time.perf_counter(), time.process_time()
            counts[key] = work()
            taken = (time.perf_counter() - clock, time.process_time() - processor)
            best[key] = (min(best[key][0], taken[0]), min(best[key][1], taken[1]))
    per = {key: tuple(1e3 * value / counts[key] for value in best[key]) for key in best}
    print(
        f"{title}: {per['ours'][0]:.3f} ms a frame against {per['plain'][0]:.3f} ({counts['ours']} and "
        f"{counts['plain']} frames): {per['plain'][0] / per['ours'][0]:.0%} by the clock; processor time "
        f"{per['ours'][1]:.3f} against {per['plain'][1]:.3f} ms"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
