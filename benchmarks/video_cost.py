"""What smoothing a video costs, from file to file: `python -m benchmarks.video_cost [table|ratio]`.

`table`: seconds and peak memory per made frame at --factor 2, decoding and encoding included, each row in a
process of its own, whose peak memory only grows. `ratio`: the same at 480p, and RIFE v4.25 as a model of the
pipeline and from pictures to pictures (without decoding and encoding), over a plain forward of its network on
two frames that are padded already, with as many threads; the median of the ratios of neighbours, interleaved
in one run, so that a busy machine does not change them.
"""

import argparse
import dataclasses
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import av
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from lift.config import load
from lift.config.load import PARAMS
from lift.files import ROOT
from lift.models.rife_v4.interpolator import RifeV4
from lift.ops.pad import pad_to_multiple
from lift.video.api import interpolate
from lift.video.choose import choose
from lift.video.job import Job
from lift.video.methods import Method
from lift.video.run import run

SIZES = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920), "2160p": (2160, 3840)}
MODELS = ("average", "dis", "rife_v4")
ORIGINALS = 5  # of a table's video: four made frames
SHORT = 4  # of a ratio's: three
ROUNDS = 7
UNIT = 1024 if sys.platform != "darwin" else 1  # getrusage counts bytes there, KiB elsewhere
GIB = 2**30
Seconds = tuple[float, float]
"""By the clock, and of the processor, for a made frame."""


def cost(model: str, size: tuple[int, int], originals: int, threads: int) -> tuple[float, float, float]:
    """Smooth a made video.

    Args:
        model: A name or a weights file, as for `choose`.
        size: (H, W), pixels.
        originals: How many frames it has.
        threads: Of PyTorch.

    Returns:
        Seconds by the clock and of the processor per made frame, and GiB at the peak of the whole process.
    """
    torch.set_num_threads(threads)
    method = choose(weights=Path(model)) if Path(model).suffix else choose(model)
    with tempfile.TemporaryDirectory() as folder:
        given = footage(Path(folder) / "in.mp4", size, originals)
        clock, processor = _smooth(given, method)
    return clock, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / GIB


def footage(path: Path, size: tuple[int, int], count: int) -> Path:
    """Write a video of smooth motion, without cuts and repeats."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(_picture(k, size), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def _picture(k: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    y, x = np.mgrid[: size[0], : size[1]]
    fine = 0.3 * np.sin((x - 3 * k) / 5 + y / 7)
    waves = [np.sin((x + 4 * k * channel) / 40 + y / 60) + fine for channel in (1, 2, 3)]
    return np.stack([127 + 90 * wave for wave in waves], axis=-1).clip(0, 255).astype(np.uint8)


def _smooth(given: Path, method: Method) -> tuple[float, float]:
    """Return seconds by the clock and of the processor per made frame."""
    job = Job(input=given, output=given.with_name("out.mp4"), force=True)
    clock, processor = time.perf_counter(), time.process_time()
    outcome = run(job, method, progress=tqdm(disable=True))
    made = outcome.shown - outcome.originals
    return (time.perf_counter() - clock) / made, (time.process_time() - processor) / made


def table(models: list[str], sizes: list[str], threads: int) -> None:
    """Print the table as Markdown."""
    print("| model | size | s per made frame | processor s | peak GiB |\n|---|---|---:|---:|---:|")
    for size in sizes:
        for model in models:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                clock, processor, peak = pool.apply(cost, (model, SIZES[size], ORIGINALS, threads))
            print(f"| {model} | {size} | {clock:.2f} | {processor:.2f} | {peak:.2f} |", flush=True)


def ratio(models: list[str], threads: int, rounds: int) -> None:
    """Print ratios to a plain forward as Markdown."""
    torch.set_num_threads(threads)
    model = dataclasses.replace(load(PARAMS, "demo").model, name="rife_v4")
    plain = RifeV4(model).eval()
    plain.load_pretrained(ROOT / "weights/rife_v4.25.safetensors")
    frames = torch.rand(2, 3, *SIZES["480p"])
    padded, _ = pad_to_multiple(frames, plain.multiple, "constant")
    asked = frames[None], torch.tensor([[-1.0, 1.0]]), torch.ones(1, 2).bool()
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        given = footage(Path(folder) / "in.mp4", SIZES["480p"], SHORT)
        turns: dict[str, Callable[[], Seconds]] = {"rife_v4, as a model": lambda: _repeated(plain, *asked)}
        pictures = [_picture(k, SIZES["480p"]) for k in range(SHORT)]
        turns["rife_v4, from pictures to pictures"] = lambda: _in_memory(plain, pictures)
        turns |= {name: partial(_smooth, given, choose(name)) for name in models}
        found: dict[str, list[Seconds]] = {name: [] for name in turns}
        for place in range(rounds + 1):  # the first one warms up
            for name, turn in turns.items():
                bare, whole = _repeated(plain.network, padded, torch.tensor([0.5])), turn()
                if place:
                    found[name].append((whole[0] / bare[0], whole[1] / bare[1]))
    print("| what | clock over plain | processor over plain |\n|---|---:|---:|")
    for name, ratios in found.items():
        clock, processor = (median(one[k] for one in ratios) for k in (0, 1))
        print(f"| {name} | {clock:.3f} | {processor:.3f} |")


def _in_memory(model: RifeV4, pictures: list[NDArray[np.uint8]]) -> Seconds:
    clock, processor = time.perf_counter(), time.process_time()
    made = len(list(interpolate(pictures, model, device="cpu"))) - len(pictures)
    return (time.perf_counter() - clock) / made, (time.process_time() - processor) / made


def _repeated(work: Callable[..., object], *given: torch.Tensor) -> Seconds:
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(SHORT - 1):
        work(*given)
    return (time.perf_counter() - clock) / (SHORT - 1), (time.process_time() - processor) / (SHORT - 1)


def main() -> None:
    """Measure and print."""
    about = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.video_cost", description=about)
    parser.add_argument("what", nargs="?", choices=("table", "ratio"), default="table")
    parser.add_argument("--models", nargs="*", default=MODELS, help="names, or weights files")
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of ratios")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.what == "table":
        table(options.models, options.sizes, options.threads)
    else:
        ratio(options.models, options.threads, options.rounds)


if __name__ == "__main__":
    main()
