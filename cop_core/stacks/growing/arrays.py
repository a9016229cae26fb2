"""Growing arrays: replaced by longer ones, or filled in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.stacks.growing.source import Snapshot
from cop_core.stacks.open import open_dataset, opening_of, stack_of

if TYPE_CHECKING:
    from cop_core.recipes import StackOptions
    from cop_core.stacks.model import LazyStack


class GrowingArray:
    """An array of planes that may be replaced by another or filled in place; see `Growing`.

    A plane of a single value is assumed to be still empty. With such planes, the array has the
    final length of the stack. Only `put` and `end` may be called from a thread other than the
    reading one.

    Parameters
    ----------
    pixels : array of shape (planes, height, width)
        Its present state: numpy, dask or zarr.
    options : StackOptions
        How it is opened.
    source : str
        Its source.
    """

    def __init__(self, pixels: Any, options: StackOptions, *, source: str = "array") -> None:
        self.name, self.source = options.name or source, source
        self.ended = self.replaced = False
        self._pixels, self._options = pixels, options
        self._shape: tuple[int, ...] | None = None

    def put(self, pixels: Any) -> None:
        """Set the present pixels."""
        self._pixels = pixels
        self.replaced = True

    def end(self) -> None:
        """Declare that no more planes will arrive."""
        self.ended = True

    def look(self, least_planes: int) -> Snapshot:
        """Open the array; see `Growing`.

        Raises
        ------
        InputError
            If it cannot be the earlier array with more planes.
        """
        self.replaced = False
        found = self._open(least_planes)
        self._shape = found.stack.shape
        return found

    def sure_after_s(self, found: Snapshot, n_were_blank: int) -> float | None:
        return 0.0 if n_were_blank else None

    def stack(self) -> LazyStack:
        return self._open().stack

    def close(self) -> None:
        self._pixels = None

    def _open(self, least_planes: int = 0) -> Snapshot:
        data = open_dataset(self._pixels, opening_of(self._options))
        stack = stack_of(data, self._options)
        before, now = self._shape, stack.shape
        if before is not None and (now[1:] != before[1:] or now[0] < least_planes):
            raise InputError(
                f"its size changed from {before} to {now}, so it is another stack",
                where=self.source,
                advice="Watch it again",
            )
        return Snapshot(stack, data)
