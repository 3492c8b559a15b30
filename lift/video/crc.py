"""FFV1's own checksums: a decoder shows a slice that fails its test without a sign that reaches us.

From version 3 on, a packet is a row of slices, each of which ends with its size (24 bits), an error status
and a CRC with which the CRC of the whole slice is zero (RFC 9043, sections 4.8 and 4.9.3).
"""

import zlib
from typing import Any

FOOTER = 8  # bytes: size, status, CRC
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class SliceCheck:
    """Tests the packets of a stream; that it has checksums shows when one of them passes."""

    def __init__(self, stream: Any) -> None:
        """Watch a video stream of any codec."""
        self._has_slices = stream.codec_context.name == "ffv1"
        self._passed = self._failed = False

    def sound(self, packet: Any) -> bool:
        """Return whether a packet and those before it pass, as far as is known."""
        if not self._has_slices or not packet.size:
            return True
        passed = _passes(bytes(packet))
        self._passed |= passed
        self._failed |= not passed
        return not (self._passed and self._failed)


def _passes(data: bytes) -> bool:
    end = len(data)
    while end > 0:
        size = int.from_bytes(data[end - FOOTER : end - FOOTER + 3], "big") + FOOTER
        if size > end or _crc(data[end - size : end]):
            return False
        end -= size
    return True


def _crc(data: bytes) -> int:
    """Return the CRC by the polynomial 0x04C11DB7 from zero on, highest bit first (zlib's: lowest)."""
    return zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
