"""Stage by hand `quarter`: minutes of one GPU become weights and tables (docs/experiments.md).

    python -m stages.quarter MINUTES OUT [FOOTAGE]

Renders training footage on all processors while the tests that need a GPU run; trains `quarter.groups` of
params.yaml, in the order of worth, with as many steps as the clock allows; times every model. OUT, at most
eight files of at most 16 MiB, is whole at every moment: weights as `release` writes them, `results.json`, and
the log that `slurm/quarter.sh` adds. An error in one part costs that part. Run again with the same OUT, it
goes on from there: from the checkpoints below data/quarter where these are still there, else from OUT's
weights.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from lift.config.quarter import Quarter, load_quarter
from lift.errors import UserError
from lift.files import ROOT, atomic, read_json, write_json
from lift.threads import processors
from stages.common import PARAMS, commit, data_folder, run

PROFILE = "quarter"
NOTES = data_folder(PROFILE) / "notes"
"""Folder of what the parts note."""
FILES, SIZE = 8, 16 * 2**20
"""At most in OUT, and bytes of one."""
RESULTS, LOG, LAST_WORDS = "results.json", "log.txt", 4000
STATE = ".state.pt"
"""Suffix of an optimiser's state in OUT."""
UNDER_WAY = ("measuring", "started")
"""What training notes of a method that is its turn."""
GRACE = 8.0  # seconds that a part has between being asked to stop and being killed
SHORTEST = 20.0  # seconds for which a trainer is not started again
MERGE = 3.0  # seconds between renewals of results.json


def main(minutes: str, out: str, footage: str = "") -> None:
    """Use `minutes` minutes, writing included."""
    try:
        seconds = 60 * float(minutes)
    except ValueError as error:
        raise UserError(f"MINUTES: {minutes}: no number") from error
    quarter = load_quarter(PARAMS)
    if seconds <= quarter.write:
        raise UserError(f"MINUTES: {minutes}: nothing is left beside {quarter.write:.0f} s for writing")
    if footage and not Path(footage).is_dir():
        raise UserError(f"FOOTAGE: {footage}: no such folder; leave it out to train on rendered scenes alone")
    _Quarter(quarter, time.time() + seconds, Path(out), footage).run()


class Notes:
    """A part's file of JSON, always whole; what an earlier process has noted stays."""

    def __init__(self, part: str) -> None:
        self._path = NOTES / f"{part}.json"
        self.values = read_json(self._path)

    def note(self, **values: Any) -> None:
        """Add values, and write down all that is known."""
        self.values |= values
        write_json(self._path, self.values, sort=False)


def scratch(name: str) -> Path:
    """Return the folder of a method's checkpoints."""
    return data_folder(PROFILE) / "scratch" / f"{name}-quarter"


