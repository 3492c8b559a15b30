"""What a source of footage is, and what the sources share: finding a layout, reading a list, holding out."""

import codecs
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lift.clips.readers import Pictures, Reader, VideoFile
from lift.errors import UserError
from lift.seeds import derive


@dataclass(frozen=True, kw_only=True)
class Target:
    """A missing frame; the frame at offset o from it is number + o * step."""

    number: int
    """Frame number."""
    step: int = 1
    """Frames between two offsets."""
    kind: str = ""
    """Difficulty or kind of scene."""
    uniform: bool = False
    """Only odd offsets are context, so nothing between the references at ±1 is seen."""
    reach: int | None = None
    """Furthest offset that the protocol gives; None: all that are stored."""

    def at(self, offset: int) -> int:
        """Return the number of the frame at an offset."""
        return self.number + offset * self.step


@dataclass(frozen=True, kw_only=True)
class Video:
    """One entry of a data set's list."""

    name: str
    """Unique within its source; may contain slashes."""
    group: str
    """The recording it was cut from: a group is never split between training and validation."""
    path: Path
    """Its folder of frames or video file; need not exist."""
    targets: tuple[Target, ...] | None = None
    """The missing frames of the official protocol; None: every `spacing`-th frame."""


class Source:
    """A data set in its official layout: subclasses say what it is and list its videos.

    Attributes:
        title: Name for messages.
        layout: The expected files in one line, for messages.
        official: Entries of the official lists by part (`train`, `validation`, `test`; 0: not fixed); a part
            not named does not exist. Without official validation a share of the training list is held out.
        split_by_group: Whether the official lists keep a group (`Video.group`) in one part; it is checked.
        footage: A name that sources of the same recordings share, with the same names of groups: training on
            one and testing on another is refused where they have a group in common; empty: there is no other.
        frames: Of videos that are folders of pictures: what matches a file's whole name, and its number as
            group 1; None: they are video files.
    """

    title: str
    layout: str
    official: Mapping[str, int]
    split_by_group: bool = True
    footage: str = ""
    frames: str | None = r"(\d+)\.png"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos of a part in the order of the official list, blank lines skipped.

        Args:
            folder: The data set's own folder or the one that contains it.
            part: A key of `official`.
            before: Number of the missing frame where footage is rendered around one (`Config.missing`).

        Raises:
            UserError: The folder is not this data set, or a list is empty.
        """
        raise NotImplementedError

    def open(self, video: Video) -> Reader:
        """Return access to a video's frames.

        Raises:
            Unreadable: It is missing, or is not what its name says.
        """
        if self.frames is None:
            return VideoFile(video.path)
        return Pictures.in_folder(video.path, self.frames)

    def truth(self, video: Video) -> Path | None:
        """Return the file with true flow and visibility, where the data set has any."""
        return None


def locate(folder: Path, inner: str, markers: tuple[str, ...], source: Source) -> Path:
    """Find the folder that holds a data set.

    Args:
        folder: What the user named: the data set's folder, the one above it, or one of those in it.
        inner: The official folder's name.
        markers: Glob patterns of what must lie directly in it.
        source: For the message.

    Raises:
        UserError: No candidate has all markers.
    """
    for candidate in (folder, folder / inner, folder / inner / inner, folder.parent):
        if all(any(candidate.glob(marker)) for marker in markers):
            return candidate
    nearest = folder / inner if (folder / inner).is_dir() else folder
    missing = [marker for marker in markers if not any(nearest.glob(marker))]
    raise UserError(
        f"{nearest}: {'does not exist and so ' if not nearest.exists() else ''}is not {source.title}: "
        f"no {' and no '.join(missing)} there; expected {source.layout}"
    )


def read_list(path: Path) -> list[str]:
    """Read a list file: one entry per line, blank lines skipped (Vimeo's triplet test list has one).

    Raises:
        UserError: The file is missing, not text, or names an entry twice.
    """
    try:
        data = path.read_bytes()
        # Windows' programs put a mark before a text.
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        lines = data.decode("utf-16" if wide else "utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: the official list is missing; it comes with the data set's archive"
        ) from error
    except (OSError, UnicodeError) as error:
        raise UserError(f"{path}: cannot be read as a list ({error})") from error
    entries = [line.strip() for line in lines if line.strip()]
    repeated = [entry for entry, count in Counter(entries).items() if count > 1]
    if repeated:
        raise UserError(f"{path}: names {repeated[0]!r} twice; restore the official list")
    return entries


def held_out(groups: Iterable[str], share: float, seed: int, source: str) -> frozenset[str]:
    """Choose the groups of videos that are held out: a pure function of the seed, never all of them.

    Args:
        groups: One name per recording; repeats are one group.
        share: Share of the groups, rounded to the nearest number, but at least one of several if share > 0.
        seed: The run's seed.
        source: Name of the data set, so that two sets are drawn independently.
    """
    # Ranked by a hash rather than drawn by position: removing a video elsewhere in the list moves few others.
    ranked = sorted(set(groups), key=lambda group: (derive(seed, "validation", source, group), group))
    if share <= 0 or len(ranked) < 2:
        return frozenset()
    return frozenset(ranked[: min(max(round(share * len(ranked)), 1), len(ranked) - 1)])
