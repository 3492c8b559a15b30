"""What FFmpeg does for the tool: opening files, decoding, filters, trying out what a file will be.

How a picture is to be shown is said by FFmpeg's display matrix, 9 numbers. Of its 2 x 2 part (a b; c d) a
pixel at (x, y) from the middle is shown at (a x + c y, b x + d y), y downwards.
"""

import contextlib
import math
import os
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from lift.files import address
from lift.video.joined import Clock, Renumbered, joined

MICROSECONDS = 1_000_000  # the unit of a container's times
TRANSPORT = "mpegts"
DISCONTINUOUS = 0x200  # FFmpeg's AVFMT_TS_DISCONT: the format's clock may start again
EARLIER = (0, 2, 10, 60)  # seconds before the start to which it is sought, until a key frame lies there
READERS = {"mp4": "mov", "webm": "matroska"}  # muxer: demuxer, where names differ
TRANSPARENT = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders of these leave alpha out

Filter = tuple[str, str | None]
"""Name and arguments."""
TURNS: dict[tuple[int, ...], list[Filter]] = {  # signs of a, b, c, d: what does the same to the pixels
    (0, 0, 0, 0): [],
    (1, 0, 0, 1): [],
    (-1, 0, 0, 1): [("hflip", None)],
    (1, 0, 0, -1): [("vflip", None)],
    (-1, 0, 0, -1): [("hflip", None), ("vflip", None)],
    (0, 1, 1, 0): [("transpose", "cclock_flip")],
    (0, 1, -1, 0): [("transpose", "clock")],
    (0, -1, 1, 0): [("transpose", "cclock")],
    (0, -1, -1, 0): [("transpose", "clock_flip")],
}


def read(path: Path) -> InputContainer:
    """Open a file for reading; a transport stream has the numbers of its first recording throughout.

    Raises:
        av.FFmpegError: It cannot be read.
    """
    container = av.open(address(path))
    if container.format.name != TRANSPORT or not joined(path).seams:
        return container
    container.close()
    return av.open(Renumbered(path, joined(path)), "r", format=TRANSPORT)


def packets(path: Path, streams: Collection[int], start: Fraction | None) -> Generator[Any, None, None]:
    """Yield the packets of streams, by their numbers, in the file's order and all on one clock.

    From `start` on (seconds; None: the beginning) they are complete; earlier ones come as well, and a key
    frame first.

    Raises:
        av.FFmpegError: They cannot be read, or not any further.
    """
    with read(path) as container:
        if container.format.flags & DISCONTINUOUS:  # where times repeat, none can be sought
            clock = Clock()
            for packet in container.demux():
                clock.settle(packet)
                if packet.stream.index in streams:
                    yield packet
            return
    # What has no index is read from its beginning, the last resort.
    for earlier in (*EARLIER, None) if start is not None else (None,):
        with read(path) as container:
            found, first = container.demux([container.streams[index] for index in streams]), None
            if start is not None and earlier is not None:
                with contextlib.suppress(av.FFmpegError):
                    container.seek(int((start - earlier) * MICROSECONDS))
                    first = next(found)
                shown = None if first is None else time_of(first)
                if first is None or not first.is_keyframe or shown is None or shown > start:
                    continue
                yield first
            yield from found
            return


def decoder(stream: Any) -> Any:
    """Return what decodes a video stream, with its alpha where it has any."""
    name = TRANSPARENT.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode") != "1":
        return stream.codec_context
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)
    return context


def first_frame(container: InputContainer, video: VideoStream) -> av.VideoFrame:
    """Decode a video's first frame that can be.

    Raises:
        av.FFmpegError: The first error, where nothing can be decoded; EOFError: there is nothing.
    """
    context, trouble = decoder(video), None
    for packet in container.demux(video):
        if not packet.size and packet.pts is not None:  # AVI: the picture before, again
            continue
        try:
            for frame in context.decode(packet):
                return cast(av.VideoFrame, frame)
        except av.FFmpegError as error:
            trouble = trouble or error
    raise trouble or av.EOFError(0, "no frames")


def time_of(item: Any) -> Fraction | None:
    """Return when a packet or a frame is shown, else decoded, seconds; None: it does not say."""
    stamp = item.dts if item.pts is None else item.pts
    return None if stamp is None else stamp * item.time_base


def side_data_of(frame: Any) -> dict[str, bytes]:
    """Return what FFmpeg tells of a frame beside its pixels, by its name of the kind."""
    return {entry.type.name: bytes(entry) for entry in frame.side_data}


