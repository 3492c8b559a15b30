"""Unpack an archive of any kind beside where its contents are wanted."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lift.fetch.archives import Guard, settle, unpack_tar, unpack_zip
from lift.fetch.catalogue import Remote
from lift.fetch.manifest import Identity
from lift.fetch.rar import unpack_rar
from lift.fetch.transfer import Advance
from lift.files import full_disk_explained
from lift.progress import bar

UNPACKERS = {"zip": unpack_zip, "tar.gz": unpack_tar, "rar": unpack_rar}


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
    with full_disk_explained(folder):
        UNPACKERS[kind](archive, folder, Guard(archive, most), advance)


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target`, which is removed in the end, or was renamed before.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    folder = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    try:
        with full_disk_explained(target):
            folder.mkdir(parents=True)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def contents(archive: Path, remote: Remote, folder: Path, identity: Identity) -> Path:
    """Unpack one archive by itself.

    Returns:
        A new folder in `folder`, in which what it holds lies directly.

    Raises:
        UserError: As for `unpack`; or it is another archive.
    """
    alone = folder / ".alone"
    alone.mkdir()
    with bar(title=f"unpacking {remote.name}", unit="B", total=identity.size, scale=True) as progress:
        unpack(archive, remote.kind, alone, int(identity.size * remote.expands), progress.update)
    settle(alone, remote.holds, archive)
    return alone
