"""Frames of one video, by number: a folder of pictures, or a video file, which is decoded in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lift.clips.continuity import Reduced, reduced
from lift.data.stored import mpeg4
from lift.data.stored.images import Unreadable, convert
from lift.files import address

if TYPE_CHECKING:  # FFmpeg is asked for where a video is: a machine that trains on pictures may lack it
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# First frames decoded in both ways before a video is kept as runs: a key frame and a predicted one.
CHECKED = 2
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_LUMA_FIRST = re.compile("yuvj?4(20|22|44)p")  # formats of 8 bits whose first plane is luma
_EXPANDED = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)  # BT.601, 16-235


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A video's frame as it was decoded."""

    frame: av.VideoFrame
    run: mpeg4.Run | None
    """The encoded frames up to this one (and later ones, as decoding goes on), where they can be kept."""


Payload = Path | Shown | Unreadable


def thumbnail(frame: av.VideoFrame) -> Reduced:
    """Reduce a decoded frame as `continuity.reduced` does, without converting colours where luma is there."""
    if not _LUMA_FIRST.fullmatch(frame.format.name):
        return reduced(convert(frame))
    plane = frame.planes[0]
    values = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    small = reduced(values[: frame.height, : frame.width])
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return small if full else _EXPANDED[small]


class Pictures:
    """Frames that are files of their own."""

    def __init__(self, paths: Mapping[int, Path]) -> None:
        self._paths = dict(sorted(paths.items()))
        self.numbers: Sequence[int] = tuple(self._paths)
        """Of the frames that exist, ascending."""

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> Pictures:
        """Take the files of an existing `folder` whose whole name matches; group 1 is the frame number."""
        if not folder.is_dir():
            raise Unreadable(folder, "no such folder", "missing")
        found = ((re.fullmatch(name, path.name), path) for path in sorted(folder.iterdir()))
        return cls({int(match[1]): path for match, path in found if match})

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Payload]]:
        """Yield every one of `numbers` (ascending) once, as its path."""
        for number in numbers:
            yield number, self._paths[number]


class VideoFile:
    """A video file, decoded by FFmpeg; frames are numbered from 0 in the order in which they are shown."""

    def __init__(self, path: Path) -> None:
        """Read how many frames the file's header declares (or count packets where it declares none).

        Raises:
            Unreadable: No such file, or FFmpeg finds no video in it.
        """
        import av

        if not path.is_file():
            raise Unreadable(path, "no such file", "missing")
        self._path = path
        try:
            with av.open(address(path)) as container:
                if not container.streams.video:
                    raise Unreadable(path, "has no video stream")
                stream = container.streams.video[0]
                count, self.in_runs = stream.frames, False  # whether its own bytes can be kept
                if stream.codec_context.name == "mpeg4":
                    counted, self.in_runs = _survey(container, stream)
                    count = count or counted
                elif not count:
                    count = sum(packet.size > 0 for packet in container.demux(stream))
                self.numbers: Sequence[int] = range(count)
        except av.FFmpegError as error:
            raise Unreadable(path, f"not a video ({error.strerror})") from error

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Payload]]:
        """Decode from the start up to the last of `numbers` (ascending), and yield every one once.

        Frames come in the decoder's own format, so that whoever takes them can convert in parallel. After the
        first damaged frame nothing is given any more: later ones are predicted from it, and lost packets
        would shift their numbers.
        """
        import av

        done, why = 0, f"ends before frame {len(self.numbers) - 1}, its last"
        try:
            for index, (frame, run) in enumerate(self._decode()):
                if frame.is_corrupt:
                    why = f"damaged from frame {index} of {len(self.numbers)} on"
                    break
                if index == numbers[done]:
                    yield index, Shown(frame=frame, run=run)
                    done += 1
                    if done == len(numbers):
                        return
        except av.FFmpegError as error:
            why = f"cannot be decoded ({error.strerror})"
        except ValueError as error:
            why = str(error)
        for number in numbers[done:]:
            yield number, Unreadable(self._path, why)

    def _decode(self) -> Iterator[tuple[av.VideoFrame, mpeg4.Run | None]]:
        import av

        with av.open(address(self._path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # several videos are decoded at once
            if self.in_runs:
                yield from _in_runs(container, stream)
            else:
                yield from ((frame, None) for frame in container.decode(stream))


Reader = Pictures | VideoFile
"""One video's frames."""


def _in_runs(container: InputContainer, stream: VideoStream) -> Iterator[tuple[av.VideoFrame, mpeg4.Run]]:
    """Decode a video of which every packet gives one frame; give each with the run that it belongs to."""
    import av

    run, header, checked = mpeg4.Run(number=0), stream.codec_context.extradata or b"", False
    for number, packet in enumerate(packet for packet in container.demux(stream) if packet.size):
        data, frames = bytes(packet), packet.decode()
        if len(frames) != 1 or not isinstance(frames[0], av.VideoFrame):
            raise ValueError(f"damaged from frame {number} on")
        if not mpeg4.is_key(data):
            run.packets.append(data)
        else:
            run = mpeg4.Run(number=number, packets=[data if header in data else header + data])
            if number > 0 and not checked and not run.gives(number, frames[0]):
                raise ValueError(f"frame {number} depends on earlier ones although it is a key frame")
            checked = number > 0  # what holds for one run inside the video holds for all
        yield frames[0], run


def _survey(container: InputContainer, stream: VideoStream) -> tuple[int, bool]:
    """Count a video's frames, and tell whether its own bytes can be kept.

    By the form of all packets; and the first frames, decoded by themselves, must be the same.
    """
    import av

    packets = (bytes(packet) for packet in container.demux(stream) if packet.size)
    count, separable = mpeg4.survey(packets, stream.width * stream.height)
    if not separable:
        return count, False
    stream.codec_context.thread_count = 1  # with more, frames would come late
    try:
        container.seek(0)
        shown = list(islice(_in_runs(container, stream), CHECKED))
        frame, run = shown[-1]
        return count, run.gives(len(shown) - 1, frame)
    except (av.FFmpegError, ValueError, IndexError):
        return count, False
