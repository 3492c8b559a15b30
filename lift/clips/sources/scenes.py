"""Procedural scenes (`lift/scenes`): a benchmark in every profile, and footage to learn from.

Test scenes: `<kind>_<nnn>/000000.png …` with `truth.npz`: flow (4, H, W) float32 and visible (2, H, W) bool
from the missing frame to its references, and that frame's number (int64), which must be `Config.missing`.
Training scenes: `train/<kind>_<nnnn>/000000.jpg …` (or PNG), whose missing frames are free.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.clips.sources.base import Source, Target, Video, locate

TRUTH = "truth.npz"
TRAIN = "train"


class Scenes(Source):
    """`scenes/<kind>_<nnn>/{000000.png …, truth.npz}` and `scenes/train/<kind>_<nnnn>/000000.jpg …`."""

    title = "procedural scenes"
    layout = "scenes/{<kind>_<nnn>/{000000.png …, truth.npz}, train/<kind>_<nnnn>/000000.jpg …}"
    official: Mapping[str, int] = {"train": 0, "test": 0}  # as many as are rendered
    frames = r"(\d{6})\.(?:png|jpg)"

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the scenes by name."""
        root = locate(folder, "scenes", (f"*_[0-9]*/{TRUTH}",), self)
        if part == "train":
            names = (f"{TRAIN}/{path.name}" for path in sorted((root / TRAIN).glob("*_[0-9]*")))
            return [Video(name=name, group=name, path=root / name) for name in names]
        return [
            Video(
                name=path.name,
                group=path.name,
                path=path,
                targets=(Target(number=before, kind=path.name.rpartition("_")[0]),),
            )
            for path in sorted(root.glob("*_[0-9]*"))
        ]

    def truth(self, video: Video) -> Path | None:
        """Return the scene's truth, which test scenes have."""
        return video.path / TRUTH if video.targets is not None else None
