"""Where frames go: a video file, with the input's sound and subtitles, or a folder of pictures; and a report.

All is written beside what is to be replaced, then renamed.
"""

import contextlib
import csv
import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from lift.errors import UserError
from lift.files import address, atomic, atomic_folder
from lift.video import aspect
from lift.video.codecs import Coding, choose_coding, losses
from lift.video.file import VideoSource
from lift.video.frame import Frame, Image, Shown
from lift.video.job import Job
from lift.video.look import BT709, SRGB, Look, straight, transparent
from lift.video.media import palettized, start, why
from lift.video.passengers import Passengers
from lift.video.source import Format, Source

NUMBERED = "{:06d}.png"
STREAMED = ("matroska", "webm", "mpegts")  # muxers whose files play without an end
FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk
COLUMNS = ("frame", "time", "kind", "shot", "cut", "motion", "alpha")


class Sink:
    """What takes frames.

    Attributes:
        warnings: What the output will lack.
        written: How many frames it has taken in.
        reached: When the last of them is shown, seconds.
        trouble: What went wrong with what it carries beside pictures; None: nothing.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.written, self.reached = 0, Fraction(0)
        self.trouble: str | None = None

    def write(self, shown: Shown) -> None:
        """Take the next frame; times ascend."""
        raise NotImplementedError

    def close(self, duration: Fraction, *, whole: bool) -> None:
        """Finish; the last frame is shown for `duration` seconds.

        `whole`: all frames were written, and what else a file carries lasts to its own end.
        """


class VideoSink(Sink):
    """A video file."""

    def __init__(self, path: Path, coding: Coding, *, source: VideoSource | None, stretch: int = 1) -> None:
        """Open the file, with the other streams of `source`, if the video is not `stretch` times slower."""
        super().__init__()
        self._coding, self._path = coding, path
        self._container = av.open(address(path), "w", format=coding.muxer)
        self._stream = coding.open(self._container)
        self.warnings += coding.warnings
        self._passengers: Passengers | None = None
        if source is not None:
            self._passengers = Passengers(source, self._container, wanted=stretch == 1)
            self.warnings += self._passengers.warnings
        start(self._container)  # refusals come before any work
        self._waiting: Shown | None = None
        self._tick = -1

    def write(self, shown: Shown) -> None:
        """Encode the frame before, whose duration is known now.

        Raises:
            UserError: The frame is transparent and the output is not, or the encoder gives up.
        """
        if transparent(shown.frame.image) and not self._coding.look.alpha:
            raise UserError(
                f"the picture at {float(shown.time):.2f} s is transparent, and {self._coding.codec} in "
                f"{self._coding.muxer} is not"
            )
        self._encode(shown.time)
        self._waiting = shown

    def _encode(self, end: Fraction) -> None:
        """Encode the frame that waits, which is shown until `end`."""
        if self._waiting is None:
            return
        shown, self._waiting, unit = self._waiting, None, self._coding.unit
        self._carry(shown.time)
        picture = self._picture(shown.frame)
        self._coding.look.tag(picture)
        self._tick = max(self._tick + 1, round(shown.time / unit))
        picture.pts, picture.time_base = self._tick, unit
        picture.duration = max(1, round((end - shown.time) / unit))
        picture.pict_type = 0  # the encoder chooses; a decoded frame still names its old type
        try:
            self._container.mux(self._stream.encode(picture))
            self.written, self.reached = self.written + 1, shown.time
        except av.FFmpegError as error:
            if error.errno in FULL:
                raise
            raise UserError(
                f"{self._coding.codec} gave up at {float(shown.time):.2f} s ({why(error)})"
            ) from error

    def _picture(self, frame: Frame) -> av.VideoFrame:
        given, look = frame.picture, self._coding.look
        if not isinstance(given, av.VideoFrame):
            given = Look.of_image(frame.image).from_rgb(frame.image)
        return palettized(given) if self._coding.codec == "gif" else Look.of(given).convert(given, look)

    def _carry(self, until: Fraction | None, *, last: bool = False) -> None:
        """Write packets of other streams up to a time; one that is refused does not cost the pictures."""
        for packet in self._passengers.until(until, last=last) if self._passengers is not None else ():
            try:
                self._container.mux(packet)
            except av.FFmpegError as error:
                if error.errno in FULL:
                    raise
                kind = packet.stream.type
                self.trouble = self.trouble or f"a packet of its {kind} was refused ({why(error)})"

    def close(self, duration: Fraction, *, whole: bool) -> None:
        """Write what is left and the file's index."""
        end = None if self._waiting is None else self._waiting.time + duration
        try:
            if end is not None:
                self._encode(end)
            self._carry(None if whole else end, last=True)
            if self._passengers is not None:
                self.trouble = self.trouble or self._passengers.trouble
            self._container.mux(self._stream.encode(None))
            self.abandon()
        except (av.FFmpegError, UserError) as error:
            if self._coding.muxer not in STREAMED or not self.written:
                raise
            self.trouble = self.trouble or f"the end of what was made could not be written ({why(error)})"
            with contextlib.suppress(av.FFmpegError):
                self.abandon()
            return
        with self._path.open("r+b") as file:
            aspect.store(file, self._coding.muxer, self._coding.wish.aspect)

    def abandon(self) -> None:
        """Close all files, finished or not."""
        self._container.close()
        if self._passengers is not None:
            self._passengers.close()


