"""How fast the scenes of profile `quarter` are rendered, and how fast its clips reach a training.

`python -m benchmarks.renderer` prints processor time of one core, on the profile's own scenes (params.yaml:
`profiles.quarter`), so that other work on the machine counts little and its number of cores not at all:

- rendering: drawing a scene, its frames as they are, as they are filmed (blurred by motion, noisy), and as
  they are written (filmed and encoded, the drawing of the scene shared out over them);
- feeding: batches of the profile's size and crop, by the loader in one process and from frames that are held
  decoded (`train.resident`). Where there is a GPU, the frames lie there and the clock counts instead.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch
from torch.utils.data import default_collate

from lift.clips.build import build_clip_set
from lift.config import Config, load
from lift.data.dataset import ClipDataset, Visit
from lift.data.resident import Frames, Resident
from lift.scenes import KINDS, make
from lift.scenes.footage import draw_film, encode
from lift.scenes.layouts import write
from lift.seeds import derive

PROFILE, SOURCE = "quarter", "scenes"
SCENES = 4  # of each kind
SAMPLED = 3  # frames of each
FED = 12  # training scenes
BATCHES = 3


def main() -> None:
    """Print both tables."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    config = load("params.yaml", PROFILE)
    rendering(config)
    with tempfile.TemporaryDirectory() as place:
        feeding(config, Path(place))


def rendering(config: Config) -> None:
    """Print what a frame costs, by kind of scene and in all."""
    render = config.sources[SOURCE].render
    assert render is not None
    print(f"frames of {render.size[0]}x{render.size[1]}, one core; ms")
    print("| scenes | drawing a scene | plain frame | filmed | encoded | written, frames/s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    everything: list[list[float]] = []
    for kind in KINDS:
        found = []
        for index in range(SCENES):
            seed = derive(config.seed, "benchmark", kind, index)
            drawn, scene = timed(make, seed, kind, render.size, render.speed, camera=render.camera)
            film = draw_film(seed, render.camera, spoilt=True)
            for number in range(SAMPLED):
                plain, _ = timed(scene.render, number)
                filmed, frame = timed(film.take, scene, number)
                encoded, _ = timed(encode, frame, ".jpg", film.quality)
                found.append([drawn, plain, filmed, encoded])
        everything += found
        print(row(kind, found, render.frames))
    print(row("all", everything, render.frames), flush=True)


def row(title: str, found: list[list[float]], frames: int) -> str:
    """Average seconds over frames."""
    drawn, plain, filmed, encoded = (1e3 * sum(column) / len(found) for column in zip(*found, strict=True))
    rate = 1e3 / (drawn / frames + filmed + encoded)
    return f"| {title} | {drawn:.0f} | {plain:.1f} | {filmed:.1f} | {encoded:.2f} | {rate:.0f} |"


def timed(work: Callable[..., Any], *given: Any, **named: Any) -> tuple[float, Any]:
    """Return the processor seconds of a call, and its result."""
    start = time.process_time()
    result = work(*given, **named)
    return time.process_time() - start, result


def feeding(config: Config, place: Path) -> None:
    """Print how many frames, cut and augmented, reach a training per second."""
    source = config.sources[SOURCE]
    assert source.render is not None
    render = dataclasses.replace(source.render, train=FED, test=1)
    sources = {**config.sources, SOURCE: dataclasses.replace(source, render=render)}
    config = dataclasses.replace(config, sources=sources)
    write(SOURCE, place / "raw" / SOURCE, render, config.seed, target=config.missing(SOURCE))
    build_clip_set(config, "train", place / "raw", place)
    train = config.train
    clips = ClipDataset(
        place, config.clip.offsets, crop=train.phases[0].crop, augment=train.augment, seed=config.seed
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    decoding, frames = timed(Frames, [clips], device)
    count = sum(map(len, clips.needed().values()))
    held = Resident(frames, clips)
    keys = [[(i % len(clips), e, i) for i in range(train.batch)] for e in range(BATCHES)]
    planning, _ = timed(lambda: [clips.plan(key) for batch in keys for key in batch])
    crop = clips.plan(keys[0][0]).change.size
    print(f"\nbatches of {train.batch} clips of {len(clips.needed())} scenes, crop {crop[0]}x{crop[1]}")
    print(f"decoding a frame: {1e3 * decoding / count:.2f} ms")
    print(f"drawing a clip's changes: {1e3 * planning / (BATCHES * train.batch):.2f} ms")
    crops = BATCHES * train.batch * (len(config.clip.offsets) + 1)
    loader, _ = timed(lambda: [default_collate([clips[key] for key in batch]) for batch in keys])
    print(f"loader, one process: {crops / loader:.0f} frames/s")
    print(f"held ({device.type}): {crops / fed(held, keys, device):.0f} frames/s")


def fed(held: Resident, keys: list[list[Visit]], device: torch.device) -> float:
    """Return the seconds that the batches take: on a GPU by the clock, until it is done."""
    held.batch(keys[0])
    if device.type != "cuda":
        return timed(lambda: [held.batch(batch) for batch in keys])[0]
    torch.cuda.synchronize()
    start = time.perf_counter()
    for batch in keys:
        held.batch(batch)
    torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
