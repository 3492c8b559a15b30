"""One clock for a file in which the clock starts again, as in recordings that were joined.

Transport and program streams may do so at any packet (FFmpeg marks their formats). As in FFmpeg's own
program, a jump is taken for a new clock where a stream's time falls back, or leaps ahead by more than any gap
that a recording has, and all streams follow the one in which it is seen first.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

BACK, AHEAD = Fraction(1, 10), 10  # seconds; FFmpeg's program has the same (-dts_delta_threshold)
DISCONTINUOUS = 0x200  # FFmpeg's AVFMT_TS_DISCONT: the format's clock may start again


def settled(container: Any) -> Iterator[Any]:
    """Yield all packets of a file, on the clock of its beginning."""
    clock = Clock()
    for packet in container.demux():
        clock.settle(packet)
        yield packet


def may_restart(container: Any) -> bool:
    """Return whether the clock of a file of this format may start again."""
    return bool(container.format.flags & DISCONTINUOUS)


class Clock:
    """Shifts packets, which come in the file's order, onto the clock of the file's beginning."""

    def __init__(self) -> None:
        self._shift: dict[int, Fraction] = {}
        self._due: dict[int, Fraction] = {}  # when a stream's next packet is expected
        self._latest = Fraction(0)
        self._now: Fraction | None = None

    def settle(self, packet: Any) -> None:
        """Shift a packet's times."""
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            return
        stream, base = packet.stream, packet.time_base
        shift = self._choose(stream.index, stamp * base, steady=stream.type in ("video", "audio"))
        ticks = round(shift / base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
        if packet.pts is not None and packet.dts is not None and abs(packet.pts - packet.dts) * base > AHEAD:
            packet.pts = None  # at the seam, one may be of the clock before
        if stream.type in ("video", "audio"):
            self._due[stream.index] = self._now = stamp * base + shift + (packet.duration or 0) * base

    def _choose(self, index: int, time: Fraction, *, steady: bool) -> Fraction:
        due = self._due.get(index, self._now)
        own = self._shift.get(index, self._latest)
        if due is not None and not _fits(time + own, due):
            own = self._latest
            if steady and not _fits(time + own, due):
                own = self._latest = due - time
        self._shift[index] = own
        return own


def _fits(time: Fraction, due: Fraction) -> bool:
    return -BACK <= time - due <= AHEAD
