"""One attempt to bring the rest of a file over HTTP (RFC 9110: ranges section 14, If-Range 13.1.5).

`requests` because it is pinned already (DVC brings it), is typed, and honours proxies, certificates and
redirects as users have them set; the body is read below it, undecoded, since it would unpack a `.tar.gz` that
a server labels as compressed.

Next to the part of a file lies a note of where it came from: a part is continued only from the same address
and while the server shows the same validator and the same length; otherwise it starts anew.
"""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
import urllib3

from lift.config import Download
from lift.files import atomic, full_disk_explained

CHUNK = 1 << 20
TOLERANCE = 1.25  # a published size is rounded; what lies further off is another file
PASSING = (408, 425, 429)  # statuses below 500 that may be gone at the next attempt


class Cut(Exception):
    """The attempt ended early, and another may go further.

    Attributes:
        wait: Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Dead(Exception):
    """The address will not give this file, however often it is asked."""


class Stopped(Exception):
    """The program is ending; what has arrived stays."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is known of a file before it is brought."""

    size: int | None
    """Bytes exactly."""
    about: int | None
    """Bytes, rounded."""


@dataclass(frozen=True, kw_only=True)
class _Note:
    """Where a part came from."""

    url: str
    total: int | None
    validator: str


Advance = Callable[[int], object]
"""Told the bytes that arrived; a negative number where a part was given up."""


def note_of(part: Path) -> Path:
    """Return the path of a part's note."""
    return part.with_name(part.name + ".json")


def drop(part: Path) -> None:
    """Remove a part and its note."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


def attempt(
    url: str, part: Path, wanted: Wanted, settings: Download, advance: Advance, stop: threading.Event
) -> None:
    """Bring the rest of a file into `part`; return when it is whole.

    Args:
        url: Its address.
        part: What has arrived so far, if anything; made or continued.
        wanted: What is known of the file.
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
    note = _continued(url, part, advance)
    have = part.stat().st_size if note else 0
    if note and note.total is not None and have == note.total:
        return  # killed between its last byte and its rename
    headers = {"Accept-Encoding": "identity"}
    if note and have:
        headers["Range"] = f"bytes={have}-"
        if note.validator and not note.validator.startswith("W/"):  # a weak one may not stand there
            headers["If-Range"] = note.validator
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=(settings.connect, settings.stall)
        ) as response:
            start, new = _agree(response, url, have, note, part, advance)
            _check_total(new.total, wanted)
            _check_room(part, (new.total or 0) - start)
            if new != note:
                with atomic(note_of(part)) as temporary:
                    temporary.write_text(json.dumps(asdict(new)))
            _receive(response, part, start, new.total, settings, advance, stop)
    except requests.exceptions.SSLError as error:
        raise Dead(f"its certificate is not trusted ({_short(error)})") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Cut(f"no answer for {settings.stall:g} s") from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise Cut(f"connection lost ({_short(error)})") from error
    except urllib3.exceptions.HTTPError as error:
        raise Cut(f"connection lost ({_short(error)})") from error
    except requests.RequestException as error:
        raise Dead(_short(error)) from error


def _continued(url: str, part: Path, advance: Advance) -> _Note | None:
    """Read the note of a part that came from `url`; any other part is removed."""
    try:
        note = _Note(**json.loads(note_of(part).read_text()))
        size = part.stat().st_size
    except (OSError, ValueError, TypeError):
        note, size = None, part.stat().st_size if part.exists() else 0
    if note and note.url == url and (note.total is None or size <= note.total):
        return note
    with full_disk_explained(part):
        drop(part)
    if size:
        advance(-size)
    return None


def _agree(
    response: requests.Response, url: str, have: int, note: _Note | None, part: Path, advance: Advance
) -> tuple[int, _Note]:
    """Find out which bytes the server is about to send.

    Returns:
        Where they start, and the note of the file that they belong to.

    Raises:
        Cut: The server has trouble, or sends what does not continue the part (which is removed then).
        Dead: It refuses, or shows a page.
    """
    status = response.status_code
    if status == 416 and have:
        _give_up(part, have, advance, "the server has no such range any more")
    if status in PASSING or status >= 500:
        raise Cut(f"HTTP {status} {response.reason}", _retry_after(response))
    if status not in (200, 206):
        raise Dead(f"HTTP {status} {response.reason}")
    if response.headers.get("Content-Type", "").strip().lower().startswith("text/html"):
        raise Dead("a web page came instead of the file (a login, a quota, or the file has moved)")
    validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    if status == 200:
        if have:
            advance(-have)  # it ignores ranges, or has another version by now
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        return 0, _Note(url=url, total=total, validator=validator)
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    total = int(match[2]) if match and match[2] != "*" else None
    new = _Note(url=url, total=total, validator=validator)
    if match is None or int(match[1]) != have or note is None:
        _give_up(part, have, advance, "the server sent another range than was asked for")
    elif new != note:
        _give_up(part, have, advance, "the file changed on the server")
    return have, new


def _give_up(part: Path, have: int, advance: Advance, reason: str) -> None:
    drop(part)
    advance(-have)
    raise Cut(f"{reason}; starting anew")


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0


def _check_total(total: int | None, wanted: Wanted) -> None:
    if total is None:
        return
    if wanted.size is not None and total != wanted.size:
        raise Dead(f"the server announces {total} bytes, where {wanted.size} are known to be right")
    about = wanted.about if wanted.size is None else None
    if about is not None and not about / TOLERANCE <= total <= about * TOLERANCE:
        raise Dead(f"the server announces {total} bytes, where about {about} are published")


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
    """Append the body to the part."""
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
    return (
        re.sub(r"\s+", " ", re.sub(r"<[^<>]* at 0x[0-9a-f]+>:? ?", "", str(error)))[:200]
        or type(error).__name__
    )
