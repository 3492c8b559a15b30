"""Times and memory as `python -m benchmarks.cost` measured them, committed beside it.

They are read, not made, by the pipeline: a time differs from run to run, and a report must not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lift.errors import UserError

FOLDER = Path("benchmarks/measured")
PARTS = ("encoder", "transformer", "flow", "synthesis", "refiner")
_FRAME = ("parameters", "gmacs_256x448", "memory_mib", "milliseconds")
_STEP = ("batch", "crop", "gib", "seconds", *(f"kept_{part}" for part in PARTS))
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
    found: dict[str, Rows] = {}
    for key, name in (("frames", "models.csv"), ("steps", "memory.csv"), ("gpu", "quarter_h200.json")):
        path = folder / name
        try:
            if not path.is_file():
                continue
            if key == "gpu":
                found[key] = _gpu(json.loads(path.read_text(encoding="utf-8")))
            elif key == "steps":
                found[key] = _rows(pd.read_csv(path), "what", _STEP)
            else:
                table = pd.read_csv(path)
                found[key] = _rows(table[table["profile"] == profile], "ablation", _FRAME)
        except (KeyError, TypeError, ValueError) as error:
            again = "" if key == "gpu" else "run `python -m benchmarks.cost` or "
            raise UserError(f"{path}: damaged ({error!r}); {again}restore the file") from error
    return Measured(**found)


def _rows(table: pd.DataFrame, key: str, numbers: Sequence[str]) -> Rows:
    threads = table["threads"].map(lambda count: "one thread" if count == 1 else f"{count} threads")
    where = table["device"] + ", " + threads + ", PyTorch " + table["torch"].astype(str)
    values = table.astype(dict.fromkeys(numbers, float)).assign(where=where)
    return values.set_index(key)[[*numbers, "where"]].T.to_dict()


def _gpu(told: Mapping[str, Any]) -> Rows:
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
