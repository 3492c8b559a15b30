"""Times and memory as `python -m benchmarks.cost` measured them, committed beside it.

They are read, not made, by the pipeline: a time differs from run to run, and a report must not.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lift.errors import UserError

FOLDER = Path("benchmarks/measured")
COMMAND = "python -m benchmarks.cost"
MODELS, MEMORY, GPU = (FOLDER / name for name in ("models.csv", "memory.csv", "quarter_h200.json"))
PARTS = ("encoder", "transformer", "flow", "synthesis", "refiner")
Rows = Mapping[Any, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured; empty where nothing was. `where`: kind of machine, PyTorch's version, threads."""

    frames: Rows = field(default_factory=dict)
    """By method, of one profile, what one frame of 256x448 costs: `memory_mib`, `milliseconds`, `where`;
    `parameters` and `gmacs_256x448` tell whether the model is still the one that was measured."""
    steps: Rows = field(default_factory=dict)
    """By name of benchmarks/cost.py, a forward pass or a training step of the specification's model:
    `batch`, `crop`, `gib`, `seconds`, `where`, and `kept_<part>`, GiB for the backward pass, else NaN."""
    gpu: Rows = field(default_factory=dict)
    """By method, what a GPU (`card`) takes: `ms` of a frame of 256x448 in single precision, and how many
    `samples` a second its training saw; None: it was not trained there."""


def read(folder: Path, profile: str) -> Measured:
    """Read the tables; one that is not there is empty.

    Raises:
        UserError: A file is not such a table.
    """
    numbers = ["parameters", "gmacs_256x448", "memory_mib", "milliseconds"]
    kept = [f"kept_{part}" for part in PARTS]
    return Measured(
        frames=_read(folder / MODELS.name, lambda path: _table(path, "ablation", numbers, profile)),
        steps=_read(
            folder / MEMORY.name,
            lambda path: _table(path, "what", ["batch", "crop", "gib", "seconds", *kept]),
        ),
        gpu=_read(folder / GPU.name, _gpu, again=""),
    )


def _read(path: Path, parsed: Callable[[Path], Rows], again: str = f"run `{COMMAND}` or ") -> Rows:
    if not path.is_file():
        return {}
    try:
        return parsed(path)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error!r}); {again}restore the file") from error


def _table(path: Path, key: str, numbers: Sequence[str], profile: str = "") -> Rows:
    table = pd.read_csv(path).astype(dict.fromkeys(numbers, float))
    if profile:
        table = table[table["profile"] == profile]
    threads = table["threads"].map(lambda count: "one thread" if count == 1 else f"{count} threads")
    where = table["device"] + ", " + threads + ", PyTorch " + table["torch"].astype(str)
    return table.assign(where=where).set_index(key)[[*numbers, "where"]].T.to_dict()


def _gpu(path: Path) -> Rows:
    told = json.loads(path.read_text(encoding="utf-8"))
    speed, trained = told["speed"], told["training"]["methods"]
    # Reversed: the first of a method's rows stands; RIFE is measured again at the end.
    return {
        row["method"]: {
            "ms": float(row["ms"]),
            "card": speed["device"],
            "samples": trained.get(row["method"], {}).get("speed", {}).get("samples_per_second"),
        }
        for row in reversed(speed["rows"])
        if (row["size"], row["precision"]) == ("256x448", "32")
    }
