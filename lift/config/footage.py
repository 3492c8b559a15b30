"""The parameters of footage: copies of data sets, and what is rendered (conventions: schema.py)."""

from dataclasses import dataclass
from pathlib import Path

from lift.config.parse import place
from lift.options import number


@dataclass(frozen=True, kw_only=True)
class Camera:
    """How rendered scenes vary and are filmed beyond the plain ones (`lift/scenes/filming.py`).

    A pair is a range from which each scene draws its own value.
    """

    objects: tuple[int, int] = number(0)
    """Free objects of any size besides those of the scene's kind."""
    leaves: float = number(0.0, 1.0)
    """Share of textures that are dead leaves; the others are the plain scenes', with more contrast."""
    zoom: tuple[float, float] = number(0.0, 0.2)
    """Root mean square change of the scale per frame (log), besides the scene's own."""
    turn: tuple[float, float] = number(0.0, 0.2)
    """The same of the camera's rotation, radians."""
    shake: tuple[float, float] = number(0.0)
    """The same of its place, pixels, with periods of a few frames."""
    shutter: tuple[float, float] = number(0.0, 1.0)
    """Share of a frame's time in which light is gathered: 0 is none of the blur of motion."""
    exposures: int = number(1, 64)
    """Most moments that are averaged for it; fewer where less moves."""
    noise: tuple[float, float] = number(0.0, 255.0)
    """Of training scenes: standard deviation of a sensor's noise at mid grey, 0-255."""
    quality: tuple[int, int] | None = number(1, 100)
    """Of training scenes: their JPEG quality, drawn once for each; null: PNG."""

    def __post_init__(self) -> None:
        """Refuse ranges that end before they start.

        Raises:
            ValueError: One does.
        """
        for name in ("objects", "zoom", "turn", "shake", "shutter", "noise", "quality"):
            span = getattr(self, name)
            if span is not None and span[0] > span[1]:
                raise ValueError(f"{name}: {list(span)}: the least comes first")


@dataclass(frozen=True, kw_only=True)
class Render:
    """Procedural footage written in a data set's official layout (`lift/scenes`)."""

    train: int = number(0)
    """Training sequences."""
    test: int = number(0)
    """Test sequences."""
    frames: int = number(1)
    """Frames per sequence."""
    size: tuple[int, int] = number(16)
    """Height and width, pixels."""
    speed: tuple[float, float] = number(0.0)
    """Slowest and fastest typical motion, pixels per frame."""
    centres: int | None = number(1)
    """Missing frames listed per test video, where the layout lists them (SNU-FILM: 10); null elsewhere."""
    camera: Camera | None
    """More variety, and what a real camera does to a frame; null: the plain scenes."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a data set comes from: a local copy, rendered stand-ins, or a download."""

    path: str | None
    """Folder of a copy that the user has, in the official layout; nothing is downloaded or copied then. `~`
    is the user's home.
    """
    render: Render | None
    """Make a procedural stand-in where there is no path."""
    optional: bool
    """Without a path it is not downloaded: it is "not given", and benchmarks of it alone are empty."""

    def __post_init__(self) -> None:
        """Refuse two origins.

        Raises:
            ValueError: Both a path and a rendering are asked for, or a rendering is called optional.
        """
        if self.path is not None and self.render is not None:
            raise ValueError(
                "path and render exclude each other; set `render: null` to use the data set at `path`"
            )
        if self.optional and self.render is not None:
            raise ValueError("optional: what is rendered is always there; set false, or `render: null`")

    @property
    def folder(self) -> Path | None:
        """The folder that `path` names; None: there is no path."""
        return None if self.path is None else place(self.path)

    @property
    def given(self) -> bool:
        """Whether there is, or will be, any footage of it."""
        return not self.optional or self.path is not None
