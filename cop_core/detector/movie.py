"""Frames read for photon transfer, and the counts at which they are cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.stacks.border import WHOLE, Border
from cop_core.stacks.validity import SATURATED

if TYPE_CHECKING:
    from cop_core.stacks import Stack

LEAST_FRAMES: Final = 4
MOST_PIXELS: Final = 2**26
"""Over all frames; more add nothing to photon transfer."""
LEAST_SIDE: Final = 32
_PILE: Final = 3.0
"""Ratio to the values at the next levels above which a level is a pile."""
_NEXT: Final = 8
_LEAST_PILED: Final = 20
_DARKEST: Final = 1 / 32
"""Share of the pixels."""
_END: Final = 0.02
"""Share of all values above which an excess at an end is a pile, since noise falls off."""


@dataclass(frozen=True)
class Movie:
    """Frames of a static sample.

    Attributes
    ----------
    name : str
        Of the file.
    counts : ndarray of shape (n, height, width)
        Frames as stored.
    n_frames : int
        Number in the file.
    n_unusable : int
        Number of frames read but excluded for a reason.
    saturated : float
        Share of the values that are saturated.
    border : Border
        Fill at the edges of any frame, left out of all.
    floor, ceiling : float or None
        Count at which values pile up at the low and the high end: values beyond are cut off,
        unless the low end is that of single photons, counted.
    """

    name: str
    counts: npt.NDArray[Any]
    n_frames: int
    n_unusable: int = 0
    saturated: float = 0.0
    border: Border = WHOLE
    floor: float | None = None
    ceiling: float | None = None


def read_movie(
    stack: Stack, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Movie:
    """Read the frames of a movie, from the first on, up to `MOST_PIXELS`.

    Raises
    ------
    InputError
        Too few frames can be used, or they are too small.
    """
    n_frames, height, width = stack.shape
    _require_size((height, width), "", stack.source)
    most = min(n_frames, max(LEAST_FRAMES, MOST_PIXELS // (height * width)))
    kept, borders, saturated, reasons = [], [], [], []
    for index in range(most):
        plane = stack.plane(index)
        if plane.validity.ok or plane.validity.reason == SATURATED:  # pixels that are not, tell
            kept.append(plane.data)
            borders.append(plane.validity.border)
            saturated.append(plane.validity.saturated_fraction)
        else:
            reasons.append(plane.validity.reason)
        progress(index + 1, most)
    _require_frames(len(kept), reasons, stack.source)
    border = Border(*np.max(borders, axis=0).tolist())
    inside = border.inside((height, width))
    counts = np.stack([data[inside] for data in kept])
    _require_size(counts.shape[1:], " without fill", stack.source)
    share = float(np.mean(saturated))
    return Movie(stack.name, counts, n_frames, len(reasons), share, border, *_piles(counts))


def _require_size(shape: tuple[int, ...], what: str, where: str) -> None:
    if min(shape) < LEAST_SIDE:
        raise InputError(
            f"frames of {shape[0]} x {shape[1]} pixels{what} are too small for photon transfer",
            where=where,
            advice=f"use {LEAST_SIDE} x {LEAST_SIDE} or more",
        )


def _require_frames(n: int, reasons: list[str], where: str) -> None:
    if n >= LEAST_FRAMES:
        return
    left_out = f" ({len(reasons)} left out: {', '.join(sorted({*reasons}))})" if reasons else ""
    raise InputError(
        f"{n} frame{'s' * (n != 1)} can be used{left_out}",
        where=where,
        advice=f"use {LEAST_FRAMES} or more of the same place, with nothing saturated; about 50 "
        "are better",
    )


def _piles(counts: npt.NDArray[Any]) -> tuple[float | None, float | None]:
    """Return the counts at which values pile up at the low and the high end.

    The low end may show only in the darkest pixels.
    """
    levels, numbers = np.unique(counts, return_counts=True)
    mean = counts.mean(axis=0)
    dark = counts[:, mean <= np.quantile(mean, _DARKEST)]
    floor = _pile(levels, numbers)
    if floor is None and dark.min() == levels[0]:
        floor = _pile(*np.unique(dark, return_counts=True))
    return floor, _pile(levels[::-1], numbers[::-1])


def _pile(levels: npt.NDArray[Any], numbers: npt.NDArray[np.int64]) -> float | None:
    """Return the first level if it holds far more values than those next to it."""
    if len(levels) < 2:
        return None
    n, after = numbers[0], numbers[1 : 1 + _NEXT]
    piled = n >= _LEAST_PILED and n > _PILE * after.max()
    ends = n > _END * numbers.sum() and n > after[0]
    return float(levels[0]) if piled or ends else None
