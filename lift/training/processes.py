"""Several processes that train together: who they are, and what they tell each other.

Inside `torchrun` or SLURM's `srun` the launcher has already started the processes, and its environment says
how many there are; params.yaml's `devices` and `nodes` count only where nobody has, and Fabric starts them
itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from lift.errors import UserError

T = TypeVar("T")


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
    """Connect the processes, and part them again at the end, however it comes.

    Left to the interpreter's end, the threads of Gloo are sometimes destroyed while they still run: the
    process then aborts, and its launcher reports a finished training as a failed one.
    """
    fabric.launch()
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


class Refused(SystemExit):
    """Process 0 has met a user's mistake and says so; the others end without a word."""


def on_first(fabric: Fabric, action: Callable[[], T]) -> T:
    """Let process 0 do something while the others wait, and give all of them its result.

    Raises:
        UserError: On process 0, as `action` raised it.
        Refused: On the others then, so that none waits for a process that has stopped.
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
        raise Refused(1)
    return result  # type: ignore[return-value]  # T may itself include None


def mean(fabric: Fabric, values: Sequence[float]) -> list[float]:
    """Average numbers over the processes, in float64; all get the same bits."""
    if fabric.world_size == 1:
        return list(values)
    total = fabric.all_reduce(
        torch.tensor(values, dtype=torch.float64, device=fabric.device), reduce_op="sum"
    )
    assert isinstance(total, torch.Tensor)
    return [value / fabric.world_size for value in total.tolist()]


def gather(fabric: Fabric, part: list[T]) -> list[T]:
    """Return every process the parts of all, in the order of the processes."""
    if fabric.world_size == 1:
        return part
    parts: list[list[T]] = [[] for _ in range(fabric.world_size)]
    torch.distributed.all_gather_object(parts, part)
    return [item for found in parts for item in found]
