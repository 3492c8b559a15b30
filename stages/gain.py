"""What a window gives to RIFE on real footage: `python -m stages.gain FOLDER OUT`.

FOLDER holds DAVIS and UCF101 in their official layouts. Of each sequence of DAVIS and each video of UCF101's
test list 1 two frames are taken out and made anew, whole: by RIFE v4.25, and by LIFT on RIFE (`flow: rife`,
nothing learnt) from the two references alone and from the window, dense and uniform. OUT keeps gain.csv, a
row for each frame and method, so that what is there is not measured again; gain.md, tables with intervals
over videos; and strips of the videos on which the window does worst. Then follows the curve over the window's
width, of one frame a video, in which all frames of the window take part (`reach`).
"""

import csv
import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lift.clips.readers import Shown
from lift.clips.sources import SOURCES, Video
from lift.config import Model, Report, load, window
from lift.data.stored.colour import convert
from lift.data.stored.images import Pixels, decode
from lift.errors import UserError
from lift.files import atomic
from lift.metrics import psnr
from lift.metrics.perceptual import Lpips
from lift.models.lift_rife.interpolator import LiftRife
from lift.models.registry import build
from lift.models.rife_v4.interpolator import RifeV4
from lift.models.rife_v4.network import IfNet
from lift.png import encode
from lift.progress import bar
from lift.report.statistics import effects
from lift.seeds import generator
from stages.common import PARAMS, run

PARTS = {"davis": ("train", "test"), "ucf101": ("test",)}  # DAVIS trains nothing here
TARGETS = 2  # frames that are measured of a video
WIDTHS = {3: (1, 1), 5: (2, 2), 7: (3, 3), 9: (4, 4), 15: (8, 6)}
"""Frames of a window, the missing one counted -> those before and after it."""
STRIPS = 5
RIFE, ALONE = "rife_v4", "references alone"
Row = dict[str, Any]


class Measured(NamedTuple):
    """A model with the window that it is given, and whether it is of the curve alone."""

    model: Callable[..., Any]
    offsets: tuple[int, ...]
    curve: bool = False


