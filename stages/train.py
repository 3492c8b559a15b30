"""Stage `train`: train one ablation, once per seed, and leave each one's best and last weights, and curves.

Weights: models/<ablation>/{best,last}.safetensors are those of the first of `train.seeds`; every other seed's
lie beside them in seed<N>/. Curves: training/<ablation>/curves.csv holds all seeds; DVCLive shows the first.
"""

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
from lift.losses import Losses
from lift.metrics import Lpips, psnr, ssim
from lift.models import build
from lift.training.logs import join_curves
from lift.training.loop import BEST, LAST, Interrupted, Job, fit
from lift.training.state import run_digest, run_folder
from stages.common import PARAMS, data_folder, run, seed_folder

CODE = [
    Path(lift.__file__).parent / part for part in ("models", "ops", "losses", "training", "data", "config")
]
RESUME = 75  # EX_TEMPFAIL of sysexits.h: a scheduler that requeues on it continues the run


def main(profile: str, ablation: str) -> None:
    """Train `ablation` of `profile` with each seed, or continue where it was stopped."""
    config = load(PARAMS, profile, ablation)
    data = data_folder(profile)
    torch.set_num_threads(config.train.threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    jobs = {}
    try:
        # DVC clears a stage's outputs before it runs again, so what is finished waits in scratch for the
        # last seed.
        with ExitStack() as folders:
            for seed in config.train.seeds:
                own = config.seeded(seed)
                name = f"{ablation}-seed{seed}"
                folder = folders.enter_context(run_folder(data / "scratch", name, _digest(own, data)))
                jobs[seed] = _job(own, data, folder)
                speed = fit(jobs[seed])
                print(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in speed.items()))
            _publish(config, jobs, data)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        sys.exit(RESUME)


def _digest(config: Config, data: Path) -> str:
    manifests = [data / "clips" / name / "clips.csv" for name in ("train", "validation")]
    return run_digest(config.digestible(), manifests, CODE)


def _job(config: Config, data: Path, folder: Path) -> Job:
    train, clips, seed = config.train, data / "clips", config.seed
    fabric = Fabric(
        accelerator="auto", devices=train.devices, num_nodes=train.nodes, precision=train.precision
    )
    fabric.launch()
    model = build(config.model, seed=seed)
    if model.load_report is not None:
        print(model.load_report)
    if model.freezable and any(phase.freeze for phase in train.phases):
        model.loaded_parameters()  # refuses where nothing was loaded
    if train.channels_last:
        model.channels_last()
    offsets, augment = config.clip.offsets, train.augment
    validation_set = ClipDataset(clips / "validation", offsets)
    return Job(
        config=config,
        fabric=fabric,
        model=model,
        losses=Losses(config.loss, Lpips(config.evaluate.lpips) if config.loss.lpips else None).to(
            fabric.device
        ),
        train_clips=lambda crop: ClipDataset(clips / "train", offsets, crop=crop, augment=augment, seed=seed),
        train_count=len(ClipDataset(clips / "train", offsets)),
        validation_clips=validation_set,
        validation_count=len(validation_set),
        metrics={"psnr": partial(psnr, data_range=1.0), "ssim": partial(ssim, data_range=1.0)},
        loaded=model.loaded,
        folder=folder,
        outputs=data / "training" / config.ablation if seed == train.seeds[0] else folder / "logs",
        board=seed_folder(data / "logs" / config.ablation, config, seed),
    )


def _publish(config: Config, jobs: dict[int, Job], data: Path) -> None:
    """Copy the finished weights and curves to the stage's outputs."""
    for seed, job in jobs.items():
        models = seed_folder(data / "models" / config.ablation, config, seed)
        models.mkdir(parents=True, exist_ok=True)
        for name in (BEST, LAST):
            shutil.copyfile(job.folder / name, models / name)
    curves = {seed: job.outputs / "curves.csv" for seed, job in jobs.items()}
    join_curves(data / "training" / config.ablation / "curves.csv", curves)


if __name__ == "__main__":
    run(main, "PROFILE", "ABLATION")
