"""Training by the clock: methods one after the other, in the order of worth, with as many steps as fit.

A method that the notes say is over is not trained again, and one that ended the process counts as failed.
"""

import contextlib
import dataclasses
import gc
import json
import os
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import Subset

from lift import header, weights
from lift.config import Config
from lift.config.quarter import Group, Quarter
from lift.config.resolved import first_difference
from lift.errors import UserError
from lift.files import atomic, write_json
from lift.training import plan
from lift.training.job import BEST, LAST, Interrupted, Job
from lift.training.loop import fit
from lift.training.machine import StopRequest, peak_memory_gib
from lift.training.measure import step_seconds
from lift.training.state import NAME, PREVIOUS, State, load_state, save_state, setting
from lift.training.validation import validate

OPTIONS = (("32-true", True), ("32-true", False), ("bf16-mixed", True))
"""Precision, and whether channels are last: what a GPU is tried with."""
OVER = ("trained", "stopped", "failed", "no time")
UNDER_WAY = ("measuring", "started")
STATE = ".state.pt"
"""Suffix of an optimiser's state in OUT."""
Make = Callable[[Config, Path, Fabric], Job]
"""Brings together the training of one seed, with its folder of checkpoints."""


class Notes:
    """The file of JSON, always whole."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        """Read what an earlier process has noted; `say` takes lines for the log."""
        self._path, self.say = path, say
        try:
            self.values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.values = {}
        self.methods: dict[str, dict[str, Any]] = self.values.setdefault("methods", {})

    def save(self) -> None:
        """Write what is known."""
        write_json(self._path, self.values, sort=False)

    def note(self, name: str, **values: Any) -> None:
        """Add to what is known of a method."""
        self.methods.setdefault(name, {}).update(values)
        self.save()
        shown = {key: value for key, value in values.items() if key not in ("rows", "trace", "files")}
        if shown:
            self.say(f"{name}: {json.dumps(shown)}")


class Alarm:
    """Asks a training to stop when its time is up, or when nobody is left who waits for it."""

    def __init__(self, stop: StopRequest, until: float) -> None:
        self.rung, self._stop, self._until, self._done = False, stop, until, threading.Event()
        self._parent = os.getppid()

    def __enter__(self) -> "Alarm":
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        if self.rung:
            self._stop.asked = False

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            if os.getppid() != self._parent:
                self._stop.asked = True
                return
            if time.time() >= self._until:
                self.rung = self._stop.asked = True
                return


class Clocked:
    """The groups, one after the other."""

    def __init__(
        self,
        quarter: Quarter,
        configs: Mapping[str, Config],
        *,
        end: float,
        out: Path,
        scratch: Path,
        notes: Notes,
        about: Mapping[str, Any],
        make: Make,
    ) -> None:
        """Take over what an earlier process has noted.

        Args:
            quarter: Groups and times.
            configs: Of all methods of the groups.
            end: When it has to be over, seconds since 1970.
            out: Folder of weights, renewed every few seconds.
            scratch: Folder of checkpoints.
            notes: What was measured, chosen, planned and reached.
            about: What weights are made from, for their headers.
            make: Brings together a training.
        """
        self._quarter, self._configs, self._end, self._out = quarter, dict(configs), end, out
        self._scratch, self._notes, self._about, self._make = scratch, notes, about, make
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        notes.values |= {"device": _named(self._device), "torch": str(torch.__version__)}
        for name, known in notes.methods.items():
            if known.get("status") in UNDER_WAY:  # and the process ended: another one must have its time
                notes.note(name, status="failed", why="ended the process")

    def run(self, stop: StopRequest) -> None:
        """Train until the end, or until `stop` is asked for."""
        groups = self._quarter.groups
        for index, group in enumerate(groups):
            if not stop.asked:
                now = time.time()
                seconds = plan.share_of([other.share for other in groups], index, self._end - now)
                self._train_group(group, now + seconds, stop)

    def _train_group(self, group: Group, end: float, stop: StopRequest) -> None:
        names = [
            name for name in group.methods if self._notes.methods.get(name, {}).get("status") not in OVER
        ]
        seconds: dict[str, float] = {}
        for name in names:
            with self._failing(name):
                seconds[name] = self._measured(name)
        if not seconds:
            return
        steps = plan.steps(
            end - time.time(), list(seconds.values()), self._quarter.finish, self._quarter.margin
        )
        todo = list(seconds)
        while todo and not stop.asked:
            until = plan.until(time.time(), end, [seconds[name] for name in todo])
            name = todo.pop(0)
            if steps < 1:
                self._notes.note(name, status="no time")
                continue
            with self._failing(name):
                steps = min(steps, self._trained(name, steps, until, stop))

    @contextlib.contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Let an error of one method cost nothing but that method; a broken GPU ends the process."""
        try:
            yield
        except Exception as error:
            trace = traceback.format_exc()
            self._notes.say(trace)
            self._notes.note(
                name,
                status="failed",
                why=f"{type(error).__name__}: {str(error).splitlines()[:1]}",
                trace=trace,
            )
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.synchronize()  # raises where CUDA has had an error from which no process recovers
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _measured(self, name: str) -> float:
        """Return seconds per step, with the fastest of the options, which is chosen once a kind of model."""
        known = self._notes.methods.get(name, {})
        config = self._configs[name]
        kind = (
            f"{config.model.flow}/{config.model.refinement}"
            if config.model.name == "lift"
            else config.model.name
        )
        options: dict[str, Any] = self._notes.values.setdefault("options", {})
        if kind not in options:
            self._notes.note(name, status="measuring")
            options[kind] = self._choose(name)
            self._notes.note(name, status="ready")
        chosen = options[kind]["chosen"]
        self._configs[name] = _with(config, precision=chosen[0], channels_last=chosen[1])
        if "seconds_per_step" in known:
            return float(known["seconds_per_step"])
        self._notes.note(name, status="measuring")
        seconds = self._timed(name, self._configs[name])
        self._notes.note(name, status="ready", seconds_per_step=round(seconds, 5))
        return seconds

    def _choose(self, name: str) -> dict[str, Any]:
        train = self._configs[name].train
        tried = OPTIONS if self._device.type == "cuda" else ((train.precision, train.channels_last),)
        seconds: dict[tuple[str, bool], float] = {}
        for option in tried:
            config = _with(self._configs[name], precision=option[0], channels_last=option[1])
            try:
                seconds[option] = self._timed(name, config)
            except RuntimeError as error:  # the others may do without it
                self._notes.say(f"{name}: {option}: {str(error).splitlines()[0]}")
        shown = {" ".join(map(str, option)): round(each, 5) for option, each in seconds.items()}
        chosen = plan.chosen(seconds, self._quarter.gain)
        self._notes.say(f"{name}: seconds per step by precision and channels last: {shown}: {chosen}")
        return {"method": name, "seconds_per_step": shown, "chosen": list(chosen)}

    def _timed(self, name: str, config: Config) -> float:
        quarter = self._quarter
        job = self._job(name, self._planned(config, 0, 10**6))
        seconds = sorted(step_seconds(job, quarter.left_out, quarter.timed))
        return seconds[len(seconds) // 2]

    def _planned(self, config: Config, done: int, more: int) -> Config:
        """Plan `more` steps after `done`; an epoch is a step, so that any number fits."""
        first = config.train.phases[0]
        phases = [dataclasses.replace(first, epochs=more)]
        if done:
            again = dataclasses.replace(first, epochs=more, rate=first.rate * self._quarter.again)
            phases = [dataclasses.replace(first, epochs=done), again]
        return _with(
            config,
            phases=tuple(phases),
            samples_per_epoch=config.train.batch * config.train.accumulate,
            validate_every=done + more,
            seeds=config.train.seeds[:1],
        )

    def _job(self, name: str, config: Config) -> Job:
        fabric = Fabric(accelerator="auto", devices=1, precision=config.train.precision)
        fabric.launch()
        folder = self._folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        return self._make(config.seeded(config.train.seeds[0]), folder, fabric)

    def _folder(self, name: str) -> Path:
        return self._scratch / f"{name}-quarter"

    def _trained(self, name: str, steps: int, until: float, stop: StopRequest) -> int:
        """Train a method, from what is there of it; return how many steps it took."""
        config = self._configs[name]
        done = self._done(name, config)
        per_step = float(self._notes.methods[name]["seconds_per_step"])
        every = max(1, round(self._quarter.every / per_step))
        planned = self._planned(_with(config, checkpoint_every=every), done, steps)
        job = self._job(name, planned)
        self._notes.note(name, status="started", planned=steps, done_before=done)
        if not done:
            self._start_from_out(name, job)
            self._notes.note(name, before=_measure(job))
        job.saved = lambda state: self._keep(name, job, state)
        began = time.monotonic()
        with Alarm(stop, until - self._quarter.finish / 2) as alarm:
            try:
                speed = fit(job)
            except Interrupted:
                if not alarm.rung:
                    self._notes.note(name, status="interrupted")
                    return steps
                taken = self._notes.methods[name]["steps"] - done
                self._notes.note(name, status="stopped", seconds=round(time.monotonic() - began, 1))
                return int(taken)
        tensors = weights.read_tensors(job.folder / LAST)
        self._write(name, tensors, planned, done + steps)
        job.model.load_state_dict(tensors)  # the average, where there is one
        self._notes.note(
            name,
            status="trained",
            steps=done + steps,
            seconds=round(time.monotonic() - began, 1),
            speed={key: round(value, 4) for key, value in speed.items()},
            after=_measure(job),
        )
        return steps

    def _done(self, name: str, config: Config) -> int:
        """Return how far an earlier run's checkpoint is; one of another setting is moved aside."""
        folder, train = self._folder(name), config.train
        brought = self._out / f"{name}{STATE}"
        if not any((folder / each).is_file() for each in (NAME, PREVIOUS)) and brought.is_file():
            with atomic(folder / NAME) as temporary:
                shutil.copyfile(brought, temporary)
        try:
            state = load_state(folder, setting(1, train.batch, train.accumulate, train.precision))
        except UserError as error:
            self._notes.say(f"{name}: starts anew: {error}")
            folder.rename(folder.with_name(f"{folder.name}-{int(time.time())}"))
            return 0
        if state is not None and not (folder / BEST).exists():  # which did not come along
            save_state(folder, dataclasses.replace(state, best=None))
        return 0 if state is None else state.step

    def _start_from_out(self, name: str, job: Job) -> None:
        """Take the weights that an earlier run has left in OUT, where they are of this model."""
        path = self._out / f"{name}{header.SUFFIX}"
        with contextlib.suppress(UserError):
            header.files(path)
            found, own = weights.read_config(path), job.config.described()
            difference = first_difference({key: found.get(key) for key in own}, own)
            if difference is None:
                weights.fill(path, job.model)
                about = header.read(path).plain(weights.ABOUT) or {}
                self._notes.note(name, from_weights=about.get("steps"))
            else:
                self._notes.say(f"{path}: of another model ({difference}), so {name} starts anew")

    def _keep(self, name: str, job: Job, state: State) -> None:
        """Write weights and curves after a checkpoint; a training does not end for the want of them."""
        loss = next((row["loss"] for row in reversed(state.rows) if "loss" in row), None)
        peak = round(peak_memory_gib(self._device), 3)
        self._notes.note(name, steps=state.step, rows=state.rows, loss=loss, peak_gib=peak)
        try:
            self._write(name, job.model.state_dict(), job.config, state.step)
        except UserError as error:
            self._notes.say(f"{name}: not written after step {state.step}: {error}")

    def _write(self, name: str, tensors: Mapping[str, Tensor], config: Config, steps: int) -> None:
        about = {
            **self._about,
            "steps": steps,
            "seeds": [config.seed],
            "seed": config.seed,
            "profile": config.profile,
            "method": name,
            "device": _named(self._device),
        }
        own = {key: value.detach().cpu() for key, value in tensors.items()}
        files = weights.save_released(self._out / f"{name}{header.SUFFIX}", own, config.digestible(), about)
        self._notes.note(name, files={path.name: path.stat().st_size for path in files})


def _measure(job: Job) -> dict[str, dict[str, float]]:
    """Return a model's validation as it is, by source: what is rendered says little of what is real."""
    model: Any = job.model.to(job.fabric.device)
    clips: Any = job.validation_clips
    measured: dict[str, dict[str, float]] = {}
    for source in sorted({row.source for row in clips.rows}):
        own = Subset(clips, [place for place, row in enumerate(clips.rows) if row.source == source])
        found = validate(job.fabric, model, own, len(own), job.metrics, job.losses)
        measured[source] = {key: round(value, 5) for key, value in found.means.items()}
        measured[source]["clips"] = len(own)
    return measured


def _with(config: Config, **train: Any) -> Config:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, **train))


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()}-core CPU"
