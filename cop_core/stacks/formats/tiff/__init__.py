"""TIFF files of all dialects: OME, ImageJ, ScanImage and plain, classic TIFF and BigTIFF."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import tifffile

from cop_core.errors import InputError, option
from cop_core.stacks.axes import require_axes
from cop_core.stacks.dataset import Dataset, Growth, Scale
from cop_core.stacks.formats.array import SlabReader
from cop_core.stacks.formats.tiff import scanimage
from cop_core.stacks.formats.tiff.checks import COPY_AGAIN, OR_WHAT_THERE_IS, require_page
from cop_core.stacks.formats.tiff.compression import is_lossy
from cop_core.stacks.formats.tiff.dialects import Dialect, read_dialect
from cop_core.stacks.formats.tiff.directories import Chain, begins_as_tiff, read_chain
from cop_core.stacks.formats.tiff.layout import Layout, choose_image, lay_out, lay_out_flat
from cop_core.stacks.formats.tiff.planes import (
    ContiguousPlanes,
    MappedPlanes,
    PlaneByPosition,
    quiet_tifffile,
)
from cop_core.stacks.limits import require_block, require_plane_count

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks.dataset import Opening, ReadPlane

KIND = "TIFF"

_OME_FILES = re.compile(r'\bFileName="([^"]*)"')
_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8")


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix, or the start, of a TIFF."""
    return path.is_file() and (path.suffix.lower() in _SUFFIXES or begins_as_tiff(path))


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe a TIFF.

    Raises
    ------
    InputError
        If the file is not a TIFF, is truncated, has an unknown layout or exceeds a limit.
    """
    where, chain = str(path), read_chain(path)
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        header = None if tif.is_ome or tif.is_imagej else scanimage.read_header(tif, path)
        if header is not None:
            return _describe_scanimage(tif, header, chain, path, opening)
        dialect = read_dialect(tif, where)  # refuses descriptions that are too long
        require_page(tif.pages.first, where)
        image, series, n_stacks = choose_image(tif, chain, where, opening.position)
        if image:
            dialect = read_dialect(tif, where, image)
        layout = lay_out(tif, series, dialect, chain, path, opening.level)
        of_set = any(name != path.name for name in _OME_FILES.findall(tif.ome_metadata or ""))
        _require_readable(layout, chain, where, opening, of_set=of_set)
        data = _dataset(path, dialect, layout, opening)
        positions = n_stacks if n_stacks > 1 else None
        return replace(data, lossy=is_lossy(tif.pages.first), positions=positions)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files of an acquisition split into several; empty for another file."""
    if not (scanimage.is_numbered(path) and recognises(path)):
        return ()
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            header = scanimage.read_header(tif, path)
    except Exception:  # damaged in one of many ways: it names no files
        return ()
    files = () if header is None else scanimage.files_of_acquisition(path, header)
    return files if len(files) > 1 else ()


def _describe_scanimage(
    tif: Any, header: scanimage.Header, chain: Chain, path: Path, opening: Opening
) -> Dataset:
    """Describe the files of an acquisition by the header's order of pages, or one by the user's."""
    if opening.axes is not None:
        in_turn = "C" in opening.axes.upper()
        n_channels = len(scanimage.saved_channels(header, str(path))) if in_turn else 1
        layout = _flat(tif, chain, path, opening, n_channels)
        _require_readable(layout, chain, str(path), opening, of_set=False)
        return _dataset(path, Dialect(scanimage.FORMAT), layout, opening)
    pieces = []
    for other in scanimage.files_of_acquisition(path, header):
        if other == path:
            layout = _flat(tif, chain, path, opening)
            pieces.append(scanimage.Piece(path, header, layout, chain.n_pages))
        else:
            pieces.append(_piece(other, opening))
    return scanimage.describe_acquisition(pieces, path, opening)


def _piece(path: Path, opening: Opening) -> scanimage.Piece:
    """Open another file of an acquisition."""
    chain = read_chain(path)
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        header = scanimage.read_header(tif, path)
        if header is None:
            problem = "it is named like a file of a ScanImage acquisition but is not one"
            raise InputError(problem, where=str(path), advice="put it into another folder")
        return scanimage.Piece(path, header, _flat(tif, chain, path, opening), chain.n_pages)


