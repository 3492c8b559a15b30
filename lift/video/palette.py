"""The 256 colours of each picture of a GIF, chosen for it: by FFmpeg's palettegen and paletteuse."""

from fractions import Fraction

import av
from av.filter import Graph


class Palette:
    """Turns RGBA pictures of one size into pictures with a palette of their own.

    One colour is kept for what is transparent. The pattern of dots stands still, so that what does not move
    in the video does not flicker.
    """

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Convert a picture of any format."""
        graph = Graph()
        rgba = frame.reformat(format="rgba")
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
