"""What an input is: which part of it is wanted, what is known of it before it is read, and its frames.

A folder of pictures is one; a video file is another (file.py).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from lift.clips.sequence import missing, numbered, visible
from lift.errors import UserError
from lift.video.frame import Frame, Image
from lift.video.look import Light, Look, premultiplied, transparent
from lift.video.media import matrix_of
from lift.video.settings import DEFAULTS

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
TO_16_BITS = 257  # 255 becomes 65535


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which part of the input is wanted, seconds from its beginning."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse an empty span.

        Raises:
            UserError: It ends before it starts.
        """
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise UserError(
                f"--start {float(self.start):g} --end {self.end}: expected 0 <= start < end, in seconds"
            )


WHOLE = Span()


@dataclass(kw_only=True)
class Format:
    """What a video is like: an input, an output as it is wished for, or as a reader finds it."""

    look: Look
    """How pixels are stored."""
    size: tuple[int, int]
    """(H, W), pixels, as given on."""
    rate: Fraction
    """Mean frame rate, per second."""
    unit: Fraction
    """Seconds of which all times are multiples."""
    aspect: Fraction = Fraction(1)
    """Width of a pixel by its height, as given on."""
    light: Light = field(default_factory=Light)
    matrix: list[int] | None = None
    """How pictures are to be turned when shown, if they were not: FFmpeg's display matrix, 9 numbers."""
    chapters: list[Any] = field(default_factory=list)
    """As FFmpeg gives them, on the file's own clock."""
    transparent: bool = False
    """Whether something shines through the first picture."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Title and other texts of the file."""
    stream_metadata: dict[str, str] = field(default_factory=dict)
    """The same of the video's stream."""

    @classmethod
    def of(cls, container: InputContainer, video: VideoStream, first: av.VideoFrame) -> "Format":
        """Return that of an open file, by its header and its first frame, which knows more."""
        look = Look.of(first)
        rates = (video.average_rate, video.guessed_rate, video.base_rate)
        rate = next((Fraction(rate) for rate in rates if rate and rate <= DEFAULTS.fastest), Fraction(25))
        return cls(
            look=look,
            size=(first.height, first.width),
            rate=rate,
            unit=video.time_base or 1 / rate,
            aspect=Fraction(video.sample_aspect_ratio or 1),
            light=Light.of(first),
            matrix=matrix_of(first),
            chapters=list(container.chapters()),
            transparent=look.alpha and transparent(look.unmixed(first)),
            metadata=dict(container.metadata),
            stream_metadata=dict(video.metadata),
        )


@dataclass(kw_only=True)
class Source(Format):
    """An input; times of its frames are counted from `origin`."""

    path: Path
    span: Span
    total: int | None
    """How many frames are wanted, as far as the header tells."""
    warnings: list[str]
    """What of it is not carried on."""
    begin: Fraction = Fraction(0)
    """The file's first time on its own clock, seconds."""
    origin: Fraction = field(init=False)
    """What is zero in the output, on the file's own clock, seconds."""
    remarks: list[str] = field(default_factory=list)
    """What was found on the way and is no fault."""
    trouble: str | None = None
    """What is wrong with the file, known once it is read; None: nothing."""

    def __post_init__(self) -> None:
        self.origin = self.begin + self.span.start

    @property
    def length(self) -> Fraction | None:
        """How long what is wanted of it lasts, seconds; None: to its end."""
        return None if self.span.end is None else self.begin + self.span.end - self.origin

    def frames(self) -> Iterator[Frame]:
        """Decode, once; what cannot be read on ends the video, and `trouble` says so."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file, if one is open."""


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
