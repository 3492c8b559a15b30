"""A clip set from raw footage: `frames.zip`, `truth.zip`, `clips.csv`, `summary.json`.

One thread goes through the videos in order; reading, checking and encoding run in a pool (OpenCV and zlib
release the interpreter's lock) over a few frames at a time, and results come back in order. So the bytes do
not depend on the number of workers, nor memory on the size of the data set.
"""

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from lift.config import ClipSet, Config
from lift.data import images
from lift.data.archive import entry_name, write_archive
from lift.data.assemble import Assembler, Stored
from lift.data.continuity import reduced
from lift.data.images import Pixels, Unreadable
from lift.data.manifest import ClipRow, write_manifest
from lift.data.plan import Entry, Planned, clips_of, entries, official_part
from lift.data.readers import Payload, convert
from lift.data.sources import SOURCES
from lift.data.tally import Tally
from lift.data.truth import write_truth
from lift.files import atomic
from lift.progress import bar

AHEAD = 4  # frames in flight per worker: enough to keep all busy, little enough to hold

_Item = tuple[Assembler, Entry, int, Payload]  # a frame to be prepared, and whose it is
_Outcome = tuple[Stored | Unreadable, Pixels | None]


def build_clip_set(
    config: Config, name: str, raw: Path, out: Path, *, workers: int | None = None
) -> dict[str, Any]:
    """Build one clip set.

    Args:
        config: The run's parameters.
        name: A key of `clips.sets`.
        raw: Folder in which the sources without a path of their own lie.
        out: The set's folder; files in it are replaced one by one, each whole.
        workers: Threads that decode and encode; None: one per processor.

    Returns:
        What stands in summary.json: counts of clips, videos, frames and dropped clips by reason, whether the
        footage is a rendered stand-in, and the videos used of each source's official number.

    Raises:
        UserError: A source's folder is missing or is another data set, more clips are unusable than
            `clips.max_dropped` allows, none is left, or the disk is full.
    """
    clip_set = config.clips.sets[name]
    videos = entries(config, name, raw)
    rows: list[tuple[ClipRow, Entry]] = []
    with bar(title=f"clips {name}", unit="video", total=len(videos)) as progress:
        say = partial(progress.write, file=sys.stderr)
        tally = Tally(name, config.clips.max_dropped, say)
        work = _frames(config, clip_set, videos, tally, progress.update)
        write_archive(out / "frames.zip", _entries(work, clip_set, tally, rows, workers or _processors()))
    # Clips are decided as their last frames come; readers expect them by video and target.
    rows.sort(key=lambda pair: (f"{pair[0].stored}/", pair[0].target, pair[0].step))
    _write_truths(out / "truth.zip", rows)
    write_manifest(out / "clips.csv", (row for row, _ in rows))
    stand_in = any(config.sources[source].render is not None for source in clip_set.sources)
    summary = {**tally.summary(), "procedural": stand_in, "sources": _coverage(clip_set, videos)}
    with atomic(out / "summary.json") as temporary:
        temporary.write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return summary


def _frames(
    config: Config, clip_set: ClipSet, videos: list[Entry], tally: Tally, advance: Callable[[], object]
) -> Iterator[_Item]:
    """Give all needed frames of all videos, in the order of the archive."""
    reach = (config.clips.before, config.clips.after)
    for entry in videos:
        advance()
        try:
            reader = SOURCES[entry.source].open(entry.video)
        except Unreadable as fault:
            tally.drop(fault.reason, str(fault))
            continue
        planned = clips_of(entry.video, reader, clip_set, reach)
        for lost in (clip for clip in planned if isinstance(clip, Unreadable)):
            tally.drop(lost.reason, str(lost))
        if not planned:
            tally.unfit("too_short", f"{entry.video.path}: {len(reader.numbers)} frames")
        clips = [clip for clip in planned if isinstance(clip, Planned)]
        assembler = Assembler(entry, clips, config.clips.continuity)
        for number, payload in reader.read(assembler.numbers) if clips else ():
            yield assembler, entry, number, payload


def _entries(
    work: Iterator[_Item], clip_set: ClipSet, tally: Tally, rows: list[tuple[ClipRow, Entry]], workers: int
) -> Iterator[tuple[str, bytes]]:
    """Give the archive's entries; rows are appended as clips turn out whole."""
    last = None
    for (assembler, entry, number, _), outcome in _prepared(work, clip_set, workers):
        decided = assembler.add(number, *outcome)
        rows += [(row, entry) for row in decided.rows]
        for reason, message in decided.dropped:
            tally.drop(reason, message)
        for reason, message in decided.unfit:
            tally.unfit(reason, message)
        for reason, message in decided.absent:
            tally.absent(reason, message)
        tally.keep(clips=len(decided.rows), frames=len(decided.frames))
        if decided.rows and entry is not last:
            tally.keep(videos=1)
            last = entry
        for stored, frame in decided.frames:
            yield entry_name(entry.stored, stored, frame.extension), frame.data
    # Inside the archive's writing: where this refuses, no archive appears.
    tally.check()


def _prepared(work: Iterator[_Item], clip_set: ClipSet, workers: int) -> Iterator[tuple[_Item, _Outcome]]:
    """Prepare frames in parallel and give them in order, with a bounded number in flight."""
    pending: deque[tuple[_Item, Future[_Outcome]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="clips") as pool:
        for item in work:
            pending.append((item, pool.submit(_prepare, item[3], clip_set, item[0].judges)))
            if len(pending) > AHEAD * workers:
                done, future = pending.popleft()
                yield done, future.result()
        while pending:
            done, future = pending.popleft()
            yield done, future.result()


def _prepare(payload: Payload, clip_set: ClipSet, judges: bool) -> _Outcome:
    """Read, check and, where needed, convert, crop, resize and encode one frame."""
    if isinstance(payload, Unreadable):
        return payload, None
    data, extension = b"", "png"
    if isinstance(payload, Path):
        try:
            data = payload.read_bytes()
        except OSError as error:
            return Unreadable(payload, f"cannot be read ({error.strerror})"), None
        decoded = images.decode(data)
        if decoded is None:
            return Unreadable(payload, "truncated or damaged" if data else "an empty file"), None
        pixels = decoded
        extension = "png" if payload.suffix.lower() == ".png" else "jpg"
    else:
        pixels = convert(payload)
    for size, change in ((clip_set.crop, images.crop), (clip_set.resize, images.resize)):
        if size is not None and pixels.shape[:2] != size:
            pixels, data, extension = change(pixels, size), b"", "png"
    data = data or images.encode(pixels)
    small = reduced(pixels) if judges else None
    return Stored(data=data, shape=pixels.shape, extension=extension, reduced=small), pixels


def _write_truths(path: Path, rows: list[tuple[ClipRow, Entry]]) -> None:
    truths = [(row, SOURCES[entry.source].truth(entry.video)) for row, entry in rows]
    known = [(row, truth) for row, truth in truths if truth is not None]
    write_truth(path, known)  # without entries where nothing is known: a missing file is then a fault


def _coverage(clip_set: ClipSet, videos: list[Entry]) -> dict[str, dict[str, int]]:
    """Count list entries: those of videos that are used, and all of the official list."""
    return {
        name: {
            "listed": sum(len(e.video.targets or (None,)) for e in videos if e.source == name),
            "official": SOURCES[name].official[official_part(SOURCES[name], clip_set.part)],
        }
        for name in clip_set.sources
    }


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
