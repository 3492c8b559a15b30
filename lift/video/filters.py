"""FFmpeg's filters on the way of decoded frames, and which of them turn or mirror a picture.

How it is to be shown is said by FFmpeg's display matrix, 9 numbers. Of its 2 x 2 part (a b; c d) a pixel at
(x, y) from the middle is shown at (a x + c y, b x + d y), y downwards.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.filter import Graph

TRANSPOSED = {  # signs of b and c: direction of FFmpeg's transpose filter
    (1, 1): "cclock_flip",
    (1, -1): "clock",
    (-1, 1): "cclock",
    (-1, -1): "clock_flip",
}
Filter = tuple[str, str | None]


class Chain:
    """Filters one after the other, for pictures of one size and format or sound of one kind."""

    def __init__(
        self, first: av.VideoFrame | av.AudioFrame, unit: Fraction, filters: Sequence[Filter]
    ) -> None:
        """Build it.

        Args:
            first: A frame like all that come.
            unit: Seconds per tick of their clock.
            filters: Name and arguments of each.
        """
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
            kind, layout = first.format, first.layout.name
            source = graph.add_abuffer(
                sample_rate=first.sample_rate, format=kind, layout=layout, time_base=unit
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
    with contextlib.suppress(KeyError):
        data = cast(Any, frame.side_data)["DISPLAYMATRIX"]
        values = [int(value) for value in np.frombuffer(bytes(data), np.int32)]
        return values if turning(values) or slanted(values) else None
    return None


def slanted(matrix: Sequence[int]) -> bool:
    """Return whether a matrix turns by other than quarters; no filter here does that."""
    a, b, _, c, d = matrix[:5]
    return bool((a or d) and (b or c))


def angle(matrix: Sequence[int]) -> int:
    """Return the angle by which a matrix turns a picture counterclockwise, degrees."""
    return round(-math.degrees(math.atan2(matrix[1], matrix[0])))


def mirrored(matrix: Sequence[int]) -> bool:
    """Return whether a matrix shows a picture as in a mirror, turned or not."""
    a, b, _, c, d = matrix[:5]
    return a * d - b * c < 0


def sideways(matrix: Sequence[int] | None) -> bool:
    """Return whether a matrix swaps width and height."""
    return matrix is not None and not slanted(matrix) and bool(matrix[1])


def turning(matrix: Sequence[int] | None) -> list[Filter]:
    """Return the filters that do to the pixels what a matrix says; no pixel's value changes."""
    if matrix is None or slanted(matrix):
        return []
    a, b, _, c, d = matrix[:5]
    if b and c:
        return [("transpose", TRANSPOSED[1 if b > 0 else -1, 1 if c > 0 else -1])]
    mirrored: list[Filter] = [("hflip", None)] * (a < 0)
    return mirrored + [("vflip", None)] * (d < 0)
