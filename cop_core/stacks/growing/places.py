"""Where a growing stack lies on disk, opened anew at every look."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks._tiff_folder import (
    NumberedPlanes,
    is_folder_of_tiffs,
    numbered,
    open_folder,
    tiffs_in,
)
from cop_core.stacks._tiff_planes import ContiguousPlanes, PlaneByPosition
from cop_core.stacks._zarr import ChunkedPlanes
from cop_core.stacks.open import open_dataset, readable_errors, stack_of
from cop_core.stacks.validity import OF_PIXELS, UNIFORM

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks._dataset import Dataset, Stamp
    from cop_core.stacks._lazy import LazyStack
    from cop_core.stacks.model import Plane

_PATIENCE_S: Final = 3.0
"""Time in s for which metadata that do not suffice are taken to be half-written."""


@dataclass(frozen=True)
class Found:
    """A growing stack at one moment.

    Attributes
    ----------
    stack : Stack
        As far as it is there; a plane that is not carries its reason.
    declared : bool
        Whether its length is that of the whole acquisition.
    sequential : bool
        Whether planes are written from front to back.
    shared : bool
        Whether a plane's place on disk may be there before the plane is.
    """

    stack: LazyStack
    declared: bool
    sequential: bool
    shared: bool

    def stamp(self, index: int) -> Stamp | None:
        """Return the state of a plane's files: None without them, empty where it says nothing."""
        read, selection = self.stack.read, self.stack.selection
        if isinstance(read, ChunkedPlanes | NumberedPlanes):
            return read.stamp({**selection.fixed, selection.plane_axis: index})
        return ()

    def checksum(self, index: int) -> int | None:
        """Return a checksum of a plane's pixels; None where nothing shows that it was written."""
        plane = self.stack.plane(index)
        blank = self.shared and plane.validity.reason in UNIFORM
        return None if blank or is_broken(plane) else zlib.crc32(plane.data.data)


def is_broken(plane: Plane) -> bool:
    """Tell whether a plane could not be read."""
    return not plane.validity.ok and plane.validity.reason not in OF_PIXELS


@dataclass(frozen=True)
class Look:
    """What a plane looked like.

    Attributes
    ----------
    stamp : tuple
        State of its files; empty where that says nothing.
    mark : object
        The same, or a checksum of its pixels where files hold other planes too; None for a
        plane that nothing was written to.
    calm_since, same_since : float
        Since when the stamp and the mark are what they are.
    calm : bool
        Whether the files had come to rest.
    clock_s : float
        `same_since` in s as `time.time` counts.
    """

    stamp: Stamp
    mark: Stamp | int | None
    calm_since: float
    same_since: float
    calm: bool
    clock_s: float

    @property
    def steady_since(self) -> float:
        """Since when the plane is as it is."""
        return min(self.calm_since, self.same_since) if self.stamp else self.same_since


class Place:
    """A path that a stack is being written to.

    Parameters
    ----------
    path : Path
        A zarr store, a TIFF or a folder of TIFFs; it need not exist yet.
    opening : dict
        Options of `open_stack`.
    """

    def __init__(self, path: Path, opening: dict[str, Any]) -> None:
        self.path, self.opening = path, opening
        self._opened = False
        self._first: int | None = None
        self._since: float | None = None
        self._failing: tuple[str, float] | None = None

    @property
    def name(self) -> str:
        """What the stack is called: as given, or as its path."""
        plain = self.path.absolute().name
        for suffix in (".zarr", ".tif", ".tiff", ".ome"):
            plain = plain.removesuffix(suffix)
        return str(self.opening["name"] or plain)

    def look(self, patience_s: float) -> Found | None:
        """Open the stack; None where it is not there yet, or not whole at this moment.

        Raises
        ------
        InputError
            Where that stays so for `patience_s` without a change, or the options given do not
            suffice for what is there.
        """
        if not self._opened and self._empty():
            return None
        try:
            found = self.open()
        except _ChoiceError as error:
            self._bear(error, patience_s if self._opened else _PATIENCE_S)
        except InputError as error:
            self._bear(error, patience_s)
        else:
            self._opened, self._failing = True, None
            return found
        return None

    def open(self) -> Found:
        """Open the stack as far as it is there."""
        with readable_errors(self.path):
            data = self._dataset()
            read = data.read
            tiff = isinstance(read, PlaneByPosition)
            try:
                stack = stack_of(data, **self.opening, allow_partial=tiff)
            except InputError as error:
                raise _ChoiceError(error.what, where=error.where, advice=error.advice) from error
        shared = isinstance(read, PlaneByPosition) and isinstance(read.planes, ContiguousPlanes)
        if isinstance(read, ChunkedPlanes):
            shared = read.shares(stack.selection.plane_axis)
        return Found(stack, data.declared, tiff, shared)

    def _empty(self) -> bool:
        if self.path.is_dir():
            return not any(self.path.iterdir())
        return not self.path.exists() or not self.path.stat().st_size

    def _dataset(self) -> Dataset:
        axes = self.opening["axes"]
        if self.path.is_dir() and is_folder_of_tiffs(self.path):
            return open_folder(self.path, axes, self._first_number())
        data = open_dataset(self.path, axes, allow_partial=True)
        if data.axes in ("YX", "XY"):
            # the first page of a file that does not say how many are to come
            return replace(data, axes=f"Q{data.axes}", shape=(1, *data.shape))
        return data

    def _first_number(self) -> int:
        """Return the number of the first plane: 0, or else the smallest one after a while."""
        numbers = numbered(tiffs_in(self.path), str(self.path))
        low, now = min(numbers), time.monotonic()
        self._since = self._since or now
        if self._first is None:
            if len(numbers) < 2 or (low and now - self._since < _PATIENCE_S):
                raise InputError(
                    "too few files to tell how they are numbered", where=str(self.path)
                )
            self._first = low
        if low < self._first:
            raise InputError(
                f"plane {low} came after plane {self._first}, which was taken for the first",
                where=str(self.path),
                advice="Read the folder when it is complete",
            )
        return self._first

    def _bear(self, error: InputError, patience_s: float) -> None:
        """Put up with an error for a while, longer where it changes."""
        now, text = time.monotonic(), str(error)
        if self._failing is None or self._failing[0] != text:
            self._failing = text, now
        if now - self._failing[1] >= patience_s:
            raise error


class _ChoiceError(InputError):
    """The stack is there, but the options do not suffice to read it."""
