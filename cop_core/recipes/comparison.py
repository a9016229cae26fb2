"""What is asked of a comparison of protocols."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from cop_core.recipes.base import Option, Part, RefusedValueError
from cop_core.recipes.values import Count, Positive, Seed

Rule = Literal["default", "paper"]
Errors = Literal["ar1", "paired", "bootstrap"]
"""Where the error of a slope difference comes from."""
N_BOOTSTRAP: Final = 2000


class ComparisonOptions(Part):
    """How two protocols are compared.

    Attributes
    ----------
    rule : {"default", "paper"}
        ``"default"`` tests the interaction of depth and protocol with errors that respect
        neighbouring planes and calls d small, medium, large from 0.2, 0.5, 0.8. ``"paper"`` takes
        planes as independent and calls d large from 0.35, as arXiv:2601.17047 does (the
        convention for f2). Intervals have AR(1) errors under both.
    errors : {"ar1", "paired", "bootstrap"}
        An AR(1) process in each stack; one in the differences at shared depths, so that what both
        stacks see cancels; or blocks of neighbouring planes drawn again.
    margin_per_100_um : float or None
        Slope that counts as none, in strength per 100 um; with it every slope and the difference
        are tested for being smaller.
    n_bootstrap, seed : int
        Samples and seed of the bootstrap.
    """

    rule: Annotated[
        Rule,
        Option(
            "Statistics: this package's, or the paper's own choices.",
            "Statistics",
            words={
                "default": "neighbouring planes correlate",
                "paper": "as in the paper (naive)",
            },
        ),
    ] = "default"
    errors: Annotated[
        Errors,
        Option(
            "Error of the slope difference: correlated planes in each stack, differences at "
            "shared depths, or blocks of planes drawn again.",
            "Errors",
            words={
                "ar1": "correlated planes in each stack",
                "paired": "differences at shared depths",
                "bootstrap": "blocks of planes drawn again",
            },
        ),
    ] = "ar1"
    margin_per_100_um: Annotated[
        Positive | None,
        Option(
            "Slope that counts as none, in strength per 100 um (0.01 is one percentage point): "
            "tests whether slopes are smaller.",
            "Margin (strength per 100 µm)",
            metavar="SLOPE",
            empty="not tested",
            flags=("--margin",),
        ),
    ] = None
    n_bootstrap: Annotated[Count, Option("Bootstrap samples.", "Bootstrap samples")] = N_BOOTSTRAP
    seed: Annotated[
        Seed, Option("Seed of everything random: the same seed, the same numbers.", "Seed")
    ] = 0

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.rule == "paper" and self.errors != "ar1":
            raise RefusedValueError(
                f"the paper's rule takes planes as independent, not with {self.errors} errors",
                advice="leave out one of the two",
            )
        return self
