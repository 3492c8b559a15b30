"""Vimeo-90K (Xue et al., IJCV 2019): sequences of seven frames, or of three, 448x256 PNG.

Lists: 64,612 training and 7,824 test septuplets, 51,312 and 3,782 triplets (these files have a blank line at
times). The middle frame is the missing one, as in all published work; a sequence has no others, so a set of
triplets has `before: 1` and `after: 1`. For research use; no licence text is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lift.clips.sources.base import Source, Target, Video, locate, read_list


@dataclass
class Vimeo90K(Source):
    """`sequences/<folder>/<sequence>/im1.png …`."""

    kind: str
    length: int
    official: Mapping[str, int]
    # The official lists take sequences of one folder into both parts; only sequences can be kept apart.
    split_by_group: bool = False
    footage: str = "vimeo90k"
    frames: str = r"im(\d+)\.png"

    def __post_init__(self) -> None:
        """Name it and its files after its kind."""
        self.title, self._lists = f"Vimeo-90K {self.kind}", f"{self.kind[:3]}_{{}}list.txt"
        lists = ", ".join(map(self._lists.format, self.official))
        sequence = f"sequences/00001/0001/im1.png … im{self.length}.png"
        self.layout = f"vimeo_{self.kind}/{{{lists}, {sequence}}}"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; a group is the first folder, whose sequences come from the same footage."""
        listed = self._lists.format(part)
        root = locate(folder, f"vimeo_{self.kind}", ("sequences", listed), self)
        middle = (Target(number=(self.length + 1) // 2),)
        return [
            Video(name=name, group=name.split("/")[0], path=root / "sequences" / name, targets=middle)
            for name in read_list(root / listed)
        ]


SEPTUPLETS = Vimeo90K("septuplet", 7, {"train": 64612, "test": 7824})
TRIPLETS = Vimeo90K("triplet", 3, {"train": 51312, "test": 3782})
