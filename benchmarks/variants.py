"""What LIFT's variants cost against the base: `python -m benchmarks.variants [ABLATION ...]`, on the CPU.

The specification's widths and window. Base and variants take turns, and ratios are of medians of one
thread's own processor time, so that other work on the machine changes little. Multiply-accumulates stand
beside them.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import torch

from benchmarks.training import bare_step, batch_of, configured, made
from lift.models.cost import gmacs

BASE = "lift15"
TURNS = 3
CROP = 128  # of a training step, batch 1
SIZE = (256, 448)  # of a prediction: the field's size


def main(names: list[str]) -> None:
    """Print a line per ablation."""
    torch.set_num_threads(1)
    configs = {name: configured("thesis", name) for name in (BASE, *names)}
    steps = {name: bare_step(c, batch_of(c, 1, CROP), made(c)) for name, c in configs.items()}
    frames = {name: prediction(name) for name in configs}
    counts = {name: gmacs(made(c).eval(), c.clip.offsets, SIZE)[0] for name, c in configs.items()}
    taken, predicted = in_turns(steps), in_turns(frames)
    print("| ablation | training step | prediction | multiply-accumulates |\n| --- | ---: | ---: | ---: |")
    for name in configs:
        ratios = [values[name] / values[BASE] for values in (taken, predicted, counts)]
        print(f"| {name} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


def prediction(name: str) -> Callable[[], None]:
    """Give the prediction of a whole frame."""
    config = configured("thesis", name)
    model, clip = made(config).eval(), torch.rand(1, len(config.clip.offsets), 3, *SIZE)
    offsets = torch.tensor([config.clip.offsets]).float()

    def predict() -> None:
        with torch.inference_mode():
            model(clip, offsets, torch.ones_like(offsets).bool())

    return predict


def in_turns(works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Time everything once a turn, after one turn that does not count; median processor seconds."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(TURNS + 1):
        for name, work in works.items():
            before = time.process_time()
            work()
            if turn:
                times[name].append(time.process_time() - before)
    return {name: median(values) for name, values in times.items()}


if __name__ == "__main__":
    main(sys.argv[1:] or ["aligned", "matched"])
