"""Words on the screen, in the terms of microscopists rather than of the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN
from cop_core.errors import CopError
from cop_core.recipes.terms import as_label, untyped
from cop_core.records import NOT_READ, left_out_text
from cop_core.report import label, noises
from cop_core.words import capital

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cop_core.errors import Terms
    from cop_core.recipes import ReadingOptions
    from cop_core.records import DepthLimit, DepthProfile

SHOT: Final = "poisson"
_SPOKEN: Final = {SHOT: "Shot noise (Poisson)", CLEAN: "Clean (no noise)"}
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_TOLD: Final = ("normalisation", "crops", "weights", "offset_counts")
"""Options of a reading shown with its result; the others do not affect the numbers."""


def said(error: Exception, terms: Terms = as_label) -> str:
    """Return the message of an error, with options named by their labels in forms."""
    return error.said(terms) if isinstance(error, CopError) else str(error)


def sentence(text: str) -> str:
    """Return a caveat as a full sentence."""
    return f"{capital(untyped(text))}."


def spoken(component: str) -> str:
    """Return the name of a component in a window."""
    return _SPOKEN.get(component, label(component))


def leading(components: Sequence[str]) -> str:
    """Return the component that determines usable depths: shot noise, if it is read."""
    return SHOT if SHOT in components else next(iter(noises(components)), components[0])


def unbroken(text: str) -> str:
    """Return a text with non-breaking spaces between numbers and units."""
    return re.sub(r"(?<=\d) (?=µm\b|mW\b|%)", _NO_BREAK, text)


def depth_text(limit: DepthLimit) -> str:
    """Return a depth, short enough for a cell of a table."""
    if np.isfinite(limit.deeper_than_um):
        return f"> {limit.deeper_than_um:.0f} µm"
    if np.isfinite(limit.shallower_than_um):
        return f"< {limit.shallower_than_um:.0f} µm"
    return f"{limit.depth_um:.0f} µm" if np.isfinite(limit.depth_um) else "unknown"


def planes_text(profiles: Iterable[DepthProfile]) -> str:
    """Return the number of planes, and of those not read or left out of fits."""
    reasons = [plane.reason for profile in profiles for plane in profile.planes]
    n = len(reasons)
    n_read = n - reasons.count(NOT_READ)
    planes = f"{n} plane{'s' if n != 1 else ''}"
    text = planes if n_read == n else f"{n_read} of {planes} read"
    return ", ".join(filter(None, (text, left_out_text(reasons))))


def settings_of(reading: ReadingOptions) -> str:
    """Return the settings of a reading, in the words of its form."""
    options = {name: option for name, _, option in reading.options()}
    said = []
    for name in _TOLD:
        value, option = getattr(reading, name), options[name]
        text = option.empty if value is None else option.words.get(str(value), str(value))
        said.append(f"{option.label}: {text}")
    return " · ".join(said)
