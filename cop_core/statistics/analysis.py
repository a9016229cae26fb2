"""All that is worked out from a profile, once."""

from __future__ import annotations

from collections.abc import Sequence

from cop_core.records import AnalysedProfile, DepthProfile, distinct_names
from cop_core.statistics.breaks import break_fits
from cop_core.statistics.caveats import profile_caveats
from cop_core.statistics.depths import cap_depth_um
from cop_core.statistics.log_ratios import log_ratio_fits
from cop_core.statistics.photons import detector_caveat, photons_of
from cop_core.statistics.slope import fit_profile


def analyse(profile: DepthProfile, name: str | None = None) -> AnalysedProfile:
    """Work out lines, breaks, photons and caveats of a profile, under a name if not its own."""
    name = name or profile.name or "stack"
    lines, log_ratios = fit_profile(profile), log_ratio_fits(profile)
    photons = photons_of(profile)
    said = [*profile_caveats(profile, lines, log_ratios), detector_caveat(profile, photons)]
    return AnalysedProfile(
        name=name,
        profile=profile,
        lines=lines,
        log_ratios=log_ratios,
        breaks=break_fits(profile),
        photons=photons,
        cap_depth_um=cap_depth_um(profile.depth_um, profile.power),
        caveats=tuple(f"{name}: {text}" for text in said if text),
    )


def analyse_all(profiles: Sequence[DepthProfile]) -> tuple[AnalysedProfile, ...]:
    """Analyse profiles that are shown together, under distinct names."""
    names = distinct_names(profiles)
    return tuple(analyse(p, name) for p, name in zip(profiles, names, strict=True))
