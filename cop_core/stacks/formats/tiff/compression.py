"""Lossy compression of a TIFF."""

from __future__ import annotations

from typing import Any, Final

from tifffile import COMPRESSION

_LOSSY: Final = frozenset(
    {
        COMPRESSION.APERIO_JP2000_YCBC,
        COMPRESSION.JETRAW,
        COMPRESSION.JPEG_2000_LOSSY,
        COMPRESSION.JPEG_LOSSY,
    }
)
_JPEG: Final = frozenset({COMPRESSION.JPEG, COMPRESSION.OJPEG})


def is_lossy(page: Any) -> bool:
    """Return whether a page's tag states a compression that loses detail.

    JPEG of more than 8 bits is usually lossless, and newer codecs that can be either do not count
    as lossy.
    """
    return page.compression in _LOSSY or (page.compression in _JPEG and page.bitspersample <= 8)
