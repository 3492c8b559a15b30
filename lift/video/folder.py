"""A folder of pictures as a video."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from lift.clips.sequence import missing, numbered, visible
from lift.errors import UserError
from lift.video.frame import Frame, Image
from lift.video.look import Look, premultiplied, transparent
from lift.video.source import Source, Span

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
TO_16_BITS = 257  # 255 becomes 65535


class FolderSource(Source):
    """Pictures of one size in the order of their names, numbers in them read as numbers."""

    def __init__(self, path: Path, span: Span, rate: Fraction) -> None:
        """List the pictures, which are shown at `rate`.

        Raises:
            UserError: There are none, two have the same number, or the first cannot be read.
        """
        files = visible(path, PICTURES)
        if not files:
            raise UserError(f"{path}: no pictures in this folder ({', '.join(PICTURES)})")
        start, end = span.start * rate, None if span.end is None else span.end * rate
        self._files = [
            (number, file)
            for number, file in zip(numbered(files), files, strict=True)
            if start <= number and (end is None or number < end)
        ]
        if not self._files:
            raise UserError(f"{path}: no frame between --start and --end; it has {len(files)} frames")
        gaps = missing([file for _, file in self._files], [number for number, _ in self._files])
        sample = _picture(self._files[0][1])
        deep = any(_is_deep(file) for _, file in self._files)
        super().__init__(
            path=path,
            span=span,
            look=Look.of_image(sample, deep=deep),
            size=(sample.shape[0], sample.shape[1]),
            rate=rate,
            unit=1 / rate,
            transparent=transparent(sample),
            total=len(self._files),
            warnings=[f"{path}: {gaps}; nothing is made from frames on both sides of a gap"] * bool(gaps),
        )

    def frames(self) -> Iterator[Frame]:
        """Read the pictures, all as 16 bits where one of them has more than 8.

        A picture that is damaged, or of another size than the first, ends the video: `trouble` says so.
        """
        first = expected = self._files[0][0]
        for k, (number, file) in enumerate(self._files):
            try:
                image = self._fitting(file)
            except UserError as error:
                self.trouble = f"{error}; stopped after {k} picture{'s' * (k != 1)}"
                return
            time, apart, expected = (number - first) / self.rate, number > expected, number + 1
            seen = premultiplied(image) if self.look.alpha else image
            yield Frame(image=seen, picture=image, time=time, apart=apart)

    def _fitting(self, file: Path) -> Image:
        image = _picture(file)
        if image.shape[:2] != self.size:
            raise UserError(
                f"{file}: {_shape(image.shape[:2])} pixels, the first picture has {_shape(self.size)}"
            )
        if self.look.deep and image.dtype == np.uint8:
            image = image.astype(np.uint16) * TO_16_BITS
        if image.shape[2] == (4 if self.look.alpha else 3):
            return image
        code = cv2.COLOR_RGB2RGBA if self.look.alpha else cv2.COLOR_RGBA2RGB
        return cast(Image, cv2.cvtColor(image, code))


def _picture(file: Path) -> Image:
    with contextlib.suppress(OSError, cv2.error):
        data = np.fromfile(file, np.uint8)
        # Not IMREAD_COLOR_RGB: OpenCV 5.0 mixes up the channels of TIFF of 16 bits with it.
        pixels = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR_BGR)
        pixels = None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)  # turned as it is stored, with alpha
        if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
            pixels = cv2.cvtColor(whole, cv2.COLOR_BGRA2RGBA)
        if pixels is not None and pixels.dtype in (np.uint8, np.uint16):
            return cast(Image, pixels)
    raise UserError(f"{file}: damaged, or no picture of 8 or 16 bits")


def _is_deep(file: Path) -> bool:
    """Return whether a picture has more than 8 bits, by its first bytes; TIFF is read as a whole."""
    suffix = file.suffix.lower()
    with contextlib.suppress(OSError, UserError, ValueError, IndexError):
        if suffix == ".png":
            with file.open("rb") as stream:
                return stream.read(25)[24] > 8  # IHDR's bit depth (PNG, section 11.2.2)
        if suffix in (".ppm", ".pgm"):
            with file.open("rb") as stream:
                words = b" ".join(line.split(b"#")[0] for line in stream.read(1024).splitlines()).split()
                return int(words[3]) > 255  # magic, width, height, largest value (Netpbm)
        if suffix in (".tif", ".tiff"):
            return _picture(file).dtype == np.uint16
    return False


def _shape(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"
