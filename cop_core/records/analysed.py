"""A profile with all that was worked out from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cop_core.records.lines import Bend, Photons, SlopeFit
from cop_core.records.plane_columns import plane_frame, plane_rows
from cop_core.records.profile import DepthProfile
from cop_core.records.usable_depth import UsableDepth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import pandas as pd

_NAN = float("nan")


@dataclass(frozen=True)
class AnalysedProfile:
    """A profile with everything computed from it.

    Attributes
    ----------
    name : str
        Name of the profile, distinct from those of others shown with it.
    profile : DepthProfile
        The planes.
    lines, log_ratios : dict of str to SlopeFit
        By component: the line through the strengths, and through their centred log-ratios.
    bends : dict of str to Bend
        For each component, where its curve bends most.
    usable : UsableDepth
    photons : Photons or None
        None for weights whose strengths are not SDs.
    cap_depth_um : float
        Depth beyond which the power stays at its maximum; NaN if it does not.
    caveats : tuple of str
        Caveats, sentences without a full stop.
    verdict : str
        The conclusion, in a sentence or two.
    sensitivity : dict
        Lines of the same stack read with other normalisations, by their names.
    """

    name: str
    profile: DepthProfile
    lines: dict[str, SlopeFit]
    log_ratios: dict[str, SlopeFit]
    bends: dict[str, Bend]
    usable: UsableDepth
    photons: Photons | None
    cap_depth_um: float
    caveats: tuple[str, ...]
    verdict: str = ""
    sensitivity: dict[str, dict[str, SlopeFit]] = field(default_factory=dict)

    @property
    def analysed(self) -> tuple[AnalysedProfile, ...]:
        """Return this profile in a tuple; a comparison has two."""
        return (self,)

    def plane_rows(self) -> Iterator[list[Any]]:
        """Yield the values of planes.csv, plane by plane."""
        profile = self.profile
        return plane_rows(self.name, profile.planes, profile.components, self.photons)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per plane, planes left out included, with the columns of planes.csv."""
        return plane_frame(self.plane_rows(), self.profile.components)
