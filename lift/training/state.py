"""Checkpoints of a run in progress: one file, replaced atomically, with all that an exact resume needs.

They live in a scratch folder that neither git nor DVC manages (specification section 10.3), named by a digest
of everything that decides the result, guarded by a lock that the system releases when its process dies, and
removed on success.
"""

import io
import os
import pickle
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from lift.config import Train
from lift.errors import UserError
from lift.files import atomic, full_disk_explained
from lift.lock import locked

NAME = "state.pt"
PREVIOUS = "state.previous.pt"


@dataclass
class State:
    """What a resumed run continues from."""

    step: int = 0  # optimiser steps done
    model: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)  # the gradient scaler's (fp16), empty otherwise
    average: dict[str, Any] = field(default_factory=dict)  # the averaged weights, empty where none are kept
    best: float | None = None  # best validation PSNR so far, dB; None before the first validation
    rows: list[dict[str, float]] = field(default_factory=list)  # of the training curves so far
    pending: list[dict[str, float]] = field(default_factory=list)  # of the steps since: the next row's mean
    recent: list[float] = field(default_factory=list)  # losses that a spike is measured against
    setting: dict[str, Any] = field(default_factory=dict)  # processes, batch, versions: must stay the same
    snapshots: list[int] = field(default_factory=list)  # epochs of this run's own that it keeps, ascending


def setting(world: int, train: Train) -> dict[str, Any]:
    """Describe what a checkpoint must share with the run that continues it."""
    return {
        "processes": world,
        "batch": train.batch,
        "accumulate": train.accumulate,
        "precision": train.precision,
        "torch": str(torch.__version__),  # its own class would not load with weights_only
        "python": platform.python_version(),
    }


def save_state(folder: Path, state: State) -> None:
    """Write a checkpoint beside, sync it to the disk, and rename; the one before is kept as well.

    Raises:
        UserError: The disk is full; the last good checkpoint survives.
    """
    _write(folder / NAME, state, folder / PREVIOUS)


def _write(path: Path, state: State, previous: Path | None = None) -> None:
    whole = io.BytesIO()  # PyTorch's own writer gives no reason when a disk is full
    torch.save(vars(state), whole)
    with atomic(path) as temporary:
        with temporary.open("wb") as file:
            file.write(whole.getbuffer())
            file.flush()
            os.fsync(file.fileno())  # a power cut after the rename must not find an empty file
        if previous is not None and path.exists():
            os.replace(path, previous)  # noqa: PTH105 -- atomic, and the new one follows at once


def _read(path: Path, advice: str) -> State:
    try:
        return State(**torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, pickle.UnpicklingError, EOFError, TypeError, OSError) as error:
        raise UserError(f"{path}: damaged; {advice}") from error


def load_state(folder: Path, wanted: dict[str, Any]) -> State | None:
    """Read the newest checkpoint; None: there is none.

    Args:
        folder: The run's scratch folder.
        wanted: `setting(...)` of the run that wants to continue.

    Raises:
        UserError: The checkpoint is damaged (the previous one is offered), or its setting differs.
    """
    path, previous = folder / NAME, folder / PREVIOUS
    over = f"start over: rm -r {folder}"
    if path.exists():
        state = _read(path, f"continue from the checkpoint before it: mv {previous} {path}, or {over}")
    elif previous.exists():  # a kill between the two renames of save_state leaves only this one
        state = _read(previous, over)
    else:
        return None
    for key, value in wanted.items():
        if state.setting.get(key) != value:
            raise UserError(
                f"{path}: {key} was {state.setting.get(key)!r} when the checkpoint was written and is "
                f"{value!r} now, so the run cannot be continued exactly; use the old value, or {over}"
            )
    return state


def snapshot(folder: Path, epoch: int) -> Path:
    """Name the snapshot after `epoch` (counted from 1) in a run's folder of them."""
    return folder / f"epoch_{epoch:04d}.pt"


def save_snapshot(folder: Path, state: State, epoch: int, keep: int) -> None:
    """Write what another run can start from, and remove this run's oldest beyond `keep`.

    Args:
        folder: Of the run's snapshots; another run's in it stay, but for one of the same epoch.
        state: As for a checkpoint; takes note of the snapshots that are kept.
        epoch: Which has just ended, counted from 1.
        keep: How many.

    Raises:
        UserError: The disk is full.
    """
    state.snapshots = [*(e for e in state.snapshots if e != epoch), epoch]
    gone, state.snapshots = state.snapshots[:-keep], state.snapshots[-keep:]
    _write(snapshot(folder, epoch), state)
    for old in gone:
        snapshot(folder, old).unlink(missing_ok=True)


def load_snapshot(path: Path, step: int, setting: dict[str, Any]) -> State:
    """Read a snapshot as the start of a new run, whose curves, best weights and snapshots are its own.

    Args:
        path: The snapshot.
        step: The new run's optimiser steps up to there.
        setting: The new run's.

    Raises:
        UserError: It is missing or damaged.
    """
    if not path.is_file():
        there = ", ".join(sorted(p.stem.removeprefix("epoch_") for p in path.parent.glob("epoch_*.pt")))
        raise UserError(
            f"{path}: no such snapshot; params.yaml: train.resume_epoch: after these epochs there is one: "
            f"{there or 'none (train.snapshot_every says how often they are written)'}"
        )
    old = _read(path, "set train.resume_epoch to that of another snapshot")
    return replace(old, step=step, best=None, rows=[], pending=[], snapshots=[], setting=setting)


@contextmanager
def run_folder(scratch: Path, name: str) -> Iterator[Path]:
    """Open (or make) a run's scratch folder under a lock; remove it when the block succeeds.

    Args:
        scratch: Folder of all of them; those of other names are left alone.
        name: Of the run, with a digest of all that decides its result.

    Raises:
        UserError: Another process trains the same run.
    """
    folder, done = scratch / name, scratch / f"{name}.done"
    with full_disk_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    busy = (
        "another process is training this run; wait for it or stop it (a killed `dvc repro` leaves its "
        "trainer running), then run again"
    )
    with locked(scratch / f"{name}.lock", busy):
        shutil.rmtree(done, ignore_errors=True)
        for unfinished in folder.glob(".*"):  # what a kill left of a file that was being written
            unfinished.unlink()
        yield folder
        folder.rename(done)  # at once: a kill amid the removal must not leave half a folder to continue from
        shutil.rmtree(done)
