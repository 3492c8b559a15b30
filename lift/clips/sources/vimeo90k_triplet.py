"""Vimeo-90K triplets (Xue et al., IJCV 2019): 73,171 sequences of three frames, 448x256 PNG.

Lists: 51,312 training and 3,782 test sequences (the files have a blank line at times). The middle frame is
the missing one; a set of them has `before: 1` and `after: 1`. For research use; no licence text is
published.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Target, Video, WithoutTruth, locate, read_list

LISTS = {"train": "tri_trainlist.txt", "test": "tri_testlist.txt"}
MIDDLE = Target(number=2)


class Vimeo90KTriplet(WithoutTruth):
    """`sequences/<folder>/<sequence>/im1.png … im3.png`."""

    title = "Vimeo-90K triplet"
    layout = "vimeo_triplet/{tri_trainlist.txt, tri_testlist.txt, sequences/00001/0001/im1.png … im3.png}"
    official: Mapping[str, int] = {"train": 51312, "test": 3782}
    # As the septuplets: the official lists take sequences of one folder into both parts.
    split_by_group = False
    footage = "vimeo90k"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; a group is the first folder."""
        root = locate(folder, "vimeo_triplet", ("sequences", LISTS[part]), self)
        return [
            Video(name=name, group=name.split("/")[0], path=root / "sequences" / name, targets=(MIDDLE,))
            for name in read_list(root / LISTS[part])
        ]

    def open(self, video: Video) -> Reader:
        """Read im1.png … im3.png."""
        return Pictures.in_folder(video.path, r"im(\d+)\.png", "png")
