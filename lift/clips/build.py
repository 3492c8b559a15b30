"""A clip set from raw footage: `frames.zip`, `truth.zip`, `clips.csv`, `summary.json`.

A benchmark of which no source is given (`Source.optional`) is a set of no clips, and its summary says so.

Videos are cut by threads, one each (FFmpeg, OpenCV and zlib release the interpreter's lock), a few at a time,
and their results are written in order. So the bytes do not depend on the number of workers, nor memory on the
size of the data set.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from lift.clips.cut import Lack, Written, cut_video
from lift.clips.plan import Entry, entries, official_parts
from lift.clips.sources import SOURCES
from lift.config import ClipSet, Config
from lift.data.stored.archive import write_archive, write_truth
from lift.data.stored.manifest import ClipRow, write_manifest
from lift.errors import UserError
from lift.files import write_json
from lift.progress import bar
from lift.threads import in_order, processors

SHOWN = 3  # files named in the error line


class Shortfall:
    """What one clip set goes without: nothing is lost without a line and a number.

    A dropped clip has a reason: `missing` (a listed file is absent), `unreadable` (truncated or damaged) and
    `mixed_sizes` count as lost; `too_short`, `cut` and `duplicate` are properties of the footage and do
    not. A video that cannot be opened, or is too short for a single clip, counts as one.

    A lost frame that a clip's set does not demand costs the clip that frame alone: `absent` counts these.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        """Start without any; `say` prints a line."""
        self._say = say
        self.dropped: Counter[str] = Counter()
        self.absent: Counter[str] = Counter()
        self._told: dict[str, None] = {}
        self._unfit: dict[str, str] = {}

    def add(self, lack: Lack) -> None:
        """Count a lack; one by a fault names its file once."""
        (self.absent if lack.kind == "absent" else self.dropped)[lack.reason] += 1
        if lack.kind == "unfit":
            self._unfit.setdefault(lack.reason, lack.message)
        elif lack.message not in self._told:
            self._told[lack.message] = None
            self._say(f"warning: {lack.message}; clips that need it are dropped, others go without it")

    def check(self, name: str, clips: int, most: float) -> None:
        """Refuse the set `name`, of which `clips` are left, where more than the share `most` is lost, or all.

        Raises:
            UserError: It is so.
        """
        lost = sum(count for reason, count in self.dropped.items() if reason not in self._unfit)
        if lost > most * (clips + lost):
            first = "; ".join(list(self._told)[:SHOWN])
            raise UserError(
                f"clip set {name}: {lost} of {clips + lost} clips are unusable, more than clips.max_dropped: "
                f"{most} allows; first: {first}; restore those files, or raise clips.max_dropped"
            )
        if not clips:
            raise UserError(
                f"clip set {name}: no clip, for every video is too short or broken by cuts or repeated "
                f"frames ({'; '.join(self._unfit.values())}); lower clips.sets.{name}.before and after"
            )


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
    videos = entries(config, name, raw)
    found: list[tuple[ClipRow, Entry]] = []
    with bar(title=f"clips {name}", unit="video", total=len(videos)) as progress:
        shortfall = Shortfall(partial(progress.write, file=sys.stderr))
        cut = partial(cut_video, clip_set=clip_set, rules=config.clips)

        def written(cuts: Iterable[tuple[Entry, Iterator[Written | ClipRow | Lack]]]) -> Iterator[Written]:
            for video, results in cuts:
                progress.update()
                for result in results:
                    if isinstance(result, Written):
                        yield result
                    elif isinstance(result, ClipRow):
                        found.append((result, video))
                    else:
                        shortfall.add(result)
            # Inside the archive's writing: where this refuses, no archive appears.
            shortfall.check(name, len(found), config.clips.max_dropped)

        # Outside it: a failure there would keep the generator, and with it the threads, until it is handled.
        with closing(in_order(videos, cut, _size, workers or processors())) as cuts:
            write_archive(out / "frames.zip", written(cuts) if given else ())
    # Clips are decided as their last frames come; readers expect them by video and target.
    found.sort(key=lambda pair: (f"{pair[0].stored}/", pair[0].target, pair[0].step))
    rows = [row for row, _ in found]
    truths = [(row, SOURCES[entry.source].truth(entry.video)) for row, entry in found]
    # Without entries where nothing is known: a missing file is then a fault.
    write_truth(out / "truth.zip", [(row, truth) for row, truth in truths if truth is not None])
    write_manifest(out / "clips.csv", rows)
    summary: dict[str, Any] = {
        "clips": len(rows),
        "videos": len({row.stored for row in rows}),
        "frames": sum(
            len({row.number(offset) for row in own for offset in (0, *row.offsets)})
            for _, own in groupby(rows, key=lambda row: row.stored)
        ),
        "dropped": dict(sorted(shortfall.dropped.items())),
        "absent": dict(sorted(shortfall.absent.items())),
        "procedural": any(config.sources[source].render is not None for source in clip_set.sources),
        "sources": {source: _coverage(source, clip_set, videos) for source in given},
    }
    if absent := [source for source in clip_set.sources if source not in given]:
        summary["not_given"] = absent
    write_json(out / "summary.json", summary, indent=2)
    return summary


def _size(result: Written | ClipRow | Lack) -> int:
    """Return the bytes that a result holds."""
    return len(result.data) if isinstance(result, Written) else 0


def _coverage(source: str, clip_set: ClipSet, videos: list[Entry]) -> dict[str, int]:
    """Count list entries: those of videos that are used, and all of the official list."""
    official = SOURCES[source].official
    return {
        "listed": sum(len(e.video.targets or (None,)) for e in videos if e.source == source),
        "official": sum(official[part] for part in official_parts(SOURCES[source], clip_set.part)),
    }
