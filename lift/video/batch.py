"""Jobs of the command line: several inputs into one folder, and what they would come to.

One bar goes over all. An output appears under its name only when it is whole, so a stop loses no more than
the output at hand, and a further run finds what is done and makes what is missing.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from lift.clips.sequence import natural, visible
from lift.errors import UserError
from lift.progress import bar
from lift.video.codecs import CONTAINERS
from lift.video.frame import Frame, to_image, to_tensor
from lift.video.job import SIGNALLED, Job, Stopped
from lift.video.methods import REFERENCES, Baseline, Method
from lift.video.pace import LEAST
from lift.video.run import Say, opened, run
from lift.video.source import PICTURES

VIDEOS = frozenset((*CONTAINERS, ".mpg", ".mpeg", ".vob", ".m2ts", ".mts", ".wmv", ".flv", ".3gp", ".apng"))
"""Suffixes by which the videos of a folder are found."""
OTHERWISE = ".mp4"
"""The kind of output of an input whose own kind is not written here."""
SAMPLE = 13
"""Originals that are decoded and encoded to see how fast that goes and how large it becomes."""


def jobs_of(given: Sequence[Path], like: Job) -> list[Job]:
    """Plan what is to be done: one job, or several whose outputs go into a folder.

    Args:
        given: Videos and folders of pictures; a folder without pictures stands for what is in it.
        like: The job of one input; of several, all that they have in common, and the folder as its output.

    Raises:
        UserError: Two outputs would have the same name, or the folder is in the way.
    """
    inputs, folder = [path for each in given for path in _inside(each)], like.output
    if inputs == [like.input]:
        return [like]
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: several inputs go into a folder, and this is a file")
    if like.report is not None:
        raise UserError("--report: is of one input; leave it out, or give the inputs one by one")
    jobs: dict[Path, Job] = {}
    for path in inputs:
        job = replace(like, input=path, output=folder / _name(path))
        other = jobs.setdefault(job.output, job)
        if other is not job:
            raise UserError(
                f"{job.output}: both {other.input} and {path} would become it; rename one of them"
            )
    return list(jobs.values())


def _inside(path: Path) -> list[Path]:
    """Return the sequences and videos that a folder without pictures stands for; else the path itself."""
    if not path.is_dir() or visible(path, PICTURES):
        return [path]
    inner = [
        entry
        for entry in sorted(path.iterdir(), key=lambda entry: natural(entry.name))
        if not entry.name.startswith(".")
        and (visible(entry, PICTURES) if entry.is_dir() else entry.suffix.lower() in VIDEOS)
    ]
    return inner or [path]  # which is refused then, by name


def _name(path: Path) -> str:
    if path.is_dir():
        return path.name or path.resolve().name
    return path.name if path.suffix.lower() in CONTAINERS else f"{path.stem}{OTHERWISE}"


def run_all(jobs: Sequence[Job], method: Method, say: Say) -> int:
    """Do what is not done yet and name what could not be; return the exit status.

    An input that is refused costs the others nothing; it is named before any work, and again at the end.
    """
    waiting = [job for job in jobs if job.force or not job.output.exists()]
    if len(waiting) < len(jobs):
        say(f"{len(jobs) - len(waiting)} of {len(jobs)} are there already (--force makes them anew)")
    total, failed = 0, []
    for job in list(waiting):
        try:
            with opened(job, method) as (source, _):
                total += job.schedule.count(source.total, source.rate, job.predict) or 0
        except UserError as error:
            say(f"error: {error}")
            waiting.remove(job)
            failed.append(job)
    with bar(title="smoothing", unit="frame", total=total or None) as progress:
        for place, job in enumerate(waiting):
            try:
                named = partial(_named, job, say)
                trouble = run(job, method, named, progress=progress, partial=False).trouble
                trouble = trouble and f"{trouble}; {job.output} holds what could be read"
            except UserError as error:
                trouble = str(error)
            except Stopped as stopped:
                missing = [*failed, *waiting[place:]]
                say(
                    f"stopped; {len(jobs) - len(missing)} of {len(jobs)} are whole; missing: "
                    f"{_names(missing)}; run the same command again to go on"
                )
                return SIGNALLED + int(stopped.args[0])
            if trouble:
                say(f"error: {trouble}")
                failed.append(job)
    say(f"{len(jobs) - len(failed)} of {len(jobs)} done" + (f"; not: {_names(failed)}" if failed else ""))
    return 1 if failed else 0


def _named(job: Job, say: Say, line: str) -> None:
    say(f"{job.input.name}: {line}")


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(str(job.output) for job in jobs)


def foresee_all(jobs: Sequence[Job], method: Method, say: Say) -> int:
    """Say what each job would come to, without touching its output; return the exit status."""
    status = 0
    for job in jobs:
        try:
            say(f"{job.output}: {_foresee(job, method)}")
        except UserError as error:
            say(f"error: {error}")
            status = 1
    return status


def _foresee(job: Job, method: Method) -> str:
    """Try a job's beginning out, and return in a line what is to be expected: frames, time and size."""
    with opened(job, method) as (source, fitted):
        total, (height, width) = source.total or None, source.size
        shown = job.schedule.count(total, source.rate, job.predict)
        pair = list(islice(source.frames(), 2))
        seconds = _work(fitted, pair) if len(pair) == 2 and method.interpolates else 0.0
        end = job.span.start + Fraction(SAMPLE) / source.rate
    span = replace(job.span, end=end if job.span.end is None else min(end, job.span.end))
    schedule = replace(job.schedule, factor=max(LEAST, job.schedule.factor))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / (job.output.name if job.output.suffix else "pictures")
        short = replace(job, output=place, span=span, schedule=schedule, predict=0, report=None)
        start = time.perf_counter()
        outcome = run(short, Baseline("average"), progress=tqdm(disable=True))
        passed = time.perf_counter() - start
        written = sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file())
    per = f"{seconds:.2f} s for each frame made, {2 * width if job.preview else width} x {height}"
    if total is None or shown is None:
        size = _size(written / outcome.shown)
        return f"the input does not tell how many frames it has; {per}, {size} for each shown"
    # Most of decoding and encoding overlaps with the work.
    whole = max(max(0, shown - total) * seconds, shown * passed / outcome.shown)
    size = _size(written / outcome.shown * shown)
    return f"{shown} frames from {total}, about {_duration(whole)} ({per}), about {size}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:  # more would be rounded to 1000
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _work(method: Method, pair: list[Frame]) -> float:
    """Return the seconds that one frame takes, once all is warm."""
    for _ in range(2):
        start = time.perf_counter()
        features = [method.encode(to_tensor(frame.image, method.device)) for frame in pair]
        made = method.between(REFERENCES, features).image
        to_image(made, pair[0].image)
        if made.is_cuda:
            torch.cuda.synchronize()
        passed = time.perf_counter() - start
    return passed
