"""SNU-FILM (Choi et al., AAAI 2020): 310 triplets at each of four difficulties, from 31 videos.

Each line of `eval_modes/test-<difficulty>.txt` names the first reference, the missing frame and the second
reference. The references are 1, 2, 4 or 8 frames from the missing one (easy … extreme). Context stands at the
split's stride: the frame of offset o is target + o * step for odd o, so nothing between the references is
ever seen (protocols section 1.5). Frames from GoPro (CC BY 4.0) and YouTube; test only.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from lift.clips.sources.base import Source, Target, Video, locate, read_list
from lift.errors import UserError

DIFFICULTIES = ("easy", "medium", "hard", "extreme")
LINES = 310  # of each official list


class SnuFilm(Source):
    """`test/<GOPRO_test|YouTube_test>/<video>/<number>.png`, or the extension that the lists name."""

    title = "SNU-FILM"
    layout = "SNU-FILM/{eval_modes/test-{easy,medium,hard,extreme}.txt, test/GOPRO_test/<video>/000001.png …}"
    official: Mapping[str, int] = {"test": LINES * len(DIFFICULTIES)}
    frames = r"(\d+)\.(?:png|jpe?g)"  # PNG in the official archive, JPEG in some copies

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos with the triplets of all four lists, in the order of the easy list."""
        markers = ("test", *(f"eval_modes/test-{kind}.txt" for kind in DIFFICULTIES))
        root = locate(folder, "SNU-FILM", markers, self)
        triplets: dict[str, list[Target]] = {}
        for kind in DIFFICULTIES:
            for line in read_list(root / "eval_modes" / f"test-{kind}.txt"):
                name, target = _triplet(line, kind, root)
                triplets.setdefault(name, []).append(target)
        return [
            Video(name=name, group=name, path=root / "test" / name, targets=tuple(targets))
            for name, targets in triplets.items()
        ]


def _triplet(line: str, kind: str, root: Path) -> tuple[str, Target]:
    """Parse a line; of each path the last three parts count, for the prefix is its authors' machine's."""
    try:
        first, middle, last = (PurePosixPath(part) for part in line.split())
        numbers = [int(path.stem) for path in (first, middle, last)]
    except ValueError:
        numbers = []
    if not numbers or not 0 < numbers[1] - numbers[0] == numbers[2] - numbers[1]:
        raise UserError(
            f"{root}/eval_modes/test-{kind}.txt: {line!r} is not three frames at equal distances; "
            "restore the official list"
        )
    name = "/".join(middle.parts[-3:-1])
    return name, Target(number=numbers[1], step=numbers[1] - numbers[0], kind=kind, uniform=True)
