"""FFmpeg's filters on the way of decoded frames."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.filter import Graph
from av.filter.context import FilterContext

from lift.video.turn import Filter


class Chain:
    """Filters one after the other, for frames of one size and format."""

    def __init__(self, first: av.VideoFrame, unit: Fraction, filters: Sequence[Filter]) -> None:
        """Build it.

        Args:
            first: A frame like all that come.
            unit: Seconds per tick of their clock.
            filters: Name and arguments of each.
        """
        self._graph = Graph()
        source = self._graph.add(
            "buffer",
            video_size=f"{first.width}x{first.height}",
            pix_fmt=first.format.name,
            time_base=str(unit),
            colorspace=str(first.colorspace),
            range=str(first.color_range),
        )
        nodes: list[FilterContext] = [self._graph.add(name, argument) for name, argument in filters]
        self._graph.link_nodes(source, *nodes, self._graph.add("buffersink")).configure()

    def push(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Put a frame in, None after the last, and return what comes out."""
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
