"""One file: by hand or over HTTP, from the first address that gives it, checked before it is used.

A part is continued (RFC 9110: ranges section 14, If-Range 13.1.5) only from the address that stands in the
note beside it and while the server shows the same validator and the same length; otherwise it starts anew.
"""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import Remote
from lift.fetch.identity import Identity, Manifest, identify
from lift.files import full_disk_explained, write_json

CHUNK = 1 << 20  # bytes that are taken at a time
PASSING = (408, 425, 429)  # statuses below 500 that may be gone at the next attempt
MAGIC = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "tar.gz": (b"\x1f\x8b",),
    "rar": (b"Rar!\x1a\x07",),
    "weights": (b"PK\x03\x04", b"\x80"),  # PyTorch's archive, or the pickle of old versions
}
PAGES = (b"<!doctype html", b"<html", b"<head", b"<?xml")
TOLERANCE = 1.25  # a published size is rounded; what lies further off is another file
Advance = Callable[[int], object]
"""Told the bytes that arrived; a negative number where a part was given up."""


class Cut(Exception):
    """The attempt ended early; another may go further, after the `wait` seconds that the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Dead(Exception):
    """The address will not give this file, however often it is asked."""


class Stopped(Exception):
    """The program is ending; what has arrived stays."""


def part_of(path: Path) -> Path:
    """Return the path of what has arrived so far of a file."""
    return path.with_name(path.name + ".part")


def note_of(part: Path) -> Path:
    """Return the path of a part's note: a JSON object of `url`, `total` and `validator`."""
    return part.with_name(part.name + ".json")


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


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
        UserError: No address gives the right file; or the one at `path` is not it; or the disk is full.
        Stopped: `stop` was set.
    """
    own = _File(remote, path, key, manifest, settings, advance, stop or threading.Event())
    size = f" ({remote.about / 1e9:.3g} GB)" if remote.about else ""
    by_hand = f"get {remote.name}{size} from {remote.page} and put it at {path}"
    if path.is_file():
        identity = identify(path)
        problem = own.problem(path, identity)
        if problem:
            raise UserError(f"{path}: {problem}; {by_hand}, or remove it")
        return identity
    reasons = []
    for url in remote.urls:
        try:
            with full_disk_explained(own.part):
                return own.bring(url)
        except Dead as error:
            reasons.append(f"{url}: {error}")
    why = f"cannot be downloaded ({'; '.join(reasons)})" if reasons else "only a person can get it"
    raise UserError(f"{remote.name}: {why}; {by_hand}")


@dataclass(frozen=True)
class _File:
    """A file on its way; fields as the arguments of `fetch`."""

    remote: Remote
    path: Path
    key: str
    manifest: Manifest
    settings: Download
    advance: Advance
    stop: threading.Event

    @property
    def part(self) -> Path:
        return part_of(self.path)

    def bring(self, url: str) -> Identity:
        """Bring the file from one address.

        Raises:
            Dead: That address does not give it.
        """
        again = False
        while True:
            continued = self._persist(url)
            identity = identify(self.part)
            problem = self.problem(self.part, identity)
            if not problem:
                self.part.replace(self.path)
                self._drop()
                return identity
            if again or not continued or _is_page(self.part):
                refused = self.path.with_name(self.path.name + ".refused")
                self.part.replace(refused)
                self._drop()
                raise Dead(f"{problem} (kept as {refused})")
            again = True  # it may have been continued from another version by a server that did not say so
            self.advance(-identity.size)
            self._drop()

    def problem(self, path: Path, found: Identity) -> str | None:
        """Return what is wrong with a file that looks whole."""
        remote, head = self.remote, _head(path)
        if _is_page(path):
            return "is a web page, not the file (a login, a quota, or the file has moved)"
        if not head.startswith(MAGIC[remote.kind]):
            return f"is no {remote.kind} file (it begins with {head[:8]!r})"
        if not found.sha256.startswith(remote.sha256):
            return f"has sha256 {found.sha256}, where {remote.sha256} is known to be right"
        return self.manifest.problem(self.key, found)

    def _persist(self, url: str) -> bool:
        """Try again, ever more slowly, until the part is whole; return whether it came in several pieces."""
        settings, failed, furthest = self.settings, 0, size_of(self.part)
        continued = furthest > 0
        while True:
            try:
                self._attempt(url)
                return continued
            except Cut as cut:
                # A server that cuts at every 100 MB still gives a whole file, piece by piece; one that starts
                # anew each time and never gets further does not.
                continued, reached = True, size_of(self.part)
                failed = 0 if reached > furthest else failed + 1
                furthest = max(furthest, reached)
                if failed >= settings.tries:
                    raise Dead(f"{cut}, {failed} times in a row") from cut
                wait = max(settings.first_wait * 2 ** max(failed - 1, 0), cut.wait)
                if self.stop.wait(min(wait, settings.longest_wait)):
                    raise Stopped from cut

    def _attempt(self, url: str) -> None:
        """Bring the rest of the file into the part; return when it is whole."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        note, have = self._note(), size_of(self.part)
        if note.get("url") != url or have > (note["total"] or have):  # of another origin
            note, have = {}, self._drop(have)
        if note and have == note["total"]:
            return  # killed between its last byte and its rename
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if note["validator"] and not note["validator"].startswith("W/"):  # a weak one may not stand there
                headers["If-Range"] = note["validator"]
        limits = (self.settings.connect, self.settings.stall)
        with (
            _explained(self.settings.stall),
            requests.get(url, headers=headers, stream=True, timeout=limits) as response,
        ):
            first, new = _announced(response, url)
            if response.status_code != 200 and (first != have or new != note):
                self._drop(have)
                raise Cut("what the server has does not continue the part; starting anew")
            if first != have:
                self.advance(-have)  # the server ignores ranges, or has another version by now
            self._check(new["total"], first)
            if new != note:
                write_json(note_of(self.part), new)
            self._receive(response, first, new["total"])

    def _check(self, total: int | None, first: int) -> None:
        """Refuse a length that cannot be right, or for which there is no room."""
        known, about = self.manifest.get(self.key), self.remote.about
        if total is None:
            return
        if known is not None and total != known.size:
            raise Dead(f"the server announces {total} bytes, where {known.size} are known to be right")
        if known is None and about is not None and not about / TOLERANCE <= total <= about * TOLERANCE:
            raise Dead(f"the server announces {total} bytes, where about {about} are published")
        needed, free = total - first, shutil.disk_usage(self.part.parent).free
        if needed > free:
            raise Dead(
                f"needs {needed / 1e9:.1f} GB more on the disk of {self.part.parent}, "
                f"{free / 1e9:.1f} are free"
            )

    def _receive(self, response: requests.Response, first: int, total: int | None) -> None:
        """Append the body as it is sent: `requests` would unpack a `.tar.gz` labelled compressed."""
        at = window = first
        since, stall = time.monotonic(), self.settings.stall
        with self.part.open("ab" if first else "wb") as file:
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                file.write(chunk)
                at += len(chunk)
                self.advance(len(chunk))
                if self.stop.is_set():
                    raise Stopped
                # One byte now and then keeps a connection alive and never ends.
                if time.monotonic() - since > stall:
                    if at - window < self.settings.slowest * stall:
                        raise Cut(f"only {at - window} bytes in {stall:g} s")
                    window, since = at, time.monotonic()
        if total is not None and at != total:
            raise Cut(f"{at} of {total} bytes came")

    def _note(self) -> dict[str, Any]:
        try:
            note = json.loads(note_of(self.part).read_text())
            return {key: note[key] for key in ("url", "total", "validator")}
        except (OSError, ValueError, TypeError, KeyError):
            return {}

    def _drop(self, have: int = 0) -> int:
        """Remove the part, of which `have` bytes were told, and its note; return 0."""
        self.part.unlink(missing_ok=True)
        note_of(self.part).unlink(missing_ok=True)
        if have:
            self.advance(-have)
        return 0


