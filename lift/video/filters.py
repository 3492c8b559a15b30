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
