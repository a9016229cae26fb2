"""Metadata files of a zarr store, read without trusting them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.stacks.formats.zarr.codecs import SAFE_CODECS, codec_names
from cop_core.stacks.formats.zarr.folders import HALF_WRITTEN, INSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.stacks.formats.zarr.folders import Folder


@dataclass(frozen=True)
class Node:
    """An array or a group of a zarr store, with its attributes, unchecked.

    Its own metadata are those of ``.zarray`` or ``zarr.json``.
    """

    folder: Folder
    is_array: bool
    attributes: dict[str, Any]
    metadata: dict[str, Any]


def read_node(folder: Folder) -> Node | None:
    """Read the zarr node in a folder; None if there is none.

    Raises
    ------
    InputError
        If a metadata file exists but cannot be read.
    """
    if (metadata := _read_json(folder, "zarr.json")) is not None:
        attributes = metadata.get("attributes")
        found = attributes if isinstance(attributes, dict) else {}
        return Node(folder, metadata.get("node_type") == "array", found, metadata)
    attributes = _read_json(folder, ".zattrs") or {}
    if (metadata := _read_json(folder, ".zarray")) is not None:
        return Node(folder, True, attributes, metadata)
    if attributes or folder.read(".zgroup") is not None:
        return Node(folder, False, attributes, {})
    return None


def children(node: Node) -> Iterator[Node]:
    """Return the arrays and groups directly below a group, by name."""
    for folder in node.folder.children():
        child = read_node(folder)
        if child is not None:
            yield child


def child_folder(node: Node, name: Any) -> Folder:
    """Return the folder of a path in metadata; refuse one outside the store."""
    where = str(node.folder)
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"the dataset path {name!r} is not a name", where=where)
    # checked by the rules of both systems: a store may have been written on the other one
    paths = PurePosixPath(name), PureWindowsPath(name)
    if any(p.is_absolute() or p.drive or p.root or ".." in p.parts for p in paths):
        raise InputError(
            f"the dataset path {name!r} leads out of the store", where=where, advice=INSIDE
        )
    return node.folder.child(name)


def require_safe_codecs(node: Node) -> None:
    """Refuse an array with chunks that need anything but a plain codec."""
    unknown = sorted(set(codec_names(node.metadata)) - set(SAFE_CODECS.split()))
    if unknown:
        raise InputError(
            f"the chunks are encoded with {', '.join(map(repr, unknown))}, which is not allowed",
            where=str(node.folder),
            advice="rewrite the array with a common compressor, for example zstd",
        )


def _read_json(folder: Folder, name: str) -> dict[str, Any] | None:
    where = f"{folder}/{name}"
    text = folder.read(name)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the metadata cannot be read ({type(error).__name__})",
            where=where,
            advice=HALF_WRITTEN,
        ) from None
    if not isinstance(found, dict):
        raise InputError("the metadata are not a JSON object", where=where)
    return found
