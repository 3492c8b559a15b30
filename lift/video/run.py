"""One run of the tool: decoding, inference and encoding overlap, with bounded queues between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, NamedTuple, cast

import av
import numpy as np
import torch
from tqdm import tqdm

from lift.errors import UserError
from lift.files import full_disk_explained
from lift.progress import bar
from lift.threads import Ahead, Behind
from lift.video.choose import Chosen, fit
from lift.video.codecs import container_of
from lift.video.engine import Repeats, depth, smooth
from lift.video.file import VideoSource
from lift.video.folder import FolderSource
from lift.video.frame import Frame, Image, Shown
from lift.video.job import Job, Outcome, Stop, Stopped, check, stoppable
from lift.video.media import why
from lift.video.methods import Method
from lift.video.settings import Settings
from lift.video.sink import Sink, open_report, open_sink
from lift.video.source import WHOLE, Source
from lift.video.ticks import UNCHANGED, Multiple, Schedule
from lift.video.transparent import Transparent

FAULTS = (UserError, OSError, MemoryError, torch.OutOfMemoryError, av.FFmpegError)
"""What may go wrong on the way without being an error of this program."""
STUTTERS = {
    "smooth": "frames repeat the one before while the scene moves: the motion between distinct frames is "
    "smoothed (--repeats keep shows them as they are)",
    "keep": "frames repeat the one before while the scene moves: they are kept, so motion stops there "
    "(--repeats smooth makes them anew)",
}


def run(
    job: Job,
    chosen: Chosen,
    say: Callable[[str], None] = lambda line: None,
    *,
    progress: "tqdm[Any] | None" = None,
    partial: bool = True,
) -> Outcome:
    """Smooth a video.

    Ctrl-C (SIGINT) and SIGTERM stop after the frame at hand: what was made until then is finished into a
    playable file.

    Args:
        job: What is to be done.
        chosen: Who makes the frames.
        say: Takes lines for the user.
        progress: A bar that is advanced by a frame; None: one of its own.
        partial: Whether a stop leaves what was made; False: nothing, as the work will be begun again.

    Raises:
        UserError: A bad input or option; the output is left as it was.
    """
    outcome = Outcome()
    with ExitStack() as stack:
        source, schedule, method, total = stack.enter_context(opened(job, chosen))
        stop = stack.enter_context(stoppable())  # before the first temporary file
        report = stack.enter_context(open_report(job.report))
        sink = stack.enter_context(open_sink(job, source, schedule))
        for warning in (*source.warnings, *sink.warnings, *_about(chosen.method, schedule, job.settings)):
            say(warning)
        frames = Ahead(_counted(source.frames(), outcome), job.settings.queue)
        stack.callback(frames.close)
        adds = not isinstance(schedule, Multiple) or schedule.factor > UNCHANGED
        usual: Repeats = "smooth" if adds and chosen.method.name != "repeat" else "keep"
        repeats = job.repeats or usual

        def stuttered() -> None:
            if not outcome.stutters:
                say(STUTTERS[repeats])
            outcome.stutters += 1

        shown = smooth(
            frames,
            method,
            schedule,
            settings=job.settings,
            predict=job.predict,
            repeats=repeats,
            stuttered=stuttered,
        )
        fault: Exception | None = None
        try:
            with (
                bar(title="smoothing", unit="frame", total=total)
                if progress is None
                else nullcontext(progress) as advanced
            ):
                _encode(shown, sink, report, advanced, stop, outcome, job)
                if progress is None and not stop.number:
                    advanced.total = outcome.shown  # a header's number of frames is an estimate
                    advanced.refresh()
        except FAULTS as error:
            fault = _explained(job, error)
        outcome.interrupted, outcome.trouble = stop.number, str(fault) if fault else source.trouble
        if outcome.interrupted and not partial:
            raise Stopped(outcome.interrupted)
        _check_enough(job, outcome, fault)
        try:
            with full_disk_explained(job.output):
                sink.close(schedule.hold(source.rate), whole=not (outcome.interrupted or fault))
        except FAULTS as error:  # what was made cannot be finished: the first fault says why
            raise fault or _explained(job, error) from error
        outcome.trouble = outcome.trouble or sink.trouble
        outcome.shown, outcome.reached = sink.written, sink.reached
        for remark in source.remarks:
            say(remark)
    return outcome


class Opened(NamedTuple):
    """A job about to begin."""

    source: Source
    schedule: Schedule
    method: Method
    shown: int | None
    """How many frames it will show; None: its input does not tell."""


@contextmanager
def opened(job: Job, chosen: Chosen) -> Iterator[Opened]:
    """Open a job's input, and yield what it is about to begin with.

    Raises:
        UserError: What can be refused before the work.
    """
    schedule = check(job, chosen)
    source = _source(job)
    with closing(source):
        schedule.rate(source.rate)  # refuses one that is too low
        method = fit(chosen, source.size, job.tile, job.settings)
        method = Transparent(method) if source.look.alpha else method
        shown = schedule.count(source.total, source.rate, job.predict) if source.total else None
        yield Opened(source, schedule, method, shown)


def _about(method: Method, schedule: Schedule, settings: Settings) -> list[str]:
    """Return what a method cannot do of what is asked, in words."""
    parts = schedule.parts
    halves = isinstance(schedule, Multiple) and parts & (parts - 1) == 0
    if method.any_time or halves:
        return []
    finest = 2 ** depth(parts, settings)
    return [
        f"{method.name} only makes the frame halfway between two: each frame is made for the nearest "
        f"1/{finest} of an interval; rife_v4 makes them at any time"
    ]


def _source(job: Job) -> Source:
    if job.input.is_dir():
        return FolderSource(job.input, job.span, job.input_fps)
    if not job.input.is_file():
        raise UserError(f"{job.input}: no such file or folder")
    # Side by side, what is turned would be the two pictures as one.
    muxer = container_of(job.output)[0] if job.output.suffix and not job.preview else None
    return VideoSource(job.input, job.span, muxer=muxer, deinterlace=job.deinterlace)


def _check_enough(job: Job, outcome: Outcome, fault: Exception | None) -> None:
    if outcome.shown and (outcome.interrupted or fault):
        return
    if fault:
        raise fault
    if outcome.interrupted:
        raise UserError(f"{job.output}: stopped before the first frame was made; nothing was written")
    if outcome.originals < 2:
        what = {0: "no frame", 1: "one frame only"}[outcome.originals]
        where = " between --start and --end" if job.span != WHOLE else ""
        why = f" ({outcome.trouble})" if outcome.trouble else ""
        raise UserError(f"{job.input}: {what}{where}, and a frame lies between two{why}; nothing was written")


def _explained(job: Job, error: Exception) -> Exception:
    """Return in one line what the machine or FFmpeg reports."""
    if isinstance(error, UserError):
        return error
    return UserError(f"{job.output}: could not be written ({why(error) or type(error).__name__})")


def _counted(frames: Iterator[Frame], outcome: Outcome) -> Iterator[Frame]:
    for frame in frames:
        outcome.originals += 1
        yield frame


def _encode(
    shown: Iterator[Shown],
    sink: Sink,
    report: Callable[[Shown], None],
    progress: "tqdm[Any]",
    stop: Stop,
    outcome: Outcome,
    job: Job,
) -> None:
    """Drive everything: inference in this thread, encoding in another."""
    writer = Behind(sink.write, job.settings.queue)
    scene = 0
    try:
        for item in side_by_side(shown) if job.preview else shown:
            writer.put(item)
            outcome.shown += 1
            outcome.cuts, scene = outcome.cuts + (item.frame.scene != scene), item.frame.scene
            report(item)
            progress.update()
            if stop.number:
                return
    finally:
        with full_disk_explained(job.output):
            writer.close()


def side_by_side(shown: Iterator[Shown]) -> Iterator[Shown]:
    """Put what the input shows at that time on the left, and the result on the right."""
    latest: Frame | None = None
    for item in shown:
        if item.frame.kind == "original" or latest is None:
            latest = item.frame
        both = cast(Image, np.concatenate((latest.image, item.frame.image), axis=1))
        yield replace(item, frame=replace(item.frame, image=both, picture=None, features=None))
