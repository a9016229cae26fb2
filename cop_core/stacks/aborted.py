"""Remarks on aborted acquisitions, in the same words for every format."""

from __future__ import annotations

from typing import Final

ABORTED: Final = "the acquisition was aborted or is still running"
OR_MOVED: Final = f"{ABORTED}, or some of its files are elsewhere"


def how_much(n: int, stated: int, what: str = "frames", why: str = ABORTED) -> tuple[str, ...]:
    """Return a remark on how many of the stated frames or planes are there; none if all are."""
    return () if n >= stated else (f"{n} of {stated} {what} are there: {why}",)