def _flat(tif: Any, chain: Chain, path: Path, opening: Opening, n_channels: int = 1) -> Layout:
    """Lay out all pages of an open file, readable or not."""
    require_page(tif.pages.first, str(path))
    layout = lay_out_flat(tif, chain, path, opening.level, n_channels)
    require_plane_count(layout.n_planes, str(path))
    return layout


def _require_readable(
    layout: Layout, chain: Chain, where: str, opening: Opening, *, of_set: bool
) -> None:
    """Refuse a file with missing planes, unless the user accepts a partial stack."""
    require_plane_count(layout.n_planes, where)
    n_pieces = layout.n_pieces
    readable = sum(layout.planes.readable(i) for i in range(n_pieces))
    if readable == n_pieces and not layout.at_least:
        return
    least = "at least " if layout.at_least else ""
    what = (
        "some files of its set are missing from the folder" if of_set else "the file is truncated"
    )
    problem = f"{what}: {least}{n_pieces} planes are declared, {readable} can be read"
    lost = bool(readable) and chain.description_lost and opening.axes is None
    if lost:
        problem += ", and the description of axes and scale is lost"
    scale = f"{option('axes', 'ZYX')}, for example, and {option('z_step_um')}"
    if not opening.allow_partial or not readable:
        advice = "put the whole set into one folder" if of_set else COPY_AGAIN
        advice += OR_WHAT_THERE_IS * bool(readable) + f", {scale}" * lost
        raise InputError(problem, where=where, advice=advice)
    if lost:
        raise InputError(problem, where=where, advice=f"set them with {scale}")


def _dataset(path: Path, dialect: Dialect, layout: Layout, opening: Opening) -> Dataset:
    letters, shape, scale = layout.axes, layout.shape, dialect.scale
    if opening.axes is not None:
        letters, shape = _override(layout, opening.axes, str(path))
        scale = scale if _same_z(letters, shape, layout) else Scale()
    if opening.level and scale.pixel_size_um and layout.series is not None:
        scale = replace(scale, pixel_size_um=None)
    name = path.name.removesuffix(path.suffix)
    read = _reader(layout, letters, shape, str(path))
    growth = Growth(in_order=isinstance(read, PlaneByPosition))
    if growth.in_order and not isinstance(layout.planes, ContiguousPlanes):
        growth = replace(growth, shared_axes="")
    return Dataset(
        source=str(path),
        name=name.removesuffix(".ome") or path.name,
        kind=dialect.kind,
        axes=letters,
        shape=shape,
        dtype=layout.dtype,
        read=read,
        scale=scale,
        channels=dialect.channels,
        power=dialect.power,
        declared=math.prod(dialect.shape[:-2]) > 1,
        growth=growth,
    )


def _override(layout: Layout, axes: str, where: str) -> tuple[str, tuple[int, ...]]:
    """Rename the axes, with or without those of length 1."""
    squeezed = tuple(n for n in layout.shape[:-2] if n > 1) + layout.shape[-2:]
    shape = layout.shape if len(axes) == len(layout.shape) else squeezed
    return require_axes(axes, len(shape), where), shape


def _same_z(letters: str, shape: tuple[int, ...], layout: Layout) -> bool:
    """Return whether new axes leave Z, Y and X where the metadata's scale has them."""
    found = {a: n for a, n in zip(layout.axes, layout.shape, strict=True) if n > 1}
    named = {a: n for a, n in zip(letters, shape, strict=True) if n > 1}
    order = [[a for a in axes if a in "ZYX"] for axes in (found, named)]
    return order[0] == order[1] and all(found[a] == named[a] for a in order[0])


def _reader(layout: Layout, axes: str, shape: tuple[int, ...], where: str) -> ReadPlane:
    page_shape = layout.series.keyframe.shape if layout.series is not None else shape[-2:]
    if set(axes[-2:]) == {"Y", "X"} and tuple(page_shape) == tuple(shape[-2:]):
        return PlaneByPosition(layout.planes, axes, shape)
    if isinstance(layout.planes, ContiguousPlanes):
        return MappedPlanes(layout.planes, axes, shape)
    require_block(shape, layout.dtype.itemsize, "compressed stack with planes across pages", where)
    return SlabReader(layout.series.asarray().reshape(shape), axes)
