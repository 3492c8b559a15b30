"""Part of `stages.quarter`: train methods by the clock (lift/training/clocked.py).

    python -m stages.quarter_train END OUT NOTES

END: when it has to be over, seconds since 1970. OUT/<method>.safetensors, as `release` writes them, are
renewed every few seconds. NOTES: a file of JSON with what was measured, chosen, planned and reached.
"""

import sys
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric

from lift.config import Config, load_all
from lift.config.quarter import load_quarter
from lift.errors import UserError
from lift.training.clocked import Clocked, Notes
from lift.training.job import Job
from lift.training.machine import StopRequest
from stages.common import PARAMS, data_folder, run
from stages.quarter_data import PROFILE
from stages.train import RESUME, hold, make_job, origin


def main(end: str, out: str, notes: str) -> None:
    """Train the groups of `quarter` until `end`."""
    cuda, data, quarter = torch.cuda.is_available(), data_folder(PROFILE), load_quarter(PARAMS)
    noted = Notes(Path(notes), lambda line: print(f"train: {line}", flush=True))
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
    own = {name: configs[name] for name in names}
    torch.set_num_threads(own[names[0]].train.threads)
    with StopRequest() as stop:
        before, device = time.monotonic(), torch.device("cuda" if cuda else "cpu")
        held = hold(list(own.values()), data / "clips" / "train", device)
        noted.values["decoding_seconds"] = round(time.monotonic() - before, 2)

        def make(config: Config, folder: Path, fabric: Fabric) -> Job:
            return make_job(config, data, folder, fabric, stop, held)

        Clocked(
            quarter,
            own,
            end=float(end),
            out=Path(out),
            scratch=data / "scratch",
            notes=noted,
            about=origin(data),
            make=make,
        ).run(stop)
        if stop.asked:
            sys.exit(RESUME)


if __name__ == "__main__":
    run(main, "END", "OUT", "NOTES")
