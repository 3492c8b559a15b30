"""UCF101 (Soomro et al., 2012): 13,320 videos of 101 actions, 320x240 AVI at 25 frames/s.

Split 1: 9,537 training and 3,783 test videos; groups (the same people and place) g01-g07 of a class are test,
g08-g25 training. Training lists carry a class number after the name. For research use.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Reader, VideoFile
from lift.clips.sources.base import Source, Video, locate, read_list
from lift.errors import UserError

LISTS = {"train": "ucfTrainTestlist/trainlist01.txt", "test": "ucfTrainTestlist/testlist01.txt"}


class Ucf101(Source):
    """`UCF-101/<class>/v_<class>_g<group>_c<clip>.avi`."""

    title = "UCF101"
    layout = "UCF-101/<class>/v_<class>_g01_c01.avi beside ucfTrainTestlist/{trainlist01.txt, testlist01.txt}"
    official: Mapping[str, int] = {"train": 9537, "test": 3783}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos of split 1; a group is the official group of a class."""
        root = locate(folder, "UCF-101", ("UCF-101", LISTS[part]), self)
        names = [line.split()[0].removesuffix(".avi") for line in read_list(root / LISTS[part])]
        return [
            Video(name=name, group=_group(name, root / LISTS[part]), path=root / "UCF-101" / f"{name}.avi")
            for name in names
        ]

    def open(self, video: Video) -> Reader:
        """Decode the video file."""
        return VideoFile(video.path)


def _group(name: str, where: Path) -> str:
    match = re.fullmatch(r"(.+_g\d+)_c\d+", name)
    if match is None:
        raise UserError(
            f"{where}: {name!r} is not <class>/v_<class>_g<group>_c<clip>.avi; restore the official list"
        )
    return match[1]
