"""Words and counts as they appear in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

INFINITE: Final = "∞"


def capital(text: str) -> str:
    """Return a text with the capital that begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def so_many(k: int, n: int) -> str:
    """Return how many of n planes: ``"2 of 3 planes"``, ``"all 3 planes"`` or ``"the plane"``."""
    if k < n:
        return f"{k} of {n} planes"
    return f"all {n} planes" if n > 1 else "the plane"


def in_so_many(k: int, n: int) -> str:
    """Return a prefix: in how many of n planes something is so; empty for the only plane."""
    return f"in {so_many(k, n)}, " if n > 1 else ""


def up_to(k: int, most: str) -> str:
    """Return the largest value of k planes, ``"up to 5 %"``; for one plane the value alone."""
    return f"up to {most}" if k > 1 else most


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: ``"a, b and c"``."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last
