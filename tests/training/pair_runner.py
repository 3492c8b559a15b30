"""One of two processes that train together, started by torchrun for test_processes.py: `pair_runner.py
FOLDER`."""

import hashlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric
from tiny import make_job, phase

from lift.errors import UserError
from lift.training.job import Interrupted
from lift.training.loop import fit
from lift.training.machine import FirstRefused, layout, on_first, together
from lift.training.step import Stepper

SETTINGS = {"phases": (phase(3, freeze=True), phase(3))}
STOPPED = 9  # in the first phase; 15 is the unfreezing step


def hashed(model):
    """Give a digest of all weights."""
    total = hashlib.sha256()
    for value in model.state_dict().values():
        total.update(value.numpy().tobytes())
    return total.hexdigest()


def train(place, fabric, stop=None, **settings):
    """Train to the end or a stop; give the weights' digest after each step, and how it ended."""
    job, digests = make_job(place, fabric=fabric, **SETTINGS, **settings), []
    original = Stepper.take

    def take(self, wrapped, batches, step, recent):
        digests.append(hashed(job.model))
        if step == stop and fabric.global_rank == 1:
            os.kill(os.getpid(), signal.SIGUSR1)
        return original(self, wrapped, batches, step, recent)

    Stepper.take = take
    try:
        fit(job)
        end = "done"
    except (Interrupted, UserError, FirstRefused) as error:
        end = f"{type(error).__name__}: {error}"
    finally:
        Stepper.take = original
    return [*digests, hashed(job.model)], end


def refused(fabric):
    """Let process 0 meet a mistake; say what this process then learns of it."""

    def mistake():
        raise UserError("process 0 says no")

    try:
        on_first(fabric, mistake)
    except (UserError, FirstRefused) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main(root):
    torch.set_num_threads(1)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    devices, nodes = layout(os.environ, 1, 1)
    fabric = Fabric(accelerator="cpu", devices=devices, num_nodes=nodes)
    with together(fabric):
        log = {
            "world": fabric.world_size,
            "whole": train(root / "pair", fabric),
            "cut": train(root / "cut", fabric, stop=STOPPED),
            "continued": train(root / "cut", fabric),
            "poisoned": train(root / "poisoned", fabric, poison=4),
            "odd": train(root / "odd", fabric, accumulate=3),
            "refused": refused(fabric),
        }
    (root / f"log{fabric.global_rank}.json").write_text(json.dumps(log))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
