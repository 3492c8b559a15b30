"""X4K1000FPS (Sim et al., ICCV 2021, XVFI): clips at 1000 frames/s as mp4; for research and education only.

X-TRAIN: 4,408 clips of 65 frames, 768x768, from 110 scenes; X-TEST: 15 clips of 33 frames, 4096x2160. The
official archives hold one mp4 per clip, `<scene>/<clip>.mp4`, and unpack to `encoded_train`, `encoded_val`,
`encoded_test`. Consecutive frames hardly move: training wants a `stride` (XVFI draws distances of 2 to 32).

Test: the references are frames 0 and 32 (protocols section 1.1), the missing frame is the middle one, 16.
Of the official seven times it is the one that a method which doubles a frame rate can predict.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.readers import Reader, VideoFile
from lift.clips.sources.base import Source, Target, Video, locate
from lift.errors import UserError

FOLDERS = {"train": "train", "validation": "val", "test": "test"}
MIDDLE = Target(number=16, step=16, uniform=True, reach=1)


class X4K1000Fps(Source):
    """`train/<scene>/<clip>.mp4`, `val/…`, `test/…`; the archives' `encoded_` before a name is fine."""

    title = "X4K1000FPS"
    layout = "X4K1000FPS/{train/002/<clip>.mp4, val/…, test/Type1/<clip>.mp4}, or encoded_train …"
    official: Mapping[str, int] = {"train": 4408, "validation": 0, "test": 15}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the clips by path; a group is a scene (a folder), or a clip of the test set."""
        # The archives are brought one by one: either part alone will do.
        try:
            root = locate(folder, "X4K1000FPS", ("*train/*/*.mp4",), self)
        except UserError:
            root = locate(folder, "X4K1000FPS", ("*test/*/*.mp4",), self)
        places = [root / f"{prefix}{FOLDERS[part]}" for prefix in ("", "encoded_")]
        return [_video(path, top, part) for top in places for path in sorted(top.rglob("*.mp4"))]

    def open(self, video: Video) -> Reader:
        """Decode the clip."""
        return VideoFile(video.path)


def _video(path: Path, top: Path, part: str) -> Video:
    name = f"{part}/{path.relative_to(top).with_suffix('').as_posix()}"
    group = name if part == "test" else name.rpartition("/")[0]
    return Video(name=name, group=group, path=path, targets=(MIDDLE,) if part == "test" else None)
