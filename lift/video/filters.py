"""FFmpeg's filters on the way of decoded frames, and which of them turn or mirror a picture.

How it is to be shown is said by FFmpeg's display matrix, 9 numbers. Of its 2 x 2 part (a b; c d) a pixel at
(x, y) from the middle is shown at (a x + c y, b x + d y), y downwards.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.filter import Graph

from lift.video.media import side_data_of

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
