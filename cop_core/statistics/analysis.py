"""Everything that is computed from a profile, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cop_core.recipes import N_BOOTSTRAP, USABLE_STRENGTH
from cop_core.records import AnalysedProfile, DepthProfile, UsableDepth, distinct_names
from cop_core.statistics.bend import find_bends
from cop_core.statistics.caveats import profile_caveats
from cop_core.statistics.depths import cap_depth_um
from cop_core.statistics.log_ratios import log_ratio_fits
from cop_core.statistics.photons import detector_caveat, photons_of
from cop_core.statistics.slope import fit_profile
from cop_core.statistics.usable_depth import level_depth, usable_depth_of
from cop_core.statistics.verdict_of_stack import verdict_of_profile


def analyse(
    profile: DepthProfile, name: str | None = None, *, level: float = USABLE_STRENGTH
) -> AnalysedProfile:
    """Compute slopes, bends, usable depth, photons and caveats of a profile.

    Parameters
    ----------
    profile : DepthProfile
        The planes.
    name : str, optional
        Name to use instead of the profile's own.
    level : float
        Poisson strength up to which shot noise is usable.
    """
    name = name or profile.name or "stack"
    lines, log_ratios = fit_profile(profile), log_ratio_fits(profile)
    said = [*profile_caveats(profile, lines, log_ratios), detector_caveat(profile)]
    found = AnalysedProfile(
        name=name,
        profile=profile,
        lines=lines,
        log_ratios=log_ratios,
        bends=find_bends(profile),
        usable=usable_depth(profile, level),
        photons=photons_of(profile),
        cap_depth_um=cap_depth_um(profile.depth_um, profile.power),
        caveats=tuple(f"{name}: {text}" for text in said if text),
    )
    return replace(found, verdict=verdict_of_profile(found))


def usable_depth(profile: DepthProfile, level: float) -> UsableDepth:
    """Return how deep a stack can be used, judged by itself."""
    reached = level_depth(profile, level, samples=N_BOOTSTRAP, seed=0)
    return usable_depth_of(profile, reached, level)


def analyse_all(
    profiles: Sequence[DepthProfile], *, level: float = USABLE_STRENGTH
) -> tuple[AnalysedProfile, ...]:
    """Analyse profiles that are shown together, under distinct names."""
    names = distinct_names(profiles)
    return tuple(analyse(p, name, level=level) for p, name in zip(profiles, names, strict=True))
