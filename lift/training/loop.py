"""The training loop on Lightning Fabric: three phases, validation, checkpoints, exact resume.

What makes a resume exact: rates, order, augmentation and dropout are functions of (seed, step); the optimiser
is one over all groups from step 0; and the model is wrapped anew at each phase, since a parameter unfrozen
after wrapping would not be reduced over the processes. Process 0 alone reads and writes files, and the others
learn from it.
"""

import contextlib
import copy
import dataclasses
import itertools
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from lift import weights
from lift.config import Phase
from lift.errors import UserError
from lift.progress import bar
from lift.training.job import BEST, LAST, Interrupted, Job
from lift.training.logs import Logs
from lift.training.machine import leave_signals_to_trainer, on_first, peak_memory_gib
from lift.training.schedule import Schedule, draws
from lift.training.state import State, load_snapshot, load_state, save_snapshot, save_state, setting
from lift.training.step import Average, Stepper, freeze, parameter_groups, scaler_of
from lift.training.validation import Validated, example, validate


def fit(job: Job) -> dict[str, float]:
    """Train to the end, from the newest checkpoint if there is one.

    Leaves `best.safetensors` (by validation PSNR), `last.safetensors` and `curves.csv` in the job's folder.

    Returns:
        How fast it went: steps_per_second, samples_per_second, data_wait_share, peak_memory_gib (this
        session and process only).

    Raises:
        UserError: The loss or the gradient is not finite, the disk is full, or the checkpoint does not fit.
        Interrupted: SIGTERM or SIGUSR1 came; the checkpoint is written.
    """
    with job.stop:
        return _Run(job).fit()


def step_seconds(job: Job, left_out: int, timed: int) -> list[float]:
    """Take steps as the loop does, data included, and return the seconds of each of the last `timed`.

    Args:
        job: What is to be trained; nothing of it changes, and nothing is written.
        left_out: Steps before them: the first ones choose algorithms and take memory.
        timed: How many.

    Raises:
        UserError: The loss or the gradient is not finite.
    """
    nowhere = job.folder / "measured"  # no checkpoint is there to go on from
    run = _Run(dataclasses.replace(job, model=copy.deepcopy(job.model), folder=nowhere, start=None))
    clock = [time.perf_counter()]
    for _ in itertools.islice(run.steps(), left_out + timed):
        if job.fabric.device.type == "cuda":
            torch.cuda.synchronize(job.fabric.device)
        clock.append(time.perf_counter())
    return [after - before for before, after in itertools.pairwise(clock)][left_out:]


