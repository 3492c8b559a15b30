"""Part of `stages.quarter`: train methods by the clock, in the order of worth.

    python -m stages.quarter_train END OUT NOTES

END: when it has to be over, seconds since 1970. OUT/<method>.safetensors, as `release` writes them, are
renewed every few seconds. NOTES: a file of JSON with what was measured, chosen, planned and reached; a method
that it says is over is not trained again, and one that ended the process counts as failed.
"""

import contextlib
import dataclasses
import gc
import json
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
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
from lift.data.dataset import ClipDataset
from lift.errors import UserError
from lift.files import atomic
from lift.training import plan
from lift.training.job import BEST, LAST, Interrupted, Job
from lift.training.loop import fit
from lift.training.machine import StopRequest, peak_memory_gib
from lift.training.measure import step_seconds
from lift.training.state import NAME, PREVIOUS, State, load_state, save_state, setting
from lift.training.validation import validate
from stages.common import PARAMS, data_folder, run
from stages.quarter_data import PROFILE
from stages.train import RESUME, hold, make_job, origin

OPTIONS = (("32-true", True), ("32-true", False), ("bf16-mixed", True))
"""Precision, and whether channels are last: what a GPU is tried with."""
OVER = ("trained", "stopped", "failed", "no time")
UNDER_WAY = ("measuring", "started")
STATE = ".state.pt"
"""Suffix of an optimiser's state in OUT."""


def main(end: str, out: str, notes: str) -> None:
    """Train the groups of `quarter` until `end`."""
    _prepare()
    trainer = _Trainer(float(end), Path(out), _Notes(Path(notes)))
    with StopRequest() as stop:
        trainer.run(stop)


def _prepare() -> None:
    """Set what holds for the whole process."""
    cuda = torch.cuda.is_available()
    torch.use_deterministic_algorithms(not cuda)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if cuda:
        torch.set_float32_matmul_precision("high")  # as cuDNN's convolutions are by default: TF32


