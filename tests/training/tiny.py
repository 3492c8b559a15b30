"""A tiny real training: a small convolution that learns to average two frames, on made clips."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import Dataset

from lift import seeds
from lift.config import Phase, load
from lift.training.job import BEST, LAST, Job

ROOT = Path(__file__).resolve().parents[2]


class Tiny(nn.Module):
    """Predicts the target from the two references; has an encoder, so that freezing means something."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential()
        self.encoder.add_module("s1", nn.Conv2d(6, 4, 3, padding=1))
        self.encoder.add_module("s2", nn.Conv2d(4, 4, 3, padding=1))
        self.head = nn.Conv2d(4, 3, 1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, frames, offsets, valid, target=None):
        features = self.dropout(torch.relu(self.encoder(frames.flatten(1, 2))))
        nothing = dict.fromkeys(("coarse", "flow", "alpha", "blend"))
        return SimpleNamespace(frame=self.head(features), **nothing)


class Made(Dataset):
    """Clips that are a function of their key."""

    def __init__(self, count, crop=(8, 8), poison=None, limit=None):
        self.count, self.crop, self.poison = count, crop, poison
        self.limit = tuple(map(min, crop, limit or crop))

    def __len__(self):
        return self.count

    def __getitem__(self, key):
        index, epoch, visit = key if isinstance(key, tuple) else (key, 0, 0)
        rng = seeds.generator(1, index, epoch, visit)
        crop = self.limit if index % 3 == 0 else self.crop  # a third of the clips is of another source
        frames = torch.from_numpy(rng.random((2, 3, *crop), dtype="float32"))
        target = frames.mean(0)
        if index == self.poison:
            target = target * float("nan")
        offsets = torch.tensor([-1.0, 1.0])
        return {
            "frames": frames,
            "offsets": offsets,
            "valid": torch.ones(2, dtype=torch.bool),
            "target": target,
            "clip": f"made/{index}",
        }


def phase(epochs, rate=1e-2, freeze=False, thaw=0):
    rates = {"rate": rate, "final_rate": rate / 2, "encoder_scale": 0.5}
    return Phase(epochs=epochs, crop=(8, 8), **rates, freeze=freeze, thaw=thaw)


def make_job(place, poison=None, fabric=None, loaded=(), start=None, **train):
    """Make a fresh job on the same folders: 2 frozen epochs, 2 free, of 5 steps."""
    config = load(ROOT / "params.yaml", "demo", "lift15")
    settings = {
        "phases": (phase(2, freeze=True), phase(2)),
        "samples_per_epoch": 10,
        "batch": 1,
        "accumulate": 2,
        "warmup": 3,
        "log_every": 2,
        "validate_every": 1,
        "checkpoint_every": 3,
        "picture_every": 2,
        **train,
    }
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, **settings))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = Tiny()
    return Job(
        config=config,
        fabric=fabric or Fabric(accelerator="cpu", devices=1, precision=config.train.precision),
        model=model,
        losses=lambda output, batch: {"l1": (output.frame - batch["target"]).abs().mean()},
        train_clips=lambda crop: Made(12, crop, poison, config.train.crop_limits.get("small")),
        train_sources=["made" if index % 3 else "small" for index in range(12)],
        validation_clips=Made(3),
        metrics={"psnr": lambda a, b: -float((a - b).square().mean().log10() * 10), "ssim": lambda a, b: 0.5},
        loaded=loaded or (frozenset({"encoder.s2.weight", "encoder.s2.bias"}),),
        folder=_made(place / "scratch"),
        board=place / "logs",
        snapshots=place / "snapshots",
        start=start,
    )


def results(place):
    """Read everything reproducible that a finished run leaves, by name."""
    files = [place / "scratch" / BEST, place / "scratch" / LAST, place / "scratch" / "curves.csv"]
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder
