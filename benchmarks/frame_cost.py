"""What a frame costs: `python -m benchmarks.frame_cost [--weights FILE ...] [--size HxW ...]` prints a table.

Time and peak memory per produced frame in the steady state of --factor 2: one new original is encoded, one
frame is made from the whole window. Every row has a process of its own, whose peak memory only grows.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import torch

from lift.video.choose import choose
from lift.video.methods import Method

SIZES = ("480x854", "720x1280")
MIB = 2**20
WITHOUT_TRAINING = ("average", "dis")


def cost(
    model: str, size: tuple[int, int], cache: bool, threads: int, repeats: int
) -> tuple[float, float, float]:
    """Give seconds by the clock, seconds of the processor, and MiB at the peak above the start, per frame.

    Args:
        model: A method without training, or a weights file.
        size: (H, W), pixels.
        cache: Whether LIFT's features are cached.
        threads: Of PyTorch, on a CPU.
        repeats: Frames over which the times are averaged, after one to warm up.
    """
    torch.set_num_threads(threads)
    path = Path(model)
    method = choose(None, path, cache=cache).method if path.suffix else choose(model).method
    before = _peak(method)
    window = [torch.rand(1, 3, *size, device=method.device) for _ in method.window]
    features = [method.encode(image) for image in window]
    for place, offset in enumerate(method.window):
        if offset < -1:
            features[place] = method.shrink(features[place])
    _produce(method, features, window[-1])
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        _produce(method, features, window[-1])
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    return clock / repeats, processor / repeats, _peak(method) - before


def _produce(method: Method, features: list[object], image: torch.Tensor) -> None:
    features[-1] = method.encode(image)
    made = method.between(method.window, features).image
    made.sum().item()  # waits for a GPU


def _peak(method: Method) -> float:
    if method.device.type == "cuda":
        return torch.cuda.max_memory_allocated(method.device) / MIB
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.frame_cost", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="weights files of the pipeline")
    parser.add_argument("--size", nargs="*", default=SIZES, help="HxW, pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    sys.stdout.write(
        "| model | size | cache | s/frame | processor s/frame | peak MiB |\n|---|---|---|---|---|---|\n"
    )
    rows = [(name, True) for name in WITHOUT_TRAINING]
    rows += [(str(path), cache) for path in options.weights for cache in (True, False)]
    for text in options.size:
        height, width = (int(side) for side in text.split("x"))
        for model, cache in rows:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                given = (model, (height, width), cache, options.threads, options.repeats)
                clock, processor, peak = pool.apply(cost, given)
            name = Path(model).parent.name + "/" + Path(model).name if Path(model).suffix else model
            numbers = f"{clock:.2f} | {processor:.2f} | {peak:.0f}"
            sys.stdout.write(f"| {name} | {text} | {'yes' if cache else 'no'} | {numbers} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
