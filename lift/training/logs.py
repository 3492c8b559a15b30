"""Where a run can be watched: curves.csv, TensorBoard and the terminal.

The rows are kept in the checkpoint, and a resumed run writes all of them anew to curves.csv: none is lost or
stands twice. TensorBoard's files only grow: they are flushed before each checkpoint, and a resumed
run tells TensorBoard to hide what the interrupted one wrote after it. What varies from run to run (seconds,
memory) goes to TensorBoard and the terminal only, so that the stage's outputs are reproducible to the byte.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from lift.files import atomic

CURVES = "curves.csv"
DIGITS = 6  # significant digits in curves: float32 has seven


class Logs:
    """Rows of numbers over the optimiser step, to every place at once."""

    def __init__(self, outputs: Path, board: Path, rows: Sequence[Mapping[str, float]], resumed: int) -> None:
        """Open the logs, and write again what a checkpoint kept.

        Args:
            outputs: Folder of the stage's reproducible log, curves.csv.
            board: Folder of TensorBoard's events.
            rows: Rows logged before the checkpoint.
            resumed: Optimiser steps done; TensorBoard hides later events of the interrupted run.
        """
        self._outputs = outputs
        self.rows = [dict(row) for row in rows]
        outputs.mkdir(parents=True, exist_ok=True)
        for unfinished in outputs.glob(f".{CURVES}.*"):  # a kill left it
            unfinished.unlink()
        self._folder = board
        # What was logged after step `resumed` is hidden; what was logged at it stands before its checkpoint.
        self._board = SummaryWriter(str(board), purge_step=resumed + 1)

    def flush(self) -> None:
        """Bring TensorBoard's events to the disk: what a checkpoint counts as logged must survive a kill."""
        self._board.flush()
        newest = max(self._folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)
        with newest.open("rb") as file:
            os.fsync(file.fileno())

    def row(self, step: int, epoch: int, values: Mapping[str, float]) -> None:
        """Log reproducible values after optimiser step `step` (counted from 1)."""
        rounded = {key: float(f"{value:.{DIGITS}g}") for key, value in values.items()}
        self.rows.append({"step": step, "epoch": epoch, **rounded})
        for key, value in values.items():
            self._board.add_scalar(key, value, step)

    def watch(self, step: int, values: Mapping[str, float]) -> None:
        """Log to TensorBoard only: what differs from run to run (times, memory), or is too much for a row."""
        for key, value in values.items():
            self._board.add_scalar(key, value, step)

    def pictures(self, step: int, pictures: Mapping[str, np.ndarray[Any, Any] | torch.Tensor]) -> None:
        """Log pictures [3, H, W] in [0, 1]: TensorBoard only."""
        for key, picture in pictures.items():
            self._board.add_image(key, picture, step)

    def close(self) -> None:
        """Write curves.csv and end TensorBoard's file."""
        keys = ["step", "epoch", *sorted({key for row in self.rows for key in row} - {"step", "epoch"})]
        with atomic(self._outputs / CURVES) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, keys, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        self._board.close()


def join_curves(path: Path, by_seed: Mapping[int, Path]) -> None:
    """Write the curves of several trainings, one curves.csv each, as one file with the column `seed` first.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    tables = {seed: list(csv.DictReader(own.read_text().splitlines())) for seed, own in by_seed.items()}
    keys = dict.fromkeys(["seed", *(key for rows in tables.values() for row in rows for key in row)])
    with atomic(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(keys), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({"seed": seed, **row} for seed, rows in tables.items() for row in rows)
