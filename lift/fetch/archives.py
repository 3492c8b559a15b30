"""Unpack zip and tar.gz into a folder, trusting nothing that an archive says of itself.

Python's own filter of tar archives lets links inside of the folder pass, and knows no bound of the size.
"""

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from lift.errors import UserError
from lift.fetch.transfer import CHUNK, Advance

BLOCK = 4096  # bytes that even an empty file takes: a million of them is a bomb as well


class Guard:
    """Checks every entry of one archive before it is written."""

    def __init__(self, archive: Path, most: int) -> None:
        """Guard the unpacking of `archive` to `most` bytes at most."""
        self._archive, self._most, self._taken = archive, most, 0

    def take(self, name: str, size: int, odd: str | None = None) -> PurePosixPath:
        """Count an entry, and return its relative path, which stays in the folder.

        Args:
            name: As the archive has it.
            size: Its bytes.
            odd: What it is, if neither file nor folder.

        Raises:
            UserError: It leaves the folder or is odd, or now it is more than the archive may hold.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts or "\0" in name:
            raise self.refused(f"its entry {name!r} leads out of the folder")
        if odd is not None:
            raise self.refused(f"its entry {name!r} is {odd}")
        self._taken += max(size, BLOCK)
        if self._taken > self._most:
            raise self.refused(
                f"it unpacks to more than the {self._most} bytes that it may hold (at {name!r})"
            )
        return path

    def refused(self, why: str) -> UserError:
        """Return the error for what no archive of footage does."""
        return UserError(f"{self._archive}: refused, {why}; get the archive from its authors again")

    def damaged(self, reason: object) -> UserError:
        """Return the error for an archive that cannot be read to its end."""
        return UserError(f"{self._archive}: truncated or damaged ({reason}); remove it and download it again")


def unpack_zip(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    """Unpack a zip archive; all checks come before the first write."""
    try:
        with zipfile.ZipFile(archive) as file:
            entries = [info for info in file.infolist() if info.filename.strip("./\\")]
            # zipfile gives no byte beyond what an entry declares.
            paths = [guard.take(info.filename, info.file_size, _odd(info)) for info in entries]
            for info, path in zip(entries, paths, strict=True):
                if info.is_dir():
                    (folder / path).mkdir(parents=True, exist_ok=True)
                else:
                    with file.open(info) as source:
                        _copy(source, folder / path, guard, advance)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise guard.damaged(error) from error


def _odd(info: zipfile.ZipInfo) -> str | None:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link" if stat.S_ISLNK(mode) else "neither file nor folder"
    return "encrypted" if info.flag_bits & 1 else None


def unpack_tar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    """Unpack a tar.gz archive, entry by entry."""
    # gzip stands outside tarfile, whose own reader takes a stream cut between two entries for a whole one.
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as file:
            for info in file:
                odd = "a link" if info.issym() or info.islnk() else "a special file"
                path = guard.take(info.name, info.size, None if info.isreg() or info.isdir() else odd)
                if info.isdir():
                    (folder / path).mkdir(parents=True, exist_ok=True)
                elif (source := file.extractfile(info)) is not None:
                    _copy(source, folder / path, guard, advance)
            while rest := stream.read(CHUNK):  # to the end, where gzip's checksum stands
                guard.take("the end", len(rest))
                if rest.strip(b"\0"):
                    raise guard.damaged("something follows its last readable entry")
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise guard.damaged(error) from error


def _copy(source: IO[bytes], target: Path, guard: Guard, advance: Advance) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            while block := source.read(CHUNK):
                file.write(block)
                advance(len(block))
    except FileExistsError as error:
        raise guard.refused(f"its entry {target.name!r} is in it twice") from error
