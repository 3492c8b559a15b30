"""What training costs: `python -m benchmarks.training [step|wait|checkpoint|frozen]`, on the CPU.

Seconds are of one thread's own processor time where nothing else is said, so that a busy machine does not
change them.
"""

import dataclasses
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import Dataset, Subset

from lift.config import Config, Phase, load
from lift.data.dataset import ClipDataset
from lift.data.stored.archive import entry_name, write_archive, write_truth
from lift.data.stored.manifest import ClipRow, write_manifest
from lift.models.interface import Interpolator
from lift.models.registry import build
from lift.scenes import make
from lift.training.job import Job
from lift.training.loop import fit
from lift.training.state import State, save_state
from lift.training.step import freeze, parameter_groups

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
QUIET: dict[str, Any] = {
    "spike": 1e9,
    "channels_last": True,
    "workers": 0,
    "checkpoint_every": 10**6,
    "log_every": 10,
}


def configured(profile: str, ablation: str = "lift15", **train: Any) -> Config:
    """Read params.yaml, with other parameters of training."""
    config = load(PARAMS, profile, ablation)
    model = dataclasses.replace(config.model, pretrained=None)
    return dataclasses.replace(config, model=model, train=dataclasses.replace(config.train, **train))


def batch_of(config: Config, count: int, crop: int) -> dict[str, Tensor]:
    """Make a batch in memory."""
    offsets = torch.tensor(config.clip.offsets, dtype=torch.float32).repeat(count, 1)
    return {
        "frames": torch.rand(count, offsets.shape[1], 3, crop, crop),
        "offsets": offsets,
        "valid": torch.ones(offsets.shape, dtype=torch.bool),
        "target": torch.rand(count, 3, crop, crop),
    }