def why(error: Exception) -> str:
    """Return the short reason of an error of FFmpeg."""
    return getattr(error, "strerror", None) or str(error)


def start(container: OutputContainer) -> None:
    """Open a container's encoders.

    SVT-AV1, where root runs it, makes its threads and the one that opens it real-time ones, for good: on few
    cores they would starve whatever else runs there. They get back what this thread had.

    Raises:
        av.FFmpegError: An encoder refuses.
    """
    if not hasattr(os, "sched_getscheduler"):  # not Linux
        container.start_encoding()
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    container.start_encoding()
    if os.sched_getscheduler(0) == policy:
        return
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.sched_setscheduler(int(task.name), policy, priority)


def rehearse(
    muxer: str, fill: Callable[[OutputContainer], None], mend: Callable[[BytesIO], None] = lambda file: None
) -> Any:
    """Write a file into memory and open what came of it: what a reader will find, before any work is done.

    `fill` adds streams and packets; `mend` is applied to the finished file, as to the real one. Return the
    file, open for reading; None: FFmpeg refuses to write or to read it.
    """
    file = BytesIO()
    try:
        with av.open(file, "w", format=muxer) as container:
            fill(container)
            container.start_encoding()
        mend(file)
        file.seek(0)
        return av.open(file, format=READERS.get(muxer, muxer))
    except (av.FFmpegError, ValueError, OverflowError):
        return None


class Chain:
    """Filters one after the other, for pictures of one size and format or sound of one kind."""

    def __init__(
        self, first: av.VideoFrame | av.AudioFrame, unit: Fraction, filters: Sequence[Filter]
    ) -> None:
        """Build it for frames like `first`, on a clock of `unit` seconds per tick."""
        self._graph = graph = Graph()
        if isinstance(first, av.VideoFrame):
            source = graph.add(
                "buffer",
                video_size=f"{first.width}x{first.height}",
                pix_fmt=first.format.name,
                time_base=str(unit),
                colorspace=str(first.colorspace),
                range=str(first.color_range),
            )
        else:
            source = graph.add_abuffer(
                sample_rate=first.sample_rate, format=first.format, layout=first.layout.name, time_base=unit
            )
        nodes = [graph.add(name, argument) for name, argument in filters]
        sink = graph.add("buffersink" if isinstance(first, av.VideoFrame) else "abuffersink")
        graph.link_nodes(source, *nodes, sink).configure()

    def push(self, frame: av.VideoFrame | av.AudioFrame | None) -> Iterator[Any]:
        """Put a frame in, None after the last, and return what comes out."""
        self._graph.push(frame)
        while True:
            try:
                yield self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return


def palettized(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a picture as GIF has it: with 256 colours chosen for it, one of them for what is transparent.

    The pattern of dots stands still, so that what does not move in the video does not flicker.
    """
    graph, rgba = Graph(), frame.reformat(format="rgba")
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=rgba.format, time_base=Fraction(1, 100)
    )
    split, use = graph.add("split"), graph.add("paletteuse", "dither=bayer:bayer_scale=4:new=1")
    palette, sink = graph.add("palettegen", "stats_mode=single"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    graph.push(rgba)
    graph.push(None)
    return graph.vpull()


def matrix_of(frame: Any) -> list[int] | None:
    """Read a frame's display matrix; None: it is shown as it is."""
    numbers = np.frombuffer(side_data_of(frame).get("DISPLAYMATRIX", b""), np.int32)
    matrix = [int(number) for number in numbers]
    return matrix if matrix and turning(matrix) != [] else None


def angle(matrix: Sequence[int]) -> int:
    """Return the angle by which a matrix turns a picture counterclockwise, degrees."""
    return round(-math.degrees(math.atan2(matrix[1], matrix[0])))


def turning(matrix: Sequence[int]) -> list[Filter] | None:
    """Return the filters that do to the pixels what a matrix says; None: it turns by other than quarters."""
    return TURNS.get(tuple((matrix[k] > 0) - (matrix[k] < 0) for k in (0, 1, 3, 4)))


def sideways(matrix: Sequence[int]) -> bool:
    """Return whether a matrix that turns by quarters swaps width and height."""
    return bool(matrix[1])


def stores_turning(muxer: str, matrix: Sequence[int]) -> bool:
    """Return whether a container says how pictures are to be turned, in a way that players know.

    Those of Matroska turn pictures and mirror none; those of WebM, its sister, do neither.
    """
    a, b, _, c, d = matrix[:5]
    mirrored = a * d - b * c < 0
    return muxer in ("mp4", "mov") or (muxer == "matroska" and not mirrored)
