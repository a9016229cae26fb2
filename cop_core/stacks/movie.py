"""Movies of one place: frames in the order of time."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError, option
from cop_core.stacks.axes import MOVIE_AXES
from cop_core.stacks.dataset import Opening
from cop_core.stacks.open import open_dataset, readable_errors, stack_of

if TYPE_CHECKING:
    from cop_core.recipes import MovieOptions
    from cop_core.stacks.dataset import Dataset
    from cop_core.stacks.model import Stack

_ANY_STEP_UM: Final = 1.0
"""States that planes are along the time axis; frames have no depth."""


def open_movie(source: Any, options: MovieOptions) -> Stack:
    """Open a movie of one place as a stack whose planes are its frames, without depths.

    Parameters
    ----------
    source : str, Path or array
        As for `open_stack`, with an axis of time or of unknown meaning.
    options : MovieOptions
        How it is opened.

    Raises
    ------
    InputError
        It cannot be opened, or is not a movie.
    """
    with readable_errors(source):
        opening = Opening(options.axes, options.level, allow_partial=options.allow_partial)
        data = _of_one_plane(open_dataset(source, opening), options.plane)
        asked = options.as_stack()
        stack = stack_of(data, asked.but(z_step_um=_ANY_STEP_UM))
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        return replace(stack, options=asked.but(source=path))


def _of_one_plane(data: Dataset, plane: int | None) -> Dataset:
    """Return the frames of one z plane."""
    n_planes = data.size("Z")
    if not any(data.size(axis) > 1 for axis in MOVIE_AXES):
        raise InputError(
            f"this is not a movie: its axes are {data.axes}",
            where=data.source,
            advice="use frames of one position; if the axes are named wrongly, state them with "
            f"{option('axes', 'TYX')}",
        )
    if plane is None and n_planes > 1:
        raise InputError(
            f"there are {n_planes} z planes",
            where=data.source,
            advice=f"choose one with {option('plane')}",
        )
    if plane is not None and plane >= n_planes:
        raise InputError(
            f"there is no z plane {plane}",
            where=data.source,
            advice=f"choose one from 0 to {n_planes - 1}",
        )
    if "Z" not in data.axes:
        return data
    at, read = data.axes.index("Z"), data.read
    return replace(
        data,
        axes=data.axes.replace("Z", ""),
        shape=(*data.shape[:at], *data.shape[at + 1 :]),
        read=lambda position: read({**position, "Z": plane or 0}),
    )
