"""Small trainings of variants: `python -m benchmarks.trials CLIPS REAL OUT [VARIANT[@SEED] ...]`.

CLIPS is a folder of videos and picture sequences, which trains together with procedural scenes; REAL holds
DAVIS and UCF101 in their official layouts, which test and never train. OUT keeps the clips and one file of
per-clip PSNR for each variant and seed, so that what is there is not run again; the table is of all of them.
Everything else stands in trials.yaml. One thread: seconds are of that thread's own processor time.

What such trials show is which variant learns faster while small. A variant that needs more steps than these
to pay, as wide context may, looks useless here.
"""

import csv
import dataclasses
import math
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from lift.clips.build import build_clip_set
from lift.config import Clip, ClipSet, Config, Loss, Model, Render, Source, load
from lift.config.parse import build as parse
from lift.config.yaml12 import read
from lift.data.dataset import ClipDataset
from lift.evaluation.baselines import BASELINES
from lift.evaluation.method import Method, of_model
from lift.files import atomic
from lift.losses import Losses
from lift.metrics import psnr
from lift.models import Interpolator, build
from lift.scenes.layouts import WRITERS
from lift.seeds import derive, generator
from lift.training.average import Average
from lift.training.context import drop_context

HERE = Path(__file__).resolve().parent
PARAMS = HERE.parent / "params.yaml"
TESTS = ("davis", "ucf101")
TRAINS = ("folder", "scenes")
Settings = Mapping[str, Any]


def main(clips: Path, real: Path, out: Path, wanted: list[str]) -> None:
    """Run what is wanted and not there yet, and print the table of all that is."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = read(HERE / "trials.yaml")
    prepare(settings, clips, real, out)
    for name in BASELINES:
        if not (out / f"{name}.csv").exists():
            write(out / f"{name}.csv", test(BASELINES[name], settings, out, (-1, 1)), 0.0)
    for entry in wanted:
        name, _, seed = entry.partition("@")
        path = out / f"{name}@{seed or settings['seed']}.csv"
        if not path.exists():
            config = configured(settings, settings["variants"][name])
            model, milliseconds = train(config, settings, out, int(seed or settings["seed"]), name)
            write(path, test(of_model(model), settings, out, config.clip.offsets), milliseconds)
    print(table(out))


def prepare(settings: Settings, clips: Path, real: Path, out: Path) -> None:
    """Render the scenes and cut the sets of clips, where they are not there."""
    rendered = out / "rendered"
    if not rendered.is_dir():
        WRITERS["ucf101"](rendered, parse(Render, settings["render"], "render"), settings["seed"], target=1)
    for name, place in (("folder", clips), ("scenes", rendered), ("davis", real), ("ucf101", real)):
        if not (out / name).is_dir():
            build_clip_set(_set_of(settings, name, place), "set", place, out / name)


def _set_of(settings: Settings, name: str, place: Path) -> Config:
    base = load(PARAMS, "demo")
    source = "ucf101" if name == "scenes" else name
    test = name in TESTS
    size = settings["sizes"].get(name)
    rules = {
        "sources": (source,),
        "part": "test" if test else "train",
        "before": 8 if test else 3,
        "after": 6 if test else 3,
        "spacing": 2,
        "max_clips": settings["test_clips"] if test else None,
        "resize": None if size is None else tuple(size),
    }
    clip_set = dataclasses.replace(base.clips.sets["davis"], **rules)
    assert isinstance(clip_set, ClipSet)
    return dataclasses.replace(
        base,
        clips=dataclasses.replace(base.clips, sets={"set": clip_set}),
        sources={source: Source(path=str(place), render=None, optional=False)},
    )


def configured(settings: Settings, variant: Mapping[str, Any]) -> Config:
    """Give a variant's configuration: its ablation's, the settings' window, L1, and what it changes."""
    config = load(PARAMS, "demo", variant["ablation"])
    silent = dict.fromkeys(vars(config.loss), 0.0)
    sections = {
        "model": (Model, vars(config.model)),
        "clip": (Clip, vars(config.clip) | settings["frames"]),
        "loss": (Loss, silent | {"l1": 1.0}),
    }
    made = {}
    for key, (kind, values) in sections.items():
        plain = {k: dataclasses.asdict(v) if dataclasses.is_dataclass(v) else v for k, v in values.items()}
        made[key] = parse(kind, _over(plain, variant.get(key, {})), key)
    train = dataclasses.replace(config.train, **variant.get("train", {}))
    return dataclasses.replace(config, train=train, **made)


