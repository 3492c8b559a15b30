"""Unpack zip, tar.gz and rar into a folder, trusting nothing that an archive says of itself."""

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lift.errors import UserError
from lift.fetch.guard import Guard
from lift.fetch.rar import unpack_rar
from lift.fetch.transfer import Advance
from lift.files import full_disk_explained

COPY = 1 << 20
DEPTH = 3  # folders that archives are seen to put around what they hold


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
    unpackers: dict[str, Callable[[Path, Path, Guard, Advance], None]] = {
        "zip": _unpack_zip,
        "tar.gz": _unpack_tar,
        "rar": unpack_rar,
    }
    with full_disk_explained(folder):
        unpackers[kind](archive, folder, Guard(archive, most), advance)


def settle(folder: Path, holds: tuple[str, ...], archive: Path) -> None:
    """Take off folders that an archive puts around what it holds, so that `holds` lies directly in `folder`.

    Raises:
        UserError: It is nowhere in it.
    """
    level = [folder]
    for _ in range(DEPTH):
        for candidate in level:
            if all((candidate / name).exists() for name in holds):
                _lift(candidate, folder)
                return
        level = [child for parent in level for child in sorted(parent.iterdir()) if child.is_dir()]
    found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
    raise UserError(
        f"{archive}: not the expected archive: no {' with '.join(holds)} in it (found: {found}); get it "
        f"from its authors again"
    )


def _lift(inner: Path, folder: Path) -> None:
    if inner == folder:
        return
    aside = folder.with_name(folder.name + ".inner")
    inner.rename(aside)
    shutil.rmtree(folder)
    aside.rename(folder)


def _unpack_zip(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    try:
        with zipfile.ZipFile(archive) as file:
            entries = [info for info in file.infolist() if info.filename.strip("./\\")]
            for info in entries:  # all checks before the first write
                guard.place(info.filename)
                _check_zip_entry(info, guard)
            for info in entries:
                target = folder / guard.place(info.filename)
                if info.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                with file.open(info) as source:
                    _copy(source, target, guard, info.filename, advance)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise guard.damaged(error) from error


def _check_zip_entry(info: zipfile.ZipInfo, guard: Guard) -> None:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise guard.refuse(info.filename, "a link" if stat.S_ISLNK(mode) else "neither file nor folder")
    if info.flag_bits & 1:
        raise guard.refuse(info.filename, "encrypted")
    guard.take(info.filename, info.file_size)  # zipfile gives no byte beyond what an entry declares


def _unpack_tar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    # gzip stands outside tarfile, whose own reader takes a stream cut between two entries for a whole one.
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as file:
            for info in file:
                target = folder / guard.place(info.name)
                if info.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                if not info.isreg():
                    raise guard.refuse(
                        info.name, "a link" if info.issym() or info.islnk() else "a special file"
                    )
                guard.take(info.name, info.size)
                source = file.extractfile(info)
                assert source is not None  # a regular file has contents
                _copy(source, target, guard, info.name, advance)
            _check_rest(stream, guard)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise guard.damaged(error) from error


def _check_rest(stream: gzip.GzipFile, guard: Guard) -> None:
    """Read to the end, where gzip's checksum stands; tar allows zeros only there."""
    while rest := stream.read(COPY):
        guard.take("the end", len(rest))
        if rest.strip(b"\0"):
            raise guard.damaged("something follows its last readable entry")


def _copy(source: IO[bytes], target: Path, guard: Guard, name: str, advance: Advance) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            while block := source.read(COPY):
                file.write(block)
                advance(len(block))
    except FileExistsError as error:
        raise guard.refuse(name, "in it twice") from error
