"""How good the tool is where the truth is known: `python -m benchmarks.rebuild FOLDER_OR_VIDEO ...`.

Every second frame is dropped and rebuilt from the others, by every method and by FFmpeg's minterpolate, and
compared with what was dropped, in PSNR and LPIPS. No training data is needed, any footage will do; a few
clips are no benchmark.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import av
import torch
from av.filter import Graph

from lift.evaluation.baselines import BASELINES
from lift.metrics import Lpips, Means, psnr, ssim
from lift.progress import bar
from lift.video.api import interpolate
from lift.video.choose import RELEASED
from lift.video.file import VideoSource
from lift.video.frame import Image
from lift.video.source import FolderSource, Span

Method = Callable[[list[Image]], Iterator[Image]]
RATE = 25  # nominal: only the order of frames counts
MINTERPOLATE = "mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"
"""FFmpeg's best: overlapped blocks, motion both ways, blocks of variable size; its own cut detection off."""


def rebuild(images: list[Image], method: Method, lpips: Lpips) -> tuple[dict[str, float], float]:
    """Drop every second frame and make it again.

    Args:
        images: RGB uint8 [H, W, 3], an odd number, at least 3.
        method: Doubles a list of frames: 2n - 1 from n.
        lpips: The metric.

    Returns:
        Mean psnr, ssim and lpips over the rebuilt frames, and seconds per rebuilt frame.
    """
    start = time.perf_counter()
    made = list(method(images[::2]))
    seconds = time.perf_counter() - start
    if len(made) != len(images):
        raise ValueError(f"{len(made)} frames made of {len(images[::2])}, expected {len(images)}")
    means = Means()
    for found, truth in zip(made[1::2], images[1::2], strict=True):
        pair = [torch.from_numpy(image.copy()).permute(2, 0, 1).double() for image in (found, truth)]
        quality = {"psnr": psnr(*pair, data_range=255.0), "ssim": ssim(*pair, data_range=255.0)}
        with torch.inference_mode():
            perceived = lpips(*(one[None].float() / 255 for one in pair))
        means.update({**quality, "lpips": float(perceived)})
    return means.compute(), seconds / len(made[1::2])


def minterpolate(images: list[Image]) -> Iterator[Image]:
    """Double the frame rate with FFmpeg's filter.

    The filter drops frames at both ends, so the first and last are given again before and after. What it does
    not give at all is replaced by the frame before, which it would have shown.
    """
    height, width, _ = images[0].shape
    graph = Graph()
    source = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("yuv444p"), time_base=Fraction(1, RATE)
    )
    graph.link_nodes(
        source, graph.add("minterpolate", f"fps={2 * RATE}:{MINTERPOLATE}"), graph.add("buffersink")
    ).configure()
    padding = 2
    made: dict[int, Image] = {}
    for number, image in enumerate([images[0]] * padding + images + [images[-1]] * padding):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv444p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        graph.vpush(frame)
        _collect(graph, made)
    graph.vpush(None)
    _collect(graph, made)
    latest = images[0]
    for place in range(2 * len(images) - 1):
        latest = made.get(place + 2 * padding, latest)
        yield images[place // 2] if place % 2 == 0 else latest


def _collect(graph: Graph, made: dict[int, Image]) -> None:
    while True:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        seconds = (frame.pts or 0) * (frame.time_base or Fraction(0))
        made[round(seconds * 2 * RATE)] = cast(Image, frame.to_ndarray(format="rgb24"))


def read(path: Path, frames: int) -> list[Image]:
    """Read the first `frames` frames of a video or a folder of pictures; one fewer where they are even."""
    span = Span()
    source = FolderSource(path, span, Fraction(RATE)) if path.is_dir() else VideoSource(path, span)
    images = [frame.image for frame in islice(source.frames(), frames)]
    source.close()
    return images[: len(images) - (len(images) + 1) % 2]


def _methods(weights: list[Path]) -> dict[str, Method]:
    ours: dict[str, str | Path] = {name: name for name in (*BASELINES, *RELEASED)}
    ours |= {f"{path.parent.name}/{path.stem}": path for path in weights}
    doubled: dict[str, Method] = {name: partial(interpolate, model=model) for name, model in ours.items()}
    return {**doubled, "minterpolate": minterpolate}


def main() -> None:
    """Print a table per clip and the means, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebuild", description=__doc__.splitlines()[0])
    parser.add_argument("inputs", type=Path, nargs="+", help="videos or folders of pictures")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="weights files of the pipeline")
    parser.add_argument(
        "--frames", type=int, default=17, help="frames per clip, from its beginning (default 17)"
    )
    options = parser.parse_args()
    methods = _methods(options.weights)
    means, lpips = {name: Means() for name in methods}, Lpips()
    print("| clip | method | PSNR, dB | SSIM | LPIPS | s/frame |\n|---|---|---|---|---|---|")
    for path in bar(options.inputs, title="rebuilding", unit="clip"):
        images = read(path, options.frames)
        for name, method in methods.items():
            quality, seconds = rebuild(images, method, lpips)
            means[name].update({**quality, "seconds": seconds})
            _row(path.stem, name, {**quality, "seconds": seconds})
    for name, mean in means.items():
        _row("mean of clips", name, mean.compute())


def _row(clip: str, method: str, values: dict[str, float]) -> None:
    numbers = f"{values['psnr']:.2f} | {values['ssim']:.4f} | {values['lpips']:.4f} | {values['seconds']:.2f}"
    print(f"| {clip} | {method} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