def _over(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Override values, section by section."""
    inner = {k: _over(values[k], v) for k, v in changes.items() if isinstance(v, Mapping)}
    return {**values, **changes, **inner}


def train(config: Config, settings: Settings, out: Path, seed: int, name: str) -> tuple[Interpolator, float]:
    """Train one variant; the same seed draws the same clips for all.

    Returns:
        The model, and the median milliseconds of a step's processor time, data left out.
    """
    crop = (settings["crop"], settings["crop"])
    sets = {
        key: ClipDataset(out / key, config.clip.offsets, crop=crop, augment=config.train.augment, seed=seed)
        for key in TRAINS
    }
    model, losses = build(config.model, seed=seed), Losses(config.loss)
    model.channels_last().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["rate"], weight_decay=1e-4, fused=True)
    average = Average(model, config.train.average) if config.train.average else None
    times = []
    for step in range(settings["steps"]):
        batch = draw(sets, settings, seed, step)
        batch = drop_context(batch, config.train.context_dropout, derive(seed, "dropped", step))
        torch.manual_seed(derive(seed, "step", step))
        before = time.process_time()
        optimizer.param_groups[0]["lr"] = rate(settings, step)
        parts = losses(model(*(batch[key] for key in ("frames", "offsets", "valid", "target"))), batch)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.train.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        if average is not None:
            average.update(step)
        times.append(time.process_time() - before)
        if step % 100 == 99:
            print(f"{name}@{seed}: step {step + 1}, {statistics.median(times) * 1e3:.0f} ms", flush=True)
    if average is not None:
        for key, parameter in model.named_parameters():
            parameter.data = average.values[key]
    return model, statistics.median(times) * 1e3


def draw(sets: Mapping[str, ClipDataset], settings: Settings, seed: int, step: int) -> dict[str, Any]:
    """Draw a step's batch, a function of the seed and the step."""
    random = generator(seed, "trial", step)
    items = []
    for place in range(settings["batch"]):
        clips = sets["scenes" if random.random() < settings["scenes_share"] else "folder"]
        items.append(clips[int(random.integers(len(clips))), step, place])
    keys = ("frames", "offsets", "valid", "target")
    return {key: torch.stack([torch.as_tensor(item[key]) for item in items]) for key in keys}


def rate(settings: Settings, step: int) -> float:
    """Give a step's learning rate: warm-up, then a cosine."""
    high, low = settings["rate"], settings["final_rate"]
    cosine = 0.5 * (1 + math.cos(math.pi * step / settings["steps"]))
    return float(min(1.0, (step + 1) / settings["warmup"]) * (low + (high - low) * cosine))


def test(method: Method, settings: Settings, out: Path, offsets: tuple[int, ...]) -> list[tuple[str, ...]]:
    """Give (benchmark, video, clip, PSNR) of every test clip, whole frames."""
    rows = []
    with torch.inference_mode():
        for name in TESTS:
            clips = ClipDataset(out / name, offsets)
            for index, row in enumerate(clips.rows):
                sample = clips[index]
                value = psnr(method(sample).frame, torch.as_tensor(sample["target"]), data_range=1.0)
                rows.append((name, row.video, row.clip, f"{value:.4f}"))
    return rows


def write(path: Path, rows: list[tuple[str, ...]], milliseconds: float) -> None:
    """Keep a run."""
    with atomic(path) as place, Path(place).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("benchmark", "video", "clip", "psnr", "step_ms"))
        writer.writerows((*row, f"{milliseconds:.1f}") for row in rows)


def table(out: Path) -> str:
    """Compare all runs: PSNR by benchmark, and its gain over the base of the same seed with a 95 % interval.

    The interval is of the mean over videos, which are the independent pieces (normal approximation).
    """
    runs = {path.stem: _by_video(path) for path in sorted(out.glob("*.csv"))}
    lines = ["| run | step, ms | " + " | ".join(f"{n}, dB | gain" for n in TESTS) + " |"]
    lines.append("| --- | ---: |" + " ---: | ---: |" * len(TESTS))
    for run, (milliseconds, values) in runs.items():
        cells = [run, f"{milliseconds:.0f}"]
        for name in TESTS:
            cells.append(f"{np.mean(list(values[name].values())):.2f}")
            base = runs.get(f"base@{run.partition('@')[2]}")
            if base is None:
                cells.append("")
                continue
            gains = [value - base[1][name][video] for video, value in values[name].items()]
            error = 1.96 * float(np.std(gains, ddof=1)) / math.sqrt(len(gains))
            cells.append(f"{np.mean(gains):+.2f} ± {error:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _by_video(path: Path) -> tuple[float, dict[str, dict[str, float]]]:
    clips: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            clips[row["benchmark"]][row["video"]].append(float(row["psnr"]))
            milliseconds = float(row["step_ms"])
    return milliseconds, {
        name: {video: statistics.fmean(values) for video, values in videos.items()}
        for name, videos in clips.items()
    }


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]), sys.argv[4:])  # type: ignore[misc]