def l1(output: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the loss of all measurements here: cheap, so that what surrounds the model shows."""
    return {"l1": (output.frame - batch["target"]).abs().mean()}


class Ready(Dataset[Any]):
    """One clip in memory, given for every key."""

    def __init__(self, config: Config, crop: int) -> None:
        batch = batch_of(config, 1, crop)
        self._item = {**{key: value[0] for key, value in batch.items()}, "clip": "ready"}

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, key: object) -> Any:
        return self._item


def train(
    config: Config, clips: Ready | ClipDataset, steps: int, crop: int, model: Interpolator
) -> dict[str, float]:
    """Train through the real loop, without validation but for one clip at the end."""
    rates = {"rate": 1e-4, "final_rate": 1e-4, "encoder_scale": 1.0}
    phase = Phase(epochs=1, crop=(crop, crop), **rates, freeze=False, thaw=0)
    settings = dataclasses.replace(
        config.train, phases=(phase,), samples_per_epoch=steps * config.train.batch, accumulate=1
    )
    place = Path(tempfile.mkdtemp())
    return fit(
        Job(
            config=dataclasses.replace(config, train=settings),
            fabric=Fabric(accelerator="cpu", devices=1, precision=config.train.precision),
            model=model,
            losses=l1,
            train_clips=lambda crop: clips,
            train_sources=["made"] * len(clips),
            validation_clips=Subset(Ready(config, 32), [0]),
            metrics={"psnr": lambda a, b: 0.0},
            loaded=(),
            folder=place,
            board=place / "logs",
            snapshots=place / "snapshots",
        )
    )


def bare_step(config: Config, batch: dict[str, Tensor], model: Interpolator) -> Callable[[], None]:
    """Return a step of the shortest loop that trains."""
    optimizer = torch.optim.AdamW(parameter_groups(model, 1e-4), lr=1e-4, fused=True)

    def step() -> None:
        output = model(*(batch[key] for key in ("frames", "offsets", "valid", "target")))
        torch.autograd.backward(l1(output, batch)["l1"])
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.train.clip_norm)
        optimizer.step()
        optimizer.zero_grad()

    return step


def timed(step: Callable[[], None], times: int) -> float:
    """Return the median of a step's processor seconds, the first left out."""
    seconds = []
    for _ in range(times + 1):
        before = time.process_time()
        step()
        seconds.append(time.process_time() - before)
    return median(seconds[1:])


def made(config: Config) -> Interpolator:
    """Build the configuration's model in training mode."""
    return build(config.model, task=config.clip.task, seed=1).channels_last()


def step() -> None:
    """Compare a step of the loop with a bare one: demo model, batch 4, crop 64, all in memory."""
    config = configured("demo", batch=4, **QUIET)
    few, many, ratios = 10, 50, []
    for _ in range(3):
        bare = timed(bare_step(config, batch_of(config, 4, 64), made(config)), many - few)
        times = []
        for steps in (few, many):  # their difference holds steps alone: no set-up, no end
            before = time.process_time()
            train(config, Ready(config, 64), steps, 64, made(config))
            times.append(time.process_time() - before)
        ours = (times[1] - times[0]) / (many - few)
        ratios.append(ours / bare)
        print(f"step: bare {bare * 1e3:.1f} ms, loop {ours * 1e3:.1f} ms, ratio {ratios[-1]:.3f}")
    print(f"step: median ratio {median(ratios):.3f} (bound 1.10)")


def wait() -> None:
    """Measure the share of time that training waits for data: 288x448 clips from an archive, crop 256."""
    folder = Path(tempfile.mkdtemp())
    rows, entries = [], []
    for number in range(8):
        scene, name = make(number, "plain", (288, 448), (1.0, 4.0)), f"made/{number:03d}"
        for frame in range(15):
            png = cv2.imencode(".png", scene.render(float(frame))[..., ::-1])[1].tobytes()
            entries.append((entry_name(name, frame, "png"), png))
        offsets = load(PARAMS, "demo", "lift15").clip.offsets
        rows.append(
            ClipRow(
                clip=f"{name}@8", source="made", video=f"{number:03d}", group=name, target=8, step=1,
                offsets=offsets, kind="", motion=1.0, height=288, width=448, extension="png",
            )
        )  # fmt: skip
    write_archive(folder / "frames.zip", entries)
    write_manifest(folder / "clips.csv", rows)
    write_truth(folder / "truth.zip", [])
    config = configured("demo", batch=4, **{**QUIET, "workers": 2})
    clips = ClipDataset(folder, config.clip.offsets, crop=(256, 256), augment=config.train.augment)
    before = time.perf_counter()
    for index in range(8):
        clips[index, 0, index]
    print(f"wait: one clip is read and augmented in {(time.perf_counter() - before) / 8 * 1e3:.0f} ms")
    speed = train(config, clips, 10, 256, made(config))
    print(f"wait: demo model, batch 4, crop 256, 2 workers: data-wait share {speed['data_wait_share']:.3f}")


def checkpoint() -> None:
    """Measure how long a checkpoint of the specification's model stalls training."""
    config = configured("thesis")
    model = made(config)
    optimizer = torch.optim.AdamW(parameter_groups(model, 1e-4), lr=1e-4)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    state = State(step=1, model=model.state_dict(), optimizer=optimizer.state_dict())
    place, seconds = Path(tempfile.mkdtemp()), []
    for _ in range(5):
        before = time.perf_counter()
        save_state(place, state)
        seconds.append(time.perf_counter() - before)
    size = (place / "state.pt").stat().st_size / 2**20
    every = config.train.checkpoint_every
    print(
        f"checkpoint: {size:.0f} MiB in {median(seconds):.2f} s of wall time every {every} steps; at most "
        f"1 % of the time where a step takes {median(seconds) / every / 0.01:.3f} s or more"
    )


def frozen() -> None:
    """Compare steps with the pretrained encoder frozen and free: specification's model, crop 128, batch 1."""
    config = configured("thesis")
    model = made(config)
    loaded = [n for n, _ in model.named_parameters() if n.startswith("encoder.") and ".s16." not in n]
    batch = batch_of(config, 1, 128)
    taken = {}
    for name in ("free", "frozen"):
        freeze(model, loaded if name == "frozen" else ())
        taken[name] = timed(bare_step(config, batch, model), 3)
        print(f"frozen: encoder {name}: {taken[name]:.2f} s a step")
    print(f"frozen: {1 - taken['frozen'] / taken['free']:.0%} cheaper")


def main(names: list[str]) -> None:
    """Run the named measurements, or all."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    every = {f.__name__: f for f in (step, wait, checkpoint, frozen)}
    for name in names or every:
        every[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
