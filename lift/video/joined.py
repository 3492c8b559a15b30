"""Recordings that were joined in one file: all get the stream numbers and the clock of the first.

Each packet of a transport stream says by a number (PID) which stream it is of, and tables say which numbers
a programme has (ISO/IEC 13818-1, sections 2.4.3 and 2.4.4). A second recording may have others, and FFmpeg
then finds new streams in the middle of the file, which its binding does not hand over. So packets are
renumbered while they are read, each stream to one of its kind. FFmpeg's own `merge_pmt_versions` does so only
while the programme stays the same.

The clock of transport and program streams may start again at any packet. As in FFmpeg's own program, a jump
is taken for a new clock where a stream's time falls back, or leaps ahead by more than any gap that a
recording has, and all streams follow the one in which it is seen first.
"""

import io
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SYNC, NOTHING = 0x47, 0x1FFF  # first byte of a packet; the number of one that says nothing
PACKET = 188  # bytes
SIZES = {188: 0, 192: 4, 204: 0}  # bytes of a packet: alone, behind a time (.m2ts), before a checksum
CERTAIN = 5  # packets in a row that begin as they should
SEARCHED = 1 << 20  # bytes in which the beginning of a packet is looked for at a time
PROGRAMMES, STREAMS = 0, 2  # kinds of tables: of all programmes, of one programme's streams
BACK, AHEAD = Fraction(1, 10), 10  # seconds; FFmpeg's program has the same (-dts_delta_threshold)
Bytes = NDArray[np.uint8]
Listed = list[tuple[int, int]]
"""Programme and number of its table, or kind and number of a stream."""


class Run(NamedTuple):
    """Packets that follow one another without a gap, from the byte `start` of the file on."""

    start: int
    size: int
    packets: int


class Seam(NamedTuple):
    """Where numbers change: at the byte `start` of the file, of the first table that says so."""

    start: int
    streams: dict[int, int]
    """What each becomes; NOTHING: the first recording has no such stream."""
    tables: frozenset[int]
    """Numbers of tables, which say nothing new from here on."""


class Joined(NamedTuple):
    """What is known of a transport stream: its packets, and where their numbers change."""

    runs: tuple[Run, ...]
    seams: tuple[Seam, ...]

    @property
    def lost(self) -> bool:
        """Whether there are streams that the beginning lacks."""
        return any(NOTHING in seam.streams.values() for seam in self.seams)


def joined(path: Path) -> Joined:
    """Look through a transport stream, at the speed of the disk."""
    stat = path.stat()
    return _look(path, stat.st_size, stat.st_mtime_ns)


