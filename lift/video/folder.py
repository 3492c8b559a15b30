"""A folder of pictures as a video."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from lift.errors import UserError
from lift.video.colour import Look, premultiplied, transparent
from lift.video.frame import Frame, Image
from lift.video.light import DARK, Light
from lift.video.span import Span

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


@dataclass
class FolderSource:
    """Pictures of one size in the order of their names, numbers in them read as numbers.

    It has the attributes of `VideoSource`, and what only a video file has is as if it were not there.
    """

    path: Path
    span: Span
    rate: Fraction
    trouble: str | None = None
    aspect: Fraction = Fraction(1)
    light: Light = DARK
    matrix: list[int] | None = None
    chapters: list[Any] = field(default_factory=list)
    origin: Fraction = Fraction(0)
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """List the pictures.

        Raises:
            UserError: There are none, or the first cannot be read.
        """
        files = [file for file in self.path.iterdir() if file.suffix.lower() in PICTURES]
        if not files:
            raise UserError(f"{self.path}: no pictures in this folder ({', '.join(PICTURES)})")
        files.sort(
            key=lambda file: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)]
        )
        first, last = (
            self.span.start * self.rate,
            None if self.span.end is None else self.span.end * self.rate,
        )
        self._files = [file for k, file in enumerate(files) if first <= k and (last is None or k < last)]
        if not self._files:
            raise UserError(f"{self.path}: no frame between --start and --end; it has {len(files)} frames")
        self.total, self.unit = len(self._files), 1 / self.rate
        sample = _picture(self._files[0])
        self.size, alpha = (sample.shape[0], sample.shape[1]), sample.shape[2] == 4
        self.look = Look.of_pictures(self.size, deep=sample.dtype == np.uint16, alpha=alpha)
        self.transparent = transparent(sample)

    def frames(self) -> Iterator[Frame]:
        """Read the pictures, all as 16 bits where the first has more than 8."""
        for k, file in enumerate(self._files):
            image = _picture(file)
            if image.shape[:2] != self.size:
                raise UserError(
                    f"{file}: {_shape(image.shape[:2])} pixels, the first picture has {_shape(self.size)}"
                )
            if self.look.alpha:
                yield Frame(image=premultiplied(image), picture=image, time=k / self.rate)
            else:
                yield Frame(image=image, time=k / self.rate)

    def close(self) -> None:
        """Nothing is open."""


def _picture(file: Path) -> Image:
    with contextlib.suppress(OSError, cv2.error):
        data = np.fromfile(file, np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR_RGB)
        whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)  # turned as it is stored, with alpha
        if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
            pixels = cv2.cvtColor(whole, cv2.COLOR_BGRA2RGBA)
        if pixels is not None and pixels.dtype in (np.uint8, np.uint16):
            return cast(Image, pixels)
    raise UserError(f"{file}: damaged, or no picture of 8 or 16 bits")


def _shape(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"
