"""What a clip set consists of: its videos, and the clips of each, before any frame is read.

A clip is a missing frame (the target, offset 0) and the frames around it (specification section 2).
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lift.clips.readers import Reader
from lift.clips.sources import SOURCES, Source, Target, Video
from lift.clips.sources.base import held_out
from lift.config import ClipSet, Config, window
from lift.data.stored.images import Unreadable
from lift.errors import UserError

TESTS = ("test", "all")  # parts that nothing learns from


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A video of a clip set."""

    source: str
    video: Video

    @property
    def stored(self) -> str:
        """Folder of its frames in the archive."""
        return f"{self.source}/{self.video.name}"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A clip whose frames are still to be read."""

    target: Target
    span: tuple[int, ...]
    """Offsets of its frames, ascending, 0 among them."""
    required: tuple[int, ...]
    """Those of them without which it is dropped, 0 among them."""
    judged: bool
    """Whether cuts and duplicates end its context (`lift/clips/continuity.py`). Not that of clips that a test
    protocol prescribes: an official test set is kept whole.
    """

    @property
    def numbers(self) -> list[int]:
        """Frame numbers of `span`."""
        return [self.target.at(offset) for offset in self.span]


def entries(config: Config, name: str, raw: Path) -> list[Entry]:
    """List the videos of a clip set, in the order of the archive.

    Args:
        config: The run's parameters.
        name: A key of `clips.sets`; its sources that are not given (`Source.optional`) are left out.
        raw: Folder in which the sources without a path of their own lie.

    Raises:
        UserError: A source's folder is missing or is another data set, a list is empty, or parts
            share a video.
    """
    clip_set = config.clips.sets[name]
    _check_variants(config, name, raw)
    found = []
    for source in config.given(name):
        videos = _part(config, source, clip_set, raw)
        chosen = spread(len(videos), clip_set.max_sequences)
        found += [Entry(source=source, video=videos[i]) for i in chosen]
    # The trailing slash sorts names as their archive entries sort.
    return sorted(found, key=lambda entry: f"{entry.stored}/")


def source_folder(config: Config, source: str, raw: Path) -> Path:
    """Return the folder of a data set: the user's own copy, or the one under `raw`.

    Raises:
        UserError: It does not exist.
    """
    own = config.sources[source].folder
    folder = raw / source if own is None else own
    if not folder.is_dir():
        key = f"profiles.{config.profile}.sources.{source}.path"
        advice = f"correct {key}" if own is not None else f"run `dvc repro download`, or set {key}"
        raise UserError(f"{folder}: no such folder ({SOURCES[source].title}); {advice}")
    return folder


def official_parts(source: Source, part: str) -> tuple[str, ...]:
    """Name the official lists from which a part is taken: training, where there is none of its own."""
    if part == "all":
        return tuple(source.official)
    return ("train" if part == "validation" and "validation" not in source.official else part,)


def clips_of(
    video: Video, reader: Reader, clip_set: ClipSet, reach: tuple[int, int]
) -> list[Planned | Unreadable]:
    """Plan the clips of one video, by target and step; there is none where it is too short.

    Args:
        video: Whose targets are prescribed or free.
        reader: Which frames there are.
        clip_set: The set's rules.
        reach: Furthest context stored before and after a target (`clips.before`, `clips.after`); the whole
            video's of a set with `windows: random`.

    Returns:
        A reason stands in place of each prescribed clip that lacks a needed frame.
    """
    numbers = reader.numbers
    exist: Collection[int] = numbers if isinstance(numbers, range) else frozenset(numbers)
    if clip_set.windows == "random":
        reach = (max(numbers, default=0) - min(numbers, default=0),) * 2
    targets = free(numbers, clip_set) if video.targets is None else _prescribed(video.targets, clip_set)
    return [_planned(video, target, exist, reach, clip_set) for target in targets]


def free(numbers: Sequence[int], clip_set: ClipSet) -> list[Target]:
    """Choose missing frames of a video, `spacing` apart, with all around them that the set requires."""
    exist, chosen = frozenset(numbers), list[int]()
    around = [offset * clip_set.stride for offset in range(-clip_set.before, clip_set.after + 1)]
    for number in numbers:
        apart = not chosen or number >= chosen[-1] + clip_set.spacing
        if apart and all(number + distance in exist for distance in around):
            chosen.append(number)
    kept = (chosen[i] for i in spread(len(chosen), clip_set.max_clips))
    return [Target(number=number, step=clip_set.stride) for number in kept]


def _prescribed(targets: Sequence[Target], clip_set: ClipSet) -> list[Target]:
    """Take up to `max_clips` targets of each kind, so that all difficulties keep the same number."""
    by_kind: dict[str, list[Target]] = {}
    for target in targets:
        by_kind.setdefault(target.kind, []).append(target)
    chosen = [kind[i] for kind in by_kind.values() for i in spread(len(kind), clip_set.max_clips)]
    return sorted(chosen, key=lambda target: (target.number, target.step))


def _planned(
    video: Video, target: Target, exist: Collection[int], reach: tuple[int, int], clip_set: ClipSet
) -> Planned | Unreadable:
    needed = {0, *window(clip_set.before, clip_set.after, "uniform" if target.uniform else "dense")}
    for offset in sorted(needed, key=abs):
        if target.at(offset) not in exist:
            return Unreadable(video.path, f"has no frame {target.at(offset)}", "missing")
    span = present(exist, target, reach)
    return Planned(
        target=target,
        span=span,
        required=tuple(offset for offset in span if offset in needed),
        judged=video.targets is None or clip_set.part not in TESTS,
    )


def present(exist: Collection[int], target: Target, reach: tuple[int, int]) -> tuple[int, ...]:
    """Return the offsets of which there is a frame, ascending, 0 among them, as far as `reach`.

    Of a uniform target odd offsets alone (±1, ±3, …), as when a frame rate is doubled: with the references at
    ±1, nothing between them is ever seen.
    """
    before, after = (each if target.reach is None else min(each, target.reach) for each in reach)
    stride = 2 if target.uniform else 1
    offsets = (*reversed(range(-1, -before - 1, -stride)), 0, *range(1, after + 1, stride))
    return tuple(offset for offset in offsets if target.at(offset) in exist)


def spread(count: int, limit: int | None) -> list[int]:
    """Choose `limit` of the positions 0 … count-1, evenly: the middles of equal shares; None: all."""
    if limit is None or limit >= count:
        return list(range(count))
    return [(2 * i + 1) * count // (2 * limit) for i in range(limit)]


def _part(config: Config, name: str, clip_set: ClipSet, raw: Path) -> list[Video]:
    """List one source's videos of a part: validation is a share of the training list, by group."""
    source, folder = SOURCES[name], source_folder(config, name, raw)
    official = official_parts(source, clip_set.part)
    if not set(official) <= set(source.official):
        raise UserError(
            f"params.yaml: clips.sets: {source.title} has no official {official[0]} list; take {name} "
            f"out of the set with part: {clip_set.part}"
        )
    # Of a validation set of its own none needs the others (Cityscapes: 324 GB); train and test must be apart.
    wanted = official if official == ("validation",) else source.official
    lists = {part: source.videos(folder, part, config.missing(name)) for part in wanted}
    _check_disjoint(source, lists)
    videos = [video for part in official for video in lists[part]]
    if official == ("train",) and "validation" not in source.official:
        groups = held_out((v.group for v in videos), config.clips.validation_share, config.seed, name)
        videos = [v for v in videos if (v.group in groups) == (clip_set.part == "validation")]
    if not videos:
        raise UserError(
            f"{folder}: {source.title}: the {official[0]} list gives no video for part {clip_set.part}; "
            f"complete the list, or take {name} out of the clip sets that want it (layout: {source.layout})"
        )
    if not any(os.path.lexists(video.path) for video in videos):
        raise UserError(
            f"{folder}: not one of the {len(videos)} videos listed for part {clip_set.part} is there, "
            f"such as {videos[0].path}; expected {source.layout}"
        )
    return videos


