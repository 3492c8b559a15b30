"""Where frames go: a video file, with the input's sound and subtitles, or a folder of pictures."""

import shutil
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.files import address, umask
from lift.video.codecs import Coding, set_up
from lift.video.colour import Look
from lift.video.file import VideoSource
from lift.video.frame import Frame, Shown
from lift.video.passengers import Passengers, shifted

TURNING = ("mp4", "mov", "matroska")  # muxers that store how the picture is to be turned
NUMBERED = "{:06d}.png"


class Sink(Protocol):
    """What takes frames."""

    def write(self, shown: Shown) -> None:
        """Take the next frame; times ascend."""
        ...

    def close(self, leftover: Iterable[Any], duration: Fraction) -> None:
        """Finish.

        Args:
            leftover: Packets of other streams after the last frame.
            duration: How long the last frame is shown, seconds.
        """
        ...


class VideoSink:
    """A video file."""

    def __init__(
        self,
        path: Path,
        coding: Coding,
        size: tuple[int, int],
        rate: Fraction,
        *,
        source: VideoSource | None,
        stretch: int = 1,
    ) -> None:
        """Open the file.

        Args:
            path: The file; its folder exists.
            coding: Container, codec and pixel format.
            size: (H, W), pixels.
            rate: Mean frame rate.
            source: Whose metadata, chapters and display matrix are taken over; None: a folder of pictures.
            stretch: How many times slower the video runs; above 1 its sound and subtitles stay behind.

        Raises:
            UserError: The container does not take the codec.
        """
        self._coding = coding
        self._container = av.open(address(path), "w", format=coding.muxer)
        try:
            self._stream = cast(VideoStream, self._container.add_stream(coding.codec, rate=rate))
        except ValueError as error:
            raise UserError(
                f"--codec {coding.codec}: does not fit into {coding.muxer}; try an .mkv file"
            ) from error
        context = self._stream.codec_context
        set_up(context, coding, size, rate)
        context.flags |= Flags.frame_duration
        self._passengers: Passengers | None = None
        self.warnings: list[str] = []
        if source is not None:
            self._describe(source, stretch)
            self._passengers = Passengers(source, self._container, wanted=stretch == 1)
            self.warnings += self._passengers.warnings
        self._waiting: Shown | None = None
        self._tick = -1

    def _describe(self, source: VideoSource, stretch: int) -> None:
        self._container.metadata.update(source.container.metadata)
        self._stream.metadata.update(source.video.metadata)
        chapters = shifted(source.container.chapters(), source.origin, stretch)
        if chapters:
            self._container.set_chapters(chapters)
        if source.matrix is not None and self._coding.muxer in TURNING:
            self._stream.set_display_matrix(source.matrix)
        ratio = source.video.sample_aspect_ratio
        if ratio:
            self._stream.codec_context.sample_aspect_ratio = ratio

    def write(self, shown: Shown) -> None:
        """Encode the frame before, whose duration is known now."""
        if self._waiting is not None:
            self._encode(self._waiting, shown.time - self._waiting.time)
        self._waiting = shown

    def _encode(self, shown: Shown, duration: Fraction) -> None:
        frame, unit = shown.frame, self._coding.unit
        for parcel in frame.parcels:
            self._carry(parcel)
        frame.parcels = []  # a frame that is shown twice carries them once
        picture = self._picture(frame)
        self._tick = max(self._tick + 1, round(shown.time / unit))
        picture.pts, picture.time_base = self._tick, unit
        picture.duration = max(1, round(duration / unit))
        picture.pict_type = 0  # the encoder chooses; a decoded frame still names its old type
        self._container.mux(self._stream.encode(picture))

    def _picture(self, frame: Frame) -> av.VideoFrame:
        look = self._coding.look
        if isinstance(frame.picture, av.VideoFrame):
            return Look.of(frame.picture).convert(frame.picture, look)
        return look.from_rgb(frame.image)

    def _carry(self, parcel: Any) -> None:
        if self._passengers is not None:
            self._container.mux(self._passengers.carry(parcel))

    def close(self, leftover: Iterable[Any], duration: Fraction) -> None:
        """Write what is left and the file's index."""
        if self._waiting is not None:
            self._encode(self._waiting, duration)
        for parcel in leftover:
            self._carry(parcel)
        if self._passengers is not None:
            self._container.mux(self._passengers.flush())
        self._container.mux(self._stream.encode(None))
        self._container.close()


class FolderSink:
    """A folder of PNG files, of 16 bits where the input has more than 8."""

    warnings: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def write(self, shown: Shown) -> None:
        """Write a picture.

        Raises:
            OSError: The disk is full.
        """
        image = cv2.cvtColor(shown.frame.image, cv2.COLOR_RGB2BGR)
        self._count += 1
        done, data = cv2.imencode(".png", image)
        if not done:
            raise UserError(f"{self._folder}: a frame cannot be stored as PNG")
        np.asarray(data).tofile(self._folder / NUMBERED.format(self._count))

    def close(self, leftover: Iterable[Any], duration: Fraction) -> None:
        """Nothing is left."""


def replace_folder(folder: Path, new: Path, *, force: bool) -> None:
    """Put the finished folder `new` in the place of `folder`, which holds nothing but our pictures."""
    if force and folder.exists():
        shutil.rmtree(folder)
    new.chmod(0o777 & ~umask())  # mkdtemp makes it private
    new.replace(folder)


def beside(path: Path) -> Path:
    """Make an empty temporary folder next to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
