"""Footage that is nobody's data set: a user's own, and the scenes that are rendered here."""

from collections.abc import Iterator
from pathlib import Path

from lift.clips.readers import Pictures, Reader, VideoFile
from lift.clips.sequence import numbered, visible
from lift.clips.sources.base import Source, Target, Video, held_out, locate
from lift.data.stored.images import Unreadable

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv"})
PICTURES = frozenset({".png", ".jpg", ".jpeg"})


class Folder(Source):
    """Any folder of videos or of picture sequences, under the user's own licence.

    A video is a file that FFmpeg can decode (by its suffix), or a folder that holds pictures, taken in
    natural order of their names (2 before 10) and numbered from 0. Where numbers are left out, pictures are
    missing there, and no clip is made of those around. Folders may be nested; what is hidden is left alone.

    Split: where there are sub-folders `train` and `test`, they are it. Otherwise one in ten of the entries
    directly in the folder (a file or a sub-folder with all it holds, so a recording kept in one sub-folder is
    never divided) is for testing, by a hash of its name: the same ones on every machine, and adding others
    moves few.
    """

    title = "a folder of videos or picture sequences"
    layout = "<folder>/[train|test]/{<video>.mp4, <sequence>/<picture>.png …}"
    official = {"train": 0, "test": 0}  # as many as there are

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos of a part by path; a group is an entry of the folder, or of `train` and `test`."""
        if all((folder / name).is_dir() for name in ("train", "test")):
            tops = {f"{part}/{entry.name}": entry for entry in (folder / part).iterdir()}
        else:
            tops = {entry.name: entry for entry in folder.iterdir() if list(_videos(entry))}
            test = held_out(tops, 0.1, 0, "folder")
            tops = {name: entry for name, entry in tops.items() if (name in test) == (part == "test")}
        return [
            Video(name=path.relative_to(folder).as_posix(), group=group, path=path)
            for group, entry in sorted(tops.items())
            for path in _videos(entry)
        ]

    def open(self, video: Video) -> Reader:
        """Decode the video file, or read the pictures."""
        if not video.path.is_dir():
            return VideoFile(video.path)
        files = visible(video.path, PICTURES)
        if not files:
            raise Unreadable(video.path, "holds no picture", "missing")
        return Pictures(dict(zip(numbered(files), files, strict=True)))


def _videos(entry: Path) -> Iterator[Path]:
    """Yield the videos of an entry: itself, or those in it, by path."""
    for path in sorted((entry, *entry.rglob("*"))):
        if any(part.startswith(".") for part in path.relative_to(entry.parent).parts):
            continue
        if path.suffix.lower() in VIDEOS if path.is_file() else visible(path, PICTURES):
            yield path


class Scenes(Source):
    """Procedural scenes (`lift/scenes`): a benchmark in every profile, and footage to learn from.

    Test scenes hold `truth.npz`: flow (4, H, W) float32 and visible (2, H, W) bool from the missing frame to
    its references, and that frame's number (int64), which must be `Config.missing`. The missing frames of
    training scenes, JPEG or PNG, are free.
    """

    title = "procedural scenes"
    layout = "scenes/{<kind>_<nnn>/{000000.png …, truth.npz}, train/<kind>_<nnnn>/000000.jpg …}"
    official = {"train": 0, "test": 0}  # as many as are rendered
    frames = r"(\d{6})\.(?:png|jpg)"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the scenes by name."""
        root = locate(folder, "scenes", ("*_[0-9]*/truth.npz",), self)
        if part == "train":
            names = (f"train/{path.name}" for path in sorted((root / "train").glob("*_[0-9]*")))
            return [Video(name=name, group=name, path=root / name) for name in names]
        return [
            Video(
                name=path.name,
                group=path.name,
                path=path,
                targets=(Target(number=before, kind=path.name.rpartition("_")[0]),),
            )
            for path in sorted(root.glob("*_[0-9]*"))
        ]

    def truth(self, video: Video) -> Path | None:
        """Return the scene's truth, which test scenes have."""
        return video.path / "truth.npz" if video.targets is not None else None