class _Notes:
    """The file of JSON, always whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.values = {}
        self.methods: dict[str, dict[str, Any]] = self.values.setdefault("methods", {})

    def save(self) -> None:
        with atomic(self._path) as temporary:
            temporary.write_text(json.dumps(self.values, indent=1), encoding="utf-8")

    def note(self, name: str, **values: Any) -> None:
        """Add to what is known of a method."""
        self.methods.setdefault(name, {}).update(values)
        self.save()
        shown = {key: value for key, value in values.items() if key not in ("rows", "trace", "files")}
        if shown:
            print(f"train: {name}: {json.dumps(shown)}", flush=True)


class _Alarm:
    """Asks a training to stop when its time is up, or when nobody is left who waits for it."""

    def __init__(self, stop: StopRequest, until: float) -> None:
        self.rung, self._stop, self._until, self._done = False, stop, until, threading.Event()
        self._parent = os.getppid()

    def __enter__(self) -> "_Alarm":
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


class _Trainer:
    """The groups, one after the other."""

    def __init__(self, end: float, out: Path, notes: _Notes) -> None:
        self._end, self._out, self._notes = end, out, notes
        self._quarter: Quarter = load_quarter(PARAMS)
        self._data = data_folder(PROFILE)
        _, configs = load_all(PARAMS, PROFILE)
        names = [name for group in self._quarter.groups for name in group.methods]
        absent = [name for name in names if name not in configs]
        if absent:
            raise UserError(
                f"params.yaml: quarter.groups: {absent[0]} is not trained in profile {PROFILE}; add it to "
                f"profiles.{PROFILE}.methods.trained"
            )
        self._configs: dict[str, Config] = {name: configs[name] for name in names}
        torch.set_num_threads(next(iter(self._configs.values())).train.threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._origin = origin(self._data)
        for name, known in notes.methods.items():
            if known.get("status") in UNDER_WAY:  # and the process ended: another one must have its time
                notes.note(name, status="failed", why="ended the process")

    def run(self, stop: StopRequest) -> None:
        self._notes.values |= {"device": _named(self._device), "torch": str(torch.__version__)}
        before = time.monotonic()
        self._held = hold(list(self._configs.values()), self._data / "clips" / "train", self._device)
        self._notes.values["decoding_seconds"] = round(time.monotonic() - before, 2)
        groups = self._quarter.groups
        for index, group in enumerate(groups):
            if not stop.asked:
                now = time.time()
                seconds = plan.share_of([other.share for other in groups], index, self._end - now)
                self._train_group(group, now + seconds, stop)
        if stop.asked:
            sys.exit(RESUME)

    def _train_group(self, group: Group, end: float, stop: StopRequest) -> None:
        names = [
            name for name in group.methods if self._notes.methods.get(name, {}).get("status") not in OVER
        ]
        seconds: dict[str, float] = {}
        for name in names:
            with self._failing(name):
                seconds[name] = self._measured(name, stop)
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
            print(trace, file=sys.stderr, flush=True)
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

    def _measured(self, name: str, stop: StopRequest) -> float:
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
            options[kind] = self._choose(name, stop)
            self._notes.note(name, status="ready")
        chosen = options[kind]["chosen"]
        self._configs[name] = _with(config, precision=chosen[0], channels_last=chosen[1])
        if "seconds_per_step" in known:
            return float(known["seconds_per_step"])
        self._notes.note(name, status="measuring")
        seconds = self._timed(name, self._configs[name], stop)
        self._notes.note(name, status="ready", seconds_per_step=round(seconds, 5))
        return seconds

    def _choose(self, name: str, stop: StopRequest) -> dict[str, Any]:
        train = self._configs[name].train
        tried = OPTIONS if self._device.type == "cuda" else ((train.precision, train.channels_last),)
        seconds: dict[tuple[str, bool], float] = {}
        for option in tried:
            config = _with(self._configs[name], precision=option[0], channels_last=option[1])
            try:
                seconds[option] = self._timed(name, config, stop)
            except RuntimeError as error:  # the others may do without it
                print(f"train: {name}: {option}: {str(error).splitlines()[0]}", flush=True)
        shown = {" ".join(map(str, option)): round(each, 5) for option, each in seconds.items()}
        chosen = plan.chosen(seconds, self._quarter.gain)
        print(
            f"train: {name}: seconds per step by precision and channels last: {shown}: {chosen}", flush=True
        )
        return {"method": name, "seconds_per_step": shown, "chosen": list(chosen)}

    def _timed(self, name: str, config: Config, stop: StopRequest) -> float:
        quarter = self._quarter
        job = self._job(name, self._planned(config, 0, 10**6), stop)
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

    def _job(self, name: str, config: Config, stop: StopRequest) -> Job:
        fabric = Fabric(accelerator="auto", devices=1, precision=config.train.precision)
        fabric.launch()
        folder = self._data / "scratch" / f"{name}-quarter"
        folder.mkdir(parents=True, exist_ok=True)
        return make_job(config.seeded(config.train.seeds[0]), self._data, folder, fabric, stop, self._held)

    def _trained(self, name: str, steps: int, until: float, stop: StopRequest) -> int:
        """Train a method, from what is there of it; return how many steps it took."""
        config = self._configs[name]
        done = self._done(name, config)
        per_step = float(self._notes.methods[name]["seconds_per_step"])
        every = max(1, round(self._quarter.every / per_step))
        planned = self._planned(_with(config, checkpoint_every=every), done, steps)
        job = self._job(name, planned, stop)
        self._notes.note(name, status="started", planned=steps, done_before=done)
        if not done:
            self._start_from_out(name, job)
            self._notes.note(name, before=_measure(job))
        job.saved = lambda state: self._keep(name, job, state)
        began = time.monotonic()
        with _Alarm(stop, until - self._quarter.finish / 2) as alarm:
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
        folder, train = self._data / "scratch" / f"{name}-quarter", config.train
        brought = self._out / f"{name}{STATE}"
        if not any((folder / each).is_file() for each in (NAME, PREVIOUS)) and brought.is_file():
            with atomic(folder / NAME) as temporary:
                shutil.copyfile(brought, temporary)
        try:
            state = load_state(folder, setting(1, train.batch, train.accumulate, train.precision))
        except UserError as error:
            print(f"train: {name}: starts anew: {error}", flush=True)
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
                self._notes.note(name, from_weights=weights_about(path))
            else:
                print(f"train: {path}: of another model ({difference}), so {name} starts anew", flush=True)

    def _keep(self, name: str, job: Job, state: State) -> None:
        """Write weights and curves after a checkpoint; a training does not end for the want of them."""
        loss = next((row["loss"] for row in reversed(state.rows) if "loss" in row), None)
        peak = round(peak_memory_gib(self._device), 3)
        self._notes.note(name, steps=state.step, rows=state.rows, loss=loss, peak_gib=peak)
        try:
            self._write(name, job.model.state_dict(), job.config, state.step)
        except UserError as error:
            print(f"train: {name}: not written after step {state.step}: {error}", flush=True)

    def _write(self, name: str, tensors: Mapping[str, Tensor], config: Config, steps: int) -> None:
        about = {
            **self._origin,
            "steps": steps,
            "seeds": [config.seed],
            "seed": config.seed,
            "profile": PROFILE,
            "method": name,
            "device": _named(self._device),
        }
        own = {key: value.detach().cpu() for key, value in tensors.items()}
        files = weights.save_released(self._out / f"{name}{header.SUFFIX}", own, config.digestible(), about)
        self._notes.note(name, files={path.name: path.stat().st_size for path in files})


def weights_about(path: Path) -> Any:
    """Return the steps after which released weights are."""
    return (header.read(path).plain(weights.ABOUT) or {}).get("steps")


def _measure(job: Job) -> dict[str, dict[str, float]]:
    """Return a model's validation as it is, by source: what is rendered says little of what is real."""
    model: Any = job.model.to(job.fabric.device)
    clips = job.validation_clips
    assert isinstance(clips, ClipDataset)
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


if __name__ == "__main__":
    run(main, "END", "OUT", "NOTES")
