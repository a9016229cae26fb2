"""Metadata files of a zarr store in a local folder, read without trusting them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_JSON_BYTES: Final = 64 * 2**20

# decoders that only turn bytes into bytes or numbers; numcodecs also has one that unpickles,
# so anything that is not listed is refused
_SAFE_CODECS: Final = frozenset(
    [
        "adler32",
        "astype",
        "bitround",
        "blosc",
        "bytes",
        "bz2",
        "crc32",
        "crc32c",
        "delta",
        "fixedscaleoffset",
        "fletcher32",
        "gzip",
        "jenkins_lookup3",
        "lz4",
        "lzma",
        "packbits",
        "pcodec",
        "quantize",
        "sharding_indexed",
        "shuffle",
        "transpose",
        "zfpy",
        "zlib",
        "zstd",
    ]
)


@dataclass(frozen=True)
class Node:
    """An array or a group of a zarr store.

    Attributes
    ----------
    path : Path
        Its folder.
    is_array : bool
        Array or group.
    attributes : dict
        What its writer noted, unchecked.
    metadata : dict
        Its own metadata (``.zarray`` or ``zarr.json``), unchecked.
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
            f"the dataset path {name!r} leads out of the store", where=where, advice=_OUTSIDE
        )
    folder = node.path / name
    if not folder.resolve().is_relative_to(node.path.resolve()):
        raise InputError(
            f"the dataset {name!r} is a link out of the store", where=where, advice=_OUTSIDE
        )
    return folder


_OUTSIDE: Final = "only open stores whose pictures lie inside them"


def require_safe_codecs(node: Node) -> None:
    """Refuse an array whose chunks would be decoded by anything but a plain codec."""
    unknown = sorted(set(_codec_names(node.metadata)) - _SAFE_CODECS)
    if unknown:
        raise InputError(
            f"the chunks are encoded with {', '.join(map(repr, unknown))}, which is not allowed",
            where=str(node.path),
            advice="rewrite the array with a common compressor, for example zstd",
        )


def byte_codecs(metadata: dict[str, Any], key: str = "codecs") -> list[dict[str, Any]]:
    """Give the codecs of an array (zarr 2 or 3), the one applied last first, under ``name``."""
    listed = _list(metadata.get(key))
    if key not in metadata:
        listed = [*_list(metadata.get("filters")), metadata.get("compressor")]
    named = [codec if isinstance(codec, dict) else {"name": codec} for codec in listed if codec]
    return [{**codec, "name": _name(codec)} for codec in reversed(named)]


def _codec_names(metadata: dict[str, Any]) -> Iterator[str]:
    for key in ("compressor", "filters", "codecs", "index_codecs"):
        listed = metadata.get(key)
        for codec in listed if isinstance(listed, list) else [listed]:
            if codec is not None:
                yield _name(codec)
            inner = codec.get("configuration") if isinstance(codec, dict) else None
            if isinstance(inner, dict):
                yield from _codec_names(inner)


def _name(codec: Any) -> str:
    name = codec.get("id", codec.get("name")) if isinstance(codec, dict) else codec
    return str(name).removeprefix("numcodecs.")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError("not a regular file", where=str(path))
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise InputError("the metadata file is absurdly large", where=str(path))
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"the metadata cannot be read ({type(error).__name__})",
            where=str(path),
            advice="the file is half-written or damaged: copy or export the store again",
        ) from None
    if not isinstance(found, dict):
        raise InputError("the metadata are not a JSON object", where=str(path))
    return found
