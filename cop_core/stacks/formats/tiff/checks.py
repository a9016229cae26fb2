"""Checks of a TIFF beyond those of the library: impossible pages and offsets.

One wrong byte in the tags of a page gives other pixels, or one plane fewer, without an error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.errors import InputError, option
from cop_core.stacks.limits import require_block, require_real

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cop_core.stacks.formats.tiff.directories import Chain

COPY_AGAIN = "copy the file again"
OR_WHAT_THERE_IS = f", or read what there is with {option('allow_partial', 'True')}"
_UNCOMPRESSED = 1
_DAMAGED = "the file is damaged: copy or export it again"


def require_page(page: Any, where: str) -> None:
    """Refuse a page with an unknown or absurd size or type."""
    if page.dtype is None:
        raise InputError("the type of its pixels is not known", where=where)
    if not all(isinstance(n, int) and n > 0 for n in page.shape):
        problem = f"its pages are declared with the size {page.shape}"
        raise InputError(problem, where=where, advice="export the file again")
    require_real(np.dtype(page.dtype), where)
    require_block(page.shape, page.dtype.itemsize, "plane", where)
    require_block(page.chunks, page.dtype.itemsize, "tile", where)


def require_alike(series: Any, n_pages: int, where: str) -> None:
    """Refuse undescribed pages of which one differs from the rest: it would be left out."""
    used = {page.index for level in series.levels for page in level}
    odd = [i for i in range(n_pages) if i not in used]
    if odd:
        raise InputError(
            f"page {odd[0]} differs from the others in size, type or encoding"
            f" ({len(odd)} of {n_pages} do)",
            where=where,
            advice="the file is damaged, or holds other images too: save the stack alone",
        )


def require_keyframe(series: Any, where: str) -> None:
    """Refuse a series whose second page differs from the first, by which all are decoded."""
    second = series[1]
    if second is not None and second.aspage().hash != series.keyframe.hash:
        problem = "its first two pages differ in size, type or encoding"
        raise InputError(problem, where=where, advice=_DAMAGED)


def require_apart(spans: Iterable[tuple[int, int]], chain: Chain, where: str) -> None:
    """Refuse pixels, given by start and stop in bytes, that overlap others or tags."""
    pixels = list(spans)
    for taken in (chain.spans, chain.values):
        found = np.array(sorted([*pixels, *taken]), dtype=np.int64)
        clash = np.flatnonzero(found[1:, 0] < found[:-1, 1])
        if clash.size:
            place = f"(at byte {found[clash[0] + 1, 0]})"
            problem = f"its pixels overlap each other or a page's tags {place}"
            raise InputError(problem, where=where, advice=_DAMAGED)


def plain_spans(pages: Sequence[Any], where: str) -> Iterator[tuple[int, int]]:
    """Return start and stop of every uncompressed piece of some pages, once for repeated pieces.

    Raises
    ------
    InputError
        If a piece of a page does not start on the pixel grid of another one: writers put them a
        whole number of pixels apart.
    """
    for page in {page.offset: page for page in pages if page is not None}.values():
        if page.keyframe.compression != _UNCOMPRESSED:
            continue
        pieces = [(o, n) for o, n in zip(page.dataoffsets, page.databytecounts, strict=False) if n]
        itemsize = page.dtype.itemsize
        if len({offset % itemsize for offset, _ in pieces}) > 1:
            place = f"the pieces of page {page.index}"
            problem = f"{place} are not a whole number of pixels apart"
            raise InputError(problem, where=where, advice=_DAMAGED)
        largest = math.prod(page.chunks) * itemsize
        for offset, count in pieces:
            yield offset, offset + min(count, largest)
