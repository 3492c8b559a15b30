"""The two public test subsets of UCF101 in frames, which must never be mixed (protocols section 1.4).

- DVF-379 (Liu et al., ICCV 2017): 379 triplets of 256x256, `<id>/frame_00.png, frame_01_gt.png,
  frame_02.png`; `frame_01_ours.png`, where there is one, is a method's output and never the truth.
  Non-commercial use.
- QVI-100 (Xu et al., NeurIPS 2019): 100 quintuplets, `<id>/frame0.png … frame3.png` and `framet.png`, the
  missing one in the middle: the inputs stand at offsets -3, -1, 1, 3. Published rows crop the middle
  224x224 (`crop: [224, 224]` in the clip set). For research use.

Both are for testing only and were given out by links to shared drives, so `download` does not bring them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Source, Target, Video, locate
from lift.data.stored.images import Unreadable


@dataclass(kw_only=True)
class Ucf101Subset(Source):
    """`<folder>/<id>/<frame>.png` with fixed names."""

    title: str
    layout: str
    official: Mapping[str, int]
    inner: str
    """The folder in the official archive."""
    numbers: Mapping[str, int]
    """Frame number by file name; the missing frame's is `target`."""
    target: Target

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the samples by their number; there is no list file, so the folders are the list."""
        truth = next(name for name, number in self.numbers.items() if number == self.target.number)
        root = locate(folder, self.inner, (f"*/{truth}",), self)
        found = sorted((p for p in root.iterdir() if re.fullmatch(r"\d+", p.name)), key=lambda p: int(p.name))
        return [Video(name=p.name, group=p.name, path=p, targets=(self.target,)) for p in found]

    def open(self, video: Video) -> Reader:
        """Read the sample's frames by their fixed names."""
        if not video.path.is_dir():
            raise Unreadable(video.path, "no such folder", "missing")
        paths = {number: video.path / name for name, number in self.numbers.items()}
        return Pictures({number: path for number, path in paths.items() if path.is_file()})


DVF = Ucf101Subset(
    title="UCF101 DVF-379",
    layout="ucf101_interp_ours/<id>/{frame_00.png, frame_01_gt.png, frame_02.png}",
    official={"test": 379},
    inner="ucf101_interp_ours",
    numbers={"frame_00.png": 0, "frame_01_gt.png": 1, "frame_02.png": 2},
    target=Target(number=1),
)
QVI = Ucf101Subset(
    title="UCF101 QVI-100",
    layout="ucf101_extracted/<id>/{frame0.png, frame1.png, framet.png, frame2.png, frame3.png}",
    official={"test": 100},
    inner="ucf101_extracted",
    numbers={"frame0.png": 0, "frame1.png": 2, "framet.png": 3, "frame2.png": 4, "frame3.png": 6},
    target=Target(number=3, uniform=True, reach=3),
)
