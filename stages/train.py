"""Stage `train`: train one ablation and leave its best and last weights, and its curves."""

import os
import shutil
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

import lift
from lift.config import Config, load
from lift.data.dataset import ClipDataset
from lift.files import atomic
from lift.losses import Losses
from lift.metrics import Lpips, psnr, ssim
from lift.models import build
from lift.training.context import Mixed
from lift.training.job import BEST, LAST, Clips, Interrupted, Job
from lift.training.loop import fit
from lift.training.machine import StopRequest
from lift.training.processes import layout, on_first
from lift.training.state import run_digest, run_folder
from stages.common import PARAMS, data_folder, run

CODE = [
    Path(lift.__file__).parent / part for part in ("models", "ops", "losses", "training", "data", "config")
]
RESUME = 75  # EX_TEMPFAIL of sysexits.h: a scheduler that requeues on it continues the run


def main(profile: str, ablation: str) -> None:
    """Train `ablation` of `profile`, or continue it where it was stopped."""
    config = load(PARAMS, profile, ablation)
    data = data_folder(profile)
    sets = [data / "clips" / name for name in ("train", "validation")]
    digest = run_digest(
        config.digestible(),
        [s / "clips.csv" for s in sets],
        [Path(lift.__file__).parent / part for part in CODE],
    )
    torch.set_num_threads(config.train.threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    devices, nodes = layout(os.environ, config.train.devices, config.train.nodes)
    fabric = Fabric(accelerator="auto", devices=devices, num_nodes=nodes, precision=config.train.precision)
    fabric.launch()
    try:
        with StopRequest() as stop, ExitStack() as stack:
            scratch = run_folder(data / "scratch", ablation, digest)
            # Process 0 alone locks, writes and publishes.
            folder = on_first(fabric, lambda: stack.enter_context(scratch))
            speed = fit(_job(config, data, folder, fabric, stop))
            on_first(fabric, lambda: _publish(folder, data / "models" / ablation))
    except Interrupted as stop_line:
        fabric.print(stop_line, file=sys.stderr)
        sys.exit(RESUME)
    fabric.print(f"{ablation}: " + ", ".join(f"{key} {value:.3g}" for key, value in speed.items()))


def _job(config: Config, data: Path, folder: Path, fabric: Fabric, stop: StopRequest) -> Job:
    train, clips = config.train, data / "clips"
    model = build(config.model, seed=config.seed)
    if model.load_report is not None:
        fabric.print(model.load_report)
    if model.freezable and any(phase.freeze for phase in train.phases):
        model.loaded_parameters()  # refuses where nothing was loaded
    if train.channels_last:
        model.channels_last()
    if train.checkpoint_encoder:
        model.checkpoint_encoder()
    offsets = config.clip.offsets
    train_set = ClipDataset(clips / "train", offsets)
    validation_set = ClipDataset(clips / "validation", offsets)
    return Job(
        config=config,
        fabric=fabric,
        model=model,
        losses=Losses(config.loss, Lpips(config.evaluate.lpips) if config.loss.lpips else None).to(
            fabric.device
        ),
        train_clips=partial(_train_clips, config, clips / "train"),
        train_count=len(train_set),
        validation_clips=validation_set,
        validation_count=len(validation_set),
        metrics={"psnr": partial(psnr, data_range=1.0), "ssim": partial(ssim, data_range=1.0)},
        loaded=model.loaded,
        folder=folder,
        outputs=data / "training" / config.ablation,
        board=data / "logs" / config.ablation,
        stop=stop,
    )


def _train_clips(config: Config, folder: Path, crop: tuple[int, int]) -> Clips:
    """Open the training set for a crop; `train.other_sampling` of the visits see the other window."""
    make = partial(ClipDataset, folder, crop=crop, augment=config.train.augment, seed=config.seed)
    usual, share = make(config.clip.offsets), config.train.other_sampling
    return Mixed(usual, make(config.clip.other.offsets), share, config.seed) if share else usual


def _publish(folder: Path, models: Path) -> None:
    """Copy the finished weights to the stage's output, so that a kill on the way leaves them too."""
    for name in (BEST, LAST):
        with atomic(models / name) as temporary:
            shutil.copyfile(folder / name, temporary)


if __name__ == "__main__":
    run(main, "PROFILE", "ABLATION")
