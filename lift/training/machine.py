"""What a run asks of its machine: signals from a scheduler, a lock, and peak memory."""

import fcntl
import os
import resource
import signal
from pathlib import Path
from types import FrameType
from typing import Any, Self

import torch

from lift.errors import UserError
from lift.files import full_disk_explained

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # what cluster schedulers send before the time is up


class StopRequest:
    """While open, SIGTERM and SIGUSR1 set `asked`, and do nothing else. Can be opened within itself."""

    def __init__(self) -> None:
        self.asked = False
        self._old: list[list[Any]] = []

    def __enter__(self) -> Self:
        self._old.append([signal.signal(number, self._ask) for number in SIGNALS])
        return self

    def __exit__(self, *error: object) -> None:
        for number, old in zip(SIGNALS, self._old.pop(), strict=True):
            signal.signal(number, old)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def leave_signals_to_trainer(worker: int) -> None:
    """Let a loading process live through a signal that a scheduler sends to all processes at once.

    It ends with its trainer; if it ended first, the trainer would stop for the lack of it, without a
    checkpoint.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Lock:
    """A file that one process holds; the system releases it when that process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            UserError: Another process holds it.
        """
        with full_disk_explained(self._path):
            self._file = self._path.open("w")
        # Loading processes outlive a killed trainer by seconds, and an inherited file would hold its lock.
        os.register_at_fork(after_in_child=self._file.close)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise UserError(
                f"{self._path}: another process is training this run; wait for it or stop it (a killed "
                f"`dvc repro` leaves its trainer running), then run again"
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def peak_memory_gib(device: torch.device) -> float:
    """Give the peak memory of this process in GiB: on the GPU where one trains, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
