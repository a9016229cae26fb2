"""Codecs named in the metadata of a zarr array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# decoders that only convert bytes into bytes or numbers; numcodecs also has one that unpickles, so
# any other codec is refused
SAFE_CODECS: Final = (
    "adler32 astype bitround blosc bytes bz2 crc32 crc32c delta fixedscaleoffset fletcher32 gzip"
    " jenkins_lookup3 lz4 lzma packbits pcodec quantize sharding_indexed shuffle transpose zfpy"
    " zlib zstd"
)


def byte_codecs(metadata: dict[str, Any], key: str = "codecs") -> list[dict[str, Any]]:
    """Return the codecs of an array (zarr 2 or 3), the last applied first, under ``name``."""
    keys = (key,) if key in metadata else ("filters", "compressor")
    return list(_codecs(metadata, *keys))[::-1]


def _codecs(metadata: dict[str, Any], *keys: str) -> Iterator[dict[str, Any]]:
    for key in keys:
        listed = metadata.get(key)
        for codec in listed if isinstance(listed, list) else [listed]:
            stated = codec if isinstance(codec, dict) else {"name": codec}
            if codec is not None:
                name = str(stated.get("id", stated.get("name")))
                yield {**stated, "name": name.removeprefix("numcodecs.")}


def codec_names(metadata: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all codecs of an array, including those of shards and their indices."""
    for codec in _codecs(metadata, "compressor", "filters", "codecs", "index_codecs"):
        yield codec["name"]
        inner = codec.get("configuration")
        if isinstance(inner, dict):
            yield from codec_names(inner)
