"""Two protocols side by side: does the noise grow less with depth, and by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cop_core.errors import InputError
from cop_core.statistics.caveats import (
    ONE_STACK,
    profile_caveats,
    protocol_closure,
    settings_caveat,
)
from cop_core.statistics.component_effect import (
    N_BOOTSTRAP,
    Choices,
    ComponentEffect,
    component_effect,
)
from cop_core.statistics.depth_window import within
from cop_core.statistics.effect_size import Rule
from cop_core.statistics.holm import holm
from cop_core.statistics.log_ratios import log_ratio_fits
from cop_core.statistics.profile import DepthProfile, distinct_names
from cop_core.statistics.slope_difference import Errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.statistics.depth_window import Window

__all__ = ["N_BOOTSTRAP", "Comparison", "ComponentEffect", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Two depth profiles and what differs between them.

    Attributes
    ----------
    fixed, gained : DepthProfile
        The profiles, in the order they were given.
    effects : tuple of ComponentEffect
        One for each component, in the profiles' order, clean included.
    rule : {"default", "paper"}
        Which test is primary and from where a d is called large.
    n_bootstrap, seed : int
        Samples and seed of the bootstrap.
    warnings : tuple of str
        What to know beside the numbers.
    errors : {"ar1", "paired", "bootstrap"}
        Where the error of the slope difference comes from.
    margin_per_100_um : float or None
        Slope that counts as none, in strength per 100 um.
    """

    fixed: DepthProfile
    gained: DepthProfile
    effects: tuple[ComponentEffect, ...]
    rule: Rule
    n_bootstrap: int
    seed: int
    warnings: tuple[str, ...]
    errors: Errors = "ar1"
    margin_per_100_um: float | None = None

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed.components

    @property
    def profiles(self) -> tuple[DepthProfile, DepthProfile]:
        """Both profiles."""
        return self.fixed, self.gained

    def of(self, component: str) -> ComponentEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]


def compare(
    fixed: DepthProfile,
    gained: DepthProfile,
    *,
    rule: Rule = "default",
    errors: Errors = "ar1",
    window_um: Window | None = None,
    margin_per_100_um: float | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> Comparison:
    """Compare how each strength runs with depth under two protocols.

    Parameters
    ----------
    fixed, gained : DepthProfile
        Profiles with the same components. Differences are `fixed` minus `gained`.
    rule : {"default", "paper"}
        ``"default"`` tests the depth x protocol interaction with errors that respect
        neighbouring planes and calls d small, medium, large from 0.2, 0.5, 0.8. ``"paper"``
        takes planes as independent and calls d large from 0.35, as arXiv:2601.17047 does (the
        convention for f2). Intervals have AR(1) errors under both.
    errors : {"ar1", "paired", "bootstrap"}
        Where the error of the slope difference comes from: an AR(1) process in each stack; one
        in the differences at shared depths, so that what both stacks see cancels; or blocks of
        neighbouring planes drawn again.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter, both included; None leaves a side open.
    margin_per_100_um : float, optional
        Slope that counts as none, in strength per 100 um (0.01 is one percentage point); with
        it every slope and the difference are tested for being smaller.
    n_bootstrap : int
        Bootstrap samples.
    seed : int
        Seed of the bootstrap; the same seed gives the same interval.

    Returns
    -------
    Comparison
        Effects, both fits for each component, and warnings.

    Raises
    ------
    InputError
        The profiles have different components, an option is out of range, the window holds
        no plane, or pairs are asked for where fewer than 8 planes share a depth.
    """
    choices = Choices(rule, errors, n_bootstrap, seed, margin_per_100_um)
    check_components((fixed, gained))
    if window_um is not None:
        fixed, gained = within(fixed, window_um), within(gained, window_um)
    ratios = log_ratio_fits(fixed), log_ratio_fits(gained)
    effects = [component_effect(c, (fixed, gained), ratios, choices) for c in fixed.components]
    corrected = holm({e.component: e.p_value for e in effects})
    effects = [replace(e, p_holm=corrected[e.component]) for e in effects]
    warnings = [ONE_STACK, *settings_caveat(fixed, gained)]
    for name, profile in zip(distinct_names((fixed, gained)), (fixed, gained), strict=True):
        warnings += profile_caveats(name, profile, profile.fits)
    warnings += protocol_closure(effects)
    return Comparison(
        fixed=fixed,
        gained=gained,
        effects=tuple(effects),
        rule=rule,
        n_bootstrap=n_bootstrap,
        seed=seed,
        warnings=tuple(warnings),
        errors=errors,
        margin_per_100_um=margin_per_100_um,
    )


def check_components(profiles: Sequence[DepthProfile]) -> None:
    """Refuse profiles that do not all have the same components, with an InputError."""
    first = profiles[0]
    for other in profiles[1:]:
        if other.components != first.components:
            raise InputError(
                f"{first.name!r} has the components {', '.join(first.components)} and "
                f"{other.name!r} has {', '.join(other.components)}",
                advice="Profile all stacks with the same estimator",
            )
