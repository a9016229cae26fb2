"""Which numbers of two reports differ, and by how much."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE: Final = 1e-6
"""Relative difference up to which numbers count as the same: between processors the last digits
of a network's output differ."""

_COMPARED: Final = (
    *("protocols", "comparison", "stacks", "comparisons", "sensitivity"),
    *("attenuation", "held", "limit", "cap_depth_um", "planes", "measured", "energy"),
)
_PATHS: Final = {"given_as", "path"}
"""Where a stack or a power table lies is no result."""
_NOTHING: Final = 1e-12


@dataclass(frozen=True)
class Difference:
    """A value of a report that is not as stated.

    Attributes
    ----------
    where : str
        Keys that lead to it, parted by dots.
    stated, found : object
        The value in the report and the one computed; None where undefined or missing.
    relative : float
        Their difference relative to the larger; infinite where one is no number.
    """

    where: str
    stated: Any
    found: Any
    relative: float


@dataclass(frozen=True)
class Agreement:
    """How two reports agree.

    Attributes
    ----------
    n : int
        Values compared.
    differences : tuple of Difference
        Those that differ by more than the tolerance, the largest first.
    largest : float
        Largest relative difference within the tolerance; 0 where all the rest is identical.
    """

    n: int
    differences: tuple[Difference, ...]
    largest: float


def agreement(
    stated: dict[str, Any], found: dict[str, Any], *, tolerance: float = TOLERANCE
) -> Agreement:
    """Compare the results of a report with those of another.

    Parameters
    ----------
    stated, found : dict
        Documents of `report_document`, `study_document` or `recommendation_document`. What only
        `found` has is newer than `stated` and left out; paths are no results.
    tolerance : float
        Relative difference up to which numbers count as the same.

    Returns
    -------
    Agreement
        Of all that is a result.
    """
    pairs = [
        Difference(where, a, b, _relative(a, b))
        for part in _COMPARED
        if part in stated
        for where, a, b in _pairs(part, stated[part], found.get(part))
    ]
    apart = [pair for pair in pairs if pair.relative > tolerance]
    largest = max((pair.relative for pair in pairs if pair.relative <= tolerance), default=0.0)
    ordered = tuple(sorted(apart, key=lambda pair: -pair.relative))
    return Agreement(len(pairs), ordered, largest)


def _pairs(where: str, stated: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the leaves of two trees, those of the first in its order."""
    if isinstance(stated, dict):
        for key in stated:
            if key not in _PATHS:
                below = found.get(key) if isinstance(found, dict) else None
                yield from _pairs(f"{where}.{key}", stated[key], below)
    elif isinstance(stated, list):
        if not isinstance(found, list) or len(found) != len(stated):
            yield f"{where} (length)", len(stated), len(found) if isinstance(found, list) else None
            return
        for i, (a, b) in enumerate(zip(stated, found, strict=True)):
            yield from _pairs(f"{where}.{i}", a, b)
    else:
        yield where, stated, found


def _relative(a: Any, b: Any) -> float:
    if a == b:
        return 0.0
    if not (_is_number(a) and _is_number(b)):
        return math.inf
    return 0.0 if abs(a - b) <= _NOTHING else abs(a - b) / max(abs(a), abs(b))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