@dataclass
class _Quarter:
    """The parts, each a process of its own, and what they leave."""

    quarter: Quarter
    end: float
    out: Path
    footage: str
    start: float = field(default_factory=time.time)
    asked: bool = False
    merged: float = 0.0
    """When results.json was written last."""

    def run(self) -> None:
        NOTES.mkdir(parents=True, exist_ok=True)
        self.out.mkdir(parents=True, exist_ok=True)
        training = Notes("training")
        for known in training.values.get("methods", {}).values():  # of an earlier run: each has its turn anew
            known.pop("status", None)
        training.note()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        self._say(f"{self.end - self.start:.0f} s, {processors()} processors")
        training_ends = self.end - self.quarter.write - self.quarter.speed
        self._footage_and_tests(training_ends)
        self._train(training_ends)
        self._time_models(self.end - self.quarter.write)
        self._pack()
        self._merge()
        self._say("done")
        if self.asked:
            sys.exit(128 + signal.SIGTERM)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def _say(self, line: str) -> None:
        print(f"[{time.time() - self.start:6.1f} s] {line}", flush=True)

    def _footage_and_tests(self, latest: float) -> None:
        """Make the footage, and meanwhile run the tests; not again what an earlier run has done."""
        data = None
        if "clips" not in Notes("data").values:
            footage = [self.footage] if self.footage else []
            data = self._begin("stages.quarter_data", *footage)
        if _gpu() and not Notes("tests").values and self.quarter.tests:
            self._test()
        if data is not None:
            code = self._end_of(data, latest)
            self._say(f"footage: {'made' if code == 0 else f'exit code {code}'}")

    def _test(self) -> None:
        """Run the tests that need a GPU, and keep their last words."""
        tests = sorted((ROOT / "tests").rglob("test_*.py"))
        files = [str(path) for path in tests if "mark.gpu" in path.read_text(encoding="utf-8")]
        options = ["-q", "-m", "gpu", "-p", "no:cacheprovider", "-o", "filterwarnings=default", "--tb=short"]
        words = NOTES / "tests.txt"
        part = self._begin("pytest", *options, *files, cwd=ROOT, kept=words)
        code = self._end_of(part, time.time() + self.quarter.tests)
        said = words.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]
        print(said, flush=True)
        Notes("tests").note(exit=code, said=said)
        self._say(f"GPU tests: {'passed' if code == 0 else f'exit code {code}'}")

    def _train(self, end: float) -> None:
        clips = data_folder(PROFILE) / "clips"
        if not all((clips / part / "clips.csv").is_file() for part in ("train", "validation")):
            self._say("no clips, so nothing is trained")
            return
        while not self.asked and end - time.time() > SHORTEST:
            failed = _with("failed")
            trainer = self._begin("stages.quarter_train", str(end), str(self.out))
            code = self._end_of(trainer, end + GRACE)
            self._say(f"training: exit code {code}")
            if code == 0 or (_with("failed") == failed and not _with(*UNDER_WAY)):
                break  # another process would end as this one did

    def _time_models(self, end: float) -> None:
        if not self.asked and self.quarter.speed and end - time.time() > 2:
            speed = self._begin("benchmarks.speed", str(NOTES / "speed.json"), str(end - 1))
            self._say(f"speed: exit code {self._end_of(speed, end)}")

    def _begin(
        self, module: str, *arguments: str, cwd: Path | None = None, kept: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a part, whose group of processes can be ended with it; `kept`: where its words go."""
        self._say(f"{module} {' '.join(arguments)}")
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", module, *arguments]
        with contextlib.ExitStack() as files:
            target = files.enter_context(kept.open("wb")) if kept else None
            errors = subprocess.STDOUT if kept else None
            return subprocess.Popen(
                command, cwd=cwd, env=environment, process_group=0, stdout=target, stderr=errors
            )

    def _end_of(self, part: subprocess.Popen[bytes], latest: float) -> int:
        """Wait for a part until `latest`, writing down meanwhile what all parts have noted; then end it."""
        while part.poll() is None and time.time() < latest and not self.asked:
            time.sleep(0.2)
            if time.time() - self.merged > MERGE:
                self._merge()
        if part.poll() is None:
            _signal(part, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(GRACE)
        _signal(part, signal.SIGKILL)  # also what it has started
        self._merge()
        return part.wait()

    def _merge(self) -> None:
        """Write OUT/results.json from what the parts have noted."""
        self.merged = time.time()
        values = {
            "commit": commit(),
            "seconds": round(self.end - self.start),
            "passed": round(self.merged - self.start, 1),
            "processors": processors(),
            **{part: Notes(part).values for part in ("data", "tests", "training", "speed")},
        }
        write_json(self.out / RESULTS, values, sort=False)

    def _pack(self) -> None:
        """Add the optimiser's state of methods, in the order of worth, as far as files and bytes allow."""
        there = {path.name for path in self.out.iterdir() if path.is_file()} | {RESULTS, LOG}
        for name in (name for group in self.quarter.groups for name in group.methods):
            state, target = scratch(name) / "state.pt", self.out / f"{name}{STATE}"
            if not state.is_file():
                continue
            if state.stat().st_size <= SIZE and len(there | {target.name}) <= FILES:
                with atomic(target) as temporary:
                    shutil.copyfile(state, temporary)
                there.add(target.name)
            else:
                self._say(
                    f"{target.name}: left out ({state.stat().st_size / 2**20:.1f} MiB, {len(there)} files): "
                    f"{name} would go on from its weights alone"
                )
        for path in sorted(self.out.iterdir()):
            if path.stat().st_size > SIZE:
                self._say(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB are too many")
        if len(there) > FILES:
            self._say(f"{len(there)} files are too many: {', '.join(sorted(there))}")


def _with(*status: str) -> list[str]:
    """Return the methods that training has noted with one of these states."""
    methods = Notes("training").values.get("methods", {})
    return [name for name, known in methods.items() if known.get("status") in status]


def _signal(part: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, number)


def _gpu() -> bool:
    """Tell whether there is a GPU of NVIDIA's, without PyTorch, which takes seconds to start."""
    return shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()


if __name__ == "__main__":
    run(main, "MINUTES", "OUT", "FOOTAGE", optional=1)
