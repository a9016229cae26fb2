"""Zarr stores, in a folder or at an address: OME-Zarr images and plain arrays, zarr 2 and 3."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import zarr

from cop_core.errors import CopError, InputError, option
from cop_core.stacks.axes import axes_from_names, guess_axes, require_axes
from cop_core.stacks.dataset import (
    BrokenPlaneError,
    Dataset,
    Growth,
    Scale,
    stated_mw,
)
from cop_core.stacks.formats.array import SlabReader, plane_axis_of, regular
from cop_core.stacks.formats.zarr.address import Address
from cop_core.stacks.formats.zarr.chunk_size import ChunkSizes
from cop_core.stacks.formats.zarr.folders import METADATA, AbsentChunkError, LocalFolder
from cop_core.stacks.formats.zarr.ngff import Image, ome_attributes, read_image
from cop_core.stacks.formats.zarr.nodes import Node, children, read_node, require_safe_codecs
from cop_core.stacks.limits import (
    MAX_CHUNKS_PER_PLANE,
    require_block,
    require_plane_count,
    require_real,
)
from cop_core.stacks.validity import CHUNK_ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cop_core.stacks.dataset import Opening, Position, Stamp
    from cop_core.stacks.formats.zarr.folders import Folder

KIND = "zarr (a folder with zarr.json, .zarray or .zgroup)"

_HALF: Final = "the store is half-written: copy or export it again"
_SLACK_BYTES: Final = 2**20  # filters may enlarge a chunk, and headers take some bytes


def recognises(path: Path) -> bool:
    """Return whether a folder has the metadata of a zarr store."""
    return any((path / name).exists() for name in METADATA)


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe an OME-Zarr image, an array, or a group with exactly one array.

    Raises
    ------
    InputError
        If there is no such store, its metadata are invalid, or it exceeds a limit.
    """
    node = read_node(LocalFolder(path))
    if node is None:
        raise InputError("its zarr metadata are empty", where=str(path), advice=_HALF)
    return _describe(node, opening)


def describe_address(url: str, opening: Opening) -> Dataset:
    """Describe the store at an https or s3 address, like `describe`.

    Raises
    ------
    InputError
        As for `describe`.
    UnreachableError
        If it cannot be fetched.
    """
    node = read_node(Address(url))
    if node is None:
        raise InputError(
            "there is no zarr store at this address",
            where=url,
            advice="use the address of the folder with zarr.json, .zattrs or .zarray;"
            " files of other formats have to be downloaded",
        )
    return _describe(node, opening)


def _describe(node: Node, opening: Opening) -> Dataset:
    is_image = "multiscales" in ome_attributes(node) and not node.is_array
    image = read_image(node, opening.level) if is_image else _plain_image(node)
    return _dataset(node, image, opening.axes, "ome-zarr" if is_image else "zarr")


def _plain_image(node: Node) -> Image:
    array = node if node.is_array else _only_array(node)
    names = array.metadata.get("dimension_names") or array.attributes.get("_ARRAY_DIMENSIONS")
    return Image(array.folder, axes_from_names(names))


def _only_array(node: Node) -> Node:
    below = list(children(node))
    arrays = [child for child in below if child.is_array]
    if len(arrays) == 1:
        return arrays[0]
    names = [child.folder.name for child in (arrays or below)][:10]
    problem = f"the zarr group holds {len(arrays) or 'no'} arrays and no OME-Zarr image"
    advice = f"open one of its members: {', '.join(names)}" if names else "export the store again"
    raise InputError(problem, where=str(node.folder), advice=advice)


def _dataset(node: Node, image: Image, axes: str | None, kind: str) -> Dataset:
    where = str(node.folder)
    array_node = _array_node(image.folder, where)
    array = _open_array(array_node.folder)
    dtype = np.dtype(array.dtype)
    require_real(dtype, where)
    require_block(array.chunks, dtype.itemsize, "chunk", where)
    require_plane_count(max(array.shape, default=0), where)
    found, scale = image.axes, image.scale
    if found and len(found) != array.ndim and axes is None:
        raise InputError(
            f"the metadata name {len(found)} axes, the array has {array.ndim}",
            where=where,
            advice=f"say which they are, for example {option('axes', 'ZCYX')}",
        )
    if axes is not None:
        letters = require_axes(axes, array.ndim, where)
        scale = scale if found == letters else Scale()
    else:
        letters = found or guess_axes(array.shape, where)
    read = _ChunkedPlanes(array, letters, array_node)
    return Dataset(
        source=where,
        name=node.folder.name.removesuffix(".zarr").removesuffix(".ome"),
        kind=kind,
        axes=letters,
        shape=tuple(array.shape),
        dtype=dtype,
        read=read,
        scale=scale,
        channels=image.channels,
        power=stated_mw(node.attributes.get("power_mw"), "zarr attribute power_mw"),
        growth=Growth(read.stamp, shared_axes=read.shared_axes),
    )


