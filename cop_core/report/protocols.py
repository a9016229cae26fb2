"""What a report is about: one or two profiles with their lines, under distinct names."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.components import CLEAN
from cop_core.statistics.caveats import profile_caveats
from cop_core.statistics.compare import Comparison
from cop_core.statistics.profile import DepthProfile, distinct_names
from cop_core.statistics.slope import SlopeFit

Result = DepthProfile | Comparison

_LABELS = {
    "gaussian": "Gaussian",
    "salt_pepper": "Salt & pepper",
    "poisson": "Poisson",
    "quantization": "Quantization",
    "anisotropic": "Anisotropic",
    CLEAN: "Clean",
}


@dataclass(frozen=True)
class Protocol:
    """One profile as the report shows it.

    Attributes
    ----------
    name : str
        The profile's name, made distinct where two share one.
    profile : DepthProfile
        The profile.
    fits : dict of str to SlopeFit
        The line of every component.
    """

    name: str
    profile: DepthProfile
    fits: dict[str, SlopeFit]


def protocols(result: Result) -> tuple[Protocol, ...]:
    """Return the one or two protocols of a result, with the lines already fitted.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What is reported.
    """
    if isinstance(result, DepthProfile):
        return (Protocol(result.name or "stack", result, result.fits),)
    names = distinct_names(result.profiles)
    fixed = {effect.component: effect.fixed for effect in result.effects}
    gained = {effect.component: effect.gained for effect in result.effects}
    return (
        Protocol(names[0], result.fixed, fixed),
        Protocol(names[1], result.gained, gained),
    )


def warnings_of(result: Result) -> tuple[str, ...]:
    """Return what the reader must be told beside the numbers.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What is reported.
    """
    if isinstance(result, Comparison):
        return result.warnings
    (only,) = protocols(result)
    return profile_caveats(only.name, only.profile, only.fits)


def noises(components: tuple[str, ...]) -> tuple[str, ...]:
    """Return the components without clean."""
    return tuple(c for c in components if c != CLEAN)


def label(component: str) -> str:
    """Return a component's name as a figure or table shows it."""
    return _LABELS.get(component, component.replace("_", " ").capitalize())
