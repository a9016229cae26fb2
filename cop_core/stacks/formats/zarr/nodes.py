"""Metadata files of a zarr store in a local folder, read without trusting them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.text_file import read_text_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_JSON_BYTES: Final = 64 * 2**20
_DAMAGED: Final = "the file is half-written or damaged: copy or export the store again"
_INSIDE: Final = "only open stores whose pictures lie inside them"

# decoders that only turn bytes into bytes or numbers; numcodecs also has one that unpickles,
# so anything that is not listed is refused
_SAFE_CODECS: Final = (
    "adler32 astype bitround blosc bytes bz2 crc32 crc32c delta fixedscaleoffset fletcher32 gzip"
    " jenkins_lookup3 lz4 lzma packbits pcodec quantize sharding_indexed shuffle transpose zfpy"
    " zlib zstd"
)


@dataclass(frozen=True)
class Node:
    """An array or a group of a zarr store, with what its writer noted, unchecked.

    Its own metadata are those of ``.zarray`` or ``zarr.json``.
    """

    path: Path
    is_array: bool
    attributes: dict[str, Any]
    metadata: dict[str, Any]


def read_node(path: Path) -> Node | None:
    """Read what kind of zarr node a folder is; None where it is none.

    Raises
    ------
    InputError
        Where a metadata file is there and cannot be read.
    """
    if (path / "zarr.json").exists():
        metadata = _read_json(path / "zarr.json")
        attributes = metadata.get("attributes")
        found = attributes if isinstance(attributes, dict) else {}
        return Node(path, metadata.get("node_type") == "array", found, metadata)
    attributes = _read_json(path / ".zattrs") if (path / ".zattrs").exists() else {}
    if (path / ".zarray").exists():
        return Node(path, True, attributes, _read_json(path / ".zarray"))
    if (path / ".zgroup").exists() or attributes:
        return Node(path, False, attributes, {})
    return None


def children(node: Node) -> Iterator[Node]:
    """Give the arrays and groups directly below a group, by name."""
    for folder in sorted(p for p in node.path.iterdir() if p.is_dir() and not p.is_symlink()):
        child = read_node(folder)
        if child is not None:
            yield child


def child_folder(node: Node, name: Any) -> Path:
    """Give the folder that a path in metadata names, refusing one outside the store."""
    where = str(node.path)
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"the dataset path {name!r} is not a name", where=where)
    # judged by the rules of both systems: a store may have been written on the other one
    paths = PurePosixPath(name), PureWindowsPath(name)
    if any(p.is_absolute() or p.drive or p.root or ".." in p.parts for p in paths):
        raise InputError(
            f"the dataset path {name!r} leads out of the store", where=where, advice=_INSIDE
        )
    folder = node.path / name
    if not folder.resolve().is_relative_to(node.path.resolve()):
        raise InputError(
            f"the dataset {name!r} is a link out of the store", where=where, advice=_INSIDE
        )
    return folder


def require_safe_codecs(node: Node) -> None:
    """Refuse an array whose chunks would be decoded by anything but a plain codec."""
    unknown = sorted(set(_codec_names(node.metadata)) - set(_SAFE_CODECS.split()))
    if unknown:
        raise InputError(
            f"the chunks are encoded with {', '.join(map(repr, unknown))}, which is not allowed",
            where=str(node.path),
            advice="rewrite the array with a common compressor, for example zstd",
        )


def byte_codecs(metadata: dict[str, Any], key: str = "codecs") -> list[dict[str, Any]]:
    """Give the codecs of an array (zarr 2 or 3), the one applied last first, under ``name``."""
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


def _codec_names(metadata: dict[str, Any]) -> Iterator[str]:
    for codec in _codecs(metadata, "compressor", "filters", "codecs", "index_codecs"):
        yield codec["name"]
        inner = codec.get("configuration")
        if isinstance(inner, dict):
            yield from _codec_names(inner)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(
            read_text_file(path, "metadata", most_bytes=_MAX_JSON_BYTES, advice=_DAMAGED)
        )
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the metadata cannot be read ({type(error).__name__})",
            where=str(path),
            advice=_DAMAGED,
        ) from None
    if not isinstance(found, dict):
        raise InputError("the metadata are not a JSON object", where=str(path))
    return found
