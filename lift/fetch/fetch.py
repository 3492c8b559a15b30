"""One file: by hand or over the network, from the first address that gives it, checked before it is used."""

import threading
from collections.abc import Callable
from pathlib import Path

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import Remote
from lift.fetch.manifest import Identity, Manifest, identify
from lift.fetch.transfer import Advance, Cut, Dead, Stopped, attempt, drop, size_of
from lift.files import full_disk_explained

MAGIC = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "tar.gz": (b"\x1f\x8b",),
    "rar": (b"Rar!\x1a\x07",),
    "weights": (b"PK\x03\x04", b"\x80"),  # PyTorch's archive, or the pickle of old versions
}
PAGES = (b"<!doctype html", b"<html", b"<head", b"<?xml")
TOLERANCE = 1.25  # a published size is rounded; what lies further off is another file


def part_of(path: Path) -> Path:
    """Return the path of what has arrived so far of a file."""
    return path.with_name(path.name + ".part")


def fetch(
    remote: Remote,
    path: Path,
    key: str,
    manifest: Manifest,
    settings: Download,
    advance: Advance = lambda _: None,
    stop: threading.Event | None = None,
) -> Identity:
    """Bring one file to `path`; one that lies there already is checked and accepted without network.

    Args:
        remote: What to bring.
        path: Where it is to lie.
        key: Its name in the manifest.
        manifest: What it was at its first use.
        settings: Attempts and time limits.
        advance: Told the bytes that arrive.
        stop: Ends the download early when set; what has arrived stays.

    Returns:
        What the file is. It is not recorded: that is for whoever could use it.

    Raises:
        UserError: No address gives the right file; or the one at `path` is not it.
        Stopped: `stop` was set.
    """
    if path.is_file():
        identity = identify(path)
        problem = _problem(path, identity, remote, key, manifest)
        if problem:
            raise UserError(f"{path}: {problem}; {_by_hand(remote, path)}, or remove it")
        return identity
    reasons = []
    for url in remote.urls:
        try:
            return _from(url, remote, path, key, manifest, settings, advance, stop or threading.Event())
        except Dead as error:
            reasons.append(f"{url}: {error}")
    why = f"cannot be downloaded ({'; '.join(reasons)})" if reasons else "only a person can get it"
    raise UserError(f"{remote.name}: {why}; {_by_hand(remote, path)}")


def _from(
    url: str,
    remote: Remote,
    path: Path,
    key: str,
    manifest: Manifest,
    settings: Download,
    advance: Advance,
    stop: threading.Event,
) -> Identity:
    """Bring a file from one address.

    Raises:
        Dead: That address does not give it.
    """
    part, known = part_of(path), manifest.get(key)
    exact, about = remote.size or (known.size if known else None), remote.about

    def check(total: int) -> None:
        if exact is not None and total != exact:
            raise Dead(f"the server announces {total} bytes, where {exact} are known to be right")
        if exact is None and about is not None and not about / TOLERANCE <= total <= about * TOLERANCE:
            raise Dead(f"the server announces {total} bytes, where about {about} are published")

    again = False
    while True:
        continued = _bring(url, part, check, settings, advance, stop)
        identity = identify(part)
        problem = _problem(part, identity, remote, key, manifest)
        if not problem:
            with full_disk_explained(path):
                part.replace(path)
                drop(part)
            return identity
        advance(-identity.size)
        if again or not continued or _is_page(part):
            refused = path.with_name(path.name + ".refused")
            part.replace(refused)
            drop(part)
            raise Dead(f"{problem} (kept as {refused})")
        again = True  # it may have been continued from another version by a server that did not say so
        drop(part)


def _bring(
    url: str,
    part: Path,
    check: Callable[[int], None],
    settings: Download,
    advance: Advance,
    stop: threading.Event,
) -> bool:
    """Try again, ever more slowly, until the part is whole; return whether it came in several pieces.

    Raises:
        Dead: Too many attempts in a row brought nothing.
        Stopped: The program is ending.
    """
    failed, furthest = 0, size_of(part)
    continued = furthest > 0
    while True:
        try:
            attempt(url, part, check, settings, advance, stop)
            return continued
        except Cut as cut:
            # A server that cuts at every 100 MB still gives a whole file, piece by piece; one that starts
            # anew each time and never gets further does not.
            continued, reached = True, size_of(part)
            failed = 0 if reached > furthest else failed + 1
            furthest = max(furthest, reached)
            if failed >= settings.tries:
                raise Dead(f"{cut}, {failed} times in a row") from cut
            wait = max(settings.first_wait * 2 ** max(failed - 1, 0), cut.wait)
            if stop.wait(min(wait, settings.longest_wait)):
                raise Stopped from cut


def _problem(path: Path, found: Identity, remote: Remote, key: str, manifest: Manifest) -> str | None:
    """Return what is wrong with a file that looks whole."""
    head = _head(path)
    if _is_page(path):
        return "is a web page, not the file (a login, a quota, or the file has moved)"
    if not head.startswith(MAGIC[remote.kind]):
        return f"is no {remote.kind} file (it begins with {head[:8]!r})"
    if remote.size is not None and found.size != remote.size:
        return f"has {found.size} bytes, where {remote.size} are known to be right"
    if not found.sha256.startswith(remote.sha256):
        return f"has sha256 {found.sha256}, where {remote.sha256} is known to be right"
    return manifest.problem(key, found)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(256)


def _is_page(path: Path) -> bool:
    return _head(path).removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES)


def _by_hand(remote: Remote, path: Path) -> str:
    size = f" ({remote.about / 1e9:.3g} GB)" if remote.about else ""
    return f"get {remote.name}{size} from {remote.page} and put it at {path}"
