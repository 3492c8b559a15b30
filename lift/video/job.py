"""What is to be done, checked as far as can be without opening anything; what came of it; an early end."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import FrameType

import torch

from lift.errors import UserError
from lift.video.engine import Repeats
from lift.video.methods import Method
from lift.video.pace import Schedule, check_rate
from lift.video.source import WHOLE, Span

SIGNALLED = 128  # a shell's exit status of a program that a signal ended is this plus the signal's number
OURS = "[0-9]" * 6 + ".png"


class Stopped(Exception):
    """A signal, whose number it is given, ended the work, and what was made of this output is gone."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done."""

    input: Path
    output: Path
    schedule: Schedule = field(default_factory=Schedule)
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

    def check(self, method: Method) -> None:
        """Refuse what can be seen to be wrong without opening anything.

        Raises:
            UserError: A bad option, or an output that is in the way.
        """
        output = self.output
        check_rate("--input-fps", self.input_fps)
        if output.resolve() == self.input.resolve():
            raise UserError(f"{output}: the output is the input; choose another name")
        if output.is_dir() and (output.suffix or any(not file.match(OURS) for file in output.iterdir())):
            raise UserError(f"{output}: a folder with other things in it; choose another name")
        for other, what in ((self.input, "input"), (output, "output")):
            if self.report is not None and _overlap(self.report, other):
                raise UserError(
                    f"--report {self.report}: the {what} {other} is there; choose a file outside the input "
                    f"and the output"
                )
        for path in filter(None, (output, self.report)):
            if path.exists() and not self.force:
                raise UserError(f"{path}: exists already; choose another name or give --force")
        if self.predict < 0:
            raise UserError(f"--predict {self.predict}: expected a number of frames from 0 on")
        if self.predict:
            method.predict([torch.zeros(1, 3, 1, 1)], self.predict)  # who cannot says so before any work


def _overlap(one: Path, other: Path) -> bool:
    """Return whether one of them is the other, lies in it, or is its folder."""
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or other in one.parents


@dataclass
class Outcome:
    """What came of it."""

    originals: int = 0
    shown: int = 0
    cuts: int = 0
    stutters: int = 0
    """Frames that repeat the one before while the scene moves."""
    interrupted: int = 0
    """The signal that stopped it early (SIGINT of Ctrl-C, SIGTERM); 0: none."""
    trouble: str | None = None
    reached: Fraction = Fraction(0)
    """When the last frame is shown, seconds."""


@contextmanager
def stoppable(outcome: Outcome) -> Iterator[None]:
    """Note SIGINT and SIGTERM in `outcome` instead of dying of them, so that no half-written file is left.

    A second one ends all at once.
    """
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        outcome.interrupted = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # As an exception, which removes temporary files on its way.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(SIGNALLED + number))

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
