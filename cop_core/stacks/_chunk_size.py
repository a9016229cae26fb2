"""What a compressed chunk says it will decode to, before it is decoded.

The libraries allocate what the chunk's own header asks for, which need not be what the array
declares: a few kB on disk could take GBs of memory.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def stated_size(path: Path, codec: str) -> int:
    """Size in bytes that a chunk file says it decodes to; 0 where it does not say.

    References
    ----------
    RFC 8878, section 3.1.1.1 (zstd frame header); RFC 1952, section 2.3.1 (gzip ISIZE);
    c-blosc, README_CHUNK_FORMAT.rst.
    """
    if codec not in ("blosc", "gzip", "zstd"):
        return 0
    with path.open("rb") as file:
        head = file.read(18)
        if codec == "gzip":
            file.seek(max(path.stat().st_size - 4, 0))
            return _little_endian(file.read(4))
    return _little_endian(head[4:8]) if codec == "blosc" else _zstd_size(head)


def _zstd_size(head: bytes) -> int:
    if len(head) < 6 or struct.unpack("<I", head[:4])[0] != 0xFD2FB528:
        return 0
    descriptor = head[4]
    size_flag, single = descriptor >> 6, descriptor >> 5 & 1
    start = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3]
    width = (single, 2, 4, 8)[size_flag]
    return _little_endian(head[start : start + width]) + (256 if width == 2 else 0)


def _little_endian(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
