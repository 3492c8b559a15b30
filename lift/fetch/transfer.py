"""One file: by hand or over HTTP, from the first address that gives it, checked before it is used.

Trust on first use: nobody publishes checksums of these files, so the size and sha256 of every file that was
ever used stand in a manifest that git keeps, and whoever runs the project later must get the same bytes.

A part is continued (RFC 9110: ranges section 14, If-Range 13.1.5) only from the address that stands in the
note beside it and while the server shows the same validator and the same length; otherwise it starts anew.
"""

import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import requests
import urllib3

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import Remote
from lift.files import full_disk_explained, write_json

CHUNK = 1 << 20  # bytes that are taken at a time
PASSING = (408, 425, 429)  # statuses below 500 that may be gone at the next attempt
MAGIC = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "tar.gz": (b"\x1f\x8b",),
    "rar": (b"Rar!\x1a\x07",),
    "pth": (b"PK\x03\x04", b"\x80"),  # PyTorch's archive, or the pickle of old versions
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


class WrongWhole(Cut):
    """The file of several pieces was wrong as a whole and has been given up."""


class Dead(Exception):
    """The address will not give this file, however often it is asked."""


class Identity(TypedDict):
    """What a file is."""

    size: int
    sha256: str


def identify(path: Path) -> Identity:
    """Return a file's size and digest."""
    with path.open("rb") as file:
        return Identity(size=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def recorded(manifest: Path) -> dict[str, Identity]:
    """Return what is recorded, by `<data set>/<file>`; nothing where there is no manifest yet.

    Raises:
        UserError: The file is no such manifest.
    """
    try:
        raw = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
        return {
            key: Identity(size=int(value["size"]), sha256=str(value["sha256"])) for key, value in raw.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{manifest}: not a manifest of downloads ({error!r}); restore it from git"
        ) from error


def difference(manifest: Path, key: str, found: Identity) -> str:
    """Return how a file differs from what is recorded, with both digests; empty where it does not."""
    known = recorded(manifest).get(key, found)
    if known == found:
        return ""
    return (
        f"is another file than the one first used: {found['size']} bytes, sha256 {found['sha256']}, where "
        f"{manifest} records {known['size']} bytes, sha256 {known['sha256']}; if the new one is right, "
        f"remove its entry there"
    )


def record(manifest: Path, key: str, found: Identity) -> None:
    """Record a file at its first use; what is recorded already is not written again.

    Raises:
        UserError: It differs from what is recorded, or the manifest cannot be written.
    """
    if problem := difference(manifest, key, found):
        raise UserError(f"{key}: {problem}")
    known = recorded(manifest)
    if key not in known:
        write_json(manifest, {**known, key: found})


def part_of(path: Path) -> Path:
    """Return the path of what has arrived so far of a file."""
    return path.with_name(path.name + ".part")


def note_of(part: Path) -> Path:
    """Return the path of a part's note: a JSON object of `url`, `total` and `validator`."""
    return part.with_name(part.name + ".json")


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One file on its way."""

    remote: Remote
    path: Path
    """Where it is to lie."""
    key: str
    """Its name in the manifest."""
    manifest: Path
    """File of what all files were at their first use."""
    settings: Download
    """Attempts and time limits."""
    advance: Advance = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    """Ends the download early when set; what has arrived stays."""

    def fetch(self) -> Identity:
        """Bring the file; one that lies there already is checked and accepted without network.

        Returns:
            What the file is. It is not recorded: that is for whoever could use it.

        Raises:
            UserError: No address gives the right file; or the one at `path` is not it; or the disk is full.
            CancelledError: `stop` was set.
        """
        remote, reasons = self.remote, []
        size = f" ({remote.about / 1e9:.3g} GB)" if remote.about else ""
        by_hand = f"get {remote.name}{size} from {remote.page} and put it at {self.path}"
        if self.path.is_file():
            identity = identify(self.path)
            if problem := self._problem(self.path, identity):
                raise UserError(f"{self.path}: {problem}; {by_hand}, or remove it")
            return identity
        for url in remote.urls:
            try:
                with full_disk_explained(self._part):
                    return self._bring(url)
            except Dead as error:
                reasons.append(f"{url}: {error}")
        why = f"cannot be downloaded ({'; '.join(reasons)})" if reasons else "only a person can get it"
        raise UserError(f"{remote.name}: {why}; {by_hand}")

    @property
    def _part(self) -> Path:
        return part_of(self.path)

    def _bring(self, url: str) -> Identity:
        """Try again, ever more slowly, until the part is whole and right, or there is no hope."""
        settings, failed, furthest = self.settings, 0, size_of(self._part)
        pieces, again = furthest > 0, False
        while True:
            try:
                self._attempt(url)
                return self._accept(pieces and not again)
            except requests.exceptions.SSLError as error:
                raise Dead(f"its certificate is not trusted ({_short(error)})") from error
            except (requests.Timeout, urllib3.exceptions.TimeoutError):
                cut = Cut(f"no answer for {settings.stall:g} s")
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                cut = Cut(f"connection lost ({_short(error)})")
            except WrongWhole as error:  # the new one, from its first byte on, is measured by itself
                cut, furthest, again = error, -1, True
            except Cut as error:
                cut = error
            # A server that cuts at every 100 MB still gives a whole file, piece by piece; one that starts
            # anew each time and never gets further does not.
            reached = size_of(self._part)
            pieces = reached > 0
            failed = 0 if reached > furthest else failed + 1
            furthest = max(furthest, reached)
            if failed >= settings.tries:
                raise Dead(f"{cut}, {failed} times in a row")
            wait = max(settings.first_wait * 2 ** max(failed - 1, 0), cut.wait)
            if self.stop.wait(min(wait, settings.longest_wait)):
                raise CancelledError

    def _accept(self, pieces: bool) -> Identity:
        """Put the part, which looks whole, where it is to lie; a wrong one is kept under another name."""
        identity = identify(self._part)
        problem = self._problem(self._part, identity)
        if problem and pieces:  # maybe of two versions, by a server that did not say so
            self._drop()
            raise WrongWhole(problem)
        place = self.path if not problem else self.path.with_name(self.path.name + ".refused")
        self._part.replace(place)
        self._drop()
        if problem:
            raise Dead(f"{problem} (kept as {place})")
        return identity

    def _problem(self, path: Path, found: Identity) -> str:
        """Return what is wrong with a file that looks whole; empty: nothing."""
        kind, digest = self.remote.kind, self.remote.sha256
        with path.open("rb") as file:
            head = file.read(256)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
            return "is a web page, not the file (a login, a quota, or the file has moved)"
        if not head.startswith(MAGIC[kind]):
            return f"is no {kind} file (it begins with {head[:8]!r})"
        if not found["sha256"].startswith(digest):
            return f"has sha256 {found['sha256']}, where {digest} is known to be right"
        return difference(self.manifest, self.key, found)

    def _attempt(self, url: str) -> None:
        """Bring the rest of the file into the part; return when it is whole."""
        self._part.parent.mkdir(parents=True, exist_ok=True)
        note, have = self._note(), size_of(self._part)
        if note.get("url") != url or have > (note["total"] or have):  # of another origin
            self._drop()
            note, have = {}, 0
        if note and have == note["total"]:
            return  # killed between its last byte and its rename
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if note["validator"] and not note["validator"].startswith("W/"):  # a weak one may not stand there
                headers["If-Range"] = note["validator"]
        limits = (self.settings.connect, self.settings.stall)
        with requests.get(url, headers=headers, stream=True, timeout=limits) as response:
            first, new = _announced(response, url)
            if response.status_code != 200 and (first != have or new != note):
                self._drop()
                raise Cut("what the server has does not continue the part; starting anew")
            if first != have:
                self.advance(-have)  # the server ignores ranges, or has another version by now
            if new["total"] is not None:
                self._check(new["total"], first)
            if new != note:
                write_json(note_of(self._part), new)
            self._receive(response, first, new["total"])

    def _check(self, total: int, first: int) -> None:
        """Refuse a length that cannot be right, or for which there is no room."""
        known, about = recorded(self.manifest).get(self.key), self.remote.about
        if known is not None and total != known["size"]:
            raise Dead(f"the server announces {total} bytes, where {known['size']} are known to be right")
        if known is None and about is not None and not about / TOLERANCE <= total <= about * TOLERANCE:
            raise Dead(f"the server announces {total} bytes, where about {about} are published")
        needed, folder = total - first, self._part.parent
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise Dead(f"needs {needed / 1e9:.1f} GB more on the disk of {folder}, {free / 1e9:.1f} are free")

    def _receive(self, response: requests.Response, first: int, total: int | None) -> None:
        """Append the body as it is sent: `requests` would unpack a `.tar.gz` labelled compressed."""
        at = window = first
        since, stall = time.monotonic(), self.settings.stall
        with self._part.open("ab" if first else "wb") as file:
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                file.write(chunk)
                at += len(chunk)
                self.advance(len(chunk))
                if self.stop.is_set():
                    raise CancelledError
                # One byte now and then keeps a connection alive and never ends.
                if time.monotonic() - since > stall:
                    if at - window < self.settings.slowest * stall:
                        raise Cut(f"only {at - window} bytes in {stall:g} s")
                    window, since = at, time.monotonic()
        if total is not None and at != total:
            raise Cut(f"{at} of {total} bytes came")

    def _note(self) -> dict[str, Any]:
        try:
            note = json.loads(note_of(self._part).read_text())
            return {key: note[key] for key in ("url", "total", "validator")}
        except (OSError, ValueError, TypeError, KeyError):
            return {}

    def _drop(self) -> None:
        """Remove the part, where it is, and its note."""
        if given_up := size_of(self._part):
            self.advance(-given_up)
        self._part.unlink(missing_ok=True)
        note_of(self._part).unlink(missing_ok=True)


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


def _short(error: Exception) -> str:
    """Return the innermost reason, without the addresses of objects in memory."""
    while isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", str(error)))
    return plain[:200] or type(error).__name__
