"""What a folder holds, as one digest: every file's name, size and contents.

Reading terabytes again at each run would cost hours, so what a file's contents were is remembered with its
size and time of change, as DVC does for what lies inside the repository.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from lift.errors import UserError
from lift.files import atomic
from lift.progress import bar

Known = dict[str, tuple[int, int, str]]
"""Size, time of change (ns) and SHA-256 of files that were read before, by path."""


class Digest(NamedTuple):
    """What a folder holds."""

    files: int
    size: int
    """Bytes in all."""
    sha256: str
    """Of the list of names, sizes and the files' own SHA-256."""

    def plain(self) -> dict[str, Any]:
        """Return the values for a JSON file."""
        return self._asdict()


def digest(folder: Path, memory: Path | None = None) -> Digest:
    """Return the digest of all files below `folder`, those behind links too.

    Args:
        folder: An existing folder.
        memory: File in which what was read is remembered; None: everything is read.

    Raises:
        UserError: The folder or a file in it cannot be read, or changes meanwhile.
    """
    known = _recall(memory)

    def read(path: Path) -> tuple[int, int, str]:
        try:
            stat = path.stat()
            remembered = known.get(str(path.resolve()))
            if remembered is not None and remembered[:2] == (stat.st_size, stat.st_mtime_ns):
                return remembered
            return stat.st_size, stat.st_mtime_ns, _read(path, stat)
        except OSError as error:
            raise UserError(
                f"{path}: cannot be read ({error.strerror}); restore it, and run again"
            ) from error

    found, contents = dict(sorted(_files(folder))), Known()
    whole, total = hashlib.sha256(), 0
    with (
        bar(title=f"reading {folder.name}", unit="file", total=len(found)) as progress,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for (name, path), content in zip(found.items(), pool.map(read, found.values()), strict=True):
            contents[str(path.resolve())] = content
            size, _, own = content
            total += size
            whole.update(f"{name}\0{size}\0{own}\n".encode())
            progress.update()
    if memory is not None and not contents.items() <= known.items():
        with atomic(memory) as temporary:
            temporary.write_text(json.dumps(known | contents), encoding="utf-8")
    return Digest(files=len(found), size=total, sha256=whole.hexdigest())


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by their name in it, following links but never in a circle."""
    seen = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        here = Path(base).resolve()
        if here in seen:  # a link to a folder above, or a second link to one
            folders.clear()
            continue
        seen.add(here)
        for name in names:
            path = Path(base, name)
            yield path.relative_to(folder).as_posix(), path


def _read(path: Path, before: os.stat_result) -> str:
    with path.open("rb") as file:
        own = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise UserError(f"{path}: is being written; run again when that has ended")
    return own


def _recall(memory: Path | None) -> Known:
    """Read what is remembered; nothing where it cannot be read, for it can be had again."""
    try:
        text = "{}" if memory is None else memory.read_text(encoding="utf-8")
        return {name: (size, time, own) for name, (size, time, own) in json.loads(text).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
