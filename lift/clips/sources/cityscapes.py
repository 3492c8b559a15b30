"""Cityscapes sequences (Cordts et al., CVPR 2016): snippets of 30 frames at 17 frames/s, 2048x1024 PNG.

Official split: 2,975 training, 500 validation and 1,525 test snippets, by city. A file is
`<part>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png`. A snippet is up to 30 consecutive frame numbers
of one sequence (some cities number a whole drive through, with gaps between its snippets). Non-commercial;
only after registration, so `download` cannot bring it.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Source, Video, locate
from lift.data.stored.images import Unreadable

FRAMES = 30  # of a snippet
FOLDERS = {"train": "train", "validation": "val", "test": "test"}
SUFFIX = "_leftImg8bit.png"


class Cityscapes(Source):
    """`<train|val|test>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png`."""

    title = "Cityscapes sequences"
    layout = f"leftImg8bit_sequence/{{train,val,test}}/aachen/aachen_000000_000000{SUFFIX} …"
    official: Mapping[str, int] = {"train": 2975, "validation": 500, "test": 1525}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the snippets as `<city>/<city>_<sequence>_<first frame>`; a group is a city."""
        root = locate(folder, "leftImg8bit_sequence", (FOLDERS[part],), self)
        return [
            Video(name=f"{city.name}/{sequence}_{first:06d}", group=city.name, path=city)
            for city in sorted((root / FOLDERS[part]).iterdir())
            if city.is_dir()
            for sequence, numbers in sorted(_sequences(city).items())
            for first in _starts(numbers)
        ]

    def open(self, video: Video) -> Reader:
        """Read the snippet's PNG files, numbered as they are named."""
        sequence, _, first = video.name.rpartition("/")[2].rpartition("_")
        numbers = range(int(first), int(first) + FRAMES)
        paths = {number: video.path / f"{sequence}_{number:06d}{SUFFIX}" for number in numbers}
        found = {number: path for number, path in paths.items() if path.is_file()}
        if not found:
            raise Unreadable(video.path, f"no frame of {video.name}", "missing")
        last = next((a for a, b in pairwise(found) if b != a + 1), max(found))
        return Pictures({number: path for number, path in found.items() if number <= last})


def _sequences(city: Path) -> dict[str, list[int]]:
    """List the frame numbers of each `<city>_<sequence>`."""
    found: dict[str, list[int]] = {}
    for path in city.iterdir():
        match = re.fullmatch(rf"(.+_\d+)_(\d+){re.escape(SUFFIX)}", path.name)
        if match:
            found.setdefault(match[1], []).append(int(match[2]))
    return found


def _starts(numbers: list[int]) -> list[int]:
    """Return each snippet's first frame: after a gap, or 30 frames after the last start."""
    starts: list[int] = []
    last = None
    for number in sorted(numbers):
        if last is None or number != last + 1 or number == starts[-1] + FRAMES:
            starts.append(number)
        last = number
    return starts
