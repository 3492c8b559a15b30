"""Part of `stages.quarter`: train methods by the clock, one after the other, with as many steps as fit.

    python -m stages.quarter_train END OUT

END: when it has to be over, seconds since 1970. OUT/<method>.safetensors, as `release` writes them, are
renewed every few seconds. Noted is what was measured, chosen, planned and reached. A method that is over
by the notes is not trained again, and one that ended the process counts as failed.
"""

import contextlib
import gc
import json
import math
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import Subset

from lift import header, weights
from lift.config import Config, load_all
from lift.config.quarter import Group, Quarter, load_quarter
from lift.config.resolved import first_difference
from lift.data.resident import Frames
from lift.errors import UserError
from lift.files import atomic
from lift.training.job import BEST, LAST, Interrupted, Job
from lift.training.loop import fit, step_seconds
from lift.training.machine import StopRequest, peak_memory_gib
from lift.training.state import NAME, PREVIOUS, State, load_state, save_state, setting
from lift.training.validation import validate
from stages.common import PARAMS, data_folder, run
from stages.quarter import PROFILE, STATE, UNDER_WAY, Notes, scratch
from stages.train import RESUME, hold, make_job, origin

OPTIONS = (("32-true", True), ("32-true", False), ("bf16-mixed", True))
"""Precision, and whether channels are last: what a GPU is tried with."""
OVER = ("trained", "stopped", "failed", "no time")
LONG = ("rows", "trace", "files")  # what the notes hold and the log does not


def main(end: str, out: str) -> None:
    """Train the groups of `quarter` until `end`."""
    cuda, data, quarter = torch.cuda.is_available(), data_folder(PROFILE), load_quarter(PARAMS)
    torch.use_deterministic_algorithms(not cuda)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if cuda:
        torch.set_float32_matmul_precision("high")  # as cuDNN's convolutions are by default: TF32
    _, configs = load_all(PARAMS, PROFILE)
    names = [name for group in quarter.groups for name in group.methods]
    absent = [name for name in names if name not in configs]
    if absent:
        raise UserError(
            f"params.yaml: quarter.groups: {absent[0]} is not trained in profile {PROFILE}; add it to "
            f"profiles.{PROFILE}.methods.trained"
        )
    own, noted = {name: configs[name] for name in names}, Notes("training")
    torch.set_num_threads(own[names[0]].train.threads)
    about = {**origin(data), "device": torch.cuda.get_device_name() if cuda else f"{os.cpu_count()}-core CPU"}
    with Clock() as clock:
        before, device = time.monotonic(), torch.device("cuda" if cuda else "cpu")
        held = hold(list(own.values()), data / "clips" / "train", device)
        seconds = round(time.monotonic() - before, 2)
        noted.note(decoding_seconds=seconds, device=about["device"], torch=str(torch.__version__))
        _Trainer(quarter, own, float(end), Path(out), noted, clock, held, device, about).run()
        if clock.asked:
            sys.exit(RESUME)


class Clock(StopRequest):
    """Asks a training to stop also when its time is up, or when nobody is left who waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.until, self._parent = math.inf, os.getppid()

    @property
    def over(self) -> bool:
        """Whether no other training is to begin either."""
        return self.signalled or os.getppid() != self._parent

    @property
    def asked(self) -> bool:
        """Whether the training is to end after its step."""
        return self.over or time.time() >= self.until


def share(parts: Sequence[float], seconds: float) -> float:
    """Return the first part's share of the seconds that are left for all."""
    return max(0.0, seconds) * parts[0] / math.fsum(parts)


def steps(seconds: float, per_step: Sequence[float], finish: float, margin: float) -> int:
    """Return how many steps each method of a group takes, the same number for all; 0: there is no time.

    Args:
        seconds: Of the group.
        per_step: Seconds of a step, by method.
        finish: Seconds of a method's validation and last files.
        margin: Share of the time that is not planned.
    """
    left = seconds * (1 - margin) - finish * len(per_step)
    return max(0, math.floor(left / math.fsum(per_step)))


def chosen(seconds: Mapping[tuple[str, bool], float], gain: float) -> tuple[str, bool]:
    """Choose how to compute: the fastest in 32 bits, unless half of them is `gain` times as fast.

    Args:
        seconds: Of a step, by precision (`32-true` and others) and whether channels are last.
        gain: How many times faster fewer bits must be.

    Raises:
        ValueError: Nothing could be measured.
    """
    if not seconds:
        raise ValueError("no way to compute a step has worked")
    fastest = min(seconds, key=lambda option: seconds[option])
    exact = [option for option in seconds if option[0] == "32-true"]
    best = min(exact, key=lambda option: seconds[option], default=fastest)
    return fastest if seconds[best] >= gain * seconds[fastest] else best


