"""A file that one process holds; the system releases it when that process dies, whatever it has forked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lift.errors import UserError
from lift.files import full_disk_explained


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Hold the file `path`, whose folder is made where missing.

    Raises:
        UserError: Another process holds it, which `busy` explains; or the file cannot be made.
    """
    lock = FileLock(path, timeout=0)
    with full_disk_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:
            raise UserError(f"{path}: {busy}") from error
    try:
        yield
    finally:
        lock.release()
