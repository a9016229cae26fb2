"""How much is there of an acquisition that was aborted, in the same words for every format."""

from __future__ import annotations

from typing import Final

ABORTED: Final = "the acquisition was aborted or is still running"
OR_MOVED: Final = f"{ABORTED}, or some of its files are elsewhere"


def how_much(n: int, stated: int, what: str = "frames", why: str = ABORTED) -> tuple[str, ...]:
    """Return a remark on how many frames, or planes, are there of those stated; none for all."""
    return () if n >= stated else (f"{n} of {stated} {what} are there: {why}",)
