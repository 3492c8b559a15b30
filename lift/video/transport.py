"""Transport streams that were joined: after the seam the same streams may come under other numbers.

Each packet of a transport stream says by a number (PID) which stream it is of, and tables say which numbers
a programme has (ISO/IEC 13818-1, sections 2.4.3 and 2.4.4). A second recording may have others, and FFmpeg
then finds new streams in the middle of the file, which its binding does not hand over. Here packets get the
numbers of the first recording while they are read, each stream that of one of its kind.
"""

import io
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SYNC, NOTHING = 0x47, 0x1FFF  # first byte of a packet; the number of one that says nothing
SIZES = {188: 0, 192: 4, 204: 0}  # bytes of a packet: alone, behind a time (.m2ts), before a checksum
CERTAIN = 5  # packets in a row that begin as they should
SEARCHED = 1 << 20  # bytes in which the beginning of a packet is looked for at a time
PROGRAMMES, STREAMS = 0, 2  # kinds of tables: of all programmes, of one programme's streams
Bytes = NDArray[np.uint8]
Listed = list[tuple[int, int]]
"""Programme and number of its table, or kind and number of a stream."""


class Run(NamedTuple):
    """Packets that follow one another without a gap."""

    start: int
    """Byte of the file."""
    size: int
    packets: int


class Seam(NamedTuple):
    """Where numbers change."""

    start: int
    """Byte of the file, of the first table that says so."""
    streams: dict[int, int]
    """What each becomes; NOTHING: the first recording has no such stream."""
    tables: frozenset[int]
    """Numbers of tables, which say nothing new from here on."""


class Joined(NamedTuple):
    """What is known of a file: its packets, and where their numbers change."""

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
    runs, tables, seams = tuple(_runs(data)), _Tables(), list[Seam]()
    for run in runs:
        lead = SIZES[run.size]
        packets = data[run.start : run.start + run.packets * run.size].reshape(-1, run.size)[:, lead:]
        numbers, begins = _numbers(packets[:, 1:3]), (packets[:, 1] & 0x40) > 0
        for place in _watched(numbers, begins, tables):
            seam = tables.read(bytes(packets[place, :188]), run.start + int(place) * run.size)
            seams += [seam] if seam is not None else []
    return Joined(runs, tuple(seams))


def _watched(numbers: NDArray[np.uint16], begins: NDArray[np.bool_], tables: "_Tables") -> Iterator[int]:
    """Yield where tables begin, also of numbers that become known on the way."""
    place = 0
    while place < len(numbers):
        known = len(tables.numbers)
        for found in np.flatnonzero(np.isin(numbers[place:], list(tables.numbers)) & begins[place:]) + place:
            yield int(found)
            place = int(found) + 1
            if len(tables.numbers) != known:
                break
        else:
            return


class _Tables:
    """What the tables have said so far."""

    def __init__(self) -> None:
        self.numbers = {0}
        """Under which tables come."""
        self._first: Listed = []
        self._streams: dict[int, Listed] = {}
        self._becomes: dict[int, int] = {}
        self._since: int | None = None

    def read(self, packet: bytes, start: int) -> Seam | None:
        """Read a table; return the seam that it shows, if any."""
        kind, programme, listed = _table(packet)
        if kind == PROGRAMMES and listed:
            self.numbers |= {number for _, number in listed}
            self._first = self._first or listed
            if listed != self._first and self._since is None:
                self._since = start
        if kind != STREAMS:
            return None
        known = dict(self._first)
        if programme in known and programme not in self._streams:
            self._streams[programme] = listed
            return None
        of_first = self._streams.get(programme, next(iter(self._streams.values()), []))
        becomes = self._becomes | _matched(listed, of_first)
        if all(self._becomes.get(number, number) == new for number, new in becomes.items()):
            return None
        self._becomes, start, self._since = becomes, start if self._since is None else self._since, None
        return Seam(start, becomes, frozenset(self.numbers))


def _matched(listed: Listed, of_first: Listed) -> dict[int, int]:
    """Assign each stream the number of one of the first recording: its own, else the next of its kind."""
    left = [one for one in of_first if one not in listed]
    becomes = {}
    for kind, number in listed:
        if (kind, number) in of_first:
            becomes[number] = number
            continue
        same = next((one for one in left if one[0] == kind), None)
        becomes[number] = NOTHING if same is None else same[1]
        left = [one for one in left if one is not same]
    return becomes


def _table(packet: bytes) -> tuple[int | None, int, Listed]:
    """Read a table's kind, programme and list; kind None: there is none that is whole in its packet."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    section = packet[at + 1 + packet[at] :] if at < len(packet) else b""
    if len(section) < 12:
        return None, 0, []
    end = 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4
    if end + 4 > len(section):
        return None, 0, []
    listed: Listed = []
    if section[0] == PROGRAMMES:
        for at in range(8, end - 3, 4):
            listed.append((section[at] << 8 | section[at + 1], _number(section, at + 2)))
        listed = [one for one in listed if one[0]]  # 0 is the network's own table
    elif section[0] == STREAMS:
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
