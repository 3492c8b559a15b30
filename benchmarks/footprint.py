"""What the stage `clips` needs as a data set grows, and what all of Vimeo-90K would take.

`python -m benchmarks.footprint FOLDER`, where FOLDER holds Vimeo-90K in its official layout (one septuplet
will do, such as `../shared/real`). Memory: the stage over 100, 1,000 and 10,000 made septuplets, each in a
process of its own, with its peak of resident memory. Rates: the stage over copies of FOLDER's own septuplets.
From these and the published size of the archive come the figures for 91,701 septuplets, an estimate.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import cv2

from benchmarks.clips import over
from lift.clips.build import build_clip_set
from lift.config import load
from lift.fetch.catalogue import CATALOGUE
from lift.scenes import make

COUNTS = (100, 1_000, 10_000)
SIZE = (64, 112)  # of made pictures, small: memory that grows with the set does not depend on it
COPIES = 60
FRAMES = 7
TRAIN, TEST, ALL = 64_612, 7_824, 91_701


def main(folder: Path) -> None:
    """Print the table of memory, the rates and the estimate."""
    scene = make(0, "plain", SIZE, (0.5, 2.0))
    made = [cv2.imencode(".png", scene.render(float(i))[..., ::-1])[1].tobytes() for i in range(FRAMES)]
    real = folder / "vimeo_septuplet" / "sequences"
    own = [path.read_bytes() for path in sorted(real.glob("*/*/im?.png"))[:FRAMES]]
    peaks = {}
    for count in COUNTS:
        peaks[count], *_ = measured(made, count)
        print(f"{count:,} septuplets: peak of {peaks[count] / 2**20:.0f} MiB")
    growth = (peaks[COUNTS[-1]] - peaks[COUNTS[0]]) / (COUNTS[-1] - COUNTS[0])
    _, clock, processor = measured(own, COPIES)
    frames = COPIES * FRAMES
    size = (CATALOGUE["vimeo90k"].files[0].about or 0) / ALL  # a septuplet's PNG files, packed or not
    print(
        f"{frames / clock:.0f} frames/s by the clock, {1e3 * processor / frames:.2f} ms of one core a frame"
    )
    for title, count in (("train", TRAIN), ("test", TEST), ("all", ALL)):
        hours = count * FRAMES * processor / frames / 3600
        print(
            f"{title}, {count:,} septuplets: {count * size / 1e9:.0f} GB, {hours:.2f} core hours, "
            f"{(peaks[COUNTS[0]] + growth * count) / 2**20:.0f} MiB"
        )


def measured(pictures: list[bytes], count: int) -> tuple[int, float, float]:
    """Build a set of `count` septuplets; give bytes of memory at the peak, seconds, processor seconds."""
    with tempfile.TemporaryDirectory() as place:
        layout(Path(place), pictures, count)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(build, (place,))


def layout(folder: Path, pictures: list[bytes], count: int) -> None:
    """Write the official layout; all septuplets are links to the same files."""
    root = folder / "vimeo_septuplet"
    root.mkdir()
    for i, data in enumerate(pictures, 1):
        (folder / f"im{i}.png").write_bytes(data)
    names = [f"{i // 1000 + 1:05d}/{i % 1000 + 1:04d}" for i in range(count)]
    (root / "sep_testlist.txt").write_text("\n".join(names))
    (root / "sep_trainlist.txt").write_text("00000/0001\n")
    for name in names:
        (root / "sequences" / name).mkdir(parents=True)
        for i in range(1, FRAMES + 1):
            os.link(folder / f"im{i}.png", root / "sequences" / name / f"im{i}.png")


def build(place: str) -> tuple[int, float, float]:
    """Run the stage's function in this process; see `measured`."""
    cv2.setNumThreads(1)
    folder = Path(place)
    config = over(folder, load("params.yaml", "demo").clips.sets["vimeo90k"])
    clock, processor = time.perf_counter(), time.process_time()
    summary = build_clip_set(config, "set", folder, folder / "out")
    taken = time.perf_counter() - clock, time.process_time() - processor
    assert summary["clips"] * FRAMES == summary["frames"]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, *taken


if __name__ == "__main__":
    main(Path(sys.argv[1]))