def main(folder: str, out: str) -> None:
    """Measure what is not there yet, and write tables and strips."""
    base = load(PARAMS, "demo")
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    methods = _methods(base.model)
    rows = _read(place / "gain.csv")
    known = {(row["set"], row["video"], row["method"]) for row in rows}
    videos = [(name, video) for name in PARTS for video in _videos(name, Path(folder))]
    lpips = Lpips()
    for part, curve in (("gain", False), ("curve", True)):
        chosen = {method: made for method, made in methods.items() if made.curve == curve}
        for name, video in bar(videos, title=part, unit="video"):
            if not known >= {(name, video.name, method) for method in chosen}:
                rows += _measured(name, video, chosen, lpips)
                _write(place / "gain.csv", rows)
    text = _tables(rows, base.report, base.seed)
    with atomic(place / "gain.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text)
    for name, video in _worst(rows, videos):
        _strip(name, video, methods, place / f"{name}_{video.name.replace('/', '_')}.png")


class _Once(nn.Module):
    """RIFE, asked once for what all methods ask."""

    def __init__(self, network: IfNet) -> None:
        super().__init__()
        self.network, self.multiple = network, network.multiple
        self._asked: Tensor | None = None
        self._answer: Any = None

    def forward(self, both: Tensor, time: Tensor) -> Any:
        if self._asked is None or not torch.equal(self._asked, both):
            self._asked, self._answer = both, self.network(both, time)
        return self._answer


def _methods(model: Model) -> dict[str, Measured]:
    """Return what is measured, by name."""
    own = dataclasses.replace(model, name="lift", flow="rife", refinement="none", use_context=True)
    released = build(own)
    wide = build(dataclasses.replace(own, lift_rife=dataclasses.replace(own.lift_rife, reach=max(WIDTHS))))
    rife = build(dataclasses.replace(model, name="rife_v4"))
    rife.load_pretrained(own.lift_rife.pretrained)
    assert isinstance(released, LiftRife)
    assert isinstance(wide, LiftRife)
    assert isinstance(rife, RifeV4)
    once = _Once(rife.network)
    rife.network, released.window.rife, wide.window.rife = once, once, once  # type: ignore[assignment]
    methods = {RIFE: Measured(rife.eval(), (-1, 1)), ALONE: Measured(released.eval(), (-1, 1))}
    for sampling in ("dense", "uniform"):
        methods[sampling] = Measured(released, window(*WIDTHS[15], sampling))
        for width in list(WIDTHS)[2:]:
            seen = window(*WIDTHS[width], sampling)
            methods[f"{sampling}, all of {width}"] = Measured(wide.eval(), seen, curve=True)
    return methods


def _videos(name: str, folder: Path) -> list[Video]:
    found = [video for part in PARTS[name] for video in SOURCES[name].videos(folder, part, 0)]
    there = [video for video in found if video.path.exists()]
    if not there:
        raise UserError(f"{folder}: no video of {SOURCES[name].title}; expected {SOURCES[name].layout}")
    return there


def _clips(name: str, video: Video) -> Iterator[tuple[int, dict[int, Tensor]]]:
    """Yield the number of each missing frame, and the frames around it by offset, (1, 3, H, W)."""
    reader = SOURCES[name].open(video)
    numbers = list(reader.numbers)
    for place in (round(len(numbers) * (i + 1) / (TARGETS + 1)) for i in range(TARGETS)):
        reach = 2 * max(max(sides) for sides in WIDTHS.values())
        chosen = range(max(0, place - reach), min(len(numbers), place + reach + 1))
        wanted = [numbers[i] for i in chosen]
        frames = [_pixels(video, payload) for _, payload in reader.read(wanted)]
        yield (
            numbers[place],
            {
                i - place: torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
                for i, pixels in zip(chosen, frames, strict=True)
            },
        )


def _pixels(video: Video, payload: Any) -> Pixels:
    pixels = convert(payload.frame) if isinstance(payload, Shown) else None
    if isinstance(payload, Path):
        pixels = decode(payload.read_bytes())
    if pixels is None:
        raise UserError(f"{video.path}: a frame cannot be read; fetch it again")
    return pixels


def _made(method: Callable[..., Any], frames: Mapping[int, Tensor], offsets: Sequence[int]) -> Tensor:
    there = [offset for offset in offsets if offset in frames]
    times = torch.tensor([there], dtype=torch.float32)
    given = torch.stack([frames[offset] for offset in there], dim=1)
    with torch.inference_mode():
        frame: Tensor = method(given, times, torch.ones_like(times).bool()).frame[0]
    return frame


def _measured(name: str, video: Video, methods: Mapping[str, Measured], lpips: Lpips) -> list[Row]:
    rows: list[Row] = []
    for number, frames in _clips(name, video):
        for method, (function, offsets, curve) in methods.items():
            if curve and any(row["method"] == method for row in rows):
                continue
            made, truth = _made(function, frames, offsets), frames[0][0]
            rows.append(
                {
                    "set": name,
                    "video": video.name,
                    "frame": number,
                    "method": method,
                    "psnr": psnr(made, truth, data_range=1.0),
                    "lpips": math.nan if curve else lpips.measure(made, truth),
                }
            )
    return rows


def _by_video(rows: Sequence[Row], name: str, key: str, *, first: bool) -> dict[str, np.ndarray]:
    """Return each method's mean over a video's frames, or its first one alone, in the order of the videos."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["set"] == name:
            values[row["method"]][row["video"]].append(float(row[key]))
    videos = list(values[RIFE])
    return {
        method: np.array([np.mean(of[video][: 1 if first else None]) for video in videos])
        for method, of in values.items()
        if all(video in of for video in videos)
    }


def _tables(rows: Sequence[Row], report: Report, seed: int) -> str:
    lines = []
    for name in PARTS:
        videos = list(dict.fromkeys(row["video"] for row in rows if row["set"] == name))
        for first in (False, True):
            frames = "first of the frames" if first else f"{TARGETS} frames"
            lines += [
                f"## {SOURCES[name].title}: {len(videos)} videos, {frames}, whole",
                "",
                f"| method | PSNR, dB | LPIPS | over {RIFE}, dB | worst video | over the references, dB |",
                "| --- | ---: | ---: | ---: | --- | ---: |",
            ]
            quality = _by_video(rows, name, "psnr", first=first)
            distance = _by_video(rows, name, "lpips", first=first)
            for method, values in quality.items():
                if not first and math.isnan(distance[method].mean()):
                    continue
                differences = np.stack((values - quality[RIFE], values - quality[ALONE]), axis=1)
                described = effects(
                    differences,
                    confidence=report.confidence,
                    resamples=report.resamples,
                    rng=generator(seed, "gain", name),
                )
                over = [f"{e.mean:+.2f} [{e.low:+.2f}, {e.high:+.2f}]" for e in described]
                worst = int(differences[:, 0].argmin())
                lines.append(
                    f"| {method} | {values.mean():.2f} | {distance[method].mean():.4f} | {over[0]} "
                    f"| {differences[worst, 0]:+.2f} {videos[worst]} | {over[1]} |"
                )
            lines.append("")
    return "\n".join(lines).replace("nan", "–")


def _worst(rows: Sequence[Row], videos: Sequence[tuple[str, Video]]) -> list[tuple[str, Video]]:
    chosen = []
    for name in PARTS:
        listed = list(dict.fromkeys(row["video"] for row in rows if row["set"] == name))
        quality = _by_video(rows, name, "psnr", first=False)
        order = np.argsort(np.minimum(quality["dense"], quality["uniform"]) - quality[RIFE])
        worst = {listed[i] for i in order[:STRIPS]}
        chosen += [(of, video) for of, video in videos if of == name and video.name in worst]
    return chosen


def _strip(name: str, video: Video, methods: Mapping[str, Measured], path: Path) -> None:
    """Draw a video's first missing frame: truth, RIFE, alone, dense, uniform; below, what each has wrong."""
    _, frames = next(_clips(name, video))
    truth = frames[0][0]
    pictures = [truth]
    pictures += [_made(m.model, frames, m.offsets) for m in methods.values() if not m.curve]
    wrong = [(4 * (picture - truth).abs()).clamp(0, 1) for picture in pictures]
    whole = torch.cat([torch.cat(row, dim=2) for row in (pictures, wrong)], dim=1)
    pixels = (whole.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    with atomic(path) as temporary:
        temporary.write_bytes(encode(pixels))


def _read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Row]) -> None:
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    run(main, "FOLDER", "OUT")
