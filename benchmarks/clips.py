"""How fast clips are built and read, each beside a plain loop over the same footage.

`python -m benchmarks.clips FOLDER`, where FOLDER holds data sets in their official layouts (such as
`../shared/real`). Both sides of a ratio run in turns, and the best of several turns counts, since other work
on the machine only ever slows. Processor time stands beside the clock: free cores do not change it.

- Building: the stage's own function on all UCF101 windows, against a loop that decodes the same videos with
  PyAV to RGB and does nothing with them. At least 70 % is wanted.
- Reading: 15 frames and the missing one, cut to 256x256 and augmented, against a loop that decodes the same
  bytes with OpenCV. At least 80 % is wanted.
"""

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import torch

from lift.config import Config, Source, load, window
from lift.data import images
from lift.data.archive import entry_name
from lift.data.build import build_clip_set
from lift.data.dataset import ClipDataset

TURNS = 4
CROP = (256, 256)


def main(folder: Path) -> None:
    """Print both ratios."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        report("building, UCF101 (avi)", *building(folder, out))
        for name in ("davis", "vimeo90k"):
            report(f"reading 15 frames of 256x256, {name}", *reading(folder, out / name, name))


def building(folder: Path, out: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """Give the stage's work on all UCF101 windows, and the plain loop; both return frames."""
    config = over(folder, "ucf101", before=10, after=7)
    videos = sorted((folder / "UCF-101").rglob("*.avi"))

    def ours() -> int:
        return int(build_clip_set(config, "set", folder, out / "ucf101")["frames"])

    def plain() -> int:
        count = 0
        for path in videos:
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    frame.to_ndarray(format="rgb24")
                    count += 1
        return count

    return ours, plain


def reading(folder: Path, out: Path, name: str) -> tuple[Callable[[], int], Callable[[], int]]:
    """Give the loader's work on a data set's clips, and the plain decoding of the same bytes."""
    rules = {"before": 3, "after": 3} if name == "vimeo90k" else {"before": 8, "after": 6}
    config = over(folder, name, max_clips=3, **rules)
    build_clip_set(config, "set", folder, out)
    clips = ClipDataset(out, window(8, 6, "dense"), crop=CROP, augment=config.train.augment, seed=config.seed)
    present = [[o for o in (*window(8, 6, "dense"), 0) if o in (*row.offsets, 0)] for row in clips.rows]
    names = [
        [entry_name(row.stored, row.number(offset), row.extension) for offset in offsets]
        for row, offsets in zip(clips.rows, present, strict=True)
    ]

    def ours() -> int:
        return sum(int(clips[i, 0, 0]["valid"].sum()) + 1 for i in range(len(clips)))

    def plain() -> int:
        for clip in names:
            for entry in clip:
                images.decode(clips.archive.read(entry))
        return sum(map(len, names))

    return ours, plain


def over(folder: Path, name: str, **rules: object) -> Config:
    """Give the demo's parameters with one test set over a copy in `folder`."""
    base = load("params.yaml", "demo")
    values = {"sources": (name,), "part": "test", "spacing": 1, "max_clips": None, **rules}
    clip_set = dataclasses.replace(base.clips.sets["davis"], **values)
    clips = dataclasses.replace(base.clips, sets={"set": clip_set})
    return dataclasses.replace(base, clips=clips, sources={name: Source(path=str(folder), render=None)})


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
    sys.stdout.write(
        f"{title}: {per['ours'][0]:.3f} ms a frame against {per['plain'][0]:.3f} ({counts['ours']} and "
        f"{counts['plain']} frames): {per['plain'][0] / per['ours'][0]:.0%} by the clock; processor time "
        f"{per['ours'][1]:.3f} against {per['plain'][1]:.3f} ms\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
