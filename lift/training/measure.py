"""How long a step takes, measured on a copy of the model, so that the training itself is not touched."""

import copy
import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import default_collate

from lift.training.groups import parameter_groups
from lift.training.job import Batched, Job
from lift.training.sampler import StepSampler
from lift.training.schedule import Schedule
from lift.training.step import Stepper


def step_seconds(job: Job, left_out: int, timed: int) -> list[float]:
    """Take steps as the loop does, data included, and return the seconds of each of the last `timed`.

    Args:
        job: What is to be trained; nothing of it changes, and nothing is written.
        left_out: Steps before them: the first ones choose algorithms and take memory.
        timed: How many.

    Raises:
        UserError: The loss or the gradient is not finite.
    """
    device, train = job.fabric.device, job.config.train
    schedule = Schedule(train, len(job.train_sources), job.fabric.world_size)
    model = copy.deepcopy(job.model).to(device)
    scaler = getattr(job.fabric._precision, "scaler", None)  # Fabric has no public way
    optimizer = torch.optim.AdamW(parameter_groups(model, train.weight_decay), lr=0.0, fused=scaler is None)
    stepper = Stepper(
        dataclasses.replace(job, model=model), schedule, job.fabric.setup_optimizers(optimizer), scaler
    )
    wrapped: Any = job.fabric.setup_module(
        torch.compile(model) if train.compile else model,  # type: ignore[arg-type]
        move_to_device=False,
    )
    wrapped.train()
    batches, seconds = _batches(job, schedule, left_out + timed), list[float]()
    for step in range(left_out + timed):
        before = time.perf_counter()
        stepper.take(wrapped, batches, step, [])
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - before)
    return seconds[left_out:]


def _batches(job: Job, schedule: Schedule, steps: int) -> Iterator[dict[str, Any]]:
    _, phase, _, _ = schedule.phase(0)
    sizes = [job.config.train.crop(phase, source) for source in job.train_sources]
    clips = job.train_clips(phase.crop)
    for keys in StepSampler(schedule, job.config.seed, 0, steps, sizes=sizes):
        if isinstance(clips, Batched):
            yield clips.batch(keys)
        else:
            yield default_collate([clips[key] for key in keys])
