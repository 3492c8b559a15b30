"""Stored ZIP archives: written byte-stable, read at random from any number of processes.

One large file instead of many small ones: 5,000 frames cost DVC 5.3 s to check out, their archive 0.48 s
(specification section 10.5).
"""

import hashlib
import os
import struct
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from lift.data.stored import mpeg4
from lift.data.stored.colour import convert
from lift.data.stored.images import Pixels, decode
from lift.errors import UserError
from lift.files import atomic

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can express: equal entries must give equal bytes
_UNIX = 3
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of name and extra field (APPNOTE.TXT 4.3.7)
_EXTRA = 64  # more than the local extra field that zipfile writes, so one read fetches header and data


def entry_name(video: str, number: int, extension: str) -> str:
    """Return the name under which an archive holds a frame."""
    return f"{video}/{number:06d}.{extension}"


def write_archive(path: Path, entries: Iterable[tuple[str, bytes]]) -> None:
    """Write a stored ZIP that depends on the entries alone.

    Args:
        path: Appears when all entries are written, and not at all when `entries` raises.
        entries: Names, strictly ascending, with their bytes; consumed one at a time.

    Raises:
        ValueError: Names repeat or are out of order.
        UserError: The disk is full or read-only.
    """
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        last = ""
        for name, data in entries:
            if name <= last:
                raise ValueError(f"entry {name!r} does not come after {last!r}")
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.create_system = _UNIX
            archive.writestr(info, data)
            last = name


class StoredArchive:
    """Random access to a stored ZIP.

    The index is arrays of 24 bytes an entry (a hash of the name, place, size, checksum) rather than zipfile's
    half a kilobyte, and is made once: workers share it after a fork and receive it when spawned. It reads
    with `pread`, which has no file position that processes could disturb for each other.
    """

    def __init__(self, path: Path) -> None:
        """Read the archive's index.

        Raises:
            UserError: The archive is missing or damaged.
        """
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except FileNotFoundError as error:
            raise UserError(f"{path}: no such archive; run `dvc repro clips`") from error
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        keys = np.array([_key(entry.filename) for entry in entries], np.uint64)
        order = np.argsort(keys)
        self._keys = keys[order]
        self._places = np.array([entry.header_offset for entry in entries], np.uint64)[order]
        self._sizes = np.array([entry.file_size for entry in entries], np.uint32)[order]
        self._checks = np.array([entry.CRC for entry in entries], np.uint32)[order]
        if len(np.unique(keys)) != len(keys):
            raise self._damaged("two entries of one name")
        self._descriptor: int | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: str) -> bool:
        return self._slot(name) is not None

    def __getstate__(self) -> dict[str, Any]:
        # A spawned worker opens the file itself.
        return {**self.__dict__, "_descriptor": None}

    def read(self, name: str) -> bytes:
        """Return an entry's bytes, checked against its checksum.

        Raises:
            UserError: There is no such entry, or it is damaged.
        """
        slot = self._slot(name)
        if slot is None:
            raise self._damaged(f"holds no {name}")
        size = int(self._sizes[slot])
        head = _LOCAL_HEADER.size + len(name.encode())
        block = os.pread(self._open(), head + _EXTRA + size, int(self._places[slot]))
        if len(block) < _LOCAL_HEADER.size or not block.startswith(b"PK\x03\x04"):
            raise self._damaged(f"{name} is not where the index says")
        _, length, extra = _LOCAL_HEADER.unpack_from(block)
        start = _LOCAL_HEADER.size + length + extra
        data = block[start : start + size]
        if zlib.crc32(data) != int(self._checks[slot]):
            raise self._damaged(f"{name} fails its checksum")
        return data

    def _slot(self, name: str) -> int | None:
        key = np.uint64(_key(name))
        slot = int(np.searchsorted(self._keys, key))
        return slot if slot < len(self._keys) and self._keys[slot] == key else None

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self.path, os.O_RDONLY)
            except OSError as error:
                raise self._damaged(error.strerror or str(error)) from error
            weakref.finalize(self, os.close, self._descriptor)
        return self._descriptor

    def _damaged(self, what: str) -> UserError:
        return UserError(
            f"{self.path}: the clip archive cannot be read ({what}); "
            "delete it and run `dvc repro clips` again"
        )


class ClipArchive(StoredArchive):
    """The frames of a clip set."""

    def frame(self, video: str, number: int, extension: str) -> Pixels:
        """Decode one frame; see `frames`."""
        return next(pixels for _, pixels in self.frames(video, [number], extension))

    def frames(self, video: str, numbers: Sequence[int], extension: str) -> Iterator[tuple[int, Pixels]]:
        """Decode frames of one video.

        Args:
            video: `ClipRow.stored`.
            numbers: Frame numbers, ascending.
            extension: png, jpg, or that of runs (`lift/data/stored/mpeg4.py`).

        Yields:
            Each number with its frame, uint8 RGB [H, W, 3].

        Raises:
            UserError: The archive lacks a frame or is damaged.
        """
        if extension == mpeg4.EXTENSION:
            yield from self._from_runs(video, numbers)
            return
        for number in numbers:
            name = entry_name(video, number, extension)
            pixels = decode(self.read(name))
            if pixels is None:
                raise self._damaged(f"{name} cannot be decoded")
            yield number, pixels

    def _from_runs(self, video: str, numbers: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
        """Decode each run once, from its key frame to the last frame wanted of it."""
        for start, group in groupby(numbers, partial(self._start, video)):
            name, wanted = entry_name(video, start, mpeg4.EXTENSION), list(group)
            frames = mpeg4.decode_run(self.read(name), [number - start for number in wanted])
            try:
                for number, frame in zip(wanted, frames, strict=True):
                    yield number, convert(frame)
            except ValueError as error:
                raise self._damaged(f"{name} {error}") from error

    def _start(self, video: str, number: int) -> int:
        """Return the key frame of a frame's run: the next one before it of which there is an entry."""
        before = range(number, max(number - mpeg4.LONGEST, -1), -1)
        found = (start for start in before if entry_name(video, start, mpeg4.EXTENSION) in self)
        start = next(found, None)
        if start is None:
            raise self._damaged(f"holds no run with {entry_name(video, number, mpeg4.EXTENSION)}")
        return start


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
