"""One attempt to bring the rest of a file over HTTP (RFC 9110: ranges section 14, If-Range 13.1.5).

Beside the part of a file lies a note of where it came from: a part is continued only from the same address
and while the server shows the same validator and the same length; otherwise it starts anew.
"""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import urllib3

from lift.config import Download
from lift.files import atomic, full_disk_explained

CHUNK = 1 << 20
PASSING = (408, 425, 429)  # statuses below 500 that may be gone at the next attempt
Advance = Callable[[int], object]
"""Told the bytes that arrived; a negative number where a part was given up."""


class Cut(Exception):
    """The attempt ended early; another may go further, after the `wait` seconds that the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Changed(Cut):
    """What the server has does not continue the part."""


class Dead(Exception):
    """The address will not give this file, however often it is asked."""


class Stopped(Exception):
    """The program is ending; what has arrived stays."""


def note_of(part: Path) -> Path:
    """Return the path of a part's note: a JSON object of `url`, `total` and `validator`."""
    return part.with_name(part.name + ".json")


def drop(part: Path) -> None:
    """Remove a part and its note."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def attempt(
    url: str,
    part: Path,
    check: Callable[[int], None],
    settings: Download,
    advance: Advance,
    stop: threading.Event,
) -> None:
    """Bring the rest of a file into `part`; return when it is whole.

    Args:
        url: Its address.
        part: What has arrived so far, if anything; made or continued.
        check: Told the bytes that the server announces; raises `Dead` where they cannot be right.
        settings: Time limits.
        advance: Told the bytes.
        stop: Set when the program ends.

    Raises:
        Cut: Another attempt may go on from here.
        Dead: No attempt will.
        Stopped: `stop` was set.
        UserError: The disk is full or read-only.
    """
    with full_disk_explained(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        note, have = _note(part), size_of(part)
        if note.get("url") != url or have > (note["total"] or have):  # of another origin
            _give_up(part, have, advance)
            note, have = {}, 0
    if note and have == note["total"]:
        return  # killed between its last byte and its rename
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if note["validator"] and not note["validator"].startswith("W/"):  # a weak one may not stand there
            headers["If-Range"] = note["validator"]
    try:
        with (
            _explained(settings),
            requests.get(
                url, headers=headers, stream=True, timeout=(settings.connect, settings.stall)
            ) as response,
        ):
            start, new = _agree(response, url, have, note)
            if start != have:
                advance(-have)  # the server ignores ranges, or has another version by now
            if new["total"] is not None:
                check(new["total"])
                _check_room(part, new["total"] - start)
            if new != note:
                with atomic(note_of(part)) as temporary:
                    temporary.write_text(json.dumps(new))
            _receive(response, part, start, new["total"], settings, advance, stop)
    except Changed:
        _give_up(part, have, advance)
        raise


def _give_up(part: Path, have: int, advance: Advance) -> None:
    drop(part)
    if have:
        advance(-have)


def _note(part: Path) -> dict[str, Any]:
    try:
        note = json.loads(note_of(part).read_text())
        return {key: note[key] for key in ("url", "total", "validator")}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


@contextmanager
def _explained(settings: Download) -> Iterator[None]:
    """Turn what `requests` and what lies below it raise into `Cut` or `Dead`."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise Dead(f"its certificate is not trusted ({_short(error)})") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Cut(f"no answer for {settings.stall:g} s") from error
    except (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise Cut(f"connection lost ({_short(error)})") from error
    except requests.RequestException as error:
        raise Dead(_short(error)) from error


def _agree(
    response: requests.Response, url: str, have: int, note: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Return where the bytes that the server is about to send start, and the note of their file.

    Raises:
        Cut: The server has trouble, or sends what does not continue the part.
        Dead: It refuses, or shows a page.
    """
    status, headers = response.status_code, response.headers
    if status == 416 and have:
        raise Changed("the server has no such range any more; starting anew")
    if status in PASSING or status >= 500:
        wait = headers.get("Retry-After", "")
        raise Cut(f"HTTP {status} {response.reason}", float(wait) if wait.isdigit() else 0.0)
    if status not in (200, 206):
        raise Dead(f"HTTP {status} {response.reason}")
    if headers.get("Content-Type", "").strip().lower().startswith("text/html"):
        raise Dead("a web page came instead of the file (a login, a quota, or the file has moved)")
    new: dict[str, Any] = {"url": url, "total": None}
    new["validator"] = headers.get("ETag") or headers.get("Last-Modified") or ""
    if status == 200:
        length = headers.get("Content-Length", "")
        return 0, new | {"total": int(length) if length.isdigit() else None}
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != have:
        raise Changed("the server sent another range than was asked for; starting anew")
    new["total"] = None if match[2] == "*" else int(match[2])
    if new != note:
        raise Changed("the file changed on the server; starting anew")
    return have, new


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise Dead(
            f"needs {needed / 1e9:.1f} GB more on the disk of {part.parent}, {free / 1e9:.1f} are free"
        )


def _receive(
    response: requests.Response,
    part: Path,
    start: int,
    total: int | None,
    settings: Download,
    advance: Advance,
    stop: threading.Event,
) -> None:
    """Append the body to the part as it is sent: `requests` would unpack a `.tar.gz` labelled compressed."""
    at = window = start
    since = time.monotonic()
    with full_disk_explained(part), part.open("ab" if start else "wb") as file:
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            file.write(chunk)
            at += len(chunk)
            advance(len(chunk))
            if stop.is_set():
                raise Stopped
            # One byte now and then keeps a connection alive and never ends.
            if time.monotonic() - since > settings.stall:
                if at - window < settings.slowest * settings.stall:
                    raise Cut(f"only {at - window} bytes in {settings.stall:g} s")
                window, since = at, time.monotonic()
    if total is not None and at != total:
        raise Cut(f"{at} of {total} bytes came")


def _short(error: Exception) -> str:
    """Return the innermost reason, without the addresses of objects in memory."""
    while isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    plain = re.sub(r"\s+", " ", re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", str(error)))
    return plain[:200] or type(error).__name__
