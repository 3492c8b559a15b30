"""What a reference run was given, by content: its clips are cut once, so a run must go on with the same.

OUT/given.json holds a digest of every sequence of CLIPS, of every test video of REAL, and of what is rendered
beside them. Where they lie does not count.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.reference.footage import sequences
from benchmarks.reference.profile import LAYOUTS
from lift.clips.sources import SOURCES
from lift.errors import UserError
from lift.files import atomic
from lift.progress import bar

RECORD = "given.json"
SHOWN = 3  # names of a message
Given = dict[str, dict[str, str]]


def read(clips: Path, leave_out: Collection[str], real: Path, scenes: Mapping[str, Any]) -> Given:
    """Give what is given now.

    Args:
        clips: `<kind>/<sequence>/{<video>, <picture> …}`.
        leave_out: Kinds that do not train.
        real: Folder of the layouts that test.
        scenes: What decides the scenes that are rendered to train, as plain values.

    Raises:
        UserError: CLIPS or REAL is no folder, one holds the other, CLIPS has no sequence, or REAL lacks a
            layout.
    """
    for name, folder in (("CLIPS", clips), ("REAL", real)):
        if not folder.is_dir():
            raise UserError(f"{name}: {folder}: no such folder")
    if clips.is_relative_to(real) or real.is_relative_to(clips):
        raise UserError(
            f"CLIPS: {clips} and REAL: {real}: one holds the other, and what tests must not train"
        )
    found = {"CLIPS": dict(sequences(clips, leave_out)), "REAL": dict(_tested(real))}
    total = sum(map(len, found.values()))
    with bar(title="looking at CLIPS and REAL", unit="video", total=total) as progress:
        given: Given = {}
        for name, videos in found.items():
            given[name] = {}
            for video, path in videos.items():
                given[name][video] = _digest(path)
                progress.update()
    return {**given, "rendered scenes": {"rules": json.dumps(scenes, sort_keys=True)}}


def check(out: Path, now: Given) -> None:
    """Refuse to go on in OUT with other footage than it was begun with; nothing is changed there.

    Raises:
        UserError: It differs; the message says in what.
    """
    if not (out / RECORD).is_file():
        if (out / "footage").is_dir():
            print(f"{out}: no {RECORD}, so of an older version: CLIPS and REAL are taken to be what it had")
        return
    try:
        before: Given = json.loads((out / RECORD).read_text(encoding="utf-8"))
        differences = [_difference(name, before[name], now[name]) for name in now]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{out / RECORD}: damaged ({error!r}); give an empty OUT") from error
    if any(differences):
        raise UserError(
            f"{out}: begun with other footage: {'; '.join(filter(None, differences))}. Its clips were cut "
            f"from that and its models have learnt from it, and all of it is still there: give that footage "
            f"again to go on, or an empty OUT for the new"
        )


def write(out: Path, now: Given) -> None:
    """Note in OUT what is given."""
    with atomic(out / RECORD) as temporary:
        temporary.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _tested(real: Path) -> Iterator[tuple[str, Path]]:
    for layout in LAYOUTS:
        for video in SOURCES[layout].videos(real, "test", 1):
            yield f"{layout}/{video.name}", video.path


def _digest(path: Path) -> str:
    """Digest a video's file, or the names and files of its folder; one that is not there has none."""
    total = hashlib.sha256()
    inside = (each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
    for file in sorted(inside) if path.is_dir() else [path] if path.is_file() else []:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def _difference(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say what of `name` differs; empty: nothing."""
    kinds = {
        "changed": [key for key in before if key in now and before[key] != now[key]],
        "no longer there": [key for key in before if key not in now],
        "new": [key for key in now if key not in before],
    }
    said = [f"{len(keys)} {kind} ({_shown(keys)})" for kind, keys in kinds.items() if keys]
    return f"of {name}, {', '.join(said)}" if said else ""


def _shown(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
