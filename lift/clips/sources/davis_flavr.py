"""DAVIS by FLAVR's rule (Kalluri et al., 2020): quintuplets from all 90 sequences, training list included.

In a sequence of n frames, for i = 0, 2, 4 … below n - 6, the inputs are i, i+2, i+4 and i+6 and the missing
frame is i+3 (protocols section 1.1): offsets -3, -1, 1, 3. 2,849 quintuplets in all. Published rows crop the
middle 480x840 (`crop: [480, 840]` in the clip set). A model that is tested so must be trained on no DAVIS.
Licence as DAVIS.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Target, Video, WithoutTruth, locate, read_list
from lift.clips.sources.davis import FRAMES, LISTS, Davis

SPAN, MIDDLE, STEP = 6, 3, 2  # i+6 is the last input, i+3 the missing frame, i advances by 2


class DavisFlavr(WithoutTruth):
    """The layout of DAVIS 2017; a source of its own, for it has another list."""

    title = "DAVIS 2017 by FLAVR's rule"
    layout = Davis.layout
    official: Mapping[str, int] = {"test": 2849}
    split_by_group = True
    footage = "davis"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the 90 sequences with their quintuplets; one that is absent or too short has none."""
        root = locate(folder, "DAVIS", (FRAMES, *LISTS.values()), self)
        names = [name for lists in LISTS.values() for name in read_list(root / lists)]
        return [
            Video(name=name, group=name, path=path, targets=_targets(len(list(path.glob("*.jpg")))))
            for name, path in ((name, root / FRAMES / name) for name in sorted(names))
        ]

    def open(self, video: Video) -> Reader:
        """Read the JPEG files."""
        return Pictures.in_folder(video.path, r"(\d+)\.jpg", "jpg")


def _targets(frames: int) -> tuple[Target, ...]:
    starts = range(0, frames - SPAN, STEP)
    return tuple(Target(number=start + MIDDLE, uniform=True, reach=MIDDLE) for start in starts)
