"""Stored ZIP archives: written byte-stable, read at random from any number of processes.

One large file instead of many small ones: 5,000 frames cost DVC 5.3 s to check out, their archive 0.48 s
(specification section 10.5).
"""

import hashlib
import io
import os
import re
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
from numpy.typing import NDArray

from lift.data.stored import mpeg4
from lift.data.stored.images import Pixels, convert, decode
from lift.data.stored.manifest import ClipRow
from lift.errors import UserError
from lift.files import atomic

Truth = tuple[NDArray[np.float32], NDArray[np.bool_]]
FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can express: equal entries must give equal bytes
_UNIX = 3
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of name and extra field (APPNOTE.TXT 4.3.7)
_ENTRY = np.dtype([("key", np.uint64), ("place", np.uint64), ("size", np.uint32), ("check", np.uint32)])
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

    The index has 32 bytes an entry (a hash of the name, place, size, checksum) rather than zipfile's half a
    kilobyte, and is made once: workers share it after a fork and receive it when spawned. It reads with
    `pread`, which has no file position that processes could disturb for each other.
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
        found = [(_key(entry.filename), entry.header_offset, entry.file_size, entry.CRC) for entry in entries]
        self._index = np.sort(np.array(found, _ENTRY), order="key")
        self._keys = self._index["key"].copy()  # in one piece, to be searched
        if len(np.unique(self._keys)) != len(self._keys):
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
        _, place, size, check = self._index[slot].item()
        head = _LOCAL_HEADER.size + len(name.encode())
        block = os.pread(self._open(), head + _EXTRA + size, place)
        if len(block) < _LOCAL_HEADER.size or not block.startswith(b"PK\x03\x04"):
            raise self._damaged(f"{name} is not where the index says")
        _, length, extra = _LOCAL_HEADER.unpack_from(block)
        start = _LOCAL_HEADER.size + length + extra
        data = block[start : start + size]
        if zlib.crc32(data) != check:
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

    def frames(
        self, video: str, numbers: Sequence[int], extension: str, size: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, Pixels]]:
        """Decode frames of one video.

        Args:
            video: `ClipRow.stored`.
            numbers: Frame numbers, ascending.
            extension: png, jpg, or that of runs (`lift/data/stored/mpeg4.py`).
            size: Height and width that they must have; None: any.

        Yields:
            Each number with its frame, uint8 RGB [H, W, 3].

        Raises:
            UserError: The archive lacks a frame or is damaged, or one is of another size.
        """
        runs = extension == mpeg4.EXTENSION
        found = self._from_runs(video, numbers) if runs else self._pictures(video, numbers, extension)
        for number, pixels in found:
            if size is not None and pixels.shape[:2] != size:
                raise UserError(
                    f"{self.path}: {video} is of another size than clips.csv says; delete both and run "
                    "`dvc repro clips` again"
                )
            yield number, pixels

    def _pictures(self, video: str, numbers: Sequence[int], extension: str) -> Iterator[tuple[int, Pixels]]:
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


def write_truth(path: Path, clips: Iterable[tuple[ClipRow, Path]]) -> None:
    """Write the true flow and visibility of clips from their `truth.npz`; no entries where nothing is known.

    Args:
        path: The archive, byte-stable as an npz, which carries the time of its making, is not.
        clips: Rows with their truth files: flow (4, H, W) float32, visible (2, H, W) bool, and the number of
            the frame that they are of.

    Raises:
        UserError: A file is missing, damaged, of another size than its frames, of another frame than the
            missing one, or older than the frame's number in it.
    """

    def entries() -> Iterator[tuple[str, bytes]]:
        for row, file in sorted(clips, key=lambda pair: _truth_name(pair[0].clip, "")):
            for part, array in _load_truth(file, row).items():
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                yield _truth_name(row.clip, part), buffer.getvalue()

    write_archive(path, entries())


class TruthArchive(StoredArchive):
    """The truth of a clip set."""

    def of(self, clip: str) -> Truth:
        """Return flow (4, H, W) float32 and visible (2, H, W) bool of a clip.

        Flow 0:2 points from the missing frame to offset -1 and 2:4 to offset 1, in pixels, x before y.

        Raises:
            UserError: The archive lacks the clip or is damaged.
        """
        flow, visible = (io.BytesIO(self.read(_truth_name(clip, part))) for part in ("flow", "visible"))
        return np.load(flow, allow_pickle=False), np.load(visible, allow_pickle=False)


def _load_truth(file: Path, row: ClipRow) -> dict[str, NDArray[Any]]:
    advice = "remove the rendered scenes and run `dvc repro download` again (without DVC: stage `download`)"
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            truth = {part: arrays[part] for part in ("flow", "visible")}
            number = int(arrays["number"]) if "number" in arrays else None
    except (OSError, TypeError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: no readable truth ({error}); {advice}") from error
    size = (row.height, row.width)
    found = [(array.shape, array.dtype) for array in truth.values()]
    if found != [((4, *size), np.dtype(np.float32)), ((2, *size), np.dtype(bool))]:
        raise UserError(
            f"{file}: flow and visible are {found} and do not belong to frames of {size}; set `resize: null` "
            f"for the set of scenes, or {advice}"
        )
    if number != row.target:
        of = number if number is not None else "a number it does not hold (an older version wrote it)"
        raise UserError(
            f"{file}: the truth of frame {of}, but the missing frame of {row.clip} is {row.target}: scenes "
            "are rendered around one frame, for the largest `before` of the test sets that take them; "
            f"{advice}"
        )
    return truth


def _truth_name(clip: str, part: str) -> str:
    return f"{re.sub('[/@]', '_', clip)}/{part}.npy"
