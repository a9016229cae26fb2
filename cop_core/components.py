"""Names that the whole package shares: the six components of the paper's noise vector."""

from __future__ import annotations

from typing import Final

CLEAN: Final = "clean"
"""The last component of every genome: the part of a plane without noise."""

DEFAULT_COMPONENTS: Final = (
    "gaussian",
    "salt_pepper",
    "poisson",
    "quantization",
    "anisotropic",
    CLEAN,
)
"""Components of the genomes that ship, in the order of every array and table."""

COMPONENT_NAMES: Final = {
    "gaussian": "Gaussian",
    "salt_pepper": "Salt & pepper",
    "poisson": "Poisson",
    "quantization": "Quantization",
    "anisotropic": "Anisotropic",
    CLEAN: "Clean",
}
"""Names of components in tables and figures."""

SDS_OF_90: Final = 1.645
"""Predictive SDs to either side of a strength that hold 90 % of the true ones."""
SDS_OF_95: Final = 1.96
"""SDs to either side of a mean that hold 95 % of a normal distribution."""


def spoken(component: str) -> str:
    """Return the name of a component within a sentence, before the word noise."""
    if component == "poisson":
        return "shot"
    known = COMPONENT_NAMES.get(component, component)
    return known if component == "gaussian" else known.lower()