@dataclass
class _Trainer:
    """The groups, one after the other, from what an earlier process has noted."""

    quarter: Quarter
    configs: dict[str, Config]
    end: float
    out: Path
    notes: Notes
    clock: Clock
    held: Frames | None
    device: torch.device
    about: dict[str, Any]
    """What weights are made from."""

    @property
    def methods(self) -> dict[str, dict[str, Any]]:
        """What is known of each method."""
        known: dict[str, dict[str, Any]] = self.notes.values.setdefault("methods", {})
        return known

    def run(self) -> None:
        """Train until the end, or until the clock says that it is over."""
        for name, known in self.methods.items():
            if known.get("status") in UNDER_WAY:  # and the process ended: another one must have its time
                self.note(name, status="failed", why="ended the process")
        shares = [group.share for group in self.quarter.groups]
        for index, group in enumerate(self.quarter.groups):
            if not self.clock.over:
                now = time.time()
                self._train_group(group, now + share(shares[index:], self.end - now))

    def note(self, name: str, **values: Any) -> None:
        """Add to what is known of a method."""
        self.methods.setdefault(name, {}).update(values)
        self.notes.note()
        shown = {key: value for key, value in values.items() if key not in LONG}
        if shown:
            _say(f"{name}: {json.dumps(shown)}")

    def _train_group(self, group: Group, end: float) -> None:
        seconds: dict[str, float] = {}
        for name in group.methods:
            if self.methods.get(name, {}).get("status") not in OVER:
                with self._failing(name):
                    seconds[name] = self._measured(name)
        todo, quarter = list(seconds), self.quarter
        if not todo:
            return
        planned = steps(end - time.time(), list(seconds.values()), quarter.finish, quarter.margin)
        while todo and not self.clock.over:
            now = time.time()  # so that those which are left get equally many steps, however long one took
            until = now + share([seconds[name] for name in todo], end - now)
            name = todo.pop(0)
            if planned < 1:
                self.note(name, status="no time")
                continue
            with self._failing(name):
                planned = min(planned, self._trained(name, planned, until))

    @contextlib.contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Let an error of one method cost nothing but that method; a broken GPU ends the process."""
        try:
            yield
        except Exception as error:
            trace = traceback.format_exc()
            _say(trace)
            why = f"{type(error).__name__}: {str(error).splitlines()[:1]}"
            self.note(name, status="failed", why=why, trace=trace)
        gc.collect()  # a job refers to itself (`saved`), so its tensors would wait for the collector
        if self.device.type == "cuda":
            torch.cuda.synchronize()  # raises where CUDA has had an error from which no process recovers
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _measured(self, name: str) -> float:
        """Return seconds per step, with the fastest of the options, which is chosen once a kind of model."""
        config, model = self.configs[name], self.configs[name].model
        kind = f"{model.flow}/{model.refinement}" if model.name == "lift" else model.name
        options: dict[str, Any] = self.notes.values.setdefault("options", {})
        self.note(name, status="measuring")
        if kind not in options:
            options[kind] = self._choose(name)
        precision, channels_last = options[kind]["chosen"]
        self.configs[name] = _with(config, precision=precision, channels_last=channels_last)
        known = self.methods[name].get("seconds_per_step")
        seconds = float(known or self._timed(name, self.configs[name]))
        self.note(name, status="ready", seconds_per_step=round(seconds, 5))
        return seconds

    def _choose(self, name: str) -> dict[str, Any]:
        train = self.configs[name].train
        tried = OPTIONS if self.device.type == "cuda" else ((train.precision, train.channels_last),)
        seconds: dict[tuple[str, bool], float] = {}
        for option in tried:
            config = _with(self.configs[name], precision=option[0], channels_last=option[1])
            try:
                seconds[option] = self._timed(name, config)
            except RuntimeError as error:  # the others may do without it
                _say(f"{name}: {option}: {str(error).splitlines()[0]}")
        shown = {" ".join(map(str, option)): round(each, 5) for option, each in seconds.items()}
        best = chosen(seconds, self.quarter.gain)
        _say(f"{name}: seconds per step by precision and channels last: {shown}: {best}")
        return {"method": name, "seconds_per_step": shown, "chosen": list(best)}

    def _timed(self, name: str, config: Config) -> float:
        job = self._job(name, self._planned(config, 0, 10**6))
        seconds = sorted(step_seconds(job, self.quarter.left_out, self.quarter.timed))
        return seconds[len(seconds) // 2]

    def _planned(self, config: Config, done: int, more: int) -> Config:
        """Plan `more` steps after `done`; an epoch is a step, so that any number fits."""
        first = config.train.phases[0]
        phases = [replace(first, epochs=more)]
        if done:
            again = replace(first, epochs=more, rate=first.rate * self.quarter.again)
            phases = [replace(first, epochs=done), again]
        return _with(  # one seed, and one validation at the end: the clock has no time for more
            config,
            phases=tuple(phases),
            samples_per_epoch=config.train.batch * config.train.accumulate,
            validate_every=done + more,
            seeds=config.train.seeds[:1],
        )

    def _job(self, name: str, config: Config) -> Job:
        fabric = Fabric(accelerator="auto", devices=1, precision=config.train.precision)
        fabric.launch()
        folder, own = scratch(name), config.seeded(config.train.seeds[0])
        folder.mkdir(parents=True, exist_ok=True)
        return make_job(own, data_folder(PROFILE), folder, fabric, self.clock, self.held)

    def _trained(self, name: str, count: int, until: float) -> int:
        """Train a method, from what is there of it; return how many steps it took."""
        config = self.configs[name]
        done = self._done(name, config)
        per_step = float(self.methods[name]["seconds_per_step"])
        every = max(1, round(self.quarter.every / per_step))
        job = self._job(name, self._planned(_with(config, checkpoint_every=every), done, count))
        self.note(name, status="started", planned=count, done_before=done)
        if not done:
            self._start_from_out(name, job)
            self.note(name, before=_measure(job))
        job.saved = lambda state: self._keep(name, job, state)
        began = time.monotonic()
        self.clock.until = until - self.quarter.finish / 2
        try:
            speed = fit(job)
        except Interrupted:
            if self.clock.over:
                self.note(name, status="interrupted")
                return count
            self.note(name, status="stopped", seconds=round(time.monotonic() - began, 1))
            return int(self.methods[name]["steps"]) - done
        finally:
            self.clock.until = math.inf
        tensors = weights.read_tensors(job.folder / LAST)
        self._write(name, tensors, job.config, done + count)
        job.model.load_state_dict(tensors)  # the average, where there is one
        self.note(
            name,
            status="trained",
            steps=done + count,
            seconds=round(time.monotonic() - began, 1),
            speed={key: round(value, 4) for key, value in speed.items()},
            after=_measure(job),
        )
        return count

    def _done(self, name: str, config: Config) -> int:
        """Return how far an earlier run's checkpoint is; one of another setting is moved aside."""
        folder, brought = scratch(name), self.out / f"{name}{STATE}"
        if not any((folder / each).is_file() for each in (NAME, PREVIOUS)) and brought.is_file():
            with atomic(folder / NAME) as temporary:
                shutil.copyfile(brought, temporary)
        try:
            state = load_state(folder, setting(1, config.train))
        except UserError as error:
            _say(f"{name}: starts anew: {error}")
            folder.rename(folder.with_name(f"{folder.name}-{int(time.time())}"))
            return 0
        if state is not None and not (folder / BEST).exists():  # which did not come along
            save_state(folder, replace(state, best=None))
        return 0 if state is None else state.step

    def _start_from_out(self, name: str, job: Job) -> None:
        """Take the weights that an earlier run has left in OUT, where they are of this model."""
        path = self.out / f"{name}{header.SUFFIX}"
        with contextlib.suppress(UserError):
            header.files(path)
            found, own = weights.read_config(path), job.config.described()
            difference = first_difference({key: found.get(key) for key in own}, own)
            if difference is None:
                weights.fill(path, job.model)
                about = header.plain(path, weights.ABOUT) or {}
                self.note(name, from_weights=about.get("steps"))
            else:
                _say(f"{path}: of another model ({difference}), so {name} starts anew")

    def _keep(self, name: str, job: Job, state: State) -> None:
        """Write weights and curves after a checkpoint; a training does not end for the want of them."""
        loss = next((row["loss"] for row in reversed(state.rows) if "loss" in row), None)
        peak = round(peak_memory_gib(self.device), 3)
        self.note(name, steps=state.step, rows=state.rows, loss=loss, peak_gib=peak)
        try:
            self._write(name, job.model.state_dict(), job.config, state.step)
        except UserError as error:
            _say(f"{name}: not written after step {state.step}: {error}")

    def _write(self, name: str, tensors: Mapping[str, Tensor], config: Config, steps: int) -> None:
        about = {**self.about, "steps": steps, "seeds": [config.seed], "seed": config.seed}
        about |= {"profile": config.profile, "method": name}
        own = {key: value.detach().cpu() for key, value in tensors.items()}
        files = weights.save_released(self.out / f"{name}{header.SUFFIX}", own, config.digestible(), about)
        self.note(name, files={path.name: path.stat().st_size for path in files})


def _measure(job: Job) -> dict[str, dict[str, float]]:
    """Return a model's validation as it is, by source: what is rendered says little of what is real."""
    job.model.to(job.fabric.device)
    clips = job.validation_clips
    measured: dict[str, dict[str, float]] = {}
    for source in sorted({row.source for row in clips.rows}):
        own: Any = Subset(clips, [place for place, row in enumerate(clips.rows) if row.source == source])
        means = validate(job, own).means
        measured[source] = {key: round(value, 5) for key, value in means.items()} | {"clips": len(own)}
    return measured


def _with(config: Config, **train: Any) -> Config:
    return replace(config, train=replace(config.train, **train))


def _say(line: str) -> None:
    print(f"train: {line}", flush=True)


if __name__ == "__main__":
    run(main, "END", "OUT")
