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
SEGMENT, TRACKS, ENTRY, VIDEO, NAME, VOID, CRC = 0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x536E, 0xEC, 0xBF
WIDTH, HEIGHT = 0xB0, 0xBA
SHOWN = (0x54B0, 0x54BA, 0x54B2)  # width, height, and their unit
HEAD = 1 << 20  # bytes of a file in which its header lies
LARGER = 10  # times that a picture may be said to be shown larger than it is


def reserve(stream: Any, muxer: str, ratio: Fraction) -> None:
    """Make room in the header of a file to be written, where `store` will need it."""
    if muxer in ("matroska", "webm") and ratio != 1:
        stream.metadata["title"] = stream.metadata.get("title", "") + FILLER


def store(file: BinaryIO, muxer: str, ratio: Fraction) -> None:
    """Put the width of a pixel by its height into a finished file that can be read and written."""
    if ratio == 1 or muxer not in ("matroska", "webm", "avi"):
        return
    file.seek(0)
    head = file.read(HEAD)
    head = _avi(head, ratio) if muxer == "avi" else _matroska(head, ratio)
    file.seek(0)
    file.write(head)


def _matroska(head: bytes, ratio: Fraction) -> bytes:
    """Return the same number of bytes, with the size at which the track with the filler is shown."""
    # FFmpeg writes the tracks before the first picture, behind which the rest is not looked through.
    places = (place for kind, *place in _elements(head, 0, len(head)) if kind == TRACKS)
    first, last = next(places, (0, 0))
    data = head[first:last]
    parts = list(_elements(data, 0, len(data)))
    for kind, start, end in parts:
        entry = _entry(data[start:end], ratio) if kind == ENTRY else None
        if entry is not None:
            data = data[:start] + entry + data[end:]
    kind, start, end = parts[0] if parts else (0, 0, 0)
    if kind == CRC:  # over all that follows in the element
        data = data[:start] + struct.pack("<I", zlib.crc32(data[end:])) + data[end:]
    return head[:first] + data + head[last:]


def _entry(data: bytes, ratio: Fraction) -> bytes | None:
    """Rewrite a track's entry in the same length; None: it is not the one with a filler, or has no room."""
    parts = _contents(data)
    video, name = (dict(parts).get(kind, b"") for kind in (VIDEO, NAME))
    if not video or not name.endswith(FILLER.encode()):
        return None
    width, height = (int.from_bytes(dict(_contents(video))[kind], "big") for kind in (WIDTH, HEIGHT))
    sides = (width * ratio, Fraction(height)) if ratio > 1 else (Fraction(width), height / ratio)
    # In whole pixels: exactly, where that is not far larger than the picture.
    times = sides[0].denominator * sides[1].denominator
    times = times if times <= LARGER else 1
    said = [part for part in _contents(video) if part[0] not in SHOWN]
    said += [(kind, _number(round(side * times))) for kind, side in zip(SHOWN[:2], sides, strict=True)]
    new = [part for part in parts if part[0] not in (NAME, VIDEO)] + [(VIDEO, _written(said))]
    made = _written(new + [(NAME, name[: -len(FILLER)])] * (len(name) > len(FILLER)))
    left = len(data) - len(made)
    if left < 2:
        return made if left == 0 else None
    return made + bytes([VOID, 0x80 | (left - 2)]) + bytes(left - 2)


def _contents(data: bytes) -> list[tuple[int, bytes]]:
    return [(kind, data[start:end]) for kind, start, end in _elements(data, 0, len(data))]


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield each EBML element's number and where its content lies; in place of the segment what is in it."""
    while start < end:
        kind, start = _vint(data, start, marked=True)
        size, start = _vint(data, start, marked=False)
        stop = min(end, start + size)
        if kind == SEGMENT:
            yield from _elements(data, start, stop)
        else:
            yield kind, start, stop
        start = stop


def _vint(data: bytes, start: int, *, marked: bool) -> tuple[int, int]:
    length = 9 - data[start].bit_length()
    value = int.from_bytes(data[start : start + length], "big")
    return value if marked else value & ((1 << 7 * length) - 1), start + length


def _written(elements: list[tuple[int, bytes]]) -> bytes:
    data = b""
    for kind, content in elements:
        length = 1 if len(content) < 127 else 4
        data += _number(kind) + (len(content) | 1 << 7 * length).to_bytes(length, "big") + content
    return data


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def _avi(head: bytes, ratio: Fraction) -> bytes:
    """Return the same number of bytes, with a `vprp` chunk for the first video stream where there is room."""
    movi = head.find(b"movi")
    junk = head.rfind(b"JUNK", 0, movi)  # filler that FFmpeg leaves "for easier tag editing"
    strh = head.find(b"strh\x38\0\0\0vids")
    if min(movi, junk, strh) < 0:
        return head
    strf = strh + 8 + 56
    after = strf + 8 + (_size(head, strf) + 1) // 2 * 2
    width, height = struct.unpack_from("<ii", head, strf + 12)
    height = abs(height)  # negative: stored from the top
    shape = (ratio * width / height).limit_denominator(0xFFFF)
    shown = shape.numerator << 16 | shape.denominator
    fields = (0, 0, 0, width, height, shown, width, height, 1, height, width, height, width, 0, 0, 0, 0)
    chunk = struct.pack(f"<4sI{len(fields)}I", b"vprp", 4 * len(fields), *fields)
    room = _size(head, junk) - len(chunk)
    if room < 0:
        return head
    new = bytearray(head[:after] + chunk + head[after:junk] + struct.pack("<4sI", b"JUNK", room))
    new += head[junk + 8 + len(chunk) :]
    for inside in (strh - 12, 12):  # the stream's list, and the header's that holds it
        struct.pack_into("<I", new, inside + 4, _size(head, inside) + len(chunk))
    return bytes(new)


def _size(head: bytes, chunk: int) -> int:
    return int(struct.unpack_from("<I", head, chunk + 4)[0])
