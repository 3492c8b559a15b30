"""MPEG-4 video (Part 2: XviD, DivX) in an archive as its encoder left it: runs of frames from a key frame on.

Why not as pictures: UCF101 is 6.7 GB as it comes, about 290 GB as the decoder's YUV 4:2:0 planes and twice
that as RGB. Writing a run costs next to nothing, and the loader's decoding from the key frame (12 to 250
frames apart in UCF101) costs less than reading those bytes would. A run is kept only where decoding it by
itself is known to give what decoding the whole file does: every packet is one picture, shown when it is
decoded (none is predicted from later ones), and nothing reaches back over a key frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # as in images.py
    import av
    from av.video.codeccontext import VideoCodecContext

EXTENSION = "m4v"  # entries of one video, one after the other, are an elementary stream that players open
LONGEST = 300  # frames of a run: as XviD makes them
REACH = LONGEST * 240 * 320  # pixels decoded at most to reach a frame: such a run of UCF101
_VOP = b"\x00\x00\x01\xb6"  # starts a picture (ISO/IEC 14496-2, 6.2.1)
_STARTS = re.compile(re.escape(_VOP))
_KEY, _BETWEEN = 0, 2  # vop_coding_type: I; and B, which is predicted from both sides (Table 6-20)
_LEAST = 16  # bytes; a picture that is not coded, but repeated, takes fewer


@dataclass(kw_only=True)
class Run:
    """Frames from a key frame on."""

    number: int
    """Of the key frame."""
    packets: list[bytes] = field(default_factory=list)
    """One for each frame; the first one begins with the stream's header."""

    def data(self, last: int) -> bytes:
        """Return the run up to frame `last`."""
        return b"".join(self.packets[: last - self.number + 1])

    def gives(self, number: int, frame: av.VideoFrame) -> bool:
        """Return whether frame `number`, decoded from this run alone, is equal to `frame` to the bit."""
        alone = next(decode_run(self.data(number), [number - self.number]))
        return np.array_equal(alone.to_ndarray(), frame.to_ndarray())


def is_key(packet: bytes) -> bool:
    """Return whether a packet is a key frame."""
    return _coding(packet, packet.find(_VOP)) == _KEY


def survey(packets: Iterable[bytes], pixels: int) -> tuple[int, bool]:
    """Count the packets of a stream, and tell whether their form allows that they are kept as runs.

    Args:
        packets: From the stream's first one on.
        pixels: Of its frames.
    """
    count, fit = 0, True
    length = 0  # of the run so far; 0: no key frame yet
    for packet in packets:
        count += 1
        place = packet.find(_VOP)
        coding = _coding(packet, place)
        length = 1 if coding == _KEY else length + bool(length)
        one = len(packet) >= _LEAST and packet.find(_VOP, place + 1) < 0 and coding != _BETWEEN
        begins = place == 0 or coding == _KEY
        fit &= one and begins and 0 < length <= LONGEST and length * pixels <= REACH
    return count, fit and count > 0


def decode_run(data: bytes, places: Iterable[int]) -> Iterator[av.VideoFrame]:
    """Decode a run.

    Args:
        data: `Run.data`.
        places: Of the wanted frames from the key frame on, ascending.

    Raises:
        ValueError: The run is damaged or too short.
    """
    import av

    decoder = av.CodecContext.create("mpeg4", "r")
    decoder.thread_count = 1  # with more, a frame comes only after the next packet
    starts, wanted, start, place = _STARTS.finditer(data), iter(places), 0, -1
    next(starts, None)
    for target in wanted:
        while place < target:
            if start == len(data):
                raise ValueError(f"ends before frame {target} from its key frame on")
            end = next(starts, None)
            stop = end.start() if end else len(data)
            frame = _decode(decoder, data[start:stop])
            start, place = stop, place + 1
        yield frame


def _decode(decoder: VideoCodecContext, data: bytes) -> av.VideoFrame:
    import av

    # Made from its size, a packet has the zeros after it that FFmpeg reads past the end; made from bytes, it
    # has whatever lies behind them, and frames then differ now and then.
    packet = av.Packet(len(data))
    packet.update(data)
    try:
        frames = decoder.decode(packet)
    except av.FFmpegError as error:
        raise ValueError(f"cannot be decoded ({error.strerror})") from error
    if len(frames) != 1 or frames[0].is_corrupt:
        raise ValueError("cannot be decoded")
    return frames[0]


def _coding(packet: bytes, place: int) -> int:
    """Return the coding type of the picture that starts at `place`; B where there is none (-1)."""
    after = place + len(_VOP)
    return packet[after] >> 6 if place >= 0 and after < len(packet) else _BETWEEN
