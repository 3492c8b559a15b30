"""What a clip set consists of: its videos, and the clips of each, before any frame is read."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lift.clips.readers import Reader
from lift.clips.sources import SOURCES, Source, Target, Video
from lift.clips.split import held_out
from lift.clips.windows import present, spread, targets
from lift.config import ClipSet, Config
from lift.data.stored.images import Unreadable
from lift.errors import UserError


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
    offsets: tuple[int, ...]
    """Context offsets present."""
    numbers: tuple[int, ...]
    """All its frames, the missing one among them, ascending."""
    required: tuple[int, ...]
    """Offsets without which it is dropped."""
    judged: bool
    """Whether cuts and duplicates end its context (`lift/clips/continuity.py`). Not that of clips that a test
    protocol prescribes: an official test set is kept whole.
    """

    @property
    def references(self) -> tuple[int, int]:
        """Numbers of the frames at offsets -1 and 1."""
        return self.target.number - self.target.step, self.target.number + self.target.step


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
    found = [
        Entry(source=source, video=video)
        for source in config.given(name)
        for video in _limited(_part(config, source, clip_set, raw), clip_set)
    ]
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


def clips_of(
    video: Video, reader: Reader, clip_set: ClipSet, reach: tuple[int, int]
) -> list[Planned | Unreadable]:
    """Plan the clips of one video; empty where it is too short.

    Args:
        video: Whose targets are prescribed or free.
        reader: Which frames there are.
        clip_set: The set's rules.
        reach: Furthest context stored before and after a target (`clips.before`, `clips.after`); the whole
            video's of a set with `windows: random`.

    Returns:
        Clips by target and step, with a reason in place of each prescribed one that lacks a needed frame.
    """
    numbers = reader.numbers
    exist: Collection[int] = numbers if isinstance(numbers, range) else frozenset(numbers)
    if clip_set.windows == "random":
        reach = (max(numbers, default=0) - min(numbers, default=0),) * 2
    if video.targets is None:
        free = targets(
            numbers,
            clip_set.before,
            clip_set.after,
            clip_set.spacing,
            clip_set.max_clips,
            stride=clip_set.stride,
        )
        return [
            _planned(Target(number=number, step=clip_set.stride, prescribed=False), exist, reach, clip_set)
            for number in free
        ]
    clips: list[Planned | Unreadable] = []
    for target in _prescribed(video, clip_set.max_clips):
        needed = (target.number + offset * target.step for offset in _needed(target, clip_set))
        absent = next((number for number in needed if number not in exist), None)
        if absent is None:
            clips.append(_planned(target, exist, reach, clip_set))
        else:
            clips.append(Unreadable(video.path, f"has no frame {absent}", "missing"))
    return clips


def _prescribed(video: Video, limit: int | None) -> list[Target]:
    """Take up to `limit` targets of each kind, so that all difficulties keep the same number."""
    by_kind: dict[str, list[Target]] = {}
    for target in video.targets or ():
        by_kind.setdefault(target.kind, []).append(target)
    chosen = [kind[i] for kind in by_kind.values() for i in spread(len(kind), limit)]
    return sorted(chosen, key=lambda target: (target.number, target.step))


def _needed(target: Target, clip_set: ClipSet) -> list[int]:
    stride = 2 if target.uniform else 1
    past = [-(1 + stride * i) for i in range(clip_set.before)]
    return [*past, 0, *(1 + stride * i for i in range(clip_set.after))]


def _planned(target: Target, exist: Collection[int], reach: tuple[int, int], clip_set: ClipSet) -> Planned:
    if target.reach is not None:
        reach = (min(reach[0], target.reach), min(reach[1], target.reach))
    offsets = present(exist, target.number, target.step, *reach, uniform=target.uniform)
    return Planned(
        target=target,
        offsets=offsets,
        numbers=tuple(sorted(target.number + offset * target.step for offset in (*offsets, 0))),
        required=tuple(_needed(target, clip_set)),
        judged=not target.prescribed or clip_set.part not in ("test", "all"),
    )


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


def official_parts(source: Source, part: str) -> tuple[str, ...]:
    """Name the official lists from which a part is taken: training, where there is none of its own."""
    if part == "all":
        return tuple(source.official)
    return ("train" if part == "validation" and "validation" not in source.official else part,)


def _limited(videos: list[Video], clip_set: ClipSet) -> list[Video]:
    return [videos[i] for i in spread(len(videos), clip_set.max_sequences)]


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
    tests = clip_set.part in ("test", "all")
    others = [
        (key, source, other)
        for key, other in config.clips.sets.items()
        for source in config.given(key)
        if (other.part in ("test", "all")) != tests
    ]
    for own in config.given(name):
        for key, source, other in others:
            if own == source or not SOURCES[own].footage or SOURCES[own].footage != SOURCES[source].footage:
                continue
            groups = (
                {v.group for v in _part(config, *each, raw)} for each in ((own, clip_set), (source, other))
            )
            shared = set.intersection(*groups)
            if shared:
                trained, tested = (source, own) if tests else (own, source)
                raise UserError(
                    f"params.yaml: clips.sets: {SOURCES[tested].title} tests on {min(shared)}, and "
                    f"{SOURCES[trained].title} gives it for training ({len(shared)} recordings in all); "
                    f"take {source} out of {key}, or {own} out of the set with part: {clip_set.part}"
                )
