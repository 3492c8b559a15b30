"""What a run asks of its machine: signals from a scheduler, and peak memory."""

import resource
import signal
from typing import Any

import torch


class StopRequest:
    """While open, SIGTERM and SIGUSR1 (as cluster schedulers send) set `asked`, and nothing else."""

    def __init__(self) -> None:
        self.asked = False
        self._old: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        def ask(number: int, frame: Any) -> None:
            self.asked = True

        for number in (signal.SIGTERM, signal.SIGUSR1):
            self._old[number] = signal.signal(number, ask)
        return self

    def __exit__(self, *error: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)


def peak_memory_gib(device: torch.device) -> float:
    """Give the peak memory of this process in GiB: on the GPU where one trains, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
