"""Growing stacks on disk: zarr, TIFF, and folders in which TIFFs appear."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError, option
from cop_core.recipes import StackOptions
from cop_core.recipes.values import is_address
from cop_core.stacks.depth import ALONE, no_z_step
from cop_core.stacks.formats import format_of, tiff_folder
from cop_core.stacks.growing.settled import STOPPED_AFTER_S, SettledPlanes
from cop_core.stacks.growing.source import Snapshot
from cop_core.stacks.open import (
    open_dataset,
    open_stack,
    opening_of,
    readable_errors,
    stack_of,
)

if TYPE_CHECKING:
    import os

    from cop_core.stacks.dataset import Dataset
    from cop_core.stacks.growing.source import Source
    from cop_core.stacks.model import Stack

_PATIENCE_S: Final = 3.0
"""Time in s for which insufficient metadata count as half-written."""
_SURE_S: Final = 2.0
"""Time in s for which all planes of a preallocated array must be present."""


def open_growing(
    path: str | os.PathLike[str],
    options: StackOptions | None = None,
    *,
    stopped_after_s: float = STOPPED_AFTER_S,
    planned: int | None = None,
    **chosen: Any,
) -> Source:
    """Follow a stack that is being written.

    Parameters
    ----------
    path : str or Path
        What `open_stack` takes; it need not exist yet.
    options : StackOptions, optional
        How it is opened. Set the z step if the writer stores the scale only at the end.
    stopped_after_s : float, optional
        Time in s without a new plane after which the source is `State.STOPPED`.
    planned : int, optional
        Total number of planes, if the file does not say.
    **chosen
        Fields of `StackOptions` in place of `options`.

    Returns
    -------
    Source
        Planes as they become complete; see `SettledPlanes`.

    Raises
    ------
    InputError
        If an option cannot be used. Problems with the path itself are raised by `news`.
    """
    if not stopped_after_s > 0:
        problem = f"a wait of {stopped_after_s} s"
        raise InputError(
            problem, where=option("stopped_after_s"), advice="use a number larger than 0"
        )
    if planned is not None and planned < 1:
        raise InputError(f"{planned} planes", where=option("planned"), advice="use 1 or more")
    if is_address(path):
        advice = "read it with cop profile when it is finished"
        raise InputError("data at an address cannot be watched", where=str(path), advice=advice)
    options = (options or StackOptions()).but(**chosen)
    growing = GrowingFile(Path(path), options, stopped_after_s)
    return SettledPlanes(growing, stopped_after_s, planned)


class GrowingFile:
    """A path to which a stack is being written, opened anew at every look; see `Growing`.

    Parameters
    ----------
    path : Path
        It need not exist yet.
    options : StackOptions
        How it is opened.
    patience_s : float
        Time in s for which an existing stack may be unreadable.
    """

    replaced = ended = False

    def __init__(self, path: Path, options: StackOptions, patience_s: float) -> None:
        self.path, self.options, self._patience_s = path, options, patience_s
        self._opened = False
        self._first: int | None = None
        self._since: float | None = None
        self._failing: tuple[str, float] | None = None

    @property
    def name(self) -> str:
        plain = self.path.absolute().name
        for suffix in (".zarr", ".tif", ".tiff", ".ome"):
            plain = plain.removesuffix(suffix)
        return self.options.name or plain

    @property
    def source(self) -> str:
        return str(self.path)

    def look(self, least_planes: int) -> Snapshot | None:
        """Open the stack; see `Growing`.

        Raises
        ------
        InputError
            If it still cannot be opened after a while without changes, or if the given options do
            not suffice.
        """
        try:
            with readable_errors(self.path):
                if not self._opened and self._empty():
                    return None
            found = self._open()
        except _ChoiceError as error:
            self._bear(error, self._patience_s if self._opened else _PATIENCE_S)
        except InputError as error:
            self._bear(error, self._patience_s)
        else:
            self._opened, self._failing = True, None
            return found
        return None

    def sure_after_s(self, found: Snapshot, n_were_blank: int) -> float | None:
        if not found.data.declared:
            return None
        # a writer that enlarges the array in steps declares the present planes now and then
        return _SURE_S if n_were_blank >= 2 else self._patience_s

    def stack(self) -> Stack:
        try:
            return open_stack(self.path, self.options)
        except InputError:
            # a truncated file, or one with a single page
            return self._open().stack

    def close(self) -> None:
        """Do nothing: files are open only during a look."""

    def _open(self) -> Snapshot:
        with readable_errors(self.path):
            data = self._dataset()
            try:
                in_order = data.growth.in_order
                stack = stack_of(data, self.options.but(allow_partial=in_order))
                _require_depths(stack, data)
            except InputError as error:
                raise _ChoiceError(error.what, where=error.where, advice=error.advice) from error
        return Snapshot(stack, data)

    def _empty(self) -> bool:
        if self.path.is_dir():
            return not any(self.path.iterdir())
        return not self.path.exists() or (self.path.is_file() and not self.path.stat().st_size)

    def _dataset(self) -> Dataset:
        if format_of(self.path) is tiff_folder:
            return self._numbered()
        return open_dataset(self.path, opening_of(self.options.but(allow_partial=True)))

    def _numbered(self) -> Dataset:
        """Describe a folder of planes, from number 0 or, after a while, the smallest number."""
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
                f"plane {low} came after plane {self._first}, which was taken as the first",
                where=str(self.path),
                advice="Read the folder when it is complete",
            )
        return tiff_folder.describe_numbered(self.path, files, self._first, self.options.axes)

    def _bear(self, error: InputError, patience_s: float) -> None:
        """Tolerate an error for a while, longer if it changes; a missing option does not change."""
        now = time.monotonic()  # the number of planes changes in the message of a missing option
        kind = str(error.advice if isinstance(error, _ChoiceError) else error)
        if self._failing is None or self._failing[0] != kind:
            self._failing = kind, now
        if now - self._failing[1] >= patience_s:
            raise error


def _require_depths(stack: Stack, data: Dataset) -> None:
    """Refuse planes with unknown depths, or depths from a last plane that is not known yet."""
    if stack.image.depth_from == ALONE:
        raise no_z_step(data.scale, data.source)  # more planes are to follow
    if stack.image.surface == "last" and not data.declared:
        raise InputError(
            f"the last plane is the surface ({stack.image.surface_from}), and the number of "
            "planes is not known",
            where=data.source,
            advice="Read it when it is complete, or set the surface to the first plane with "
            f"{option('surface', 'first')}",
        )


class _ChoiceError(InputError):
    """The stack exists, but the options do not suffice to read it."""
