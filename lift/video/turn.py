"""Turning pixels as a display matrix says, for outputs that cannot store one; no pixel's value changes."""

from collections.abc import Callable
from fractions import Fraction

import av
from av.filter import Graph

QUARTERS = {
    90: (("transpose", "cclock"),),
    -90: (("transpose", "clock"),),
    180: (("hflip", None), ("vflip", None)),
    -180: (("hflip", None), ("vflip", None)),
}
"""Filters by the angle that a frame is to be turned counterclockwise, degrees; other angles have none."""


def turner(first: av.VideoFrame, unit: Fraction) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Make a function that turns frames of the size and format of `first`, upright frames to themselves."""
    filters = QUARTERS.get(round(first.rotation), ())
    if not filters:
        return lambda frame: frame
    graph = Graph()
    source = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=unit)
    nodes = [graph.add(name, argument) for name, argument in filters]
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()

    def turn(frame: av.VideoFrame) -> av.VideoFrame:
        graph.vpush(frame)
        turned = graph.vpull()
        turned.pts, turned.time_base = frame.pts, frame.time_base
        return turned

    return turn
