"""Which numbers of two documents differ, and by how much."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.report.document import Document

TOLERANCE: Final = 1e-6
"""Relative difference up to which numbers count as the same: between processors the last digits
of a network's output differ."""

_NO_RESULT: Final = {"given_as", "path", "reading"}
"""Keys that are not results: the paths of stacks and power tables, and the device."""
_NOTHING: Final = 1e-12


@dataclass(frozen=True)
class Difference:
    """A value of a document and its new value; None if undefined or missing.

    Attributes
    ----------
    where : str
        Keys that lead to it, separated by dots.
    relative : float
        Their difference relative to the larger; infinite where one is not a number.
    """

    where: str
    stated: Any
    found: Any
    relative: float


@dataclass(frozen=True)
class Agreement:
    """Agreement of `n` values of two documents.

    Attributes
    ----------
    differences : tuple of Difference
        Those that differ by more than the tolerance, the largest first.
    largest : float
        Largest relative difference within the tolerance; 0 if all others are identical.
    """

    n: int
    differences: tuple[Difference, ...]
    largest: float


def agreement(stated: Document, found: Document, *, tolerance: float = TOLERANCE) -> Agreement:
    """Compare the results of two documents; numbers within a relative tolerance are the same.

    Raises
    ------
    InputError
        If the tolerance is negative or not finite.
    """
    if not 0 <= tolerance < math.inf:
        raise InputError(
            f"the tolerance cannot be {tolerance:g}",
            where="tolerance",
            advice="use a finite number of 0 or more",
        )
    parts = type(stated.results).model_fields
    pairs = [
        Difference(where, a, b, _relative(a, b))
        for part in parts
        for where, a, b in _pairs(part, stated.tree.get(part), found.tree.get(part))
    ]
    apart = [pair for pair in pairs if pair.relative > tolerance]
    largest = max((pair.relative for pair in pairs if pair.relative <= tolerance), default=0.0)
    ordered = tuple(sorted(apart, key=lambda pair: -pair.relative))
    return Agreement(len(pairs), ordered, largest)


def _pairs(where: str, stated: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the leaves of two trees, those of the first in its order."""
    if isinstance(stated, dict):
        for key in stated:
            if key not in _NO_RESULT:
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
