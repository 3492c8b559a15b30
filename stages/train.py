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
from lift.training.job import BEST, LAST, Interrupted, Job
from lift.training.logs import CURVES, join_curves
from lift.training.loop import fit
from lift.training.machine import StopRequest, layout, memory_explained, on_first, together
from lift.training.schedule import Schedule
from lift.training.state import run_folder, snapshot
from stages.common import ABOUT, PARAMS, WEIGHTS, check_resolved, commit, data_folder, run, seed_folder

RESUME = 75  # EX_TEMPFAIL of sysexits.h: a scheduler that requeues on it continues the run


def main(profile: str, method: str) -> None:
    """Train `method` of `profile` with each seed, or continue where it was stopped."""
    config, data = load(PARAMS, profile, method), data_folder(profile)
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
            held = hold([config], data / "clips" / "train", fabric.device)
            jobs = {
                seed: _train(config.seeded(seed), fabric, stop, folders, held) for seed in config.train.seeds
            }
            on_first(fabric, lambda: _publish(config, jobs, data))
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
    return Frames([_training_set(config, folder) for config in configs], device)


def _train(config: Config, fabric: Fabric, stop: StopRequest, folders: ExitStack, held: Frames | None) -> Job:
    """Train one seed, in a scratch folder that is kept until `folders` closes."""
    data = data_folder(config.profile)

    def scratch() -> Path:
        place, name = home() / data / "scratch", run_name(config, data)
        same = place.glob(f"{config.method}-seed{config.seed}-*")
        others = sorted(
            path.name for path in same if path.is_dir() and path.suffix != ".done" and path.name != name
        )
        if others and not (place / name).exists():
            fabric.print(
                f"{place}: {', '.join(others)}: begun with other values, not continued", file=sys.stderr
            )
        return folders.enter_context(run_folder(place, name))

    folder = on_first(fabric, scratch)  # process 0 alone locks, writes and publishes
    job = make_job(config, data, folder, fabric, stop, held)
    speed = fit(job)
    told = ", ".join(f"{key} {value:.3g}" for key, value in speed.items())
    fabric.print(f"{config.method}-seed{config.seed}: {told}")
    return job


def run_name(config: Config, data: Path) -> str:
    """Name the training of one seed, with a digest of all that decides its result.

    Raises:
        UserError: A set of clips is not cut yet.
    """
    made_from = resolved.train(config, WEIGHTS) | {"seed": config.seed, "seeds": None}
    made_from |= {key: value for key, value in origin(data).items() if key != "commit"}
    start = _start(config)
    if start is not None and start.is_file():  # a run from a snapshot is another one when that changes
        made_from["snapshot"] = _digest(start.read_bytes())
    digest = _digest(json.dumps(made_from, sort_keys=True).encode())
    return f"{config.method}-seed{config.seed}-{digest[:12]}"


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
    if model.loadable and any(phase.freeze or phase.thaw for phase in train.phases):
        model.check_freezing()
    if train.channels_last:
        model.channels_last()
    if train.recompute:
        model.recompute(train.recompute)
    # With the largest crop of all phases: a clip that is too small is refused now and not after days.
    height, width = (max(sides) for sides in zip(*(phase.crop for phase in train.phases), strict=True))
    largest = _training_set(config, clips / "train", (height, width))

    def train_clips(crop: tuple[int, int]) -> ClipDataset | Resident:
        cropped = _training_set(config, clips / "train", crop)
        return cropped if held is None else Resident(held, cropped)

    lpips = Lpips() if config.loss.lpips else None
    return Job(
        config=config,
        fabric=fabric,
        model=model,
        losses=Losses(config.loss, lpips).to(fabric.device),
        train_clips=train_clips,
        train_sources=[row.source for row in largest.rows],
        validation_clips=ClipDataset(clips / "validation", config.clip.offsets, horizons=config.clip.learnt),
        metrics={"psnr": partial(psnr, data_range=1.0), "ssim": partial(ssim, data_range=1.0)},
        loaded=model.by_stage(model.loaded),
        folder=folder,
        board=seed_folder(data / "logs" / config.method, config, config.seed),
        snapshots=_snapshots(config, config.method),
        start=_start(config),
        stop=stop,
    )


def _training_set(config: Config, folder: Path, crop: tuple[int, int] | None = None) -> ClipDataset:
    """Open the training set as a method sees it."""
    train, clip = config.train, config.clip
    return ClipDataset(
        folder,
        clip.offsets,
        crop=crop,
        limits=train.crop_limits,
        augment=train.augment,
        seed=config.seed,
        horizons=clip.learnt,
        anywhere=config.anywhere,
        other=(clip.other.offsets, train.other_sampling) if train.other_sampling else None,
    )


def _publish(config: Config, jobs: dict[int, Job], data: Path) -> None:
    """Copy the finished weights and curves to the outputs, so that a kill on the way leaves them too."""
    models, first = data / "models" / config.method, next(iter(jobs.values()))
    for seed, job in jobs.items():
        for name in (BEST, LAST):
            with atomic(seed_folder(models, config, seed) / name) as temporary:
                shutil.copyfile(job.folder / name, temporary)
    steps = Schedule(config.train, len(first.train_sources)).steps
    write_json(models / ABOUT, {**origin(data), "steps": steps, "seeds": list(jobs)})
    curves = {seed: job.folder / CURVES for seed, job in jobs.items()}
    join_curves(data / "training" / config.method / CURVES, curves)


def origin(data: Path) -> dict[str, Any]:
    """Say what weights are made from: the commit, and digests of the code and of the clips.

    Raises:
        UserError: A set of clips is not cut yet.
    """
    code = json.dumps(imports.digests(Path(__file__).resolve()), sort_keys=True).encode()
    clips = {}
    for part in ("train", "validation"):
        manifest = data / "clips" / part / "clips.csv"  # it names every frame
        if not manifest.is_file():
            raise UserError(
                f"{manifest}: no such file: the set {part} is not cut yet; run the stage `clips` for it "
                f"first (`dvc repro` does), or `dvc checkout` for the last result"
            )
        clips[part] = _digest(manifest.read_bytes())
    return {"commit": commit(), "code": _digest(code), "data": clips}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD")