class Renumbered:
    """A file, as `av.open` reads one, whose packets have the numbers of its first recording."""

    def __init__(self, path: Path, found: Joined) -> None:
        """Open it."""
        self._data, self._runs, self._at = _bytes(path), found.runs, 0
        self._begins = [run.start for run in found.runs]
        self._seams = [seam.start for seam in found.seams]
        self._becomes = np.tile(np.arange(NOTHING + 1, dtype=np.uint16), (1 + len(found.seams), 1))
        for seam, becomes in zip(found.seams, self._becomes[1:], strict=True):
            becomes[list(seam.streams)] = list(seam.streams.values())
            becomes[list(seam.tables)] = NOTHING

    def tell(self) -> int:
        """Return the byte that is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        begin, end = self._at, len(self._data) if size < 0 else min(len(self._data), self._at + size)
        self._at, made = max(begin, end), np.array(self._data[begin:end])
        here = slice(max(0, bisect_right(self._begins, begin) - 1), bisect_right(self._begins, end))
        for run in self._runs[here]:
            packets = np.arange(
                max(0, (begin - run.start) // run.size),
                min(run.packets, (end - 1 - run.start) // run.size + 1),
            )
            places = run.start + run.size * packets + SIZES[run.size] + 1  # of each packet's number
            heads = self._data[places[:, None] + (0, 1)]
            numbers = self._becomes[np.searchsorted(self._seams, places, side="right"), _numbers(heads)]
            # What says nothing begins nothing either, or FFmpeg guesses a stream behind it.
            kept = heads[:, 0] & np.where(numbers == NOTHING, 0xA0, 0xE0)
            for at, byte in ((places, kept | numbers >> 8), (places + 1, numbers & 0xFF)):
                inside = (at >= begin) & (at < end)
                made[at[inside] - begin] = byte[inside]
        return made.tobytes()


@lru_cache(maxsize=64)
def _look(path: Path, size: int, changed: int) -> Joined:
    data = _bytes(path)
    runs = tuple(_runs(data))
    places, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.uint16)]
    for run in runs:
        packets = data[run.start :][: run.packets * run.size].reshape(-1, run.size)[:, SIZES[run.size] :]
        begins = np.flatnonzero(packets[:, 1] & 0x40)  # as tables do, and few other packets
        places.append(run.start + begins * run.size + SIZES[run.size])
        numbers.append(_numbers(packets[begins, 1:3]))
    return Joined(runs, tuple(_seams(data, np.concatenate(places), np.concatenate(numbers))))


def _seams(data: Bytes, places: NDArray[np.int64], numbers: NDArray[np.uint16]) -> Iterator[Seam]:
    def tables(wanted: set[int]) -> Iterator[tuple[int, int | None, int, Listed]]:
        for place in places[np.isin(numbers, list(wanted))]:
            yield int(place), *_table(bytes(data[place : place + PACKET]))

    lists = [listed for _, _, _, listed in tables({0}) if listed]
    first = lists[0] if lists else []
    of_first: dict[int, Listed] = {}  # streams of the first recording, by programme
    known, becomes, since = {0}, dict[int, int](), None
    for place, kind, programme, listed in tables({0} | {number for one in lists for _, number in one}):
        if kind == PROGRAMMES and listed:
            known |= {number for _, number in listed}
            since = place if since is None and listed != first else since
        if kind != STREAMS:
            continue
        if programme in dict(first) and programme not in of_first:
            of_first[programme] = listed
            continue
        mine = of_first.get(programme, next(iter(of_first.values()), []))
        new = becomes | _matched(listed, mine)
        if any(becomes.get(number, number) != other for number, other in new.items()):
            yield Seam(place if since is None else since, new, frozenset(known))
            becomes, since = new, None


def _matched(listed: Listed, of_first: Listed) -> dict[int, int]:
    """Assign each stream the number of one of the first recording: its own, else the next of its kind."""
    left = [one for one in of_first if one not in listed]
    becomes = {}
    for kind, number in listed:
        alike = [(kind, number)] if (kind, number) in of_first else [one for one in left if one[0] == kind]
        same = alike[0] if alike else (kind, NOTHING)
        left = [one for one in left if one != same]
        becomes[number] = same[1]
    return becomes


def _table(packet: bytes) -> tuple[int | None, int, Listed]:
    """Read a table's kind, programme and list; kind None: there is none that is whole in its packet."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    section = packet[at + 1 + packet[at] :] if at < len(packet) else b""
    end = 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4 if len(section) >= 12 else len(section)
    of_programmes = _number(packet, 1) == 0  # elsewhere a picture's or a sound's first bytes look like it
    if end + 4 > len(section) or section[0] != (PROGRAMMES if of_programmes else STREAMS):
        return None, 0, []
    listed: Listed = []
    if of_programmes:
        for at in range(8, end - 3, 4):
            listed.append((section[at] << 8 | section[at + 1], _number(section, at + 2)))
        listed = [one for one in listed if one[0]]  # 0 is the network's own table
    else:
        at = 12 + (_number(section, 10) & 0x0FFF)
        while at + 5 <= end:
            listed.append((section[at], _number(section, at + 1)))
            at += 5 + (_number(section, at + 3) & 0x0FFF)
    return section[0], section[3] << 8 | section[4], listed


def _number(data: bytes, at: int) -> int:
    return (data[at] & 0x1F) << 8 | data[at + 1]


def _numbers(heads: Bytes) -> NDArray[np.uint16]:
    high, low = heads[:, 0].astype(np.uint16), heads[:, 1].astype(np.uint16)
    return np.uint16(256) * (high & np.uint16(0x1F)) + low


def _bytes(path: Path) -> Bytes:
    return np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)


def _runs(data: Bytes) -> Iterator[Run]:
    at = 0
    while at < len(data):
        skipped, size = _align(data[at : at + SEARCHED])
        at += skipped
        if not size:
            continue
        packets = data[at : len(data) - (len(data) - at) % size].reshape(-1, size)
        wrong = np.flatnonzero(packets[:, SIZES[size]] != SYNC)
        count = int(wrong[0]) if len(wrong) else len(packets)
        yield Run(at, size, count)
        at += count * size
        if not len(wrong):
            return


def _align(data: Bytes) -> tuple[int, int]:
    """Find where packets begin: the number of bytes before them, and their size; 0: nowhere here."""
    found = [(max(1, len(data) - CERTAIN * max(SIZES)), 0)]
    for size, lead in SIZES.items():
        places = len(data) - lead - (CERTAIN - 1) * size
        if places > 0:
            fits = np.ones(places, bool)
            for packet in range(CERTAIN):
                fits &= data[lead + packet * size :][:places] == SYNC
            if fits.any():
                found.append((int(fits.argmax()), size))
    return min(found, key=lambda one: (one[0], not one[1]))


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
        steady = stream.type in ("video", "audio")
        shift = self._choose(stream.index, stamp * base, steady=steady)
        ticks = round(shift / base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
        if packet.pts is not None and packet.dts is not None and abs(packet.pts - packet.dts) * base > AHEAD:
            packet.pts = None  # at the seam, one may be of the clock before
        if steady:
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
