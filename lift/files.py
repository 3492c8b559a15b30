"""Files that are never half written: write beside, then rename."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lift.errors import UserError

_SHIPPED = Path(__file__).resolve().parent / "shipped"
ROOT = _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parents[1]
"""Folder of params.yaml and weights: the checkout, or what an installed copy carries with it."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path in `path`'s folder, which is made where missing, that becomes `path` in the end.

    Whatever stood at `path` stays untouched until the block succeeds; a failure removes the temporary file.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    with full_disk_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes files private; what a pipeline writes is as readable as the user's other files.
            temporary.chmod(0o666 & ~umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, indent: int = 1, sort: bool = True) -> None:
    """Write a value as JSON, as a whole; equal values give equal bytes.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=indent, sort_keys=sort) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file of JSON; an empty one where there is no file, or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder` that takes its place when the block succeeds.

    What a run that was killed has left there is removed, so no two may write one folder.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    beside = folder.with_name(f".{folder.name}.partial")
    with full_disk_explained(folder):
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        try:
            yield beside
            if folder.exists():
                shutil.rmtree(folder)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def share(folder: Path, other: Path) -> None:
    """Let `other`, which is not there yet, hold the files of `folder`: as links to them, or copies elsewhere.

    It appears as a whole. Files that are replaced and never written into, as all of ours, stay apart.

    Raises:
        UserError: The disk is full, or the folder cannot be written.
    """
    with atomic_folder(other) as new:
        shutil.copytree(folder, new, copy_function=_link, dirs_exist_ok=True)


def _link(file: str, other: str) -> None:
    try:
        os.link(file, other)
    except OSError:
        shutil.copy2(file, other)


@contextmanager
def full_disk_explained(path: Path) -> Iterator[None]:
    """Turn "no space" and "not writable" from anything in the block into one clear line that names `path`.

    Raises:
        UserError: In place of OSError with ENOSPC, EDQUOT, EACCES or EROFS.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{path}: no space left on the disk; free some and run again, nothing was lost"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise UserError(
                f"{path}: cannot be written ({error.strerror}); check the folder's permissions"
            ) from error
        raise


def address(path: Path) -> str:
    """Return the name by which FFmpeg opens a file: `Talk: part 1` alone would be of a protocol `Talk`."""
    return f"file:{path}"


def umask() -> int:
    """Return the permissions that the user withholds from new files."""
    current = os.umask(0)
    os.umask(current)
    return current
