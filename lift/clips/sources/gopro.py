"""GoPro (Nah et al., CVPR 2017), all frames: 240 frames/s, 1280x720 PNG, 22 training and 11 test sequences.

The archive's folders `train` and `test` are the split; a sequence is one recording. Consecutive frames move
little: a `stride` of 4 or 8 gives 60 or 30 frames/s. CC BY 4.0. SNU-FILM's GOPRO_test is made of the test
sequences, so training on `train` leaks nothing into it.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.sources.base import Source, Video, locate


class GoPro(Source):
    """`<train|test>/<GOPR…>/000001.png …`."""

    title = "GoPro"
    layout = "GOPRO_Large_all/{train,test}/GOPR0372_07_00/000047.png …"
    official: Mapping[str, int] = {"train": 22, "test": 11}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences of a part by name."""
        root = locate(folder, "GOPRO_Large_all", ("train", "test", f"{part}/GOPR*"), self)
        found = sorted(path for path in (root / part).glob("GOPR*") if path.is_dir())
        return [Video(name=path.name, group=path.name, path=path) for path in found]
