"""Records of a comparison of two stacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from cop_core.recipes import ComparisonOptions
from cop_core.records.analysed import AnalysedProfile
from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.difference import ComponentDifference
from cop_core.records.lines import Band, SlopeFit
from cop_core.records.plane_columns import plane_frame
from cop_core.records.usable_depth import UsableDepth, UsableDifference
from cop_core.records.views import StackViews

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")


@dataclass(frozen=True)
class ComponentEffect:
    """Effect of the protocol on one component, over the compared depths.

    NaN means undefined.

    Attributes
    ----------
    first, second : SlopeFit
        The slopes of the two stacks over these depths.
    difference : ComponentDifference
        First minus second.
    band : Band
        The difference along depth.
    p_value_naive : float
        p of the interaction of depth and protocol, with straight lines and independent planes, as
        in the paper.
    f2, f2_class : float, str
        Cohen's f2 of the interaction, and its class.
    log_ratio_slope_difference_per_um, log_ratio_ci95, log_ratio_p_value
        Slope difference of the centred log-ratios, which is not affected by closure.
    error_correlation : float
        Correlation of the reading errors of close neighbouring planes; 0 if errors are independent.
    """

    component: str
    first: SlopeFit
    second: SlopeFit
    difference: ComponentDifference = field(default_factory=ComponentDifference)
    band: Band = field(default_factory=Band)
    p_value_naive: float = _NAN
    f2: float = _NAN
    f2_class: str = ""
    log_ratio_slope_difference_per_um: float = _NAN
    log_ratio_ci95: Interval = UNKNOWN
    log_ratio_p_value: float = _NAN
    error_correlation: float = 0.0

    @property
    def differs_from_um(self) -> float:
        """Shallowest depth at which the band excludes 0; NaN if there is none."""
        return self.band.from_um


@dataclass(frozen=True)
class TissueMatch:
    """Similarity of two stacks at equal depths.

    Attributes
    ----------
    correlation : float
        Median over planes of the correlation of block means, after alignment.
    shift_um : (float, float)
        Shift of the second stack along y and x; NaN without a pixel size.
    """

    correlation: float = _NAN
    shift_um: Interval = UNKNOWN


@dataclass(frozen=True)
class Comparison:
    """Two protocols and their differences.

    Attributes
    ----------
    first, second : AnalysedProfile
        In the order in which they were passed.
    effects : tuple of ComponentEffect
        One for each component, in the profiles' order, clean included.
    options : ComparisonOptions
        How they were compared.
    caveats : tuple of str
        Caveats, those of both profiles included.
    window_um : (float, float)
        The depths at which both have usable planes.
    n_pairs, n_dropped : int
        Pairs of planes within the window, and planes there without a usable partner.
    match : TissueMatch
        Similarity of the stacks.
    same_tissue : bool
        Whether they are assumed to show the same tissue.
    usable : (UsableDepth, UsableDepth)
        Usable depth of each; in the same tissue, variation that both stacks share is not an error.
    usable_difference : UsableDifference
    verdict : str
        The conclusion, in a few sentences.
    views : (StackViews, StackViews) or None
        Images of both, if their stacks were available.
    """

    first: AnalysedProfile
    second: AnalysedProfile
    effects: tuple[ComponentEffect, ...]
    options: ComparisonOptions
    caveats: tuple[str, ...]
    window_um: Interval
    n_pairs: int
    n_dropped: int
    match: TissueMatch
    same_tissue: bool
    usable: tuple[UsableDepth, UsableDepth]
    usable_difference: UsableDifference
    verdict: str = ""
    views: tuple[StackViews, StackViews] | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Of the protocols."""
        return self.first.name, self.second.name

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.first.profile.components

    @property
    def analysed(self) -> tuple[AnalysedProfile, ...]:
        """Both profiles."""
        return self.first, self.second

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each plane of both stacks, with the columns of planes.csv."""
        rows = chain.from_iterable(each.plane_rows() for each in self.analysed)
        return plane_frame(rows, self.components)

    def of(self, component: str) -> ComponentEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]


Result = AnalysedProfile | Comparison
