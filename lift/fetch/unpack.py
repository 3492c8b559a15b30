"""Unpack an archive of any kind, so that what it holds lies where it is wanted."""

import shutil
from pathlib import Path

from lift.errors import UserError
from lift.fetch.archives import Guard, unpack_tar, unpack_zip
from lift.fetch.catalogue import Remote
from lift.fetch.rar import unpack_rar
from lift.fetch.transfer import Advance
from lift.files import full_disk_explained
from lift.progress import bar

UNPACKERS = {"zip": unpack_zip, "tar.gz": unpack_tar, "rar": unpack_rar}
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
    with full_disk_explained(folder):
        UNPACKERS[kind](archive, folder, Guard(archive, most), advance)


def contents(archive: Path, remote: Remote, folder: Path) -> Path:
    """Unpack one archive by itself.

    Returns:
        A new folder in `folder`, in which what it holds lies directly.

    Raises:
        UserError: As for `unpack`; or it is another archive.
    """
    alone, size = folder / ".alone", archive.stat().st_size
    alone.mkdir()
    with bar(title=f"unpacking {remote.name}", unit="B", total=size, scale=True) as progress:
        unpack(archive, remote.kind, alone, int(size * remote.expands), progress.update)
    settle(alone, remote.holds, archive)
    return alone


def settle(folder: Path, holds: tuple[str, ...], archive: Path) -> None:
    """Take off folders that an archive puts around what it holds, so that `holds` lies directly in `folder`.

    Raises:
        UserError: It is nowhere in it.
    """
    level = [folder]
    for _ in range(DEPTH):
        for inner in level:
            if all((inner / name).exists() for name in holds):
                if inner != folder:
                    aside = inner.rename(folder.with_name(folder.name + ".inner"))
                    shutil.rmtree(folder)
                    aside.rename(folder)
                return
        level = [child for parent in level for child in sorted(parent.iterdir()) if child.is_dir()]
    found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
    raise UserError(
        f"{archive}: not the expected archive: no {' with '.join(holds)} in it (found: {found}); get it "
        f"from its authors again"
    )
