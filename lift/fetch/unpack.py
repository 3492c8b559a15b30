"""Unpack zip, tar.gz and rar into a folder, trusting nothing that an archive says of itself.

Every entry is checked by `Guard` before it is written: of a zip or rar all before the first one, of a tar.gz,
which is a stream, one by one. Rar is unpacked by other programs, in one run: entry by entry, as rarfile would
have it, a program looks for each from the archive's start, and UCF101 has 13,320.
"""

import gzip
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import rarfile

from lift.errors import UserError
from lift.fetch.transfer import CHUNK, Advance
from lift.files import full_disk_explained

BLOCK = 4096  # bytes that even an empty file takes: a million of them is a bomb as well
LOOK = 0.5  # seconds between two looks at how much a program has written
PROGRAMS = {
    "unrar": ("x", "-p-", "-y", "-idq"),
    "7zz": ("x", "-y", "-bd"),
    "7z": ("x", "-y", "-bd"),
    "unar": ("-q", "-D", "-f"),
    "bsdtar": ("-x", "--no-same-owner", "--no-same-permissions", "-f"),
}
"""What reads rar, and how each unpacks the archive that is named last into the folder that it runs in."""


class Rejected(Exception):
    """An archive holds what no archive of footage does."""


class Damaged(Exception):
    """An archive cannot be read to its end."""


class Guard:
    """Checks the entries of one archive, which may unpack to `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most, self._taken, self._files = most, 0, set[PurePosixPath]()

    def take(self, name: str, size: int, kind: str, *, encrypted: bool = False) -> None:
        """Count an entry of `size` bytes: `file`, `folder`, or what else it is, which is refused.

        Raises:
            Rejected: It leaves the folder, is neither of these, is encrypted, was there before, or is one too
                many.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts or "\0" in name:
            raise Rejected(f"its entry {name!r} leads out of the folder")
        if kind not in ("file", "folder"):
            raise Rejected(f"its entry {name!r} is {kind}")
        if encrypted:
            raise Rejected(f"its entry {name!r} is encrypted")
        if kind == "file" and path in self._files:
            raise Rejected(f"its entry {name!r} is in it twice")
        self._files.add(path)
        self.count(max(size, BLOCK), repr(name))

    def count(self, size: int, place: str) -> None:
        """Count bytes; at the `place` where they are more than the archive may hold it is refused."""
        self._taken += size
        if self._taken > self._most:
            raise Rejected(f"it unpacks to more than the {self._most} bytes that it may hold (at {place})")


def unpack(archive: Path, kind: str, folder: Path, most: int, advance: Advance = lambda _: None) -> None:
    """Unpack an archive into an existing folder; what is there when it fails is for the caller to remove.

    Args:
        archive: The file.
        kind: zip, tar.gz or rar.
        folder: Where to.
        most: Bytes that it may unpack to.
        advance: Told the bytes written.

    Raises:
        UserError: It is truncated or damaged, encrypted, larger than `most`, holds a link, a device or a path
            that leaves the folder; no program unpacks it (rar); or the disk is full.
    """
    unpackers = {"zip": _unpack_zip, "tar.gz": _unpack_tar, "rar": _unpack_rar}
    broken = (
        Damaged, zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError,
        NotImplementedError, rarfile.Error, FileExistsError, NotADirectoryError, IsADirectoryError,
    )  # fmt: skip
    try:
        with full_disk_explained(folder):
            unpackers[kind](archive, folder, Guard(most), advance)
    except Rejected as error:
        raise UserError(f"{archive}: refused, {error}; get the archive from its authors again") from error
    except broken as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{archive}: truncated or damaged ({reason}); remove it and download it again"
        ) from error


def _unpack_zip(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    with zipfile.ZipFile(archive) as file:
        entries = [info for info in file.infolist() if info.filename.strip("./\\")]
        for info in entries:
            info.filename = info.filename.replace("\\", "/")  # as some programs of Windows' have it
            kinds = {0: "file", stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "a link"}
            kind = kinds.get(stat.S_IFMT(info.external_attr >> 16), "neither file nor folder")
            if kind == "file" and info.is_dir():
                kind = "folder"
            guard.take(info.filename, info.file_size, kind, encrypted=bool(info.flag_bits & 1))
        for info in entries:
            file.extract(info, folder)  # no byte beyond what was declared
            advance(info.file_size)


def _unpack_tar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    # gzip stands outside tarfile, whose own reader takes a stream cut between two entries for a whole one.
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as file:
        for info in file:
            other = "a link" if info.issym() or info.islnk() else "a special file"
            guard.take(info.name, info.size, "file" if info.isreg() else "folder" if info.isdir() else other)
            file.extract(info, folder, set_attrs=False, filter="data")
            advance(info.size)
        while rest := stream.read(CHUNK):  # to the end, where gzip's checksum stands
            guard.count(len(rest), "its end")
            if rest.strip(b"\0"):
                raise Damaged("something follows its last readable entry")


def _unpack_rar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    """Try the programs that are there: one that cannot read it gives way to the next."""
    with rarfile.RarFile(archive) as file:  # lists, without any program
        if file.needs_password():
            raise Rejected("it is encrypted")
        entries = file.infolist()
    for entry in entries:
        other = "folder" if entry.is_dir() else "a link or a special file"
        guard.take(entry.filename, entry.file_size, "file" if entry.is_file() else other)
    programs = [name for name in PROGRAMS if shutil.which(name)]
    if not programs:
        raise UserError(
            f"{archive}: nothing on this machine unpacks rar; install one of libarchive-tools (bsdtar), "
            f"unar, or unrar, for example: sudo apt install libarchive-tools"
        )
    declared, reasons = sum(entry.file_size for entry in entries), []
    for name in programs:
        command = [name, *PROGRAMS[name], str(archive.resolve())]
        failure = _run(command, folder, declared, advance)
        if not failure:
            return
        reasons.append(f"{name}: {failure}")
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    raise Damaged("; ".join(reasons))


def _run(command: list[str], folder: Path, declared: int, advance: Advance) -> str:
    """Unpack while watching that no more is written than is declared; return why it failed, if so."""
    seen, running = 0, True
    # A file, since a pipe that nobody reads would fill up and stop the program.
    with tempfile.TemporaryFile("w+", errors="replace") as says:
        with subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=says,
            env={**os.environ, "LC_ALL": "C.UTF-8"},  # every file name
        ) as process:  # fmt: skip
            try:
                while running:
                    running = process.poll() is None
                    now = _written(folder)
                    advance(now - seen)
                    seen = now
                    if now > declared:
                        raise Damaged(f"its entries hold more than the {declared} bytes they declare")
                    time.sleep((LOOK if seen else LOOK / 20) * running)
            finally:
                process.kill()
        says.seek(0)
        lines = [line.strip() for line in says.read().splitlines() if line.strip()] or ["failed"]
    if process.returncode:
        return lines[-1][:200]
    return "" if seen == declared else f"gave {seen} of {declared} bytes"  # not all say that it was cut


def _written(folder: Path) -> int:
    """Return the bytes below a folder, where there must be nothing but files and folders."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Rejected(f"its entry {path.name!r} is a link or a special file")
        total += path.stat().st_size if path.is_file() else 0
    return total
