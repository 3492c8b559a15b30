"""Vimeo-90K septuplets (Xue et al., IJCV 2019): 91,701 sequences of seven frames, 448x256 PNG.

Lists: 64,612 training and 7,824 test sequences. The middle frame im4 is the missing one, as in all published
work; seven frames are all there are of a sequence. For research use.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Target, Video, WithoutTruth, locate, read_list

LISTS = {"train": "sep_trainlist.txt", "test": "sep_testlist.txt"}
MIDDLE = Target(number=4)


class Vimeo90K(WithoutTruth):
    """`sequences/<folder>/<sequence>/im1.png … im7.png`."""

    title = "Vimeo-90K septuplet"
    layout = "vimeo_septuplet/{sep_trainlist.txt, sep_testlist.txt, sequences/00001/0001/im1.png … im7.png}"
    official: Mapping[str, int] = {"train": 64612, "test": 7824}
    # The official lists take sequences of one folder into both parts; only sequences can be kept apart.
    split_by_group = False
    footage = "vimeo90k"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; a group is the first folder, whose sequences come from the same footage."""
        root = locate(folder, "vimeo_septuplet", ("sequences", LISTS[part]), self)
        return [
            Video(name=name, group=name.split("/")[0], path=root / "sequences" / name, targets=(MIDDLE,))
            for name in read_list(root / LISTS[part])
        ]

    def open(self, video: Video) -> Reader:
        """Read im1.png … im7.png."""
        return Pictures.in_folder(video.path, r"im(\d+)\.png", "png")
