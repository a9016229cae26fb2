"""A verdict in parts, so that the answer can stand out in a terminal, a page or a window."""

from __future__ import annotations

from typing import Final, NamedTuple

_NEXT: Final = "Next: "


class VerdictParts(NamedTuple):
    """Parts of a verdict; the non-empty ones, joined by spaces, are the verdict.

    Attributes
    ----------
    answer : str
        Words of the first sentence before its colon, or all of it.
    reasons : str
        The rest of the first sentence.
    further : str
        The sentences that follow.
    next_step : str
        What to do next.
    """

    answer: str
    reasons: str
    further: str
    next_step: str

    @property
    def headline(self) -> str:
        """The first sentence."""
        return " ".join(filter(None, (self.answer, self.reasons)))


def parts_of(verdict: str) -> VerdictParts:
    """Return the parts of a verdict."""
    before, next_, step = verdict.partition(_NEXT)
    first, stop, further = before.strip().partition(". ")
    answer, colon, reasons = (first + stop.strip()).partition(": ")
    return VerdictParts(answer + colon.strip(), reasons, further.strip(), (next_ + step).strip())
