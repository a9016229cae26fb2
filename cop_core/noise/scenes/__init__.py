"""Procedural, seeded, noise-free scenes on which a network learns to measure noise."""

from __future__ import annotations

from cop_core.noise.scenes import (
    _composites,  # noqa: F401
    _flat,  # noqa: F401
    _fluorescence,  # noqa: F401  (imported to register its families)
    _leaves,  # noqa: F401
    _lineart,  # noqa: F401
    _patterns,  # noqa: F401
    _phantoms,  # noqa: F401
    _spectral,  # noqa: F401
)
from cop_core.noise.scenes._registry import FAMILIES
from cop_core.noise.scenes._sheet import contact_sheet
from cop_core.noise.scenes._tone import colour_scene, random_scene, render

__all__ = ["FAMILIES", "colour_scene", "contact_sheet", "random_scene", "render"]
