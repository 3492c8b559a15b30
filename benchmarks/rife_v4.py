"""What this project adds to RIFE v4.25's network: `python -m benchmarks.rife_v4` prints ratios.

Processor time per produced frame at 480p, over that of a plain forward of the same network on two frames that
are padded already: as a model of the pipeline (`Interpolator`), and as the video tool makes it at --factor 2,
from pictures to pictures. The median of the ratios of neighbours in one run, interleaved, on one thread, so
that a busy machine does not change them.
"""

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
import torch

from lift.config import load
from lift.models.rife_v4.interpolator import RifeV4
from lift.ops.pad import pad_to_multiple
from lift.video.choose import of_model
from lift.video.cuts import mark
from lift.video.engine import smooth
from lift.video.frame import Frame
from lift.video.pace import Schedule
from lift.video.settings import DEFAULTS

ROOT = Path(__file__).resolve().parents[1]
SIZE = (480, 854)
ROUNDS = 7
ORIGINALS = 3  # of the video: two made frames a round


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    model = RifeV4(load(ROOT / "params.yaml", "demo").model).eval().channels_last()
    model.load_pretrained(ROOT / "weights/rife_v4.25.safetensors")
    rows: dict[str, Callable[[], int]] = {
        "plain": _plain(model),
        "model": _as_model(model),
        "video": _as_video(model),
    }
    for produce in rows.values():
        produce()
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, produce in rows.items():
            start = time.process_time()
            count = produce()
            seconds[name].append((time.process_time() - start) / count)
    sys.stdout.write("| what | processor s/frame | over plain |\n|---|---:|---:|\n")
    for name, own in seconds.items():
        ratio = median(a / b for a, b in zip(own, seconds["plain"], strict=True))
        sys.stdout.write(f"| {name} | {median(own):.3f} | {ratio:.3f} |\n")


def _plain(model: RifeV4) -> Callable[[], int]:
    padded, _ = pad_to_multiple(torch.rand(2, 3, *SIZE), model.multiple, "constant")
    time_ = torch.tensor([0.5])

    def produce() -> int:
        with torch.inference_mode():
            model.network(padded, time_)
        return 1

    return produce


def _as_model(model: RifeV4) -> Callable[[], int]:
    frames, offsets = torch.rand(1, 2, 3, *SIZE), torch.tensor([[-1.0, 1.0]])

    def produce() -> int:
        with torch.inference_mode():
            model(frames, offsets, torch.ones(1, 2).bool())
        return 1

    return produce


def _as_video(model: RifeV4) -> Callable[[], int]:
    """Run the tool's engine over smooth motion, which has neither cuts nor repeats."""
    method = of_model(model, (-1, 1), "rife_v4", device="cpu")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    pictures = [
        np.stack([127 + 100 * np.sin((x + k * step) / 40 + y / 60) for k in (1, 2, 3)], axis=-1).astype(
            np.uint8
        )
        for step in range(0, 4 * ORIGINALS, 4)
    ]

    def produce() -> int:
        originals = (Frame(image=picture, time=Fraction(n, 30)) for n, picture in enumerate(pictures))
        shown = list(smooth(mark(originals, DEFAULTS.continuity), method, Schedule(factor=2)))
        made = sum(one.frame.kind == "interpolated" for one in shown)
        if made != ORIGINALS - 1:
            raise AssertionError(f"{made} frames were made of {ORIGINALS - 1}")
        return made

    return produce


if __name__ == "__main__":
    main()
