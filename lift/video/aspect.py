"""The shape of pixels, in containers that keep it in a place of their own.

FFmpeg's muxers of Matroska and AVI take it from a field of the stream that PyAV does not reach, so that it is
put into the finished file: into the track's header (Matroska: RFC 9559, section 5.1.4.1.28; WebM takes the
same elements) or as the `vprp` chunk (AVI: OpenDML AVI File Format Extensions 1.02), in bytes that are there
to be used. A codec that has a place for it keeps it there, too; that players go by the container is why it is
in both.
"""

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

FILLER = " " * 32
"""Put after a Matroska track's name, for the bytes that it takes."""
_EBML, _SEGMENT, _TRACKS, _ENTRY = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE
_VIDEO, _NAME, _VOID, _CRC = 0xE0, 0x536E, 0xEC, 0xBF
_WIDTH, _HEIGHT, _DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2
_HEAD = 1 << 20  # bytes of a file in which its header lies
LARGER = 10  # times that a picture may be said to be shown larger than it is
Element = tuple[int, bytes]


def reserve(stream: Any, muxer: str, ratio: Fraction) -> None:
    """Make room in the header of a file to be written, where `store` will need it."""
    if muxer in ("matroska", "webm") and ratio != 1:
        stream.metadata["title"] = stream.metadata.get("title", "") + FILLER


def store(file: BinaryIO, muxer: str, ratio: Fraction) -> None:
    """Put the width of a pixel by its height into a finished file that can be read and written."""
    if ratio == 1 or muxer not in ("matroska", "webm", "avi"):
        return
    file.seek(0)
    head = file.read(_HEAD)
    new = _avi(head, ratio) if muxer == "avi" else _matroska(head, ratio)
    if new is not None:
        file.seek(0)
        file.write(new)


def _matroska(head: bytes, ratio: Fraction) -> bytes | None:
    """Return the same bytes with the size at which the first video track is shown; None: there is no room."""
    for kind, start, _ in _elements(head, 0, len(head)):
        if kind != _SEGMENT:
            continue
        for inner, first, last in _elements(head, start, len(head)):
            if inner == _TRACKS:
                tracks = _tracks(head[first:last], ratio)
                return None if tracks is None else head[:first] + tracks + head[last:]
    return None


def _tracks(data: bytes, ratio: Fraction) -> bytes | None:
    parts = list(_elements(data, 0, len(data)))
    for kind, start, end in parts:
        if kind != _ENTRY:
            continue
        entry = _entry([(k, data[a:b]) for k, a, b in _elements(data, start, end)], end - start, ratio)
        if entry is None:
            continue
        data = data[:start] + entry + data[end:]
        first, begin, after = parts[0]
        if first == _CRC:  # over all that follows in the element
            data = data[:begin] + struct.pack("<I", zlib.crc32(data[after:])) + data[after:]
        return data
    return None


def _entry(parts: list[Element], length: int, ratio: Fraction) -> bytes | None:
    """Rewrite a track's entry in the same length; None: it is not the one with a filler, or has no room."""
    named = [data for kind, data in parts if kind == _NAME and data.endswith(FILLER.encode())]
    video = [data for kind, data in parts if kind == _VIDEO]
    if not named or not video:
        return None
    inner = [(k, video[0][a:b]) for k, a, b in _elements(video[0], 0, len(video[0]))]
    width, height = (int.from_bytes(dict(inner)[key], "big") for key in (_WIDTH, _HEIGHT))
    shown = _shown(width, height, ratio)
    inner = [part for part in inner if part[0] not in (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT)]
    inner += [
        (key, _number(side)) for key, side in zip((_DISPLAY_WIDTH, _DISPLAY_HEIGHT), shown, strict=True)
    ]
    name = named[0][: -len(FILLER)]
    new = [part for part in parts if part[0] not in (_NAME, _VIDEO)]
    new += [(_VIDEO, b"".join(map(_written, inner)))] + [(_NAME, name)] * bool(name)
    made = b"".join(map(_written, new))
    left = length - len(made)
    if left < 2:
        return made if left == 0 else None
    return made + bytes([_VOID, 0x80 | (left - 2)]) + bytes(left - 2)


def _shown(width: int, height: int, ratio: Fraction) -> tuple[int, int]:
    """Return a size of the picture's shape in whole pixels: exactly, where that is not far larger."""
    sides = (width * ratio, Fraction(height)) if ratio > 1 else (Fraction(width), height / ratio)
    times = sides[0].denominator * sides[1].denominator
    times = times if times <= LARGER else 1
    return round(sides[0] * times), round(sides[1] * times)


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield each EBML element's number and where its content begins and ends."""
    while start < end:
        kind, start = _vint(data, start, marked=True)
        size, start = _vint(data, start, marked=False)
        stop = min(end, start + size)
        yield kind, start, stop
        start = stop


def _vint(data: bytes, start: int, *, marked: bool) -> tuple[int, int]:
    length = 9 - data[start].bit_length()
    value = int.from_bytes(data[start : start + length], "big")
    return value if marked else value & ((1 << 7 * length) - 1), start + length


def _written(element: Element) -> bytes:
    kind, content = element
    size = len(content)
    length = 1 if size < 127 else 4
    return _number(kind) + (size | 1 << 7 * length).to_bytes(length, "big") + content


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def _avi(head: bytes, ratio: Fraction) -> bytes | None:
    """Return the same bytes with a `vprp` chunk for the first video stream; None: there is no room."""
    movi = head.find(b"movi")
    junk = head.rfind(b"JUNK", 0, movi)  # filler that FFmpeg leaves "for easier tag editing"
    strh = head.find(b"strh\x38\0\0\0vids")
    if min(movi, junk, strh) < 0:
        return None
    strf = strh + 8 + 56
    after = strf + 8 + (_size(head, strf) + 1) // 2 * 2
    width, height = struct.unpack_from("<ii", head, strf + 12)
    height = abs(height)  # negative: stored from the top
    shape = (ratio * width / height).limit_denominator(0xFFFF)
    shown = shape.numerator << 16 | shape.denominator
    fields = (0, 0, 0, width, height, shown, width, height, 1, height, width, height, width, 0, 0, 0, 0)
    chunk = b"vprp" + struct.pack("<I", 4 * len(fields)) + struct.pack(f"<{len(fields)}I", *fields)
    room = _size(head, junk) - len(chunk)
    if room < 0:
        return None
    new = bytearray(head[:after] + chunk + head[after:junk] + b"JUNK" + struct.pack("<I", room))
    new += head[junk + 8 + len(chunk) :]
    for inside in (strh - 12, 12):  # the stream's list, and the header's that holds it
        struct.pack_into("<I", new, inside + 4, _size(head, inside) + len(chunk))
    return bytes(new)


def _size(head: bytes, chunk: int) -> int:
    return int(struct.unpack_from("<I", head, chunk + 4)[0])
