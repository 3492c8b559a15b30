"""Rar archives through whichever program is there; Python has none of its own.

Entries are listed and checked before anything is unpacked, and what was unpacked is looked through for links
afterwards. A program that cannot read an archive (libarchive knows not all of rar) gives way to the next.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lift.errors import UserError
from lift.fetch.guard import Guard
from lift.fetch.transfer import Advance

LOOK = 0.5  # seconds between two looks at how much was written
PACKAGES = "libarchive-tools (bsdtar), unar, or unrar"

Entry = tuple[str, int, bool]
"""Name, bytes, whether it is anything but a file or folder."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program, how it lists an archive `{a}`, and how it unpacks one into the folder that it runs in."""

    name: str
    listing: tuple[str, ...]
    parse: Callable[[str], list[Entry]]
    unpacking: tuple[str, ...]


def parse_bsdtar(text: str) -> list[Entry]:
    """Read `bsdtar -tvf`: mode, links, user, group, size, date in three fields, name."""
    fields = [line.split(None, 8) for line in text.splitlines()]
    return [(f[8], int(f[4]), f[0][0] not in "-d") for f in fields]


def parse_blocks(text: str, name: str, link: str) -> list[Entry]:
    """Read blocks of `key: value` or `key = value` lines, one per entry, which starts at `name`.

    Args:
        text: What the program printed.
        name: The key of an entry's name.
        link: Pattern of a line that only links and special files have.
    """
    blocks = re.split(rf"(?m)^\s*{name}\s*[:=] ", text)[1:]
    entries = []
    for block in blocks:
        size = re.search(r"(?m)^\s*Size\s*[:=] (\d+)$", block)
        first = block.split("\n", 1)[0]
        entries.append((first, int(size[1]) if size else 0, re.search(link, block) is not None))
    return entries


def parse_7z(text: str) -> list[Entry]:
    """Read `7z l -slt -ba`."""
    return parse_blocks(text, "Path", r"(?m)^(Symbolic Link|Hard Link) = .|^Attributes = .*\bl[r-][w-]")


def parse_unrar(text: str) -> list[Entry]:
    """Read `unrar lt`."""
    return parse_blocks(text, "Name", r"(?m)^\s*Type: (?!File|Directory)|^\s*Target: ")


def parse_lsar(text: str) -> list[Entry]:
    """Read `lsar -j`."""
    return [
        (str(entry["XADFileName"]), int(entry.get("XADFileSize", 0)), "XADIsLink" in entry)
        for entry in json.loads(text)["lsarContents"]
    ]


def _seven(name: str) -> Tool:
    listing, unpacking = (name, "l", "-slt", "-ba", "{a}"), (name, "x", "-y", "-bd", "{a}")
    return Tool(name=name, listing=listing, parse=parse_7z, unpacking=unpacking)


TOOLS = (
    Tool(
        name="unrar",
        listing=("unrar", "lt", "-p-", "{a}"),
        parse=parse_unrar,
        unpacking=("unrar", "x", "-p-", "-y", "-idq", "{a}"),
    ),
    _seven("7zz"),
    _seven("7z"),
    Tool(
        name="unar",
        listing=("lsar", "-j", "{a}"),
        parse=parse_lsar,
        unpacking=("unar", "-q", "-D", "-f", "{a}"),
    ),
    Tool(
        name="bsdtar",
        listing=("bsdtar", "-tvf", "{a}"),
        parse=parse_bsdtar,
        unpacking=("bsdtar", "-x", "--no-same-owner", "--no-same-permissions", "-f", "{a}"),
    ),
)


def unpack_rar(archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    """Unpack a rar archive.

    Raises:
        UserError: No program is there, none can read it, or an entry is refused.
    """
    tools = [tool for tool in TOOLS if shutil.which(tool.listing[0]) and shutil.which(tool.unpacking[0])]
    if not tools:
        raise UserError(
            f"{archive}: nothing on this machine unpacks rar; install one of {PACKAGES}, for example: "
            f"sudo apt install libarchive-tools"
        )
    reasons = []
    for tool in tools:
        try:
            _unpack_with(tool, archive.resolve(), folder, guard, advance)
            return
        except _Failed as error:
            reasons.append(f"{tool.name}: {error}")
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    raise guard.damaged("; ".join(reasons))


class _Failed(Exception):
    """One program could not read the archive."""


def _unpack_with(tool: Tool, archive: Path, folder: Path, guard: Guard, advance: Advance) -> None:
    listing = subprocess.run(
        _command(tool.listing, archive), capture_output=True, text=True, errors="replace", check=False,
        stdin=subprocess.DEVNULL, env=_environment(),
    )  # fmt: skip
    if listing.returncode:
        raise _Failed(_last_line(listing.stderr or listing.stdout))
    try:
        entries = tool.parse(listing.stdout)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _Failed(f"its listing cannot be read ({error!r})") from error
    if not entries:
        raise _Failed("lists nothing")
    declared = 0
    for name, size, odd in entries:
        guard.place(name)
        if odd:
            raise guard.refuse(name, "a link or a special file")
        guard.take(name, size)
        declared += size
    _run(tool, archive, folder, declared, guard, advance)
    _look_through(folder, guard)


def _run(tool: Tool, archive: Path, folder: Path, declared: int, guard: Guard, advance: Advance) -> None:
    """Unpack while watching that no more is written than the entries declare."""
    # A file, since a pipe that nobody reads would fill up and stop the program.
    with tempfile.TemporaryFile("w+", errors="replace") as says:
        with subprocess.Popen(
            _command(tool.unpacking, archive), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=says, env=_environment(),
        ) as process:  # fmt: skip
            try:
                seen = 0
                while process.poll() is None:
                    time.sleep(LOOK if seen else LOOK / 20)
                    now = _written(folder)
                    advance(now - seen)
                    seen = now
                    if now > declared:
                        raise guard.damaged(f"its entries hold more than the {declared} bytes they declare")
            finally:
                process.kill()
        if process.returncode:
            says.seek(0)
            raise _Failed(_last_line(says.read()))
    now = _written(folder)
    advance(now - seen)
    if now != declared:  # not every program says so when an archive is cut
        raise _Failed(f"gave {now} of {declared} bytes")


def _written(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            total += Path(base, name).lstat().st_size
    return total


def _look_through(folder: Path, guard: Guard) -> None:
    for base, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(base, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise guard.refuse(str(path.relative_to(folder)), "a link or a special file")


def _command(words: tuple[str, ...], archive: Path) -> list[str]:
    return [word.format(a=archive) for word in words]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}  # one language and every file name, for the parsers


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "failed"
