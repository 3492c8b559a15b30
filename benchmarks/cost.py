"""What models cost on this machine: `python -m benchmarks.cost [models|memory]`.

Writes `benchmarks/measured/{models,memory}.csv`, which the report shows. They are committed by hand; no stage
makes them, as a time differs from run to run and results must be the same bytes in every run of a commit.
Measured with one thread; seconds are the processor's own, so that a busy machine does not change them.
"""

import csv
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from benchmarks.training import PARAMS, bare_step, batch_of, configured, made
from lift.config import Model, load_all
from lift.files import atomic
from lift.models.cost import MIB, SIZES, exact, grey_clip, peak_memory
from lift.models.registry import build
from lift.training.machine import peak_memory_gib

FOLDER = Path(__file__).resolve().parent / "measured"
PROFILES = ("demo", "study", "thesis")
BATCH, CROP = 4, 256
TIMED = 3  # frames, after the one that shows the memory; the median is kept
GIB = 2**30
BOTH = ["encoder", "transformer"]
TRAININGS: dict[str, dict[str, Any]] = {
    "forward": {},
    "forward_no_s1": {"model": {"use_s1": False}},
    "training": {"train": True},
    "training_no_s1": {"train": True, "model": {"use_s1": False}},
    "training_checkpointed": {"train": True, "recompute": BOTH},
    "training_64": {"train": True, "ablation": "lift64"},
    "training_64_full": {"train": True, "ablation": "lift64", "model": {"attention": "full"}},
    "training_64_no_s1": {"train": True, "ablation": "lift64", "model": {"use_s1": False}},
    "training_64_checkpointed": {"train": True, "ablation": "lift64", "recompute": BOTH},
}
"""Rows of the memory table: LIFT-15 (specification section 9), at batch 4 and crops of 256."""
PARTS = {
    "encoder": "encoder",
    "context": "transformer",
    "flow": "flow",
    "synthesis": "synthesis",
    "refiner": "refiner",
}
"""Parts of the model, and what the table calls them."""


def machine(device: str = "cpu") -> dict[str, str]:
    """Describe this machine without naming it."""
    cuda = device == "cuda"
    return {
        "device": torch.cuda.get_device_name() if cuda else f"{os.cpu_count()}-core CPU",
        "torch": str(torch.__version__).partition("+")[0],
        "threads": "1",
    }


def models() -> None:
    """Measure a frame of every model of every profile: memory of tensors, and processor time.

    What the file holds of a model that has not changed since, measured on such a machine, is kept.
    """
    path, rows = FOLDER / "models.csv", list[dict[str, Any]]()
    known_rows = {_model(row): row for row in _read(path)}
    known: dict[tuple[Model, str, int], dict[str, str]] = {}
    for profile in PROFILES:
        for name, config in load_all(PARAMS, profile)[1].items():
            model = build(config.model, task=config.clip.task, seed=1, pretrained=False).eval()
            row = {"profile": profile, "ablation": name, **_counts(exact(model, config.clip.offsets))}
            old = known_rows.get(_model({**row, **machine()}))
            if old is not None:
                rows.append({**old, **row})
                continue
            # Where frames stand changes no cost.
            key = (config.model, config.clip.task, len(config.clip.offsets))
            if key not in known:
                known[key] = _frame(model, config.clip.offsets)
            rows.append({**row, **known[key], **machine()})
            known_rows[_model(rows[-1])] = rows[-1]  # one number for a model, whichever profiles have it
            print(*rows[-1].values(), flush=True)
    _write(path, rows)


def _frame(model: nn.Module, offsets: Sequence[int]) -> dict[str, str]:
    """Measure a frame: most memory that tensors hold at once (what an operation needs inside is not seen)."""
    clip = grey_clip(offsets, SIZES[0])
    times = []
    with torch.no_grad():
        peak = peak_memory(model, lambda: model(*clip), clip)
        for _ in range(TIMED):
            start = time.process_time()  # the processor's own: other programs do not change it
            model(*clip)
            times.append(1000 * (time.process_time() - start))
    return {"memory_mib": f"{peak / MIB:.1f}", "milliseconds": f"{statistics.median(times):.4g}"}


