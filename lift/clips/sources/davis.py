"""DAVIS 2017 (Pont-Tuset et al., 2017): 90 sequences of 25-104 frames, JPEG at 480p (mostly 854x480).

Lists: 60 training (`train`) and 30 test (`val`) sequences. Code under BSD; the footage for research use.

By FLAVR's rule (Kalluri et al., 2020) it is another source: quintuplets from all 90 sequences, training list
included. In a sequence of n frames, for i = 0, 2, 4 … below n - 6, the inputs are i, i+2, i+4 and i+6 and the
missing frame is i+3 (protocols section 1.1): offsets -3, -1, 1, 3. 2,849 quintuplets in all. Published rows
crop the middle 480x840 (`crop: [480, 840]` in the clip set). A model that is tested so must be trained on no
DAVIS.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.sources.base import Source, Target, Video, locate, read_list

LISTS = {"train": "ImageSets/2017/train.txt", "test": "ImageSets/2017/val.txt"}
FRAMES = "JPEGImages/480p"
SPAN, MIDDLE, STEP = 6, 3, 2  # FLAVR's: i+6 is the last input, i+3 the missing frame, i advances by 2


class Davis(Source):
    """`JPEGImages/480p/<sequence>/00000.jpg …`."""

    title = "DAVIS 2017"
    layout = "DAVIS/{ImageSets/2017/{train,val}.txt, JPEGImages/480p/<sequence>/00000.jpg …}"
    official: Mapping[str, int] = {"train": 60, "test": 30}
    footage = "davis"
    frames = r"(\d+)\.jpg"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; each is a recording of its own."""
        root = locate(folder, "DAVIS", (FRAMES, LISTS[part]), self)
        return [Video(name=n, group=n, path=root / FRAMES / n) for n in read_list(root / LISTS[part])]


class DavisFlavr(Davis):
    """The same layout with another list."""

    title = "DAVIS 2017 by FLAVR's rule"
    official: Mapping[str, int] = {"test": 2849}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the 90 sequences with their quintuplets; one that is absent or too short has none."""
        root = locate(folder, "DAVIS", (FRAMES, *LISTS.values()), self)
        names = sorted(name for lists in LISTS.values() for name in read_list(root / lists))
        return [
            Video(name=name, group=name, path=path, targets=_targets(len(list(path.glob("*.jpg")))))
            for name, path in ((name, root / FRAMES / name) for name in names)
        ]


def _targets(frames: int) -> tuple[Target, ...]:
    starts = range(0, frames - SPAN, STEP)
    return tuple(Target(number=start + MIDDLE, uniform=True, reach=MIDDLE) for start in starts)
