"""DAVIS 2017 (Pont-Tuset et al., 2017): 90 sequences of 25-104 frames, JPEG at 480p (mostly 854x480).

Lists: 60 training (`train`) and 30 test (`val`) sequences. Code under BSD; the footage for research use.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Video, WithoutTruth, locate, read_list

LISTS = {"train": "ImageSets/2017/train.txt", "test": "ImageSets/2017/val.txt"}
FRAMES = "JPEGImages/480p"


class Davis(WithoutTruth):
    """`JPEGImages/480p/<sequence>/00000.jpg …`."""

    title = "DAVIS 2017"
    layout = "DAVIS/{ImageSets/2017/{train,val}.txt, JPEGImages/480p/<sequence>/00000.jpg …}"
    official: Mapping[str, int] = {"train": 60, "test": 30}
    split_by_group = True
    footage = "davis"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; each is a recording of its own."""
        root = locate(folder, "DAVIS", (FRAMES, LISTS[part]), self)
        return [Video(name=n, group=n, path=root / FRAMES / n) for n in read_list(root / LISTS[part])]

    def open(self, video: Video) -> Reader:
        """Read the JPEG files."""
        return Pictures.in_folder(video.path, r"(\d+)\.jpg", "jpg")
