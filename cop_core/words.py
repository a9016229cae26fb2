"""Words as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

INFINITE: Final = "∞"


def capital(text: str) -> str:
    """Return a text as it begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def so_many(k: int, n: int) -> str:
    """Return how many of n planes: ``"2 of 3 planes"``, ``"all 3 planes"`` or ``"the plane"``."""
    if k < n:
        return f"{k} of {n} planes"
    return f"all {n} planes" if n > 1 else "the plane"


def in_so_many(k: int, n: int) -> str:
    """Return in how many of n planes something is so, before it; empty for the only plane."""
    return f"in {so_many(k, n)}, " if n > 1 else ""


def up_to(k: int, most: str) -> str:
    """Return the most of what k planes have, ``"up to 5 %"``; of one it is no more than that."""
    return f"up to {most}" if k > 1 else most


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: ``"a, b and c"``."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last
