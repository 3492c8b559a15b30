"""What a run asks of its machine: signals from a scheduler, and memory."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import torch

from lift.config import Train
from lift.errors import UserError

NO_MEMORY = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""PyTorch's words where it is not its own allocator that finds none left."""
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


@contextmanager
def memory_explained(train: Train) -> Iterator[None]:
    """Turn a lack of memory in the block into one clear line that names what to lower.

    Raises:
        UserError: In place of PyTorch's error. What has been written, checkpoints too, stays.
    """
    try:
        yield
    except RuntimeError as error:  # of which torch.OutOfMemoryError is one
        if not any(words in str(error) for words in NO_MEMORY) and not isinstance(
            error, torch.OutOfMemoryError
        ):
            raise
        resident = (
            "train.resident: false (it then goes on from its checkpoint), or " if train.resident else ""
        )
        whole = {"encoder", "transformer"} <= set(train.recompute)
        recompute = "" if whole else ", or train.recompute: [encoder, transformer]"
        crops = " and ".join(dict.fromkeys(f"{h}x{w}" for h, w in (phase.crop for phase in train.phases)))
        raise UserError(
            f"training: not enough memory ({str(error).splitlines()[0].rstrip('.')}); set {resident}a lower "
            f"train.batch (now {train.batch}; raise train.accumulate by as much to keep the steps), smaller "
            f"train.phases crops (now {crops}){recompute}; the checkpoint written last is kept"
        ) from error


def peak_memory_gib(device: torch.device) -> float:
    """Return the peak memory of this process in GiB: on the GPU where one trains, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
