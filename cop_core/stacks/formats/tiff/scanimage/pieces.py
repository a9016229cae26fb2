"""Acquisitions split into several files, with a number of frames each."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.formats.tiff.planes import JoinedPlanes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cop_core.stacks.formats.tiff.layout import Layout
    from cop_core.stacks.formats.tiff.scanimage.header import Header

PER_FILE: Final = ("hScan2D.logFramesPerFile", "loggingFramesPerFile")
"""Settings for the number of frames per file; infinite for a single file."""

_NUMBERED: Final = re.compile(r"(.+_\d+)_(\d+)")
_SAME: Final = ("acquisitionNumbers", "epoch")
_ADVICE: Final = "put all files of the acquisition, and no others of their name, into one folder"


@dataclass(frozen=True)
class Piece:
    """One file of an acquisition, its pages laid out one by one."""

    path: Path
    header: Header
    layout: Layout
    n_pages: int


def is_numbered(path: Path) -> bool:
    """Return whether a name ends in the numbers of an acquisition and of a file of it."""
    return _NUMBERED.fullmatch(path.stem) is not None


def files_of_acquisition(path: Path, header: Header) -> tuple[Path, ...]:
    """Return the files of an acquisition, given one of them, in order.

    Raises
    ------
    InputError
        If one before the last is missing.
    """
    name = _NUMBERED.fullmatch(path.stem)
    if name is None or header.count(*PER_FILE) is None:
        return (path,)
    width = len(name[2])
    beside = {path.with_name(other.name) for other in path.absolute().parent.iterdir()}
    alike = ((other, _NUMBERED.fullmatch(other.stem)) for other in beside | {path})
    files = {
        int(match[2]): other
        for other, match in alike
        if match and match[1] == name[1] and len(match[2]) == width and other.suffix == path.suffix
    }
    if n_lost := max(files) - sum(n > 0 for n in files):
        lost = itertools.islice((n for n in itertools.count(1) if n not in files), min(n_lost, 3))
        names = ", ".join(repr(f"{name[1]}_{n:0{width}}{path.suffix}") for n in lost)
        raise InputError(
            f"the acquisition was split into {max(files)} files or more, and {n_lost} of them "
            f"{'is' if n_lost == 1 else 'are'} missing: {names}",
            where=str(path),
            advice=_ADVICE,
        )
    return tuple(files[n] for n in sorted(files))


def join(pieces: Sequence[Piece], n_channels: int) -> tuple[Layout, int]:
    """Lay out the pages of an acquisition's files one after the other; return their number.

    Raises
    ------
    InputError
        If a file is from another acquisition, or one before the last is not full.
    """
    first = pieces[0]
    if len(pieces) == 1:
        return first.layout, first.n_pages
    per_file = n_channels * (first.header.count(*PER_FILE) or 0)
    for piece in pieces[:-1]:
        if piece.n_pages != per_file:
            problem = f"it holds {piece.n_pages} pages, where the files before the last one of its"
            raise InputError(
                f"{problem} acquisition hold {per_file}", where=str(piece.path), advice=_ADVICE
            )
    for piece in pieces[1:]:
        if _what_is_same(piece) != _what_is_same(first):
            problem = (
                f"it belongs to another acquisition than {first.path.name!r}, or its pixels differ"
            )
            raise InputError(problem, where=str(piece.path), advice=_ADVICE)
    n_pages = [piece.n_pages for piece in pieces]
    planes = JoinedPlanes(tuple((p.layout.planes, math.prod(p.layout.shape[:-2])) for p in pieces))
    shape = (sum(n for _, n in planes.parts), *first.layout.shape[-2:])
    at_least = pieces[-1].layout.at_least
    return replace(first.layout, planes=planes, shape=shape, at_least=at_least), sum(n_pages)


def _what_is_same(piece: Piece) -> tuple[Any, ...]:
    """Return the properties that all files of an acquisition share."""
    of_frame = (piece.header.frame.get(name, "") for name in _SAME)
    return *of_frame, piece.layout.shape[-2:], piece.layout.dtype
