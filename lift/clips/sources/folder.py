"""Any folder of videos or of picture sequences: a user's own footage, under the user's own licence.

A video is a file that FFmpeg can decode (by its suffix), or a folder that holds pictures, taken in natural
order of their names (2 before 10) and numbered from 0. Where numbers are left out, pictures are missing
there, and no clip is made of those around. Folders may be nested; what is hidden is left alone.

Split: where there are sub-folders `train` and `test`, they are it. Otherwise one in ten of the entries
directly in the folder (a file or a sub-folder with all it holds, so a recording kept in one sub-folder is
never divided) is for testing, by a hash of its name: the same ones on every machine, and adding others
moves few.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lift.clips.readers import Pictures, Reader, VideoFile
from lift.clips.sequence import numbered, visible
from lift.clips.sources.base import Source, Video
from lift.clips.split import held_out
from lift.data.stored.images import Unreadable

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv"})
PICTURES = frozenset({".png", ".jpg", ".jpeg"})
TEST_SHARE = 0.1


class Folder(Source):
    """`<anything>/<video>.mp4`, `<anything>/<sequence>/<picture>.png …`."""

    title = "a folder of videos or picture sequences"
    layout = "<folder>/[train|test]/{<video>.mp4, <sequence>/<picture>.png …}"
    official: Mapping[str, int] = {"train": 0, "test": 0}  # as many as there are

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos of a part by path; a group is an entry of the folder, or of `train` and `test`."""
        if all((folder / name).is_dir() for name in ("train", "test")):
            tops = {entry.name: entry for entry in (folder / part).iterdir()}
            prefix = f"{part}/"
        else:
            tops = {entry.name: entry for entry in folder.iterdir() if list(_videos(entry))}
            test = held_out(tops, TEST_SHARE, 0, "folder")
            tops = {name: entry for name, entry in tops.items() if (name in test) == (part == "test")}
            prefix = ""
        found = [(name, path) for name, entry in sorted(tops.items()) for path in _videos(entry)]
        return [
            Video(name=path.relative_to(folder).as_posix(), group=f"{prefix}{name}", path=path)
            for name, path in found
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
        if path.is_file():
            if path.suffix.lower() in VIDEOS:
                yield path
        elif visible(path, PICTURES):
            yield path
