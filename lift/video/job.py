"""What is to be done, checked as far as can be without opening anything; what came of it; an early end."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import FrameType

import torch

from lift.errors import UserError
from lift.video.choose import Chosen
from lift.video.engine import Repeats
from lift.video.settings import DEFAULTS, Settings
from lift.video.source import WHOLE, Span
from lift.video.ticks import Multiple, Rate, Schedule

SIGNALLED = 128  # a shell's exit status of a program that a signal ended is this plus the signal's number
OURS = "[0-9]" * 6 + ".png"


class Stopped(Exception):
    """A signal ended the work, and what was made of this output is gone.

    Attributes:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done."""

    input: Path
    output: Path
    factor: int = 2
    fps: Fraction | None = None
    """Fixed output rate in place of `factor`."""
    slow_motion: bool = False
    span: Span = WHOLE
    codec: str | None = None
    tile: str = "auto"
    preview: bool = False
    predict: int = 0
    report: Path | None = None
    force: bool = False
    deinterlace: bool = False
    """Make a whole picture of each field first."""
    input_fps: Fraction = Fraction(25)
    """Rate of a folder of pictures."""
    repeats: Repeats | None = None
    """What becomes of frames that repeat the one before in a moving scene; None: smooth, if it can."""
    settings: Settings = DEFAULTS

    def schedule(self) -> Schedule:
        """Return which frames are shown when.

        Raises:
            UserError: A factor or a rate that is none, or slow motion at a fixed rate.
        """
        for name, rate in (("--fps", self.fps), ("--input-fps", self.input_fps)):
            if rate is not None and not 0 < rate <= self.settings.fastest:
                raise UserError(
                    f"{name} {float(rate):g}: expected more than 0 and at most {self.settings.fastest:g} "
                    f"frames per second"
                )
        if self.fps is None:
            return Multiple(factor=self.factor, stretch=self.factor if self.slow_motion else 1)
        if self.slow_motion:
            raise UserError("--slow-motion keeps the frame rate and goes with --factor; leave --fps out")
        return Rate(fps=self.fps)


@dataclass
class Outcome:
    """What came of it."""

    originals: int = 0
    shown: int = 0
    cuts: int = 0
    interrupted: int = 0
    """The signal that stopped it early (SIGINT of Ctrl-C, SIGTERM); 0: none."""
    trouble: str | None = None
    stutters: int = 0
    """Frames that repeat the one before while the scene moves."""
    reached: Fraction = Fraction(0)
    """When the last frame is shown, seconds."""


def check(job: Job, chosen: Chosen) -> Schedule:
    """Refuse what can be seen to be wrong without opening anything; return the schedule.

    Raises:
        UserError: A bad option, or an output that is in the way.
    """
    schedule = job.schedule()
    _check_output(job)
    if job.predict < 0:
        raise UserError(f"--predict {job.predict}: expected a number of frames from 0 on")
    if job.predict:
        chosen.method.predict([torch.zeros(1, 3, 1, 1)], job.predict)  # who cannot says so before any work
    return schedule


def _check_output(job: Job) -> None:
    output = job.output
    if output.resolve() == job.input.resolve():
        raise UserError(f"{output}: the output is the input; choose another name")
    if output.is_dir() and (output.suffix or any(not file.match(OURS) for file in output.iterdir())):
        raise UserError(f"{output}: a folder with other things in it; choose another name")
    if job.report is not None:
        _check_apart(job.report, job.input, "input")
        _check_apart(job.report, output, "output")
    for path in filter(None, (output, job.report)):
        if path.exists() and not job.force:
            raise UserError(f"{path}: exists already; choose another name or give --force")


def _check_apart(report: Path, other: Path, what: str) -> None:
    """Refuse a report that would replace the input or the output, lie in it, or be its folder."""
    mine, its = report.resolve(), other.resolve()
    if mine == its or mine in its.parents or its in mine.parents:
        raise UserError(
            f"--report {report}: the {what} {other} is there; choose a file outside the input and the output"
        )


@dataclass
class Stop:
    """Whether the user has asked for an early end, by Ctrl-C or SIGTERM; a second one ends all at once."""

    number: int = 0
    """The signal's; 0: none came."""


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Note SIGINT and SIGTERM instead of dying of them, so that no half-written file is left behind."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield stop
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.number = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # As an exception, which removes temporary files on its way.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(SIGNALLED + number))

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