class FolderSink(Sink):
    """A folder of PNG files, of 16 bits where the input has more than 8, with alpha where it has any."""

    def __init__(self, folder: Path, wish: Format) -> None:
        """Write into an empty folder what comes as near to `wish` as pictures can."""
        super().__init__()
        self._folder = folder
        look = replace(wish.look.stored_as("rgb48le"), primaries=BT709, transfer=SRGB)
        seen = Format(look=look, size=wish.size, rate=wish.rate, unit=wish.unit)
        self.warnings += losses(wish, seen, "a folder of pictures")

    def write(self, shown: Shown) -> None:
        """Write a picture.

        Raises:
            OSError: The disk is full.
        """
        pixels = _pixels(shown.frame)
        code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
        done, data = cv2.imencode(".png", cv2.cvtColor(pixels, code))
        if not done:
            raise UserError(f"{self._folder}: a frame cannot be stored as PNG")
        np.asarray(data).tofile(self._folder / NUMBERED.format(self.written + 1))
        self.written, self.reached = self.written + 1, shown.time


def _pixels(frame: Frame) -> Image:
    """Return a frame's colours as they are without its alpha."""
    if frame.image.shape[2] == 3:
        return frame.image
    if isinstance(frame.picture, np.ndarray):
        return cast(Image, frame.picture)
    if isinstance(frame.picture, av.VideoFrame):
        return Look.of(frame.picture).unmixed(frame.picture)
    return straight(frame.image)


@contextmanager
def open_sink(job: Job, source: Source) -> Iterator[Sink]:
    """Yield what writes to a temporary place that becomes the job's output when all went well.

    Raises:
        UserError: It cannot be written, or not like this.
    """
    (height, width), schedule = source.size, job.schedule
    wish: dict[str, Any] = {field.name: getattr(source, field.name) for field in fields(Format)} | {
        "size": (height, 2 * width if job.preview else width),
        "rate": schedule.rate(source.rate),
        "unit": schedule.unit(source.unit),
        "chapters": _chapters(source, schedule.stretch),
    }
    with _writable(job.output):
        if not job.output.suffix:
            with atomic_folder(job.output) as folder:
                pictures = FolderSink(folder, Format(**wish))
                if isinstance(source, VideoSource) and source.sounds:
                    pictures.warnings.append("sound and subtitles are left out of a folder of pictures")
                yield pictures
                if job.output.exists() and not job.force:
                    raise UserError(f"{job.output}: appeared during the work; choose another name")
            return
        coding = choose_coding(job.output, job.codec, Format(**wish))
        with atomic(job.output) as path:
            video = source if isinstance(source, VideoSource) else None
            sink = VideoSink(path, coding, source=video, stretch=schedule.stretch)
            try:
                yield sink
            finally:
                sink.abandon()


def _chapters(source: Source, stretch: int) -> list[Any]:
    """Move chapters with the video: by where it starts, cut where it ends, `stretch` times as long."""
    moved = []
    for chapter in source.chapters:
        unit = chapter["time_base"]
        start, end = (chapter[key] * unit - source.origin for key in ("start", "end"))
        end = end if source.length is None else min(end, source.length)
        if end > max(start, 0):
            times = {"start": max(0, round(start / unit)), "end": round(end / unit)}
            moved.append({**chapter, **{key: ticks * stretch for key, ticks in times.items()}})
    return moved


@contextmanager
def open_report(path: Path | None) -> Iterator[Callable[[Shown], None]]:
    """Yield a function that writes down what was done to a frame: why a passage looks as it does.

    The file has a row of COLUMNS for each frame. motion is the mean absolute difference (0-255, of shrunken
    frames) between an original and the one before it, or, for a frame in between, of the two around it;
    alpha is α as offset:share pairs.
    """
    if path is None:
        yield lambda shown: None
        return
    with _writable(path), atomic(path) as temporary, temporary.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        numbers, shot = count(), 0

        def add(shown: Shown) -> None:
            nonlocal shot
            frame = shown.frame
            alpha = " ".join(f"{offset:+d}:{share:.4f}" for offset, share in (frame.alpha or {}).items())
            time, motion, cut = f"{float(shown.time):.6f}", f"{frame.motion:.3f}", int(frame.shot != shot)
            rows.writerow((next(numbers), time, frame.kind, frame.shot, cut, motion, alpha))
            shot = frame.shot

        yield add


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Explain a folder that is none, or is not there and cannot be made."""
    try:
        yield
    except (NotADirectoryError, FileExistsError, FileNotFoundError) as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); check its folder") from error
