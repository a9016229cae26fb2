"""Options of a comparison of protocols."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from cop_core.recipes.base import Option, Part, RefusedValueError, shown
from cop_core.recipes.values import Count, Positive, Seed, number

Rule = Literal["default", "paper"]
Tissue = Literal["auto", "same", "other"]
"""Whether two stacks show the same tissue; ``"auto"``: judged from the images."""
N_BOOTSTRAP: Final = 2000
USABLE_STRENGTH: Final = 0.2
"""Poisson strength up to which shot noise is usable: 100 photons at full scale."""


_LEVELS: Final = "20%, 0.2 or 100photons"
_LEVEL: Final = re.compile(r"(.*?)\s*(%|photons?|)")


def _strength(value: Any) -> Any:
    """Return a level as a strength; ``20%`` and ``100 photons`` are read too."""
    if not isinstance(value, str):
        return value
    try:
        text, unit = _LEVEL.fullmatch(value.strip().lower()).groups()  # type: ignore[union-attr]
        known = float(text)
    except (AttributeError, ValueError):
        raise RefusedValueError(
            f"{shown(value)} is not a level of shot noise", advice=f"use {_LEVELS}"
        ) from None
    if unit == "%":
        return known / 100
    return 2 / math.sqrt(known) if unit and known > 0 else known


UsableStrength = Annotated[
    Annotated[float, Field(gt=0, lt=1), number(_LEVELS), BeforeValidator(_strength)],
    Option(
        "Highest usable shot noise, as a strength (20%) or as photons at full scale (100photons).",
        "Usable shot noise",
        metavar="LEVEL",
        flags=("--level",),
    ),
]


class ComparisonOptions(Part):
    """How two protocols are compared.

    Attributes
    ----------
    rule : {"default", "paper"}
        ``"default"`` tests whether slopes differ by more than the errors of readings if the tissue
        were imaged again, and calls d small, medium or large from 0.2, 0.5 or 0.8. ``"paper"`` uses
        straight lines, treats planes as independent and calls d large from 0.35, as
        arXiv:2601.17047 does (the convention for f2). Intervals are the same under both.
    tissue : {"auto", "same", "other"}
        Whether both stacks show the same tissue; ``"auto"`` judges from the images.
    level : float
        Poisson strength up to which shot noise is usable.
    margin_per_100_um : float or None
        Slope that counts as negligible, in strength per 100 µm; if set, every slope and the
        difference are tested for being smaller.
    n_bootstrap, seed : int
        Number of samples and seed of the bootstrap.
    """

    rule: Annotated[
        Rule,
        Option(
            "Statistics of this package, or those of the paper.",
            "Statistics",
            words={
                "default": "from reading errors",
                "paper": "as in the paper (straight lines)",
            },
        ),
    ] = "default"
    tissue: Annotated[
        Tissue,
        Option(
            "Whether both stacks show the same tissue; by default judged from the images.",
            "Tissue",
            words={
                "auto": "judged from the images",
                "same": "the same in both",
                "other": "different tissues",
            },
        ),
    ] = "auto"
    level: UsableStrength = USABLE_STRENGTH
    margin_per_100_um: Annotated[
        Positive | None,
        Option(
            "Slope that counts as negligible, in strength per 100 µm (0.01 is one percentage "
            "point); tests whether slopes are smaller.",
            "Margin (strength per 100 µm)",
            metavar="SLOPE",
            empty="not tested",
            flags=("--margin",),
        ),
    ] = None
    n_bootstrap: Annotated[Count, Option("Number of bootstrap samples.", "Bootstrap samples")] = (
        N_BOOTSTRAP
    )
    seed: Annotated[Seed, Option("Random seed; the same seed gives the same numbers.", "Seed")] = 0
