"""Stage `train`: train one ablation and leave its best and last weights, and its curves."""

import shutil
import sys
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

import lift
from lift.config import Config, load
from lift.data.dataset import ClipDataset
from lift.losses import Losses
from lift.metrics import Lpips, psnr, ssim
from lift.models import build
from lift.training.loop import BEST, LAST, Interrupted, Job, fit
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
    try:
        with run_folder(data / "scratch", ablation, digest) as folder:
            speed = fit(_job(config, data, folder))
            _publish(folder, data / "models" / ablation)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        sys.exit(RESUME)
    print(f"{ablation}: " + ", ".join(f"{key} {value:.3g}" for key, value in speed.items()))


def _job(config: Config, data: Path, folder: Path) -> Job:
    train, clips = config.train, data / "clips"
    fabric = Fabric(
        accelerator="auto", devices=train.devices, num_nodes=train.nodes, precision=train.precision
    )
    fabric.launch()
    model = build(config.model, seed=config.seed)
    if model.load_report is not None:
        print(model.load_report)
    if model.freezable and any(phase.freeze for phase in train.phases):
        model.loaded_parameters()  # refuses where nothing was loaded
    if train.channels_last:
        model.channels_last()
    offsets, augment = config.clip.offsets, train.augment
    train_set = ClipDataset(clips / "train", offsets)
    validation_set = ClipDataset(clips / "validation", offsets)
    return Job(
        config=config,
        fabric=fabric,
        model=model,
        losses=Losses(config.loss, Lpips(config.evaluate.lpips) if config.loss.lpips else None).to(
            fabric.device
        ),
        train_clips=lambda crop: ClipDataset(
            clips / "train", offsets, crop=crop, augment=augment, seed=config.seed
        ),
        train_count=len(train_set),
        validation_clips=validation_set,
        validation_count=len(validation_set),
        metrics={"psnr": partial(psnr, data_range=1.0), "ssim": partial(ssim, data_range=1.0)},
        loaded=model.loaded,
        folder=folder,
        outputs=data / "training" / config.ablation,
        board=data / "logs" / config.ablation,
    )


def _publish(folder: Path, models: Path) -> None:
    """Move the finished weights to the stage's output."""
    models.mkdir(parents=True, exist_ok=True)
    for name in (BEST, LAST):
        shutil.move(folder / name, models / name)


if __name__ == "__main__":
    run(main, "PROFILE", "ABLATION")