@contextmanager
def _explained(stall: float) -> Iterator[None]:
    """Turn what `requests` and what lies below it raise into `Cut` or `Dead`."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise Dead(f"its certificate is not trusted ({_short(error)})") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Cut(f"no answer for {stall:g} s") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Cut(f"connection lost ({_short(error)})") from error


def _announced(response: requests.Response, url: str) -> tuple[int, dict[str, Any]]:
    """Return where the bytes that are about to come start (-1: there are none), and the note of their file.

    Raises:
        Cut: The server has trouble.
        Dead: It refuses, or shows a page.
    """
    status, headers = response.status_code, response.headers
    if status in PASSING or status >= 500:
        wait = headers.get("Retry-After", "")
        raise Cut(f"HTTP {status} {response.reason}", float(wait) if wait.isdigit() else 0.0)
    if status not in (200, 206, 416):
        raise Dead(f"HTTP {status} {response.reason}")
    if headers.get("Content-Type", "").strip().lower().startswith("text/html"):
        raise Dead("a web page came instead of the file (a login, a quota, or the file has moved)")
    first, total = 0 if status == 200 else -1, headers.get("Content-Length", "")
    if found := re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip()):
        first, total = int(found[1]), found[2]
    validator = headers.get("ETag") or headers.get("Last-Modified") or ""
    return first, {"url": url, "total": int(total) if total.isdigit() else None, "validator": validator}


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(256)


def _is_page(path: Path) -> bool:
    return _head(path).removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES)


def _short(error: Exception) -> str:
    """Return the innermost reason, without the addresses of objects in memory."""
    while isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", str(error)))
    return plain[:200] or type(error).__name__
