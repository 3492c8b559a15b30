"""Progress of long work: a bar with rate and time left on a terminal, a line now and then in a log."""

import io
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from tqdm import tqdm

LOG_SECONDS = 30.0  # in a log, a line this often is enough to see that work goes on


class _Lines(io.TextIOBase):
    """A stream on which tqdm's redrawn bar becomes one line per redraw: a log has no carriage return."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the bar, without its control characters."""
        text = text.replace("\r", "").replace("\x1b[A", "").strip()
        return self._stream.write(text + "\n") if text else 0


def bar(iterable: Iterable[Any] | None = None, *, title: str, unit: str, **options: Any) -> "tqdm[Any]":
    """Return a tqdm bar on standard error for `iterable`, or one to be advanced by hand with `update`.

    Args:
        iterable: What is gone through, if anything.
        title: What is done.
        unit: What is counted.
        options: Of tqdm: `total`; `initial`, what was done before and does not count for the rate;
            `unit_scale`, for k, M, G of bytes.
    """
    terminal = sys.stderr.isatty()
    return tqdm(
        iterable,
        desc=title,
        unit=unit,
        file=sys.stderr if terminal else _Lines(sys.stderr),
        mininterval=0.1 if terminal else LOG_SECONDS,
        dynamic_ncols=terminal,
        **options,
    )
