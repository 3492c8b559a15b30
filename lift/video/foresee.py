"""What a run would come to, before it: frames, time and size, from a short sample."""

import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from lift.video.choose import Chosen, choose
from lift.video.frame import Frame, to_image, to_tensor
from lift.video.job import Job
from lift.video.methods import Method
from lift.video.run import opened, run
from lift.video.source import Span
from lift.video.ticks import LEAST

SAMPLE = 13
"""Originals that are decoded and encoded to see how fast that goes and how large it becomes."""
UNITS = ("bytes", "kB", "MB", "GB", "TB")
THOUSAND = 1000


def foresee(job: Job, chosen: Chosen) -> str:
    """Try a job's beginning out, and return in a line what is to be expected; its output is not touched.

    Raises:
        UserError: Whatever the job would be refused for at its start.
    """
    with opened(job, chosen) as (source, _, method, shown):
        total, (height, width) = source.total or None, source.size
        pair = list(islice(source.frames(), 2))
        seconds = _work(method, pair) if len(pair) == 2 and chosen.interpolates else 0.0
        end = job.span.start + Fraction(SAMPLE) / source.rate
    if job.span.end is not None:
        end = min(end, job.span.end)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / (job.output.name if job.output.suffix else "pictures")
        span = Span(start=job.span.start, end=end)
        short = replace(job, output=place, span=span, factor=max(LEAST, job.factor), predict=0, report=None)
        start = time.perf_counter()
        outcome = run(short, choose("average"), progress=tqdm(disable=True))
        passed = time.perf_counter() - start
        written = sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file())
    per = f"{seconds:.2f} s for each frame made, {2 * width if job.preview else width} x {height}"
    if total is None or shown is None:
        size = _bytes(written / outcome.shown)
        return f"the input does not tell how many frames it has; {per}, {size} for each shown"
    # Most of decoding and encoding overlaps with the work.
    whole = max(max(0, shown - total) * seconds, shown * passed / outcome.shown)
    size = _bytes(written / outcome.shown * shown)
    return f"{shown} frames from {total}, about {_duration(whole)} ({per}), about {size}"


def _work(method: Method, pair: list[Frame]) -> float:
    """Return the seconds that one frame takes, once all is warm."""
    for _ in range(2):
        start = time.perf_counter()
        features = [method.encode(to_tensor(frame.image, method.device)) for frame in pair]
        made = method.between((-1, 1), features).image
        to_image(made, pair[0].image)
        if made.is_cuda:
            torch.cuda.synchronize()
        passed = time.perf_counter() - start
    return passed


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _bytes(count: float) -> str:
    power = next(k for k in range(len(UNITS)) if count < THOUSAND ** (k + 1) or k == len(UNITS) - 1)
    return f"{count / THOUSAND**power:.3g} {UNITS[power]}"