def _check_disjoint(source: Source, lists: dict[str, list[Video]]) -> None:
    """Refuse lists by which a model would be tested on a recording that it was trained on."""
    train, test = lists.get("train", []), lists.get("test", [])
    shared = {video.name for video in train} & {video.name for video in test}
    if source.split_by_group:
        shared |= {video.group for video in train} & {video.group for video in test}
    if shared:
        raise UserError(
            f"{source.title}: {min(shared)} stands in the training and in the test list; "
            "restore the official lists"
        )


def _check_variants(config: Config, name: str, raw: Path) -> None:
    """Refuse the same for two sources of the same footage: what is trained on must not be tested on."""
    clip_set = config.clips.sets[name]
    tests = clip_set.part in TESTS
    pairs = [
        (own, source, key, other)
        for own in config.given(name)
        for key, other in config.clips.sets.items()
        for source in config.given(key)
        if (other.part in TESTS) != tests and own != source
    ]
    for own, source, key, other in pairs:
        if not SOURCES[own].footage or SOURCES[own].footage != SOURCES[source].footage:
            continue
        groups = {video.group for video in _part(config, own, clip_set, raw)}
        shared = groups & {video.group for video in _part(config, source, other, raw)}
        if shared:
            trained, tested = (source, own) if tests else (own, source)
            raise UserError(
                f"params.yaml: clips.sets: {SOURCES[tested].title} tests on {min(shared)}, and "
                f"{SOURCES[trained].title} gives it for training ({len(shared)} recordings in all); "
                f"take {source} out of {key}, or {own} out of the set with part: {clip_set.part}"
            )
