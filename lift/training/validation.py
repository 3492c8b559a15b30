"""Validation: every clip once, whole frames, sharded over the processes and reduced as sums."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import Dataset

Metric = Callable[[torch.Tensor, torch.Tensor], float]  # (prediction, target), both [3, H, W] in [0, 1]


@torch.no_grad()
def validate(
    fabric: Fabric,
    model: nn.Module,
    clips: Dataset[Any],
    count: int,
    metrics: Mapping[str, Metric],
) -> tuple[dict[str, float], dict[str, Any]]:
    """Measure the mean of each metric over `count` clips.

    Process r takes clips r, r + world, r + 2 world …, so none is counted twice whatever the number of
    processes.

    Returns:
        The means, and this process' first clip with its output, for pictures.
    """
    was_training = model.training
    model.eval()
    sums = torch.zeros(len(metrics) + 1, dtype=torch.float64, device=fabric.device)
    first: dict[str, Any] = {}
    for index in range(fabric.global_rank, count, fabric.world_size):
        clip = clips[index]
        batch = {key: clip[key][None].to(fabric.device) for key in ("frames", "offsets", "valid", "target")}
        output = model(batch["frames"], batch["offsets"], batch["valid"])
        values = [metric(output.frame[0], batch["target"][0]) for metric in metrics.values()]
        sums += torch.tensor([*values, 1.0], dtype=torch.float64, device=fabric.device)
        first = first or {"batch": batch, "output": output}
    total = fabric.all_reduce(sums, reduce_op="sum") if fabric.world_size > 1 else sums
    assert isinstance(total, torch.Tensor)
    if int(total[-1]) != count:
        raise RuntimeError(f"validation saw {int(total[-1])} clips of {count}")
    model.train(was_training)
    means = (total[:-1] / total[-1]).tolist()
    return dict(zip(metrics, means, strict=True)), first
