"""What a run asks of its machines: processes that train together, signals from a scheduler, memory.

Inside `torchrun` or SLURM's `srun` the launcher has already started the processes, and its environment says
how many there are; params.yaml's `devices` and `nodes` count only where nobody has, and Fabric starts them
itself.
"""

import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from lift.config import Train
from lift.errors import UserError

T = TypeVar("T")
NO_MEMORY = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""PyTorch's words where it is not its own allocator that finds none left."""
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # what cluster schedulers send before the time is up


def layout(environment: Mapping[str, str], devices: int, nodes: int) -> tuple[int, int]:
    """Return (devices per node, nodes): the launcher's, and those of params.yaml where there is none.

    Args:
        environment: The process' environment variables.
        devices: `train.devices`.
        nodes: `train.nodes`.

    Raises:
        UserError: The launcher started different numbers of processes on different nodes.
    """
    if TorchElasticEnvironment.detect():  # comes first, as in Fabric: torchrun also runs inside SLURM
        world, local = int(environment["WORLD_SIZE"]), int(environment["LOCAL_WORLD_SIZE"])
    elif SLURMEnvironment.detect():
        world = int(environment["SLURM_NTASKS"])
        local = max(1, world // int(environment.get("SLURM_NNODES", "1")))
    else:
        return devices, nodes
    if world % local:
        raise UserError(
            f"{world} processes with {local} on this node: every node must run as many; start them with the "
            f"same --nproc_per_node (torchrun) or --ntasks-per-node (SLURM)"
        )
    return local, world // local


@contextmanager
def together(fabric: Fabric) -> Iterator[None]:
    """Connect the processes, and part them again at the end, however it comes."""
    fabric.launch()
    try:
        yield
    finally:
        # Left to the interpreter's end, the threads of Gloo are sometimes destroyed while they still run: the
        # process then aborts, and its launcher reports a finished training as a failed one.
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


class FirstRefused(SystemExit):
    """Process 0 has met a user's mistake and says so; the others end without a word."""


def on_first(fabric: Fabric, action: Callable[[], T]) -> T:
    """Let process 0 do something while the others wait, and give all of them its result.

    Raises:
        UserError: On process 0, as `action` raised it.
        FirstRefused: On the others then, so that none waits for a process that has stopped.
    """
    if fabric.world_size == 1:
        return action()
    result: T | None = None
    error: UserError | None = None
    if fabric.is_global_zero:
        try:
            result = action()
        except UserError as caught:
            error = caught
    failed, result = fabric.broadcast((error is not None, result))
    if error is not None:
        raise error
    if failed:
        raise FirstRefused(1)
    return result  # type: ignore[return-value]  # T may itself include None


def mean(fabric: Fabric, values: Sequence[float]) -> list[float]:
    """Average numbers over the processes, in float64; all get the same bits."""
    if fabric.world_size == 1:
        return list(values)
    total: Any = torch.tensor(values, dtype=torch.float64, device=fabric.device)
    total = fabric.all_reduce(total, reduce_op="sum")
    return [value / fabric.world_size for value in total.tolist()]


def gather(fabric: Fabric, part: list[T]) -> list[T]:
    """Return every process the parts of all, in the order of the processes."""
    if fabric.world_size == 1:
        return part
    parts: list[list[T]] = [[] for _ in range(fabric.world_size)]
    torch.distributed.all_gather_object(parts, part)
    return [item for found in parts for item in found]


class StopRequest:
    """While open, SIGTERM and SIGUSR1 set `asked`, and do nothing else. Can be opened within itself."""

    def __init__(self) -> None:
        self.signalled = False
        self._old: list[list[Any]] = []

    @property
    def asked(self) -> bool:
        """Whether the run is to end after its step."""
        return self.signalled

    def __enter__(self) -> Self:
        self._old.append([signal.signal(number, self._ask) for number in SIGNALS])
        return self

    def __exit__(self, *error: object) -> None:
        for number, old in zip(SIGNALS, self._old.pop(), strict=True):
            signal.signal(number, old)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.signalled = True


def leave_signals_to_trainer(worker: int) -> None:
    """Let a loading process live through a signal that a scheduler sends to all processes at once."""
    # It ends with its trainer; if it ended first, the trainer would stop without a checkpoint.
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
        said = str(error)
        if not isinstance(error, torch.OutOfMemoryError) and not any(words in said for words in NO_MEMORY):
            raise
        resident = "train.resident: false (it then goes on from its checkpoint), or " * train.resident
        whole = {"encoder", "transformer"} <= set(train.recompute)
        recompute = "" if whole else ", or train.recompute: [encoder, transformer]"
        crops = " and ".join(dict.fromkeys("x".join(map(str, phase.crop)) for phase in train.phases))
        raise UserError(
            f"training: not enough memory ({said.splitlines()[0].rstrip('.')}); set {resident}a lower "
            f"train.batch (now {train.batch}; raise train.accumulate by as much to keep the steps), smaller "
            f"train.phases crops (now {crops}){recompute}; the checkpoint written last is kept"
        ) from error


def peak_memory_gib(device: torch.device) -> float:
    """Return the peak memory of this process in GiB: on the GPU where one trains, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