class _Run:
    """The state of a training between its steps."""

    def __init__(self, job: Job) -> None:
        self.job, self.fabric, self.train = job, job.fabric, job.config.train
        world = self.fabric.world_size
        self.schedule = on_first(self.fabric, lambda: Schedule(self.train, len(job.train_sources), world))
        same = setting(world, self.train)
        state = on_first(self.fabric, lambda: _load(job, same, self.schedule))
        self.state = state or State(setting=same)
        self.model = job.model.to(self.fabric.device)
        groups = parameter_groups(self.model, self.train.weight_decay)
        self.scaler = scaler_of(self.fabric)
        # The fused form would undo fp16's scaling itself, inside its step and so after the clipping.
        optimizer = torch.optim.AdamW(groups, lr=0.0, fused=self.scaler is None)
        self.average = Average(self.model, self.train.average) if self.train.average else None
        if state is not None:
            self._restore(optimizer)
        # Fabric's proxies have all of an optimiser's methods.
        self.optimizer: Any = self.fabric.setup_optimizers(optimizer)
        self.stepper = Stepper(job, self.schedule, self.optimizer)
        self.waited = 0.0

    def _restore(self, optimizer: torch.optim.Optimizer) -> None:
        try:
            self.model.load_state_dict(self.state.model)
            optimizer.load_state_dict(self.state.optimizer)
            _lay_out(optimizer)
        except (RuntimeError, ValueError) as error:
            if self.job.start is None:  # a checkpoint is of the run's own configuration
                raise
            raise UserError(
                f"{self.job.start}: a snapshot of another model ({str(error).splitlines()[0]}); set "
                f"train.resume_epoch: null, or train.resume_from to an ablation with this one's model"
            ) from error
        if self.scaler is not None and self.state.scaler:
            self.scaler.load_state_dict(self.state.scaler)
        if self.average is not None:
            self.average.load(self.state.average)
        told = f"{self.job.folder.name}: continues after step {self.state.step} of {self.schedule.steps}"
        self.fabric.print(told, file=sys.stderr)

    def fit(self) -> dict[str, float]:
        job, first, total = self.job, self.state.step, self.schedule.steps
        started = time.perf_counter()
        self.logs: Any = None  # of process 0 alone
        if self.fabric.is_global_zero:
            self.logs = Logs(job.folder, job.board, self.state.rows, first)
        self.since = (started, first, 0.0)  # clock, step and wait at the last row
        with bar(title=f"training {job.config.method}", unit="step", total=total, initial=first) as progress:
            for asked in self.steps():
                progress.update()
                self._after_step(self.state.step - 1, asked)
        if total > first:
            # A finished run that is continued, for another seed's sake, trains nothing.
            on_first(self.fabric, self._save)
        on_first(self.fabric, self._finish)
        seconds, steps = time.perf_counter() - started, total - first
        return {
            "steps_per_second": steps / seconds,
            "samples_per_second": steps * self.schedule.clips_per_step / seconds,
            "data_wait_share": self.waited / seconds,
            "peak_memory_gib": peak_memory_gib(self.fabric.device),
        }

    def _finish(self) -> None:
        self.logs.close()
        with self._averaged():
            weights.save(self.job.folder / LAST, self.model, self.job.config.digestible())

    def steps(self) -> Iterator[bool]:
        """Take one step after the other; yield after each whether any process was asked to stop."""
        while self.state.step < self.schedule.steps:
            phase, _, _ = self.schedule.phase(self.state.step)
            # For as long as the same weights are frozen, in this phase at most.
            count, end = self.schedule.frozen(self.state.step, len(self.job.loaded))
            freeze(self.model, frozenset().union(*self.job.loaded[:count]))
            model: Any = torch.compile(self.model) if self.train.compile else self.model
            wrapped = self.fabric.setup_module(model, move_to_device=False)
            wrapped.train()
            batches = self._batches(phase, end)
            for step in range(self.state.step, end):
                values, asked = self.stepper.take(wrapped, batches, step, self.state.recent)
                # Before the yield: what follows a step, a checkpoint too, finds all of it in the state.
                if self.average is not None:
                    self.average.update(step)
                self.state.step = step + 1
                self.state.pending.append(values)
                yield asked

    def _batches(self, phase: Phase, end: int) -> Iterator[dict[str, Any]]:
        sizes = [self.train.crop(phase, source) for source in self.job.train_sources]
        seed, rank = self.job.config.seed, self.fabric.global_rank
        keys = draws(self.schedule, seed, self.state.step, end, rank, sizes)
        clips = self.job.train_clips(phase.crop)
        iterator: Iterator[dict[str, Any]]
        if self.train.resident:
            iterator = map(clips.batch, keys)
        else:
            loader: DataLoader[Any] = DataLoader(
                clips,
                batch_sampler=keys,
                num_workers=self.train.workers,
                pin_memory=self.fabric.device.type == "cuda",
                # A generator of its own: workers' seeds must not draw from the global one.
                generator=torch.Generator().manual_seed(0),
                worker_init_fn=leave_signals_to_trainer,
            )
            iterator = iter(loader)
        while True:  # and not `for`: what is waited for a batch is measured
            before = time.perf_counter()
            batch = next(iterator, None)
            self.waited += time.perf_counter() - before
            if batch is None:
                return
            yield batch

    def _after_step(self, step: int, asked: bool) -> None:
        done, fabric, schedule = step + 1, self.fabric, self.schedule
        if done % self.train.log_every == 0 or done == schedule.steps:
            on_first(fabric, lambda: self._log(step))
            self.state.pending = []
        if schedule.validates_after(step):
            with self._averaged():
                found = validate(self.job)
                on_first(fabric, lambda: self._keep(step, found))
        if schedule.ends_an(step, self.train.snapshot_every):
            on_first(fabric, lambda: self._snapshot(schedule.epoch(step) + 1))
        if asked or done % self.train.checkpoint_every == 0:
            on_first(fabric, self._save)
        if asked:
            raise Interrupted(f"stopped at step {done} of {schedule.steps}; run again to continue")

    def _log(self, step: int) -> None:
        """Log the means of the steps since the last row; a step that fp16 left out has no gradient."""
        pending, done = self.state.pending, step + 1
        keys = {key: None for row in pending for key in row}
        columns = {key: [row[key] for row in pending if key in row] for key in keys}
        now, (clock, logged, waited) = time.perf_counter(), self.since
        self.since = (now, done, self.waited)
        means = {key: math.fsum(values) / len(values) for key, values in columns.items()}
        self.logs.row(done, self.schedule.epoch(step), means)
        self.logs.watch(
            done,
            {
                "machine/step_seconds": (now - clock) / (done - logged),
                "machine/data_wait_share": (self.waited - waited) / (now - clock),
                "machine/peak_memory_gib": peak_memory_gib(self.fabric.device),
            },
        )

    def _keep(self, step: int, found: Validated) -> None:
        """Log a validation, and keep the weights where they are the best so far."""
        psnr = found.means["psnr"]
        self.logs.row(step + 1, self.schedule.epoch(step), found.means)
        self.logs.watch(step + 1, {f"alpha/{offset:+d}": w for offset, w in found.alpha.items()})
        validations = (step + 1) // (self.schedule.steps_per_epoch * self.train.validate_every)
        if validations % self.train.picture_every == 0 and found.shown is not None:
            self.logs.watch(step + 1, example(*found.shown))
        if self.state.best is None or psnr > self.state.best:
            self.state.best = psnr
            weights.save(self.job.folder / BEST, self.model, self.job.config.digestible())

    def _save(self) -> None:
        self.logs.flush()
        self._gather()
        save_state(self.job.folder, self.state)
        if self.job.saved is not None:
            with self._averaged():
                self.job.saved(self.state)

    def _snapshot(self, epoch: int) -> None:
        self._gather()
        save_snapshot(self.job.snapshots, self.state, epoch, self.train.snapshots)

    def _gather(self) -> None:
        """Put what lives outside of the state into it."""
        self.state.model = self.model.state_dict()
        self.state.optimizer = self.optimizer.state_dict()
        self.state.scaler = self.scaler.state_dict() if self.scaler is not None else {}
        self.state.average = self.average.values if self.average is not None else {}
        self.state.rows = self.logs.rows

    def _averaged(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self.average is None else self.average.applied()


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Lay moments out in memory as their parameters: a checkpoint may be from a run with channels last.

    CUDA's fused AdamW refuses others.
    """
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if torch.is_tensor(value) and value.shape == parameter.shape:
                state[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _load(job: Job, same: dict[str, Any], schedule: Schedule) -> State | None:
    state, best = load_state(job.folder, same), job.folder / BEST
    if state is not None and state.best is not None and not best.exists():
        raise UserError(f"{best}: missing beside its checkpoint; start over: rm -r {job.folder}")
    epoch = job.config.train.resume_epoch
    if state is not None or job.start is None or epoch is None:
        return state
    if epoch * schedule.steps_per_epoch >= schedule.steps:
        raise UserError(
            f"params.yaml: train.resume_epoch: {epoch}: the phases end there; give them more epochs"
        )
    return load_snapshot(job.start, epoch * schedule.steps_per_epoch, same)
