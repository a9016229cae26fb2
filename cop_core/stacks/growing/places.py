"""Where a growing stack lies on disk, opened anew at every look."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.dataset import Opening
from cop_core.stacks.formats import format_of, tiff_folder
from cop_core.stacks.open import open_dataset, readable_errors, stack_of
from cop_core.stacks.validity import UNIFORM

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks.dataset import Dataset, Stamp
    from cop_core.stacks.model import LazyStack

_PATIENCE_S: Final = 3.0
"""Time in s for which metadata that do not suffice are taken to be half-written."""


@dataclass(frozen=True)
class Found:
    """A growing stack at one moment, as far as it is there."""

    stack: LazyStack
    data: Dataset

    @property
    def shared(self) -> bool:
        """Whether a plane's place on disk may be there before the plane is."""
        return self.stack.selection.plane_axis in self.data.growth.shared_axes

    def stamp(self, index: int) -> Stamp | None:
        """Return the state of a plane's files: None without them, empty where it says nothing."""
        return self.data.growth.stamp(self.stack.selection.at(index))

    def checksum(self, index: int) -> int | None:
        """Return a checksum of a plane's pixels; None where nothing shows that it was written."""
        plane = self.stack.plane(index)
        blank = self.shared and plane.validity.reason in UNIFORM
        return None if blank or not plane.validity.readable else zlib.crc32(plane.data.data)


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
            try:
                stack = stack_of(data, **self.opening, allow_partial=data.growth.in_order)
            except InputError as error:
                raise _ChoiceError(error.what, where=error.where, advice=error.advice) from error
        return Found(stack, data)

    def _empty(self) -> bool:
        if self.path.is_dir():
            return not any(self.path.iterdir())
        return not self.path.exists() or (self.path.is_file() and not self.path.stat().st_size)

    def _dataset(self) -> Dataset:
        axes = self.opening["axes"]
        if format_of(self.path) is tiff_folder:
            return self._numbered()
        data = open_dataset(self.path, Opening(axes, allow_partial=True))
        if data.axes in ("YX", "XY"):
            # the first page of a file that does not say how many are to come
            return replace(data, axes=f"Q{data.axes}", shape=(1, *data.shape))
        return data

    def _numbered(self) -> Dataset:
        """Describe a folder of planes, the first being number 0, or after a while the smallest."""
        files = tiff_folder.numbered(tiff_folder.tiffs_in(self.path), str(self.path))
        low, now = min(files), time.monotonic()
        self._since = self._since or now
        if self._first is None:
            if len(files) < 2 or (low and now - self._since < _PATIENCE_S):
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
        return tiff_folder.describe_numbered(self.path, files, self._first, self.opening["axes"])

    def _bear(self, error: InputError, patience_s: float) -> None:
        """Put up with an error for a while, longer where it changes."""
        now, text = time.monotonic(), str(error)
        if self._failing is None or self._failing[0] != text:
            self._failing = text, now
        if now - self._failing[1] >= patience_s:
            raise error


class _ChoiceError(InputError):
    """The stack is there, but the options do not suffice to read it."""
