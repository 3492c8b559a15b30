"""Rar archives, which only other programs unpack: `rarfile` lists them, so that all is checked before that.

What was unpacked is looked through for links afterwards. A program that cannot read an archive (libarchive
knows not all of rar) gives way to the next. One run unpacks all: entry by entry, as rarfile would, a program
looks for each from the archive's start, and UCF101 has 13,320.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import rarfile

from lift.errors import UserError
from lift.fetch.archives import Guard
from lift.fetch.transfer import Advance

LOOK = 0.5  # seconds between two looks at how much was written
COMMANDS = {
    "unrar": ("x", "-p-", "-y", "-idq"),
    "7zz": ("x", "-y", "-bd"),
    "7z": ("x", "-y", "-bd"),
    "unar": ("-q", "-D", "-f"),
    "bsdtar": ("-x", "--no-same-owner", "--no-same-permissions", "-f"),
}
"""Programs, and how each unpacks the archive that is named last into the folder that it runs in."""


def unpack_rar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    """Unpack a rar archive.

    Raises:
        UserError: No program is there, none can read it, or an entry is refused.
    """
    declared = _check(archive, guard)
    programs = [name for name in COMMANDS if shutil.which(name)]
    if not programs:
        raise UserError(
            f"{archive}: nothing on this machine unpacks rar; install one of libarchive-tools (bsdtar), "
            f"unar, or unrar, for example: sudo apt install libarchive-tools"
        )
    reasons = []
    for name in programs:
        why = _run([name, *COMMANDS[name], str(archive.resolve())], folder, declared, guard, advance)
        if why is None:
            return
        reasons.append(f"{name}: {why}")
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    raise guard.damaged("; ".join(reasons))


def _check(archive: Path, guard: Guard) -> int:
    """Return how many bytes the entries declare."""
    try:
        with rarfile.RarFile(archive) as file:
            if file.needs_password():
                raise guard.refused("it is encrypted")
            entries = file.infolist()
    except rarfile.Error as error:
        raise guard.damaged(" ".join(str(error).split())) from error
    for entry in entries:
        odd = None if entry.is_file() or entry.is_dir() else "a link or a special file"
        guard.take(entry.filename, entry.file_size, odd)
    return sum(entry.file_size for entry in entries)


def _run(command: list[str], folder: Path, declared: int, guard: Guard, advance: Advance) -> str | None:
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
                    now = _written(folder, guard)
                    advance(now - seen)
                    seen = now
                    if now > declared:
                        raise guard.damaged(f"its entries hold more than the {declared} bytes they declare")
                    time.sleep((LOOK if seen else LOOK / 20) * running)
            finally:
                process.kill()
        says.seek(0)
        lines = [line.strip() for line in says.read().splitlines() if line.strip()] or ["failed"]
    if process.returncode:
        return lines[-1][:200]
    return None if seen == declared else f"gave {seen} of {declared} bytes"  # not all say that it was cut


def _written(folder: Path, guard: Guard) -> int:
    """Return the bytes below a folder, where there is nothing but files and folders."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise guard.refused(f"its entry {path.name!r} is a link or a special file")
        total += path.stat().st_size if path.is_file() else 0
    return total
