"""A clip set from raw footage: `frames.zip`, `truth.zip`, `clips.csv`, `summary.json`.

A benchmark of which no source is given (`Source.optional`) is a set of no clips, and its summary says so.

Videos are cut by threads, one each (FFmpeg, OpenCV and zlib release the interpreter's lock), a few at a time,
and their results are written in order. So the bytes do not depend on the number of workers, nor memory on the
size of the data set.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from lift.clips.cut import Cut, cut_video, size_of
from lift.clips.plan import Entry, entries, official_parts
from lift.clips.sources import SOURCES
from lift.clips.tally import Tally
from lift.config import ClipSet, Config
from lift.data.stored.archive import write_archive
from lift.data.stored.manifest import ClipRow, write_manifest
from lift.data.stored.truth import write_truth
from lift.files import write_json
from lift.progress import bar
from lift.threads import in_order, processors


def build_clip_set(
    config: Config, name: str, raw: Path, out: Path, *, workers: int | None = None
) -> dict[str, Any]:
    """Build one clip set.

    Args:
        config: The run's parameters.
        name: A key of `clips.sets`.
        raw: Folder in which the sources without a path of their own lie.
        out: The set's folder; files in it are replaced one by one, each whole.
        workers: Videos that are cut at once; None: one per processor.

    Returns:
        What stands in summary.json: counts of clips, videos, frames and dropped clips by reason, whether the
        footage is a rendered stand-in, the videos used of each source's official number, and which
        sources are not given, if any.

    Raises:
        UserError: A source's folder is missing or is another data set, more clips are unusable than
            `clips.max_dropped` allows, none is left, or the disk is full.
    """
    clip_set, given = config.clips.sets[name], config.given(name)
    absent = [source for source in clip_set.sources if source not in given]
    videos = entries(config, name, raw)
    rows: list[tuple[ClipRow, Entry]] = []
    with bar(title=f"clips {name}", unit="video", total=len(videos)) as progress:
        say = partial(progress.write, file=sys.stderr)
        tally = Tally(name, config.clips.max_dropped, say)
        cut = partial(cut_video, clip_set=clip_set, rules=config.clips)
        with closing(in_order(videos, cut, size_of, workers or processors())) as cuts:
            write_archive(out / "frames.zip", _entries(cuts, tally, rows, progress.update) if given else ())
    # Clips are decided as their last frames come; readers expect them by video and target.
    rows.sort(key=lambda pair: (f"{pair[0].stored}/", pair[0].target, pair[0].step))
    _write_truths(out / "truth.zip", rows)
    write_manifest(out / "clips.csv", (row for row, _ in rows))
    stand_in = any(config.sources[source].render is not None for source in clip_set.sources)
    summary = {**tally.summary(), "procedural": stand_in, "sources": _coverage(clip_set, given, videos)}
    if absent:
        summary["not_given"] = absent
    write_json(out / "summary.json", summary, indent=2)
    return summary


def _entries(
    cuts: Iterator[tuple[Entry, Iterator[Cut]]],
    tally: Tally,
    rows: list[tuple[ClipRow, Entry]],
    advance: Callable[[], object],
) -> Iterator[tuple[str, bytes]]:
    """Yield the archive's entries; rows are appended as clips turn out whole."""
    for entry, results in cuts:
        advance()
        before = len(rows)
        for cut in results:
            rows += [(row, entry) for row in cut.rows]
            for loss in cut.losses:
                tally.lose(loss)
            tally.keep(clips=len(cut.rows), frames=cut.frames)
            yield from cut.entries
        tally.keep(videos=len(rows) > before)
    # Inside the archive's writing: where this refuses, no archive appears.
    tally.check()


def _write_truths(path: Path, rows: list[tuple[ClipRow, Entry]]) -> None:
    truths = [(row, SOURCES[entry.source].truth(entry.video)) for row, entry in rows]
    known = [(row, truth) for row, truth in truths if truth is not None]
    write_truth(path, known)  # without entries where nothing is known: a missing file is then a fault


def _coverage(clip_set: ClipSet, given: tuple[str, ...], videos: list[Entry]) -> dict[str, dict[str, int]]:
    """Count list entries: those of videos that are used, and all of the official list."""
    return {
        name: {
            "listed": sum(len(e.video.targets or (None,)) for e in videos if e.source == name),
            "official": sum(
                SOURCES[name].official[part] for part in official_parts(SOURCES[name], clip_set.part)
            ),
        }
        for name in given
    }
