"""Weights for the repository: `python -m benchmarks.reference.export OUT WEIGHTS [ABLATION ...]`.

OUT is the folder of a reference run. Of each ablation (default: every one that OUT has weights of) the
first seed's best weights go to WEIGHTS/<ablation>.json and its shards, in half precision
(`lift.weights.save_half`). The JSON says where they are from: the run's configuration and its digest, the
commit, the command, and which size of model it is.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.reference import profile
from lift import weights
from lift.errors import UserError
from stages.common import PARAMS

SHARD = 16 * 2**20
"""Bytes of a shard at most, its header left out."""
HEADER = 2**16
ALL = 25_000_000
"""Bytes of everything in WEIGHTS at most."""


def main(out: Path, folder: Path, names: list[str]) -> None:
    """Export, and say what was written.

    Raises:
        UserError: OUT is no reference run or lacks a model, WEIGHTS is no folder, or what is exported is too
            large for the repository.
    """
    run = profile.run_in(out / PARAMS)
    models = out / "data" / run / "models"
    found = sorted(path.parent.name for path in models.glob("*/best.safetensors"))
    if not found:
        raise UserError(f"{models}: no trained model; run python -m benchmarks.reference first")
    for name in names:
        if name not in found:
            raise UserError(f"{models / name}: no such trained model; there are: {', '.join(found)}")
    commit = _commit()  # before anything is written to the checkout
    profile.make_folder(folder)
    for name in names or found:
        path = models / name / "best.safetensors"
        config, tensors = weights.read_config(path), weights.read_tensors(path)
        about = _about(run, config, commit, sum(tensor.numel() for tensor in tensors.values()))
        weights.save_half(folder / f"{name}.json", tensors, config, about, SHARD - HEADER)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {', '.join(names or found)}; {total / 1e6:.1f} MB in all")
    if total > ALL:
        raise UserError(
            f"{folder}: {total / 1e6:.1f} MB, and the repository takes {ALL / 1e6:.0f}; name fewer "
            f"ablations, and remove the others' files"
        )


def _about(run: str, config: dict[str, Any], commit: str, parameters: int) -> dict[str, Any]:
    phases, batch = config["train"]["phases"], config["train"]["batch"] * config["train"]["accumulate"]
    steps = sum(phase["epochs"] for phase in phases) * config["train"]["samples_per_epoch"] // batch
    size = run.removeprefix(profile.name_of(""))
    return {
        "ablation": config["ablation"],
        "command": f"python -m benchmarks.reference {size} CLIPS REAL OUT {config['ablation']}",
        "commit": commit,
        "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "parameters": parameters,
        "precision": "float16, trained in " + config["train"]["precision"],
        "size": size,
        "trained": f"{steps} steps of {batch} clips, crop {phases[-1]['crop']}, seed {config['seed']}",
    }


def _commit() -> str:
    """Name the commit that is checked out, for the training if nothing was changed since."""
    command = ["git", "-C", str(profile.ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"{profile.ROOT}: git names no commit for the weights' origin ({error}); export from a clone"
        ) from error


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m benchmarks.reference.export OUT WEIGHTS [ABLATION ...]")
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    except UserError as error:
        sys.exit(f"error: {error}")
