"""Where a run can be watched: curves.csv, TensorBoard and the terminal.

The rows are kept in the checkpoint, and curves.csv is written of all of them at the end: none is lost or
stands twice. TensorBoard's files only grow: they are flushed before each checkpoint, and a resumed
run tells TensorBoard to hide what the interrupted one wrote after it. What varies from run to run (seconds,
memory) goes to TensorBoard and the terminal only, so that the stage's outputs are reproducible to the byte.
"""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from lift.files import atomic, full_disk_explained

CURVES = "curves.csv"
DIGITS = 6  # significant digits in curves: float32 has seven


class Logs:
    """Rows of numbers over the optimiser step, to every place at once.

    Its methods raise UserError where the disk is full or a folder cannot be written, and name that folder.
    """

    def __init__(self, folder: Path, board: Path, rows: Sequence[Mapping[str, float]], resumed: int) -> None:
        """Open the logs.

        Args:
            folder: Of curves.csv.
            board: Folder of TensorBoard's events.
            rows: Rows logged before the checkpoint.
            resumed: Optimiser steps done; TensorBoard hides later events of the interrupted run.
        """
        self.rows = [dict(row) for row in rows]
        self._curves, self._folder = folder / CURVES, board
        # What was logged after step `resumed` is hidden; what was logged at it stands before its checkpoint.
        with full_disk_explained(board):
            self._board = SummaryWriter(str(board), purge_step=resumed + 1)

    def flush(self) -> None:
        """Bring TensorBoard's events to the disk: what a checkpoint counts as logged must survive a kill."""
        with full_disk_explained(self._folder):
            self._board.flush()
            # Every session writes a file of its own; only the newest grows.
            newest = max(self._folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)
            with newest.open("rb") as file:
                os.fsync(file.fileno())

    def row(self, step: int, epoch: int, values: Mapping[str, float]) -> None:
        """Log reproducible values after optimiser step `step` (counted from 1)."""
        rounded = {key: float(f"{value:.{DIGITS}g}") for key, value in values.items()}
        self.rows.append({"step": step, "epoch": epoch, **rounded})
        self.watch(step, values)

    def watch(self, step: int, values: Mapping[str, Any]) -> None:
        """Log to TensorBoard only what differs from run to run (times, memory) or is too much for a row.

        Args:
            step: After which it is logged.
            values: Numbers, and pictures [3, H, W] in [0, 1].
        """
        with full_disk_explained(self._folder):  # said by TensorBoard's thread at some later call
            for key, value in values.items():
                add = self._board.add_scalar if isinstance(value, float) else self._board.add_image
                add(key, value, step)

    def close(self) -> None:
        """Write curves.csv and end TensorBoard's file."""
        others = sorted({key for row in self.rows for key in row} - {"step", "epoch"})
        _write(self._curves, ["step", "epoch", *others], self.rows)
        with full_disk_explained(self._folder):
            self._board.close()


def join_curves(path: Path, by_seed: Mapping[int, Path]) -> None:
    """Write the curves of several trainings, one curves.csv each, as one file with the column `seed` first.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    tables = {seed: list(csv.DictReader(own.read_text().splitlines())) for seed, own in by_seed.items()}
    rows = [{"seed": seed, **row} for seed, table in tables.items() for row in table]
    _write(path, list(dict.fromkeys(key for row in rows for key in row)), rows)


def _write(path: Path, keys: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, keys, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