def _array_node(folder: Folder, where: str) -> Node:
    node = read_node(folder)
    if node is None or not node.is_array:
        raise InputError(
            f"the array {folder.name!r} has no metadata",
            where=where,
            advice=_HALF,
        )
    require_safe_codecs(node)
    return node


def _open_array(folder: Folder) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return zarr.open_array(folder.store(), mode="r")
    except CopError:
        raise
    except Exception as error:
        raise InputError(
            f"the array cannot be opened ({type(error).__name__}: {str(error)[:200]})",
            where=str(folder),
            advice="its metadata are damaged or of an unknown kind: export the store again",
        ) from None


class _ChunkedPlanes:
    """Planes of a zarr array, with a check whether their chunks were ever written.

    zarr returns the fill value for a missing chunk, without an error. The chunk files of a plane
    are therefore checked before it is read, unless reading reports them.
    """

    def __init__(self, array: Any, axes: str, node: Node) -> None:
        # existing files are shards if the array has any, else chunks
        self._stored = tuple(array.shards or array.chunks)
        self._shape, self._axes = tuple(array.shape), axes
        self._encode_key = array.metadata.encode_chunk_key
        largest = 2 * math.prod(array.chunks) * array.dtype.itemsize + _SLACK_BYTES
        in_shard = math.prod(s // c for s, c in zip(self._stored, array.chunks, strict=True))
        self._where = str(node.folder)
        sizes = ChunkSizes(node.metadata, self._require_few_chunks(), in_shard, largest)
        self._files = node.folder.chunks(sizes)
        axis = plane_axis_of(axes, self._shape)
        along = axes.index(axis) if axis else 0
        self._planes = SlabReader(array, axes, regular(self._shape[along], array.chunks[along]))

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane; raise BrokenPlaneError if its chunks were not written."""
        if not self._files.told:
            self._require_chunks(position)
        try:
            return self._planes(position)
        except AbsentChunkError:
            self._require_chunks(position)
            raise

    def _require_chunks(self, position: Position) -> None:
        keys = list(self._chunk_keys(position))
        absent = sum(not self._files.exists(key) for key in keys)
        if absent == len(keys):
            raise BrokenPlaneError(CHUNK_ABSENT)
        if absent:
            raise BrokenPlaneError(f"chunk missing ({absent} of {len(keys)})")

    @property
    def shared_axes(self) -> str:
        """Axes along which several planes share one file."""
        return "".join(a for a, n in zip(self._axes, self._stored, strict=True) if n > 1)

    def stamp(self, position: Position) -> Stamp | None:
        """Return a stamp that every writing of a plane's files changes; None if one is missing."""
        return self._files.stamp(self._chunk_keys(position))

    def _chunk_keys(self, position: Position) -> Iterator[str]:
        ranges = [
            (position[axis] // stored,) if axis in position else range(math.ceil(size / stored))
            for axis, size, stored in zip(self._axes, self._shape, self._stored, strict=True)
        ]
        return (self._encode_key(coordinates) for coordinates in itertools.product(*ranges))

    def _require_few_chunks(self) -> int:
        pairs = dict(zip(self._axes, zip(self._shape, self._stored, strict=True), strict=True))
        count: int = math.prod(math.ceil(size / chunk) for size, chunk in (pairs["Y"], pairs["X"]))
        if count > MAX_CHUNKS_PER_PLANE:
            raise InputError(
                f"a plane is spread over {count:,} chunks,"
                f" more than the {MAX_CHUNKS_PER_PLANE:,} allowed",
                where=self._where,
                advice="rewrite the store with larger chunks",
            )
        return count
