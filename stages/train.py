"""Stage `train`: train one method, once per seed, and leave each one's best and last weights, and curves.

Weights: models/<method>/{best,last}.safetensors are those of the first of `train.seeds`; every other seed's
lie beside them in seed<N>/. Curves: training/<method>/curves.csv holds all seeds.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from lift import imports
from lift.config import Config, load, resolved
from lift.config.parse import home
from lift.data.dataset import ClipDataset
from lift.data.resident import Frames, Resident
from lift.errors import UserError
from lift.files import atomic, write_json
from lift.losses import Losses
from lift.metrics import Lpips, psnr, ssim
from lift.models.registry import build
from lift.training.context import Mixed
from lift.training.job import BEST, LAST, Clips, Interrupted, Job
from lift.training.logs import join_curves
from lift.training.loop import fit
from lift.training.machine import StopRequest, memory_explained
from lift.training.processes import layout, on_first, together
from lift.training.schedule import Schedule
from lift.training.state import run_digest, run_folder, snapshot
from stages.common import ABOUT, PARAMS, WEIGHTS, check_resolved, commit, data_folder, run, seed_folder

RESUME = 75  # EX_TEMPFAIL of sysexits.h: a scheduler that requeues on it continues the run


def main(profile: str, method: str) -> None:
    """Train `method` of `profile` with each seed, or continue where it was stopped."""
    config = load(PARAMS, profile, method)
    if config.kind != "trained":
        raise UserError(f"{method}: not trained but measured as it is; evaluate it")
    check_resolved(profile, f"train/{method}.json", resolved.train(config, WEIGHTS))
    torch.set_num_threads(config.train.threads)
    # Not on CUDA, where the backward passes of warping and resizing are not in any case: to ask for it there
    # only puts many small operations in the place of each padding and resizing.
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
    # Filling fresh memory with NaN changes no result and takes 2 % of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    devices, nodes = layout(os.environ, config.train.devices, config.train.nodes)
    fabric = Fabric(accelerator="auto", devices=devices, num_nodes=nodes, precision=config.train.precision)
    try:
        # DVC clears a stage's outputs before it runs again, so what is finished waits in scratch for the
        # last seed.
        with (
            memory_explained(config.train),
            together(fabric),
            StopRequest() as stop,
            ExitStack() as folders,
        ):
            held = hold([config], data_folder(profile) / "clips" / "train", fabric.device)
            seeds = config.train.seeds
            jobs = {seed: _train(config.seeded(seed), fabric, stop, folders, held) for seed in seeds}
            on_first(fabric, lambda: _publish(config, jobs, data_folder(profile)))
    except Interrupted as stop_line:
        fabric.print(stop_line, file=sys.stderr)
        sys.exit(RESUME)


def hold(configs: Sequence[Config], folder: Path, device: torch.device) -> Frames | None:
    """Decode the training frames of methods into a device's memory, once for all phases and seeds.

    Returns:
        The frames; None where `train.resident` says no.
    """
    if not configs[0].train.resident:
        return None
    clips = [
        ClipDataset(folder, offsets, horizons=config.clip.learnt, anywhere=config.anywhere)
        for config in configs
        for offsets in [config.clip.offsets] + [config.clip.other.offsets] * bool(config.train.other_sampling)
    ]
    return Frames(clips, device)


def _train(config: Config, fabric: Fabric, stop: StopRequest, folders: ExitStack, held: Frames | None) -> Job:
    """Train one seed, in a scratch folder that is kept until `folders` closes."""
    data, name = data_folder(config.profile), f"{config.method}-seed{config.seed}"
    manifests = [data / "clips" / part / "clips.csv" for part in ("train", "validation")]
    start = _start(config)

    def scratch() -> Path:
        made_from = resolved.train(config, WEIGHTS) | {"seed": config.seed, "seeds": None}
        # A run that starts from a snapshot is another one when that changes.
        found = [start] if start is not None and start.is_file() else []
        code = sorted(imports.reached(Path(__file__).resolve()))
        digest = run_digest(made_from, manifests + found, code)
        return folders.enter_context(run_folder(home() / data / "scratch", name, digest))

    folder = on_first(fabric, scratch)  # process 0 alone locks, writes and publishes
    job = make_job(config, data, folder, fabric, stop, held)
    speed = fit(job)
    fabric.print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in speed.items()))
    return job


def _snapshots(config: Config, method: str) -> Path:
    """Return the folder of a training's snapshots, which neither git nor DVC keeps."""
    return home() / data_folder(config.profile) / "snapshots" / f"{method}-seed{config.seed}"


