"""Stopping early: the first Ctrl-C or SIGTERM is a request, a second one ends the program at once."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

SIGNALLED = 128  # a shell's exit status of a program that a signal ended is this plus the signal's number


@dataclass
class Stop:
    """Whether the user has asked for an early end."""

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
        signal.signal(signal.SIGTERM, _leave)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End the program as an exception, which removes temporary files on its way."""
    sys.exit(SIGNALLED + number)
