"""Frames of one video, by number: a folder of pictures (random access) or a video file (decoded in order)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from lift.data.images import Pixels, Unreadable

Payload = Path | av.VideoFrame | Unreadable


def convert(frame: av.VideoFrame) -> Pixels:
    """Convert a decoded frame to uint8 RGB [H, W, 3]."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


class Reader(Protocol):
    """One video's frames.

    Attributes:
        numbers: Numbers of the frames that exist, ascending.
        extension: How its frames are stored in an archive, where they are not resized: png or jpg.
    """

    numbers: Sequence[int]
    extension: str

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Payload]]:
        """Yield every one of `numbers` (ascending) once, in order.

        A picture file comes as its path, a video's frame in the decoder's own format, so that whoever takes
        them can decode and convert in parallel, and one that cannot be had as the reason.
        """
        ...


class Pictures:
    """Frames that are files of their own."""

    def __init__(self, paths: Mapping[int, Path], extension: str) -> None:
        self._paths = dict(sorted(paths.items()))
        self.numbers: Sequence[int] = tuple(self._paths)
        self.extension = extension

    @classmethod
    def in_folder(cls, folder: Path, name: str, extension: str) -> "Pictures":
        """Take the files of `folder` whose whole name matches `name`; group 1 is the frame number.

        Raises:
            Unreadable: There is no such folder.
        """
        if not folder.is_dir():
            raise Unreadable(folder, "no such folder", "missing")
        found = ((re.fullmatch(name, path.name), path) for path in folder.iterdir())
        return cls({int(match[1]): path for match, path in found if match}, extension)

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Payload]]:
        """Yield the paths; whoever reads them may do so in parallel."""
        for number in numbers:
            yield number, self._paths[number]


class VideoFile:
    """A video file, decoded by FFmpeg; frames are numbered from 0 in the order in which they are shown."""

    extension = "png"

    def __init__(self, path: Path) -> None:
        """Read how many frames the file's header declares (or count packets where it declares none).

        Raises:
            Unreadable: No such file, or FFmpeg finds no video in it.
        """
        if not path.is_file():
            raise Unreadable(path, "no such file", "missing")
        self._path = path
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise Unreadable(path, "has no video stream")
                stream = container.streams.video[0]
                count = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
        except av.FFmpegError as error:
            raise Unreadable(path, f"not a video ({error.strerror})") from error
        self.numbers: Sequence[int] = range(count)

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Payload]]:
        """Decode from the start up to the last of `numbers`.

        After the first damaged frame nothing is given any more: later ones are predicted from it, and lost
        packets would shift their numbers.
        """
        done, why = 0, f"ends before frame {len(self.numbers) - 1}, its last"
        try:
            for index, frame in self._decode():
                if frame.is_corrupt:
                    why = f"damaged from frame {index} of {len(self.numbers)} on"
                    break
                if index == numbers[done]:
                    yield index, frame
                    done += 1
                    if done == len(numbers):
                        return
        except av.FFmpegError as error:
            why = f"cannot be decoded ({error.strerror})"
        for number in numbers[done:]:
            yield number, Unreadable(self._path, why)

    def _decode(self) -> Iterator[tuple[int, av.VideoFrame]]:
        with av.open(str(self._path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield from enumerate(container.decode(stream))
