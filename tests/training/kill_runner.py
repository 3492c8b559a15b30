"""Trains in processes that are killed: `python kill_runner.py FOLDER KILLS`, run by test_kill.py.

KILLS is a JSON list of [folder, workers, [signal, moment] …]. A moment is counted in the process itself: each
forward pass, update, row, file being synced or renamed, validation clip. The signal comes from within at that
moment: "SIGKILL" there is as sudden as any. A moment below 0 is instead a share of the uninterrupted run's
time, and the signal then comes from outside, to the process and its workers. PyTorch is loaded once, and
every run is a fork of this process.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import tensorboard  # noqa: F401 -- loaded before the forks, which then need not
import torch
from tiny import Made, make_job

from lift.training import validation
from lift.training.job import Interrupted
from lift.training.logs import Logs
from lift.training.loop import fit
from lift.training.state import run_folder
from lift.training.step import Stepper

RESUME = 75
HOOKS = [
    (Stepper, "_pass"),
    (Stepper, "_update"),
    (Logs, "row"),
    (Logs, "flush"),
    (Logs, "close"),
    (os, "fsync"),
    (os, "replace"),
    (Path, "replace"),
    (Made, "__getitem__"),
    (validation, "_alpha"),
]


def count_moments(counter, at, number):
    """Count the calls of every hook, and send this process signal `number` at call `at`."""

    def hook(original):
        def hooked(*args, **kwargs):
            if os.getpid() == counter["process"]:
                counter["moments"] += 1
                if counter["moments"] == at:
                    os.kill(os.getpid(), number)
            return original(*args, **kwargs)

        return hooked

    for owner, name in HOOKS:
        setattr(owner, name, hook(getattr(owner, name)))


def train(place, workers, at=0, number=0):
    """Train in a fork of this process to the end, a stop or a kill; give its number."""
    if place.exists():  # TensorBoard orders files by the second of their making, as real restarts are apart
        time.sleep(1 - time.time() % 1)
    process = os.fork()
    if process:
        return process
    os.setpgid(0, 0)
    code = 1
    try:
        counter = {"moments": 0, "process": os.getpid()}
        count_moments(counter, at, number)
        with run_folder(place, "scratch") as folder:
            fit(make_job(place, workers=workers))
            shutil.copytree(folder, place / "left" / "scratch")
        (place / "moments").write_text(str(counter["moments"]))
        code = 0
    except Interrupted:
        code = RESUME
    finally:
        sys.stdout.flush()
        os._exit(code)


def wait(process):
    """Give a process' exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(root, cases):
    torch.set_num_threads(1)
    for workers in sorted({workers for _, workers, *_ in cases}, reverse=True):
        started = time.perf_counter()
        assert wait(train(root / f"whole{workers}", workers)) == 0
        seconds = time.perf_counter() - started
    moments = int((root / f"whole{workers}" / "moments").read_text())
    log = []
    for folder, workers, *kills in cases:
        for name, moment in kills:
            number = signal.Signals[name]
            if moment < 0:
                process = train(root / folder, workers)
                time.sleep(-moment * seconds)
                os.killpg(process, number)
            else:
                process = train(root / folder, workers, int(moment * moments), number)
            ended = wait(process)
            unfinished = [path.name for path in (root / folder / "scratch").glob(".*")]
            log.append([folder, name, moment, ended, unfinished])
        last = wait(train(root / folder, workers))
        log.append([folder, "", 0, last, []])
    (root / "log.json").write_text(json.dumps(log))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
