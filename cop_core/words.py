"""Words as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

INFINITE: Final = "∞"


def capital(text: str) -> str:
    """Return a text as it begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: ``"a, b and c"``."""
    return " and ".join(", ".join(words).rsplit(", ", 1))
