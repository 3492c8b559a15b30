"""Times and memory as `python -m benchmarks.cost` measured them, committed beside it.

They are read, not made, by the pipeline: a time differs from run to run, and a report must not.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lift.errors import UserError

FOLDER = Path("benchmarks/measured")
COMMAND = "python -m benchmarks.cost"
PARTS = ("encoder", "transformer", "flow", "synthesis", "refiner")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What one frame of 256x448 costs a model."""

    parameters: float
    gmacs: float
    """With `parameters`, tells whether the model is still the one that was measured."""
    memory_mib: float
    milliseconds: float
    where: str
    """Kind of machine, PyTorch's version and threads."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a forward pass or a training step of the specification's model takes."""

    batch: int
    crop: int
    gib: float
    seconds: float
    where: str
    kept: Mapping[str, float] = field(default_factory=dict)
    """GiB that each part keeps for the backward pass; empty for a forward pass."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured; empty where nothing was."""

    frames: Mapping[str, Frame] = field(default_factory=dict)
    """By ablation, of one profile."""
    steps: Mapping[str, Step] = field(default_factory=dict)
    """By name, of benchmarks/cost.py."""


def read(folder: Path, profile: str) -> Measured:
    """Read the two tables; one that is not there is empty.

    Raises:
        UserError: A file is not such a table.
    """
    return Measured(
        frames=dict(
            _rows(folder / "models.csv", lambda row: _frame(row) if row["profile"] == profile else None)
        ),
        steps=dict(_rows(folder / "memory.csv", _step)),
    )


def _rows(path: Path, one: Callable[[dict[str, str]], tuple[str, T] | None]) -> list[tuple[str, T]]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [found for row in csv.DictReader(file) if (found := one(row)) is not None]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error!r}); run `{COMMAND}` or restore the file") from error


def _frame(row: dict[str, str]) -> tuple[str, Frame]:
    return row["ablation"], Frame(
        parameters=float(row["parameters"]),
        gmacs=float(row["gmacs_256x448"]),
        memory_mib=float(row["memory_mib"]),
        milliseconds=float(row["milliseconds"]),
        where=_where(row),
    )


def _step(row: dict[str, str]) -> tuple[str, Step]:
    return row["what"], Step(
        batch=int(row["batch"]),
        crop=int(row["crop"]),
        gib=float(row["gib"]),
        seconds=float(row["seconds"]),
        where=_where(row),
        kept={part: float(row[f"kept_{part}"]) for part in PARTS if row.get(f"kept_{part}")},
    )


def _where(row: dict[str, str]) -> str:
    threads = "one thread" if row["threads"] == "1" else f"{row['threads']} threads"
    return f"{row['device']}, {threads}, PyTorch {row['torch']}"
