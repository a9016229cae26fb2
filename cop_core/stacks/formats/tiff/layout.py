"""Layout of the planes in complete and truncated TIFFs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from tifffile import TiffPages, TiffPageSeries

from cop_core.errors import InputError, option
from cop_core.stacks.axes import KNOWN, require_position
from cop_core.stacks.formats.tiff.checks import (
    plain_spans,
    require_alike,
    require_apart,
    require_keyframe,
)
from cop_core.stacks.formats.tiff.planes import ContiguousPlanes, PagedPlanes, Planes

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks.formats.tiff.dialects import Dialect
    from cop_core.stacks.formats.tiff.directories import Chain


@dataclass(frozen=True)
class Layout:
    """Axes and shape of one image, and the locations of its planes.

    Attributes
    ----------
    series : tifffile.TiffPageSeries or None
        The library's own view; None if it lacks declared planes.
    at_least : bool
        True if only a lower bound of the declared number of planes is known.
    """

    axes: str
    shape: tuple[int, ...]
    planes: Planes
    dtype: np.dtype[Any]
    series: Any = None
    at_least: bool = False

    @property
    def n_planes(self) -> int:
        """Declared number of planes, over all channels and times."""
        return math.prod(self.shape[:-2])

    @property
    def n_pieces(self) -> int:
        """Number of pages with the planes; a page may have several (colours, volumes)."""
        if self.series is None or isinstance(self.planes, ContiguousPlanes):
            return self.n_planes
        page = math.prod(int(n) for n in self.series.keyframe.shape)
        return math.prod(self.shape) // max(page, 1)


def choose_image(tif: Any, chain: Chain, where: str, position: int | None) -> tuple[int, Any, int]:
    """Choose one of the images with several planes; else the first image.

    Returns
    -------
    image : int
        Its index among all images.
    series : tifffile.TiffPageSeries or None
        The library's view; None if it cannot lay out the file.
    n_stacks : int
        Images to choose from.

    Raises
    ------
    InputError
        If there are several and none is chosen, or the chosen one does not exist.
    """
    series = _all_series(tif, chain, where)
    stacks = [
        (i, s) for i, s in enumerate(series) if math.prod(s.shape) > math.prod(s.keyframe.shape)
    ]
    names = [s.name or f"image {i}" for i, s in stacks]
    chosen = require_position(position, max(len(stacks), 1), where, names)
    image, found = stacks[chosen] if stacks else (0, series[0] if series else None)
    return image, found, len(names)


def lay_out_flat(tif: Any, chain: Chain, path: Path, level: int, n_channels: int = 1) -> Layout:
    """Lay out all pages in the order stored, with interleaved channels if their number allows."""
    # reopened, since the library computes the positions of classic ScanImage's pages, and misses
    # some
    tif.filehandle.seek(tif.tiff.offsetsize)
    listed = TiffPages(tif)
    page = listed.first
    listed.useframes = True  # the pixel format of the first page applies to all
    pages = [*_pages(listed)[: chain.n_pages], *([] if chain.complete else [None])]
    n_frames, rest = divmod(len(pages), n_channels)
    in_turn = n_channels > 1 and not rest
    axes, shape = ("IC", [n_frames, n_channels]) if in_turn else ("I", [len(pages)])
    series = TiffPageSeries(pages, (*shape, *page.shape), page.dtype, axes + page.axes)
    return replace(_whole(series, chain, path, level), at_least=not chain.complete)


def _all_series(tif: Any, chain: Chain, where: str) -> list[Any]:
    try:
        found = tif.series
        # tifffile 2026.5 chooses here whether axes of one element stay, before in each series
        return list(found(squeeze=False) if callable(found) else found)
    except Exception as error:
        if chain.complete:
            raise InputError(
                f"its pages do not fit together ({error})",
                where=where,
                advice="the file is damaged: copy or export it again",
            ) from None
        # inconsistent pages, as in a truncated file, are laid out without the library
        return []


def lay_out(
    tif: Any, series: Any, dialect: Dialect, chain: Chain, path: Path, level: int
) -> Layout:
    """Locate all declared planes of one image of an open TIFF, readable or not.

    Raises
    ------
    InputError
        If the level does not exist.
    """
    if chain.complete and series is not None and series.kind == "generic":
        require_alike(series, chain.n_pages, str(path))
    declared = math.prod(dialect.shape[:-2]) if dialect.axes.endswith("YX") else 0
    if declared > 1 and not level and _grows_packed(tif.pages.first, chain):
        page = tif.pages.first
        planes = _packed(page, chain, path)
        return Layout(dialect.axes, dialect.shape, planes, np.dtype(page.dtype))
    n_series = math.prod(_all_axes(series)[1][:-2]) if series is not None else 0
    known = series is not None and n_series >= max(declared, 2 - chain.complete)
    if known and (chain.complete or declared):
        return _whole(series, chain, path, level)
    return _cut_layout(tif, dialect, chain, path)


def _grows_packed(page: Any, chain: Chain) -> bool:
    """Return whether planes without directories, still to be written, follow the first page.

    The same holds for writers that write all pixels first. Pixels after a directory that follows
    its own pixels need not be planes.
    """
    alone = chain.n_pages == 1 and not chain.second_offset and page.is_final
    ahead = alone and page.offset < page.dataoffsets[0]
    return ahead and page.dataoffsets[0] + 2 * page.nbytes <= chain.file_size


def _packed(page: Any, chain: Chain, path: Path, offset: int | None = None) -> ContiguousPlanes:
    """Return consecutive planes like a page, starting at its pixels or at an offset."""
    dtype = np.dtype(page.parent.byteorder + page.dtype.char)
    start = page.dataoffsets[0] if offset is None else offset
    return ContiguousPlanes(path, start, dtype, page.shape[:2], chain.file_size)


def _whole(series: Any, chain: Chain, path: Path, level: int) -> Layout:
    if not 0 <= level < len(series.levels):
        raise InputError(
            f"there is no resolution level {level}",
            where=str(path),
            advice=f"choose one from 0 to {len(series.levels) - 1} with {option('level')}",
        )
    chosen = series.levels[level]
    if chain.n_pages > 1 and len(chosen) > 1:
        require_keyframe(chosen, str(path))
    axes, shape = _all_axes(chosen)
    page, offset = chosen.keyframe, None if chosen.is_multifile else chosen.dataoffset
    planes: Planes
    if offset is None:
        pages = _pages(chosen)
        planes = PagedPlanes(pages)
        if not chosen.is_multifile:
            require_apart(plain_spans(pages, str(path)), chain, str(path))
    else:
        planes = replace(_packed(page, chain, path, offset), shape=(shape[-2], shape[-1]))
        whole = offset, offset + math.prod(shape) * page.dtype.itemsize
        require_apart([whole], chain, str(path))
    letters = "".join(a if a in KNOWN else "Q" for a in axes)
    return Layout(letters, shape, planes, np.dtype(page.dtype), chosen)


def _all_axes(series: Any) -> tuple[str, tuple[int, ...]]:
    """Return axes and shape of a series with its axes of one element, but for the samples axis."""
    axes, shape = series.axes, series.shape
    if hasattr(series, "get_axes"):  # tifffile before 2026.5
        axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    kept = [(a, n) for a, n in zip(axes, shape, strict=True) if not (a == "S" and n == 1)]
    return "".join(a for a, _ in kept), tuple(int(n) for _, n in kept)


def _cut_layout(tif: Any, dialect: Dialect, chain: Chain, path: Path) -> Layout:
    """Lay out a file with fewer pages than declared, from its metadata and first page."""
    page = tif.pages.first
    packed = _packed(page, chain, path)
    gap = chain.second_offset - packed.offset
    between = gap // packed.nbytes if page.is_final else 0
    axes, shape = dialect.axes, dialect.shape
    declared = math.prod(shape[:-2]) if axes.endswith("YX") else 0
    if not declared:
        # nothing is declared: the distance between the first page and the second tells
        axes = "QYX"
        shape = (max(between, chain.n_pages + (not chain.complete)), *page.shape[:2])
    single = chain.n_pages == 1 and not chain.second_offset and dialect.kind == "imagej-tiff"
    is_packed = page.is_final and (single or between >= max(declared, 2))
    planes: Planes = packed if is_packed else PagedPlanes(_pages(tif.pages))
    return Layout(axes, shape, planes, np.dtype(page.dtype), at_least=not declared)


def _pages(pages: Any) -> list[Any]:
    """Return the pages of a file or a series, with None for each that cannot be parsed."""
    found: list[Any] = []
    for i in range(len(pages)):
        try:
            found.append(pages[i])
        except Exception:
            # a directory with truncated entries counts as a lost plane
            found.append(None)
    return found
