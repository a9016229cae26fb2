"""Decoded size of a compressed chunk, determined before it is fully decoded.

Libraries allocate the size in the chunk's own header, or of its decoded content, which may differ
from that declared by the array: a few kB on disk could take GBs of memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import imagecodecs
import numpy as np

from cop_core.stacks.formats.zarr.codecs import byte_codecs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE: Final = 2**20
_ABSENT: Final = 2**64 - 1
_CHECKSUM_BYTES: Final = 4


class ChunkSizes:
    """Detects chunks that decode to too much.

    Parameters
    ----------
    metadata : dict
        Metadata of the array, as stored.
    n_files : int
        Number of files of one plane; results for so many files are kept.
    n_in_shard : int
        Chunks in one file.
    limit : int
        Maximum decoded size of a chunk in bytes.
    """

    def __init__(self, metadata: dict[str, Any], n_files: int, n_in_shard: int, limit: int) -> None:
        self._n_files, self._limit = n_files, limit
        codecs = byte_codecs(metadata)
        shard = next((c for c in codecs if c["name"] == "sharding_indexed"), None)
        self._shard: dict[str, Any] = shard.get("configuration", {}) if shard else {}
        inner = byte_codecs(self._shard) if self._shard else codecs
        self._codec = next((c["name"] for c in inner if c["name"] in _MEASURES), "")
        self._n = n_in_shard
        self._seen: dict[Path, tuple[int, bool]] = {}

    def too_large(self, path: Path) -> bool:
        """Return whether a chunk in a file decodes to more than the limit."""
        if not self._codec:
            return False
        written = path.stat().st_mtime_ns
        known, large = self._seen.get(path, (None, False))
        if known != written:
            # planes that share files are read one after the other
            large = self._file_too_large(path)
            if len(self._seen) >= self._n_files:
                self._seen.clear()
            self._seen[path] = written, large
        return large

    def _file_too_large(self, path: Path) -> bool:
        with path.open("rb") as file:
            return self.any_too_large(file)

    def any_too_large(self, file: BinaryIO) -> bool:
        """Return whether one of the chunks in a file decodes to more than the limit."""
        return any(map(self.one_too_large, self._chunks(file) if self._codec else ()))

    def one_too_large(self, data: bytes) -> bool:
        """Return whether a single chunk of a shard decodes to more than the limit."""
        return bool(self._codec) and _MEASURES[self._codec](data, self._limit) > self._limit

    @property
    def index_first(self) -> bool:
        """Whether the index of chunks is at the start of a shard."""
        return bool(self._shard.get("index_location", "end") == "start")

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        if not self._shard:
            yield file.read()
            return
        for offset, length in self._index(file):
            if offset != _ABSENT:
                file.seek(offset)
                yield file.read(length)

    def _index(self, file: BinaryIO) -> list[list[int]]:
        """Offset and length of every chunk of a shard; none if the file is too short."""
        checked = any(c["name"] == "crc32c" for c in byte_codecs(self._shard, "index_codecs"))
        size = 16 * self._n
        total = file.seek(0, io.SEEK_END)
        file.seek(0 if self.index_first else max(0, total - size - _CHECKSUM_BYTES * checked))
        raw = file.read(size)
        pairs: list[list[int]] = (
            np.frombuffer(raw[: len(raw) // 16 * 16], "<u8").reshape(-1, 2).tolist()
        )
        return [pair for pair in pairs if sum(pair) <= total]


def _zstd(data: bytes, limit: int) -> int:
    """Size in a zstd frame's header, or by decoding into no more than the limit."""
    stated = _zstd_header(data)
    if stated is not None:
        return stated
    try:
        return len(imagecodecs.zstd_decode(data, out=limit))
    except imagecodecs.ZstdError as error:
        return limit + 1 if "too small" in str(error) else 0


def _zstd_header(data: bytes) -> int | None:
    """Content size of the first frame; None if not stated."""
    if len(data) < 6 or struct.unpack("<I", data[:4])[0] != 0xFD2FB528:
        return 0
    size_flag, single = data[4] >> 6, data[4] >> 5 & 1
    start = 5 + (not single) + (0, 1, 2, 4)[data[4] & 3]
    width = (single, 2, 4, 8)[size_flag]
    if not width:
        return None
    return int.from_bytes(data[start : start + width], "little") + (256 if width == 2 else 0)


def _stated_at(start: int) -> Callable[[bytes, int], int]:
    return lambda data, _: int.from_bytes(data[start : start + 4], "little")


def _streamed(opened: Callable[[io.BytesIO], Any]) -> Callable[[bytes, int], int]:
    """Return a function that decodes piece by piece, no further than the limit."""

    def measure(data: bytes, limit: int) -> int:
        total = 0
        try:
            with opened(io.BytesIO(data)) as stream:
                while total <= limit and (piece := stream.read(_PIECE)):
                    total += len(piece)
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            pass  # the decoder that reads it reports any damage
        return total

    return measure


def _zlib(data: bytes, limit: int) -> int:
    try:
        return len(zlib.decompressobj().decompress(data, limit + 1))
    except zlib.error:
        return 0


# References: RFC 8878, section 3.1.1.1 (zstd frame header); c-blosc, README_CHUNK_FORMAT.rst;
# numcodecs puts the decoded size before an LZ4 block
_MEASURES: Final[dict[str, Callable[[bytes, int], int]]] = {
    "blosc": _stated_at(4),
    "bz2": _streamed(bz2.open),
    "gzip": _streamed(gzip.open),
    "lz4": _stated_at(0),
    "lzma": _streamed(lzma.open),
    "zlib": _zlib,
    "zstd": _zstd,
}
