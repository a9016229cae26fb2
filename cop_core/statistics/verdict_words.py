"""What verdicts call protocols, noises, depths, levels and p values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import spoken
from cop_core.statistics.depths import limits_um
from cop_core.words import capital

if TYPE_CHECKING:
    from cop_core.records import DepthLimit, DepthProfile, UsableDepth

_SPOKEN: Final = {"fixed": "fixed power", "gained": "gained power"}


def joined(*sentences: str) -> str:
    """Join sentences, skipping empty ones."""
    return " ".join(text for text in sentences if text)


def protocol(name: str) -> str:
    """Return what a protocol is called within a sentence."""
    return _SPOKEN.get(name, name)


def named(name: str) -> str:
    """Return what a protocol is called where a sentence begins; own names stay as they are."""
    return capital(_SPOKEN[name]) if name in _SPOKEN else name


def at(name: str) -> str:
    """Return ``"at fixed power"``, or ``"with"`` a protocol's own name."""
    return f"at {_SPOKEN[name]}" if name in _SPOKEN else f"with {name}"


def noise(component: str) -> str:
    """Return what a component is called: ``"shot noise"``."""
    return f"{spoken(component)} noise"


def down_to(limit: DepthLimit, profile: DepthProfile) -> str:
    """Return the depth down to which something holds; empty if nowhere, or if unknown."""
    start = f"from {limit.from_um:.0f} µm " if np.isfinite(limit.from_um) else ""
    if np.isfinite(limit.deeper_than_um):
        _, end = limits_um(profile.window_um) if profile.window_um else (0.0, np.inf)
        deepest = profile.depth_um[profile.depth_um <= end].max()
        last = "last usable plane" if deepest > limit.deeper_than_um else "last plane"
        return f"{start}down to the {last} at {limit.deeper_than_um:.0f} µm"
    return f"{start}down to {limit.depth_um:.0f} µm" if np.isfinite(limit.depth_um) else ""


def level_text(usable: UsableDepth) -> str:
    """Return the level of shot noise in per cent and in photons."""
    return f"{percent(usable.at_strength)} ({usable.photons:.0f} photons)"


def percent(strength: float) -> str:
    """Return a strength in per cent."""
    return f"{100 * strength:g} %"


def p_text(p_value: float) -> str:
    """Return a p value as text; small ones as a bound."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
