"""What a folder holds, as one digest: every file's name, size and contents.

Reading terabytes again at each run would cost hours, so what a file's contents were is remembered with its
size and time of change, as DVC does for what lies inside the repository.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lift.errors import UserError
from lift.files import atomic
from lift.progress import bar

BLOCK = 1 << 20
Known = dict[str, tuple[int, int, str]]
"""Size, time of change (ns) and SHA-256 of files that were read before, by path."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What a folder holds."""

    files: int
    size: int
    """Bytes in all."""
    sha256: str
    """Of the list of names, sizes and the files' own SHA-256."""

    def plain(self) -> dict[str, Any]:
        """Return the values for a JSON file."""
        return {"files": self.files, "sha256": self.sha256, "size": self.size}


def digest(folder: Path, memory: Path | None = None) -> Digest:
    """Return the digest of all files below `folder`, those behind links too.

    Args:
        folder: An existing folder.
        memory: File in which what was read is remembered; None: everything is read.

    Raises:
        UserError: The folder or a file in it cannot be read, or changes meanwhile.
    """
    known = _recall(memory)
    try:
        found = {name: path.stat() for name, path in sorted(_files(folder))}
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}); restore it, and run again"
        ) from error

    def read(name: str) -> tuple[int, int, str]:
        path, stat = folder / name, found[name]
        remembered = known.get(str(path.resolve()))
        if remembered is not None and remembered[:2] == (stat.st_size, stat.st_mtime_ns):
            return remembered
        return stat.st_size, stat.st_mtime_ns, _read(path, stat)

    with (
        bar(title=f"reading {folder.name}", unit="file", total=len(found)) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        contents = {}
        for name, content in zip(found, pool.map(read, found), strict=True):
            contents[name] = content
            progress.update()
    if memory is not None:
        _remember(memory, known, {str((folder / name).resolve()): value for name, value in contents.items()})
    whole = hashlib.sha256()
    for name, (size, _, own) in contents.items():
        whole.update(f"{name}\0{size}\0{own}\n".encode())
    total = sum(size for size, _, _ in contents.values())
    return Digest(files=len(contents), size=total, sha256=whole.hexdigest())


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by their name in it, following links but never in a circle."""
    seen = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        here = Path(base).resolve()
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        for name in names:
            path = Path(base, name)
            yield path.relative_to(folder).as_posix(), path


def _read(path: Path, before: os.stat_result) -> str:
    own = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                own.update(block)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it, and run again") from error
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise UserError(f"{path}: is being written; run again when that has ended")
    return own.hexdigest()


def _recall(memory: Path | None) -> Known:
    """Read what is remembered; nothing where it cannot be read, for it can be had again."""
    try:
        text = "{}" if memory is None else memory.read_text(encoding="utf-8")
        return {name: (size, time, own) for name, (size, time, own) in json.loads(text).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(memory: Path, known: Known, contents: Known) -> None:
    if contents.items() <= known.items():
        return
    with atomic(memory) as temporary:
        temporary.write_text(json.dumps(known | contents), encoding="utf-8")
