"""One run of the tool: decoding, inference and encoding overlap, with bounded queues between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import torch
from tqdm import tqdm

from lift.errors import UserError
from lift.files import full_disk_explained
from lift.progress import bar
from lift.threads import Behind, Prefetch
from lift.video.codecs import container_of
from lift.video.cuts import mark
from lift.video.engine import finest, smooth
from lift.video.file import VideoSource
from lift.video.frame import Frame, Image, Shown
from lift.video.job import Job, Outcome, Stopped, stoppable
from lift.video.media import why
from lift.video.methods import Method
from lift.video.pace import UNCHANGED, Schedule
from lift.video.parts import Transparent, fit
from lift.video.settings import DEFAULTS
from lift.video.sink import open_report, open_sink
from lift.video.source import WHOLE, FolderSource, Source

FAULTS = (OSError, MemoryError, torch.OutOfMemoryError, av.FFmpegError)
"""What may go wrong on the way without being an error of this program."""
Say = Callable[[str], None]
"""Takes lines for the user."""
STUTTERS = {
    "smooth": "frames repeat the one before while the scene moves: the motion between distinct frames is "
    "smoothed (--repeats keep shows them as they are)",
    "keep": "frames repeat the one before while the scene moves: they are kept, so motion stops there "
    "(--repeats smooth makes them anew)",
}


def run(
    job: Job,
    method: Method,
    say: Say = lambda line: None,
    *,
    progress: "tqdm[Any] | None" = None,
    partial: bool = True,
) -> Outcome:
    """Smooth a video.

    Ctrl-C (SIGINT) and SIGTERM stop after the frame at hand: what was made until then is finished into a
    playable file.

    Args:
        job: What is to be done.
        method: Who makes the frames.
        say: Takes lines for the user.
        progress: A bar that is advanced by a frame; None: one of its own.
        partial: Whether a stop leaves what was made; False: nothing, as the work will be begun again.

    Raises:
        UserError: A bad input or option; the output is left as it was.
        Stopped: A signal came, and nothing is left.
    """
    outcome, schedule = Outcome(), job.schedule
    with ExitStack() as stack:
        source, fitted = stack.enter_context(opened(job, method))
        stack.enter_context(stoppable(outcome))  # before the first temporary file
        report = stack.enter_context(open_report(job.report))
        sink = stack.enter_context(open_sink(job, source))
        for warning in (*source.warnings, *sink.warnings, *_coarse(method, schedule)):
            say(warning)
        adds = schedule.fps is not None or schedule.factor > UNCHANGED
        repeats = job.repeats or ("smooth" if adds and method.name != "repeat" else "keep")
        decoded = Prefetch(source.frames(), DEFAULTS.queue)
        stack.callback(decoded.close)
        marked = _counted(mark(decoded, DEFAULTS.continuity), outcome, lambda: say(STUTTERS[repeats]))
        shown = smooth(marked, fitted, schedule, predict=job.predict, repeats=repeats)
        shown = side_by_side(shown) if job.preview else shown
        total = schedule.count(source.total, source.rate, job.predict)
        advanced = bar(title="smoothing", unit="frame", total=total) if progress is None else progress
        fault: UserError | None = None
        try:
            with (
                advanced if progress is None else nullcontext(),
                _explained(job.output),
                closing(Behind(sink.write, DEFAULTS.queue)) as writer,  # encodes in a thread of its own
            ):
                for item in shown:
                    writer.put(item)
                    report(item)
                    advanced.update()
                    outcome.shown, outcome.cuts = outcome.shown + 1, item.frame.shot
                    if outcome.interrupted:
                        break
                else:
                    if progress is None:
                        advanced.total = advanced.n  # a header's number of frames is an estimate
                        advanced.refresh()
        except UserError as error:
            fault = error
        outcome.trouble = str(fault) if fault else source.trouble
        if outcome.interrupted and not partial:
            raise Stopped(outcome.interrupted)
        _check_enough(job, outcome, fault)
        try:
            with _explained(job.output):
                sink.close(schedule.hold(source.rate), whole=not (outcome.interrupted or fault))
        except UserError as error:
            if fault is not None:  # it says why this cannot be finished
                raise fault from error
            raise
        outcome.trouble = outcome.trouble or sink.trouble
        outcome.shown, outcome.reached = sink.written, sink.reached
        for remark in source.remarks:
            say(remark)
    return outcome


@contextmanager
def opened(job: Job, method: Method) -> Iterator[tuple[Source, Method]]:
    """Open a job's input; yield it, and the method as it has to be for its frames.

    Raises:
        UserError: Whatever can be refused before the work.
    """
    job.check(method)
    with closing(_source(job)) as source:
        job.schedule.rate(source.rate)  # refuses one that is too low
        fitted = fit(method, source.size, job.tile)
        yield source, Transparent(fitted) if source.look.alpha else fitted


def _source(job: Job) -> Source:
    if job.input.is_dir():
        return FolderSource(job.input, job.span, job.input_fps)
    if not job.input.is_file():
        raise UserError(f"{job.input}: no such file or folder")
    # Side by side, what is turned would be the two pictures as one.
    muxer = container_of(job.output)[0] if job.output.suffix and not job.preview else None
    return VideoSource(job.input, job.span, muxer=muxer, deinterlace=job.deinterlace)


def _coarse(method: Method, schedule: Schedule) -> list[str]:
    """Return in words that a method makes frames halfway alone, where that is not what is asked."""
    parts = finest(schedule, DEFAULTS)
    if method.any_time or (schedule.fps is None and parts % schedule.factor == 0):
        return []
    return [
        f"{method.name} only makes the frame halfway between two: each frame is made for the nearest "
        f"1/{parts} of an interval; rife_v4 makes them at any time"
    ]


def _counted(frames: Iterator[Frame], outcome: Outcome, tell: Callable[[], None]) -> Iterator[Frame]:
    """Count originals and those that stutter; tell of the first."""
    for frame in frames:
        outcome.originals += 1
        if frame.stutters and not outcome.stutters:
            tell()
        outcome.stutters += frame.stutters
        yield frame


@contextmanager
def _explained(output: Path) -> Iterator[None]:
    """Turn what the machine or FFmpeg reports into one line."""
    try:
        with full_disk_explained(output):
            yield
    except UserError:
        raise
    except FAULTS as error:
        raise UserError(f"{output}: could not be written ({why(error) or type(error).__name__})") from error


def _check_enough(job: Job, outcome: Outcome, fault: UserError | None) -> None:
    """Refuse what leaves nothing to be finished: no frame was shown yet, or there are no two originals."""
    if outcome.shown and (outcome.interrupted or fault):
        return
    if fault:
        raise fault
    if outcome.interrupted:
        raise UserError(f"{job.output}: stopped before the first frame was made; nothing was written")
    if outcome.originals < 2:
        what = "one frame only" if outcome.originals else "no frame"
        where = " between --start and --end" if job.span != WHOLE else ""
        why = f" ({outcome.trouble})" if outcome.trouble else ""
        raise UserError(f"{job.input}: {what}{where}, and a frame lies between two{why}; nothing was written")


def side_by_side(shown: Iterator[Shown]) -> Iterator[Shown]:
    """Put what the input shows at that time on the left, and the result on the right."""
    latest: Frame | None = None
    for item in shown:
        if item.frame.kind == "original" or latest is None:
            latest = item.frame
        both = cast(Image, np.concatenate((latest.image, item.frame.image), axis=1))
        yield replace(item, frame=replace(item.frame, image=both, picture=None, features=None))