def _start(config: Config) -> Path | None:
    """Return the snapshot that the training starts from, if any."""
    epoch, source = config.train.resume_epoch, config.train.resume_from or config.method
    return None if epoch is None else snapshot(_snapshots(config, source), epoch)


def make_job(
    config: Config, data: Path, folder: Path, fabric: Fabric, stop: StopRequest, held: Frames | None
) -> Job:
    """Bring together what a training needs.

    Args:
        config: Of one seed.
        data: The profile's folder, with its clip sets.
        folder: For checkpoints.
        fabric: Devices and precision.
        stop: Signals.
        held: The training frames, where the device holds them.

    Raises:
        UserError: A clip set is missing or damaged, or does not fit the training.
    """
    train, clips = config.train, data / "clips"
    model = build(config.model, task=config.clip.task, seed=config.seed)
    if model.load_report is not None:
        fabric.print(model.load_report)
    if model.freezable and any(phase.freeze or phase.thaw for phase in train.phases):
        model.check_freezing()
    if train.channels_last:
        model.channels_last()
    if train.recompute:
        model.recompute(train.recompute)
    offsets = config.clip.offsets
    validation_set = ClipDataset(clips / "validation", offsets, horizons=config.clip.learnt)
    # With the largest crop of all phases: a clip that is too small is refused now and not after days.
    height, width = (max(sides) for sides in zip(*(phase.crop for phase in train.phases), strict=True))
    train_set = ClipDataset(clips / "train", offsets, crop=(height, width), limits=train.crop_limits)
    lpips = Lpips() if config.loss.lpips else None
    return Job(
        config=config,
        fabric=fabric,
        model=model,
        losses=Losses(config.loss, lpips).to(fabric.device),
        train_clips=partial(_train_clips, config, clips / "train", held),
        train_sources=[row.source for row in train_set.rows],
        validation_clips=validation_set,
        validation_count=len(validation_set),
        metrics={"psnr": partial(psnr, data_range=1.0), "ssim": partial(ssim, data_range=1.0)},
        loaded=model.by_stage(model.loaded),
        folder=folder,
        outputs=data / "training" / config.method if config.seed == train.seeds[0] else folder / "logs",
        snapshots=_snapshots(config, config.method),
        start=_start(config),
        board=seed_folder(data / "logs" / config.method, config, config.seed),
        stop=stop,
    )


def _train_clips(
    config: Config, folder: Path, held: Frames | None, crop: tuple[int, int]
) -> Clips | Resident:
    """Open the training set for a crop; `train.other_sampling` of the visits see the other window."""
    make = partial(
        ClipDataset,
        folder,
        crop=crop,
        limits=config.train.crop_limits,
        augment=config.train.augment,
        seed=config.seed,
        horizons=config.clip.learnt,
        anywhere=config.anywhere,
    )
    usual, share = make(config.clip.offsets), config.train.other_sampling
    mixed = Mixed(usual, make(config.clip.other.offsets), share, config.seed) if share else None
    if held is None:
        return mixed or usual
    return Resident(held, mixed.seen if mixed else lambda key: usual)


def _publish(config: Config, jobs: dict[int, Job], data: Path) -> None:
    """Copy the finished weights and curves to the outputs, so that a kill on the way leaves them too."""
    for seed, job in jobs.items():
        for name in (BEST, LAST):
            target = seed_folder(data / "models" / config.method, config, seed) / name
            with atomic(target) as temporary:
                shutil.copyfile(job.folder / name, temporary)
    steps = next(Schedule(job.config.train, len(job.train_sources)).steps for job in jobs.values())
    about = {**origin(data), "steps": steps, "seeds": list(jobs)}
    write_json(data / "models" / config.method / ABOUT, about)
    curves = {seed: job.outputs / "curves.csv" for seed, job in jobs.items()}
    join_curves(data / "training" / config.method / "curves.csv", curves)


def origin(data: Path) -> dict[str, Any]:
    """Say what weights are made from: the commit, and digests of the code and of the clips."""
    code = json.dumps(imports.digests(Path(__file__).resolve()), sort_keys=True).encode()
    clips = {
        part: _digest((data / "clips" / part / "clips.csv").read_bytes()) for part in ("train", "validation")
    }
    return {"commit": commit(), "code": _digest(code), "data": clips}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD")
