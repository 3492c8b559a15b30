"""Procedural scenes with true flow and visibility (`lift/scenes`), a benchmark in every profile.

`<kind>_<nnn>/000000.png …` with `truth.npz`: flow (4, H, W) float32 and visible (2, H, W) bool from the
missing frame to its references. The missing frame's number is `Config.missing`.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.data.readers import Pictures, Reader
from lift.data.sources.base import Target, Video, locate

TRUTH = "truth.npz"


class Scenes:
    """`scenes/<kind>_<nnn>/{000000.png …, truth.npz}`."""

    title = "procedural scenes"
    layout = "scenes/<kind>_<nnn>/{000000.png …, truth.npz}"
    obtain = "let it be rendered (its `render` in params.yaml)"
    official: Mapping[str, int] = {"test": 0}  # as many as are rendered
    split_by_group = True
    footage = ""

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the scenes by name."""
        root = locate(folder, "scenes", (f"*_[0-9]*/{TRUTH}",), self)
        return [
            Video(
                name=path.name,
                group=path.name,
                path=path,
                targets=(Target(number=before, kind=path.name.rpartition("_")[0]),),
            )
            for path in sorted(root.glob("*_[0-9]*"))
        ]

    def open(self, video: Video) -> Reader:
        """Read the PNG files."""
        return Pictures.in_folder(video.path, r"(\d{6})\.png", "png")

    def truth(self, video: Video) -> Path | None:
        """Give the scene's truth."""
        return video.path / TRUTH
