"""The training loop on Lightning Fabric: three phases, accumulation, clipping, validation, exact resume.

What makes a resume exact: rates, order and augmentation are functions of (seed, step); PyTorch's generator
is seeded anew
for every forward pass from (seed, step, process), so dropout needs no saved state; the optimiser is one over
all groups
from step 0; and the model is wrapped anew at each phase, since a parameter unfrozen after wrapping would not
be reduced
over the processes.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import DataLoader, Dataset

from lift import seeds, weights
from lift.config import Config
from lift.errors import UserError
from lift.progress import bar
from lift.training import pictures
from lift.training.groups import freeze, parameter_groups, set_rates
from lift.training.logs import Logs
from lift.training.machine import StopRequest, peak_memory_gib
from lift.training.sampler import StepSampler
from lift.training.schedule import Schedule
from lift.training.state import State, load_state, save_state, setting
from lift.training.validation import Metric, validate

BEST, LAST = "best.safetensors", "last.safetensors"
Clips = Dataset[Any]  # items as lift/data/dataset.py describes them


class Interrupted(Exception):
    """A signal asked the run to stop; its checkpoint is written and it can be continued."""


@dataclass(kw_only=True)
class Job:
    """A model, what it learns from, and where the run lives.

    Attributes:
        config: The run's parameters.
        fabric: Devices, precision and processes.
        model: What learns; `model(frames, offsets, valid, target)` gives an output with `frame` [B, 3, H, W];
            the target, in training alone, is for what the model itself adds to the loss.
        losses: `losses(output, batch)` gives weighted parts by name; their sum is minimised.
        train_clips: Gives the training set for a crop (height, width).
        validation_clips: The validation set, whole frames, and its length.
        metrics: Validation metrics; `psnr` decides which weights are the best.
        loaded: Names of parameters that were loaded from pretrained weights: what a frozen phase freezes.
        folder: Scratch folder of checkpoints (state.py).
        outputs: Folder of reproducible logs.
        board: Folder of TensorBoard's events.
    """

    config: Config
    fabric: Fabric
    model: nn.Module
    losses: Callable[[Any, dict[str, torch.Tensor]], dict[str, torch.Tensor]]
    train_clips: Callable[[tuple[int, int]], Clips]
    train_count: int
    validation_clips: Clips
    validation_count: int
    metrics: Mapping[str, Metric]
    loaded: frozenset[str]
    folder: Path
    outputs: Path
    board: Path


def fit(job: Job) -> dict[str, float]:
    """Train to the end, from the newest checkpoint if there is one.

    Leaves `best.safetensors` (by validation PSNR) and `last.safetensors` in the job's folder.

    Returns:
        How fast it went: steps_per_second, samples_per_second, data_wait_share, peak_memory_gib (this
        session only).

    Raises:
        UserError: The loss or the gradient is not finite, the disk is full, or the checkpoint does not fit.
        Interrupted: SIGTERM or SIGUSR1 came; the checkpoint is written.
    """
    return _Run(job).fit()


class _Run:
    """The state of `fit` between its steps."""

    def __init__(self, job: Job) -> None:
        self.job, self.fabric, self.train = job, job.fabric, job.config.train
        self.schedule = Schedule(self.train, job.train_count, self.fabric.world_size)
        same = setting(self.fabric.world_size, self.train.batch, self.train.accumulate, self.train.precision)
        state = load_state(job.folder, same)
        self.state = state or State(setting=same)
        self.model = job.model.to(self.fabric.device)
        groups = parameter_groups(self.model, self.train.weight_decay)
        optimizer = torch.optim.AdamW(groups, lr=0.0, fused=True)
        if state is not None:
            self.model.load_state_dict(state.model)
            optimizer.load_state_dict(state.optimizer)
        self.optimizer: Any = self.fabric.setup_optimizers(optimizer)  # proxies all of an optimiser's methods
        self.scaler = getattr(self.fabric._precision, "scaler", None)  # Fabric has no public way
        if self.scaler is not None and self.state.scaler:
            self.scaler.load_state_dict(self.state.scaler)
        self.logs = Logs(job.outputs, job.board, self.state.rows, self.state.step) if self.main else None
        self.waited = 0.0
        self.stop = StopRequest()

    @property
    def main(self) -> bool:
        return bool(self.fabric.is_global_zero)

    def fit(self) -> dict[str, float]:
        started, first = time.perf_counter(), self.state.step
        with self.stop, self._progress() as progress:
            while self.state.step < self.schedule.steps:
                self._run_phase(progress)
        if self.state.step > first:
            self._save()  # a finished run that is continued, for another seed's sake, trains nothing
        if self.logs is not None:
            self.logs.close()
            weights.save(self.job.folder / LAST, self.model, self.job.config.digestible())
        self.fabric.barrier()
        seconds, steps = time.perf_counter() - started, self.state.step - first
        return {
            "steps_per_second": steps / seconds,
            "samples_per_second": steps * self.schedule.clips_per_step / seconds,
            "data_wait_share": self.waited / seconds,
            "peak_memory_gib": peak_memory_gib(self.fabric.device),
        }

    def _run_phase(self, progress: Any) -> None:
        """Train from the current step to the end of its phase."""
        _, phase, _, end = self.schedule.phase(self.state.step)
        freeze(self.model, self.job.loaded, phase.freeze)
        wrapped = self.fabric.setup_module(self.model, move_to_device=False)
        wrapped.train()
        batches = self._batches(phase.crop, end)
        for step in range(self.state.step, end):
            self._step(wrapped, batches, step)
            self.state.step = step + 1
            progress.update()
            self._after_step(wrapped, step)

    def _batches(self, crop: tuple[int, int], end: int) -> Iterator[dict[str, Any]]:
        sampler = StepSampler(
            self.schedule, self.job.config.seed, self.state.step, end, rank=self.fabric.global_rank
        )
        generator = torch.Generator().manual_seed(
            0
        )  # its own: workers' seeds must not draw from the global one
        loader: DataLoader[Any] = DataLoader(
            self.job.train_clips(crop),
            batch_sampler=sampler,
            num_workers=self.train.workers,
            pin_memory=self.fabric.device.type == "cuda",
            generator=generator,
        )
        iterator = iter(loader)
        while True:
            before = time.perf_counter()
            batch = next(iterator, None)
            self.waited += time.perf_counter() - before
            if batch is None:
                return
            yield batch

    def _step(self, wrapped: Any, batches: Iterator[dict[str, Any]], step: int) -> None:
        """Do one optimiser step: `accumulate` forward and backward passes, clipping, update."""
        rates = self.schedule.rates(step)
        set_rates(self.optimizer, rates)
        values: dict[str, float] = {}
        names: list[str] = []
        for micro in range(self.train.accumulate):
            batch = next(batches)
            names += batch["clip"]
            parts = self._forward_backward(wrapped, batch, step, micro)
            for key, value in parts.items():
                values[key] = values.get(key, 0.0) + value / self.train.accumulate
        self._refuse_non_finite(step, values, names)
        norm = self._clip()
        if self.scaler is None:  # with fp16 an overflow is expected now and then: the scaler skips that step
            self._refuse_non_finite(step, {"gradient": norm, **values}, names)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        clipped = float(norm > self.train.clip_norm)
        self.state.pending.append(
            {
                **values,
                "gradient": norm,
                "clipped": clipped,
                "rate": rates["rest"],
                "rate_encoder": rates["encoder"],
            }
        )

    def _forward_backward(
        self, wrapped: Any, batch: dict[str, Any], step: int, micro: int
    ) -> dict[str, float]:
        torch.manual_seed(seeds.derive(self.job.config.seed, "step", step, micro, self.fabric.global_rank))
        tensors = {k: v.to(self.fabric.device, non_blocking=True) for k, v in batch.items() if k != "clip"}
        last = micro == self.train.accumulate - 1
        with self.fabric.no_backward_sync(wrapped, enabled=not last):
            output = wrapped(*(tensors[key] for key in ("frames", "offsets", "valid", "target")))
            parts = self.job.losses(output, tensors)
            loss = torch.stack(list(parts.values())).sum()
            if torch.isfinite(loss):  # a non-finite loss is refused before it reaches the gradients
                self.fabric.backward(loss / self.train.accumulate)
        return {"loss": loss.item(), **{f"loss_{k}": v.item() for k, v in parts.items()}}

    def _clip(self) -> float:
        norm = self.fabric.clip_gradients(
            self.model, self.optimizer, max_norm=self.train.clip_norm, error_if_nonfinite=False
        )
        assert norm is not None
        return float(norm)

    def _refuse_non_finite(self, step: int, values: Mapping[str, float], names: list[str]) -> None:
        if all(math.isfinite(value) for value in values.values()):
            return
        shown = ", ".join(f"{key} {value:.4g}" for key, value in values.items())
        raise UserError(
            f"training step {step + 1}: not finite ({shown}) on clips {', '.join(names)}; the step was not "
            f"taken and the last good checkpoint is kept in {self.job.folder}; lower the rate or look at "
            f"these clips"
        )

    def _after_step(self, wrapped: Any, step: int) -> None:
        done = step + 1
        if self.logs is not None and (done % self.train.log_every == 0 or done == self.schedule.steps):
            pending = self.state.pending
            means = {key: math.fsum(row[key] for row in pending) / len(pending) for key in pending[0]}
            self.logs.row(done, self.schedule.epoch(step), means)
            self.logs.watch(
                done, {"peak_memory_gib": peak_memory_gib(self.fabric.device), "waited": self.waited}
            )
            self.state.pending = []
        if self.schedule.validates_after(step):
            self._validate(wrapped, step)
        if self.stop.asked or done % self.train.checkpoint_every == 0:
            self._save()
        if self.stop.asked:
            raise Interrupted(f"stopped at step {done} of {self.schedule.steps}; run again to continue")

    def _validate(self, wrapped: Any, step: int) -> None:
        job = self.job
        means, first = validate(self.fabric, wrapped, job.validation_clips, job.validation_count, job.metrics)
        if self.logs is None:
            return
        self.logs.row(step + 1, self.schedule.epoch(step), means)
        validations = (step + 1) // (self.schedule.steps_per_epoch * self.train.validate_every)
        if validations % self.train.picture_every == 0:
            self.logs.pictures(step + 1, pictures.example(first["batch"], first["output"]))
        self.logs.watch(step + 1, pictures.weights_by_offset(first["batch"], first["output"]))
        if self.state.best is None or means["psnr"] > self.state.best:
            self.state.best = means["psnr"]
            weights.save(job.folder / BEST, self.model, job.config.digestible())

    def _save(self) -> None:
        if self.logs is None:
            return
        self.state.model = self.model.state_dict()
        self.state.optimizer = self.optimizer.state_dict()
        self.state.scaler = self.scaler.state_dict() if self.scaler is not None else {}
        self.state.rows = self.logs.rows
        save_state(self.job.folder, self.state)

    def _progress(self) -> Any:
        title = f"training {self.job.config.ablation}"
        progress = bar(title=title, unit="step", total=self.schedule.steps)
        progress.update(self.state.step)
        return progress
