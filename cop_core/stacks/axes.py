"""Meaning of the axes of a dataset, and the choice of one z-stack from several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cop_core.errors import InputError, MissingOptionError, option
from cop_core.recipes import MEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from cop_core.stacks.dataset import Dataset, Position

KNOWN: Final = "TCZYXSIQ"
MOVIE_AXES: Final = "TIQ"
_ADVICE: Final = f"state their order, for example {option('axes', 'ZCYX')}"


@dataclass(frozen=True)
class Selection:
    """One z-stack out of a dataset.

    Attributes
    ----------
    plane_axis : str
        Letter of the axis of planes.
    fixed : dict of str to int
        Index along every other axis but Y and X.
    n_averaged : int
        Number of time points averaged in each plane, up to the one in `fixed`.
    """

    plane_axis: str
    fixed: dict[str, int]
    n_averaged: int = 1

    def at(self, index: int) -> Position:
        """Return the index of one of its planes along every axis."""
        return {**self.fixed, self.plane_axis: index}


def require_axes(axes: str, ndim: int, where: str) -> str:
    """Check axes given by the user, and return them in capitals."""
    letters = axes.upper() if isinstance(axes, str) else ""
    if not letters or set(letters) - set(KNOWN) or len(set(letters)) < len(letters):
        problem = f"axes {axes!r} must be different letters from {KNOWN}"
    elif not {"Y", "X"} <= set(letters):
        problem = f"axes {axes!r} lack Y or X"
    elif len(letters) != ndim:
        problem = f"axes {axes!r} name {len(letters)} dimensions, but there are {ndim}"
    else:
        return letters
    raise InputError(problem, where=where, advice=_ADVICE)


def axes_from_names(names: object) -> str:
    """Return letters for names of dimensions (``time``, ``y``); empty if they are not known."""
    letters = [str(name)[:1].upper() for name in names] if isinstance(names, (list, tuple)) else []
    known = len(set(letters)) == len(letters) and {"Y", "X"} <= set(letters) <= set("TCZYX")
    return "".join(letters) if known else ""


def guess_axes(shape: Sequence[int], where: str) -> str:
    """Name the axes of pixels without names: only (planes, Y, X) is safe."""
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3 and shape[2] > 4:
        return "QYX"
    size = " x ".join(str(n) for n in shape)
    raise InputError(f"the axes of a {size} array are not known", where=where, advice=_ADVICE)


def with_planes(data: Dataset) -> Dataset:
    """Return a dataset with an axis of planes: a single plane becomes a stack of one."""
    if "Z" in data.axes or any(data.size(a) > 1 or a in "IQ" for a in data.axes if a in MOVIE_AXES):
        return data
    read = data.read

    def without_z(position: Position) -> npt.NDArray[Any]:
        return read({axis: i for axis, i in position.items() if axis != "Z"})

    return replace(data, axes=f"Z{data.axes}", shape=(1, *data.shape), read=without_z)


def refuse_scan(what: str, where: str) -> NoReturn:
    """Refuse a scan of lines or sections, which has no planes along x and y."""
    raise InputError(
        f"{what}, and noise is read from planes along x and y",
        where=where,
        advice="open a z-stack, or a frame scan of the same place",
    )


def select(
    data: Dataset, channel: int | str | None, time: int | str | None, *, any_axis: bool
) -> Selection:
    """Choose one z-stack by channel and time from a dataset with an axis of planes.

    ``any_axis`` states that the user has declared, by a z step or by axes, that planes are along a
    time or unknown axis.

    Raises
    ------
    InputError
        If there is no z-stack, or if there are several and none is chosen.
    """
    _refuse_colour(data)
    plane_axis = _plane_axis(data, time, any_axis=any_axis)
    fixed = {a: 0 for a in data.axes if a not in (plane_axis, "Y", "X")}
    mean = time == MEAN
    if mean:
        time = data.size("T") - 1
    elif time is None and plane_axis != "T":
        time = data.usual_time
    for axis, chosen, names in (("C", channel, data.channels), ("T", time, ())):
        if axis == plane_axis and chosen is not None:
            raise InputError(
                "the time axis holds the planes, so no time can be chosen",
                where=data.source,
                advice=f"leave out {option('time')}",
            )
        if axis != plane_axis:
            fixed[axis] = _choose(data, axis, chosen, names)
    for axis in fixed:
        if axis not in "TC" and data.size(axis) > 1:
            raise InputError(
                f"axis {axis} of length {data.size(axis)} is not known",
                where=data.source,
                advice=_ADVICE,
            )
    found = {a: i for a, i in fixed.items() if a in data.axes}
    return Selection(plane_axis, found, data.size("T") if mean else 1)


def require_position(chosen: int | None, n: int, where: str, names: Sequence[str] = ()) -> int:
    """Choose one of several stage positions, scenes or regions.

    Raises
    ------
    InputError
        If there are several and none is chosen, or if the chosen one does not exist.
    """
    if chosen is None and n > 1:
        raise MissingOptionError(
            f"there are {n} positions: {_choices(n, names)}",
            option="position",
            where=where,
            advice=f"choose one with {option('position')}",
        )
    if (chosen or 0) >= n:
        raise InputError(
            f"there is no position {chosen}",
            where=where,
            advice=f"choose one of: {_choices(n, names)}",
        )
    return chosen or 0


def _refuse_colour(data: Dataset) -> None:
    if data.size("S") > 1:
        raise InputError(
            f"the image has {data.size('S')} colour samples (RGB), not one intensity",
            where=data.source,
            advice="first save the colour of interest as a channel, or convert to greyscale",
        )


def _plane_axis(data: Dataset, time: int | str | None, *, any_axis: bool) -> str:
    movies = [a for a in data.axes if a in MOVIE_AXES and data.size(a) > 1]
    # writers that always write Z give a movie one z plane: it is not a z-stack
    flat_movie = data.size("Z") == 1 and movies and time is None
    if "Z" in data.axes and not flat_movie:
        return "Z"
    if not movies:
        return next(a for a in data.axes if a in "IQ")
    if len(movies) == 1 and any_axis:
        return movies[0]
    advice = (
        f"if its planes are z planes, set {option('z_step_um')}, or the order of the axes with"
        f" {option('axes')}; if it is one of a set, open the folder of the set"
    )
    lacking = "z_step_um" if len(movies) == 1 else "axes"
    raise MissingOptionError(
        _movie_problem(data, movies), option=lacking, where=data.source, advice=advice
    )


def _movie_problem(data: Dataset, movies: list[str]) -> str:
    if movies == ["T"]:
        return f"this is a time movie of {data.size('T')} frames without a z axis"
    if len(movies) == 1:
        return f"no z step is known, and nothing says what its {data.size(movies[0])} planes are"
    return f"there is no z axis among {data.axes}"


def _choose(data: Dataset, axis: str, chosen: int | str | None, names: Sequence[str]) -> int:
    size, what = data.size(axis), "channel" if axis == "C" else "time"
    spoken = "time point" if axis == "T" else what
    if chosen is None:
        if size == 1:
            return 0
        raise MissingOptionError(
            f"there are {size} {spoken}s: {_choices(size, names)}",
            option=what,
            where=data.source,
            advice=f"choose one with {option(what)}"
            + (", or mean for all of them averaged" if axis == "T" else ""),
        )
    if (index := _as_index(chosen)) is not None and 0 <= index < size:
        return index
    if names.count(str(chosen)) == 1:  # a name may also be a number
        return names.index(str(chosen))
    several = f"several {spoken}s are called" if str(chosen) in names else ""
    raise InputError(
        f"{several or f'there is no {spoken}'} {chosen!r}",
        where=data.source,
        advice=f"choose one of: {_choices(size, names)}",
    )


def _as_index(chosen: object) -> int | None:
    if isinstance(chosen, bool):
        return None
    if isinstance(chosen, str):
        return int(chosen) if chosen.isascii() and chosen.isdigit() else None
    try:
        return int(chosen.__index__())  # type: ignore[attr-defined]
    except AttributeError:
        return None


def _choices(size: int, names: Sequence[str]) -> str:
    if len(names) == size:
        shown = [f"{i} ({name})" if name else str(i) for i, name in enumerate(names[:20])]
    elif size > 6:
        return f"0 to {size - 1}"
    else:
        shown = [str(i) for i in range(size)]
    return ", ".join(shown) + (", ..." if size > len(shown) else "")
