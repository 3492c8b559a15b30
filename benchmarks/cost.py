"""What models cost on this machine: `python -m benchmarks.cost [models|memory]`.

Writes `benchmarks/measured/{models,memory}.csv`, which the report shows. They are committed by hand; no stage
makes them, as a time differs from run to run and results must be the same bytes in every run of a commit.
Measured with one thread; seconds are the processor's own, so that a busy machine does not change them.
"""

import csv
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.training import PARAMS, bare_step, batch_of, configured, made
from lift.config import Model, load
from lift.evaluation.cost import Cost, cost, exact
from lift.files import atomic
from lift.models import build
from lift.training.machine import peak_memory_gib

FOLDER = Path(__file__).resolve().parent / "measured"
PROFILES = ("demo", "thesis")
WIDE = {"batch": 4, "crop": 256}
TRAININGS: dict[str, dict[str, Any]] = {
    "forward": {**WIDE, "train": False},
    "forward_no_s1": {**WIDE, "train": False, "ablation": "no_s1"},
    "training": {**WIDE, "train": True},
    "training_no_s1": {**WIDE, "train": True, "ablation": "no_s1"},
    "training_recomputed": {**WIDE, "train": True, "recompute": True},
    "training_64": {"batch": 1, "crop": 256, "train": True, "ablation": "lift64"},
    "training_64_recomputed": {
        "batch": 1,
        "crop": 256,
        "train": True,
        "ablation": "lift64",
        "recompute": True,
    },
}
"""Rows of the memory table: LIFT-15 (specification section 9), without and with what saves memory."""


def machine() -> dict[str, str]:
    """Describe this machine without naming it."""
    return {
        "device": f"{os.cpu_count()}-core CPU",
        "torch": str(torch.__version__).partition("+")[0],
        "threads": "1",
    }


def models() -> None:
    """Measure a frame of every ablation of every profile: memory of tensors, and processor time.

    What the file holds of a model that has not changed since, measured on such a machine, is kept.
    """
    path, rows = FOLDER / "models.csv", list[dict[str, Any]]()
    kept = {(row["profile"], row["ablation"]): row for row in _read(path)}
    known: dict[tuple[Model, str, int], Cost] = {}
    for profile in PROFILES:
        for name in load(PARAMS, profile).ablations:
            config = load(PARAMS, profile, name)
            model = build(config.model, task=config.clip.task, seed=1, pretrained=False).eval()
            row = {"profile": profile, "ablation": name, **_counts(exact(model, config.clip.offsets))}
            old = kept.get((profile, name), {})
            if old.items() >= {**row, **machine()}.items():
                rows.append(old)
                continue
            # Where frames stand changes no cost.
            key = (config.model, config.clip.task, len(config.clip.offsets))
            if key not in known:
                known[key] = cost(model, config.clip.offsets)
            row["memory_mib"] = f"{known[key].memory_mib:.1f}"
            row["milliseconds"] = f"{known[key].milliseconds:.4g}"
            rows.append({**row, **machine()})
            print(*rows[-1].values(), flush=True)
    _write(path, rows)


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
    """Measure memory and time of forward and training steps of the specification's model."""
    rows = []
    for name, wanted in TRAININGS.items():
        command = [sys.executable, "-m", "benchmarks.cost", "row", json.dumps(wanted)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(
            {"what": name, "batch": wanted["batch"], "crop": wanted["crop"], **json.loads(done.stdout)}
        )
        rows[-1].update(machine())
        print(*rows[-1].values(), flush=True)
        _write(FOLDER / "memory.csv", rows)


def row(asked: str) -> None:
    """Measure one row of the memory table and print it; in a process of its own, whose peak is its own."""
    wanted = json.loads(asked)
    config = configured("thesis", wanted.get("ablation", "lift15"))
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, precision="32-true"))
    model, batch = made(config), batch_of(config, wanted["batch"], wanted["crop"])
    if wanted.get("recompute"):
        model.checkpoint_encoder()
    before, clock = peak_memory_gib(torch.device("cpu")), time.process_time()
    if wanted["train"]:
        bare_step(config, batch, model)()
    else:
        with torch.no_grad():
            model.eval()(*(batch[key] for key in ("frames", "offsets", "valid")))
    seconds, peak = time.process_time() - clock, peak_memory_gib(torch.device("cpu"))
    print(json.dumps({"gib": f"{peak - before:.2f}", "seconds": f"{seconds:.1f}"}))


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