def _model(row: dict[str, str]) -> tuple[str, ...]:
    """Return what tells one measurement from another: not the profile, which changes no cost."""
    return tuple(row[key] for key in ("ablation", "parameters", "gmacs_256x448", *machine()))


def _counts(counted: dict[str, float]) -> dict[str, str]:
    """Write what tells whether a model is still the one that was measured."""
    count = counted["gmacs_256x448"]
    return {"parameters": f"{counted['parameters']:.0f}", "gmacs_256x448": f"{count:.6f}"}


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def memory() -> None:
    """Measure memory and time of forward and training steps of the specification's model, on a GPU if any."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    path, rows = FOLDER / ("memory.csv" if device == "cpu" else "memory_gpu.csv"), []
    for name, wanted in TRAININGS.items():
        asked = json.dumps({**wanted, "device": device})
        command = [sys.executable, "-m", "benchmarks.cost", "row", asked]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(
            {"what": name, "batch": BATCH, "crop": CROP, **json.loads(done.stdout), **machine(device)}
        )
        print(*rows[-1].values(), flush=True)
        _write(path, rows)


def row(asked: str) -> None:
    """Measure one row of the memory table and print it; in a process of its own, whose peak is its own."""
    wanted = json.loads(asked)
    device = torch.device(wanted["device"])
    config = configured("thesis", wanted.get("ablation", "lift15"))
    config = dataclasses.replace(
        config,
        train=dataclasses.replace(config.train, precision="32-true"),
        model=dataclasses.replace(config.model, **wanted.get("model", {})),
    )
    model = made(config).to(device)
    batch = {key: value.to(device) for key, value in batch_of(config, BATCH, CROP).items()}
    given = [batch[key] for key in ("frames", "offsets", "valid")]
    if wanted.get("recompute"):
        model.recompute(wanted["recompute"])
    before, clock = peak_memory_gib(device), _seconds(device)
    if wanted.get("train"):
        bare_step(config, batch, model)()
    else:
        with torch.no_grad():
            model.eval()(*given)
    seconds, peak = _seconds(device) - clock, peak_memory_gib(device)
    # After the peak was read, which this pass would raise.
    parts = kept(model, lambda: model(*given)) if wanted.get("train") else {}
    shown = {f"kept_{title}": f"{parts[name] / GIB:.2f}" if parts else "" for name, title in PARTS.items()}
    print(json.dumps({"gib": f"{peak - before:.2f}", "seconds": f"{seconds:.1f}", **shown}))


def kept(model: nn.Module, run: Callable[[], Any]) -> dict[str, int]:
    """Count the bytes that each part of a model keeps for its backward pass.

    Args:
        model: Its parts are its children; what is kept outside of them counts as `rest`.
        run: Does a forward pass of it in training mode, and no backward pass.

    Returns:
        By part, in the model's order. What two parts keep counts for the first, weights for none.
    """
    inside: list[str] = []
    sizes = dict.fromkeys((*(name for name, _ in model.named_children()), "rest"), 0)
    known = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    alive: list[Tensor] = []  # a storage that is freed on the way may give its place to another

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            known.add(storage._cdata)
            alive.append(tensor)
            sizes[inside[-1] if inside else "rest"] += storage.nbytes()
        return tensor

    def enter(name: str) -> Callable[..., None]:
        return lambda module, given: inside.append(name)

    hooks: list[RemovableHandle] = []
    for name, part in model.named_children():
        hooks += [
            part.register_forward_pre_hook(enter(name)),
            part.register_forward_hook(lambda module, given, result: inside.pop() and None),
        ]
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return sizes


def _seconds(device: torch.device) -> float:
    """Read the processor's own clock, or a GPU's wall clock when its work is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(names: list[str]) -> None:
    """Run the named measurements, or both."""
    every = {"models": models, "memory": memory}
    for name in names or every:
        every[name]()


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["row"]:
        row(sys.argv[2])
    else:
        main(sys.argv[1:])
