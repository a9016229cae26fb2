"""Lines over depth, and what differs between protocols: what the statistics found."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cop_core.recipes import ComparisonOptions
from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.profile import DepthProfile

_NAN = float("nan")


@dataclass(frozen=True)
class SlopeFit:
    """How a strength changes with depth.

    The slope is that of ordinary least squares, as in the paper: a weighted mean
    derivative, whether or not the planes run along a line. Its standard error, interval and p value
    are those of this slope where the tissue is imaged again (`cop_core.statistics.contrast`). NaN
    means undefined, with the reason in `note`.

    Attributes
    ----------
    slope_per_um, intercept : float
        Change of strength per um, and strength of the line at depth 0.
    r2, r2_ci95 : float, (float, float)
        Share of the variance that a straight line explains, and its 95 % interval. A lower limit of
        0 says that only the upper one is known.
    se, slope_ci95, p_value, dof
        Standard error, 95 % interval, two-sided p and degrees of freedom of the slope.
    reading_limit_per_um : float
        Slope that a bias of the readings as large as their stated uncertainty could make; NaN where
        the weights state none.
    se_ols, ci95_ols, p_value_ols
        The same around a straight line (the paper's).
    n : int
        Planes that entered.
    block_planes : int
        Neighbours that were averaged, as their errors are alike; 1 for none.
    note : str
        What the reader must know of this fit; empty for an ordinary one.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4.
    """

    slope_per_um: float = _NAN
    intercept: float = _NAN
    r2: float = _NAN
    r2_ci95: Interval = UNKNOWN
    se: float = _NAN
    slope_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    dof: float = _NAN
    reading_limit_per_um: float = _NAN
    se_ols: float = _NAN
    ci95_ols: Interval = UNKNOWN
    p_value_ols: float = _NAN
    n: int = 0
    block_planes: int = 1
    note: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a line at all."""
        return bool(np.isfinite(self.slope_per_um))

    def at(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the line's strength at depths in um, same shape."""
        return np.asarray(self.intercept + self.slope_per_um * np.asarray(depth_um, np.float64))


@dataclass(frozen=True)
class Band:
    """A curve along depth, smoothed by local lines, with its 95 % band for all depths at once.

    Attributes
    ----------
    depth_um : ndarray of shape (points,)
        None where the planes are too few, or reach over too little depth, for a smooth.
    value, low, high : ndarray of shape (points,)
    """

    depth_um: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    value: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    low: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    high: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def from_um(self) -> float:
        """Shallowest depth at which the band excludes 0; NaN where it nowhere does."""
        apart = np.flatnonzero((self.low > 0) | (self.high < 0))
        return float(self.depth_um[apart[0]]) if len(apart) else _NAN


@dataclass(frozen=True)
class Bend:
    """Where a smoothed curve over depth changes its slope most.

    NaN means undefined, with the reason in `note`.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        Depth of the bend, and its 95 % interval from a bootstrap.
    p_value : float
        p of there being no bend at any depth (studentised bootstrap of the largest).
    shallow_slope_per_um, deep_slope_per_um : float
        Slopes of the smooth above and below the bend.
    note : str
        Empty for an ordinary one.
    """

    depth_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    p_value: float = _NAN
    shallow_slope_per_um: float = _NAN
    deep_slope_per_um: float = _NAN
    note: str = ""


@dataclass(frozen=True)
class DepthLimit:
    """How deep a stack can be used by one criterion; NaN where it is not known.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        The limit and its 95 % interval; an end of it is NaN where it lies beyond the planes.
    deeper_than_um : float
        Depth of the last plane, where the limit lies deeper.
    shallower_than_um : float
        Depth of the first plane, where it lies above that.
    reading_shift_um : float
        How far the stated uncertainty of one plane's reading would move it.
    """

    depth_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    deeper_than_um: float = _NAN
    shallower_than_um: float = _NAN
    reading_shift_um: float = _NAN


@dataclass(frozen=True)
class TissueMatch:
    """How alike two stacks look at equal depths.

    Attributes
    ----------
    correlation : float
        Median over planes of the correlation of block means, after alignment.
    shift_um : (float, float)
        By how much the second stack lies further along y and x; NaN without a pixel size.
    """

    correlation: float = _NAN
    shift_um: Interval = UNKNOWN


@dataclass(frozen=True)
class UsableDepth:
    """How deep a stack can be used.

    Attributes
    ----------
    level : DepthLimit
        Where shot noise rises through a level.
    signal : DepthLimit
        The last plane with signal.
    at_strength : float
        The level, a Poisson strength from 0 to 1.
    level_power_mw : float
        Power at the level depth; NaN where it is not stated.
    """

    level: DepthLimit
    signal: DepthLimit
    at_strength: float
    level_power_mw: float = _NAN

    @property
    def photons(self) -> float:
        """Photons at full scale that make the level."""
        return 4 / self.at_strength**2


@dataclass(frozen=True)
class Photons:
    """What strengths say of the detector, plane by plane.

    The full scale of a plane is R counts wide, of which 4 / s^2 photons make the Poisson strength
    s: a photon is R s^2 / 4 counts, the slope of a photon transfer curve, excess noise included.
    A Gaussian strength s is an amplifier of SD R s / 2 counts. SDs follow those of the strengths
    to first order.

    Attributes
    ----------
    at_full_scale : ndarray of shape (planes,)
        Photons that reach the top of a plane's range. Here and in `counts` NaN where the plane is
        left out, the detector's zero is not known, or the uncertainty of s is too large a share
        of it.
    counts, counts_sd : ndarray of shape (planes,)
        Counts per photon.
    amplifier_counts, amplifier_counts_sd : ndarray of shape (planes,)
        SD of the amplifier's noise in counts; NaN where the plane is left out.
    """

    at_full_scale: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    counts_sd: npt.NDArray[np.float64]
    amplifier_counts: npt.NDArray[np.float64]
    amplifier_counts_sd: npt.NDArray[np.float64]


@dataclass(frozen=True)
class AnalysedProfile:
    """A profile with all that was worked out from it, once.

    Attributes
    ----------
    name : str
        The profile's name, distinct from others' that it is shown with.
    profile : DepthProfile
        The planes.
    lines, log_ratios : dict of str to SlopeFit
        By component: the line through the strengths, and through their centred log-ratios.
    bends : dict of str to Bend
        Where the curve of a component bends most.
    usable : UsableDepth
    photons : Photons or None
        None for weights whose strengths are no SDs.
    cap_depth_um : float
        Depth from which the power stays at its largest value; NaN where it does not.
    caveats : tuple of str
        What to know beside the numbers, sentences without a full stop.
    verdict : str
        What it comes to, in a sentence or two.
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
        """Itself alone, as a comparison has two."""
        return (self,)


@dataclass(frozen=True)
class ComponentEffect:
    """What the protocol does to one component, over the depths that both stacks keep.

    Differences are first minus second: a positive slope difference or d means that the component
    grows faster, or is stronger, under the first protocol. NaN means undefined.

    Attributes
    ----------
    fixed, gained : SlopeFit
        The slopes of the two stacks over these depths.
    slope_difference_per_um, se, dof, slope_difference_ci95, p_value
        Difference of the slopes; the p value is by the comparison's rule.
    p_holm : float
        `p_value` after Holm's correction over the noise components; NaN for clean.
    reading_limit_per_um : float
        Slope difference that a bias of the readings as large as their stated uncertainty could
        make; NaN where the weights state none.
    called : bool
        Whether `p_holm` is below 0.05 and the difference above the reading limit. Where not,
        nothing is said, not even that there is no difference.
    mean_difference, mean_difference_ci95, mean_p_value, mean_p_holm
        Of the mean over the planes, as of the slope.
    mean_reading_limit, mean_called
        Likewise.
    band : Band
        The difference along depth.
    p_value_naive : float
        p of the interaction of depth and protocol, planes taken as independent of each other around
        straight lines (the paper's).
    cohen_d, hedges_g : float
        Difference of the means in pooled SDs of plane means.
    cohen_d_ci95 : (float, float)
        95 % interval of d of the expected readings.
    cohen_d_class, f2_class : str
        Classes. That of d is of the end of its interval that is nearer to 0, by the comparison's
        rule; none below the reading limit.
    f2 : float
        Cohen's f2 of the interaction.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        p of each slope, and of their difference, being no smaller than the margin, reading limit
        included; NaN without a margin.
    log_ratio_slope_difference_per_um, log_ratio_ci95, log_ratio_p_value
        Slope difference of the centred log-ratios, which is free of closure.
    block_planes : int
        Neighbours that were averaged, as their errors are alike; 1 for none.
    """

    component: str
    fixed: SlopeFit
    gained: SlopeFit
    slope_difference_per_um: float = _NAN
    se: float = _NAN
    dof: float = _NAN
    slope_difference_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    p_holm: float = _NAN
    reading_limit_per_um: float = _NAN
    called: bool = False
    mean_difference: float = _NAN
    mean_difference_ci95: Interval = UNKNOWN
    mean_p_value: float = _NAN
    mean_p_holm: float = _NAN
    mean_reading_limit: float = _NAN
    mean_called: bool = False
    band: Band = field(default_factory=Band)
    p_value_naive: float = _NAN
    cohen_d: float = _NAN
    cohen_d_ci95: Interval = UNKNOWN
    cohen_d_class: str = ""
    hedges_g: float = _NAN
    f2: float = _NAN
    f2_class: str = ""
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN
    log_ratio_slope_difference_per_um: float = _NAN
    log_ratio_ci95: Interval = UNKNOWN
    log_ratio_p_value: float = _NAN
    block_planes: int = 1

    @property
    def differs_from_um(self) -> float:
        """Shallowest depth at which the band excludes 0; NaN where it nowhere does."""
        return self.band.from_um


@dataclass(frozen=True)
class UsableDifference:
    """How much deeper the first stack can be used than the second; NaN where not known.

    Attributes
    ----------
    level_um, level_ci95_um : float, (float, float)
        Of the level depths. An end that lies beyond the planes of a stack is infinite.
    signal_um, signal_ci95_um : float, (float, float)
        Of the signal depths.
    """

    level_um: float = _NAN
    level_ci95_um: Interval = UNKNOWN
    signal_um: float = _NAN
    signal_ci95_um: Interval = UNKNOWN


@dataclass(frozen=True)
class Comparison:
    """Two protocols and what differs between them.

    Attributes
    ----------
    fixed, gained : AnalysedProfile
        In the order they were given.
    effects : tuple of ComponentEffect
        One for each component, in the profiles' order, clean included.
    options : ComparisonOptions
        How they were compared.
    caveats : tuple of str
        What to know beside the numbers, those of both profiles included.
    window_um : (float, float)
        The depths that both keep.
    n_pairs, n_dropped : int
        Pairs of planes within them, and planes there without a partner that has a number.
    match : TissueMatch
        How alike the stacks look.
    same_tissue : bool
        Whether they are taken to show one tissue.
    usable : (UsableDepth, UsableDepth)
        How deep each can be used; what both stacks share is no error where the tissue is the same.
    usable_difference : UsableDifference
    verdict : str
        What it comes to, in a few sentences.
    """

    fixed: AnalysedProfile
    gained: AnalysedProfile
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

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed.profile.components

    @property
    def analysed(self) -> tuple[AnalysedProfile, ...]:
        """Both profiles."""
        return self.fixed, self.gained

    def of(self, component: str) -> ComponentEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]


Result = AnalysedProfile | Comparison


@dataclass(frozen=True)
class ArmsEffect:
    """What the protocol does to one component, over animals (or stacks, where none are stated).

    Differences are first minus second. NaN means undefined.

    Attributes
    ----------
    fixed_slope_per_um, gained_slope_per_um : float
        Mean slope of each arm; with 95 % intervals.
    slope_difference_per_um, se, dof, slope_difference_ci95, p_value
        Paired t test where each animal has both arms, Welch's otherwise.
    p_holm, reading_limit_per_um, called
        As of `ComponentEffect`.
    mean_difference, mean_difference_ci95, mean_p_value, mean_p_holm
        Of the mean over the planes, as of the slope.
    mean_reading_limit, mean_called
        Likewise.
    cohen_d, hedges_g, cohen_d_ci95, cohen_d_class
        Difference of the arms' means in pooled SDs of the animals' means; units taken as
        independent.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        As of `ComponentEffect`.
    """

    component: str
    fixed_slope_per_um: float = _NAN
    fixed_ci95: Interval = UNKNOWN
    gained_slope_per_um: float = _NAN
    gained_ci95: Interval = UNKNOWN
    slope_difference_per_um: float = _NAN
    se: float = _NAN
    dof: float = _NAN
    slope_difference_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    p_holm: float = _NAN
    reading_limit_per_um: float = _NAN
    called: bool = False
    mean_difference: float = _NAN
    mean_difference_ci95: Interval = UNKNOWN
    mean_p_value: float = _NAN
    mean_p_holm: float = _NAN
    mean_reading_limit: float = _NAN
    mean_called: bool = False
    cohen_d: float = _NAN
    cohen_d_ci95: Interval = UNKNOWN
    cohen_d_class: str = ""
    hedges_g: float = _NAN
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN


@dataclass(frozen=True)
class ArmsDepth:
    """How deep each arm can be used, by one criterion, and how much deeper the first.

    Attributes
    ----------
    fixed_um, gained_um : float
        Mean over the animals that tell.
    difference_um, ci95_um, p_value
        First minus second, by the same test as slopes.
    n_untold : int
        Stacks left out, as their limit lies beyond their planes or is not known.
    """

    fixed_um: float = _NAN
    gained_um: float = _NAN
    difference_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    p_value: float = _NAN
    n_untold: int = 0


@dataclass(frozen=True)
class ArmsComparison:
    """Two arms of several stacks each, and what differs between them.

    Attributes
    ----------
    fixed, gained : tuple of DepthProfile
        The stacks of both arms.
    animals : tuple of hashable or None
        Whose each stack is, fixed ones first; None where not stated.
    effects : tuple of ArmsEffect
        One for each component, clean included.
    caveats : tuple of str
        What to know beside the numbers.
    window_um : (float, float)
        The depths that all stacks keep.
    paired : bool
        Whether each animal has both arms.
    n_units : (int, int)
        Animals (or stacks, where none are stated) in each arm.
    level, signal : ArmsDepth
    at_strength : float
        The level, a Poisson strength.
    verdict : str
    """

    fixed: tuple[DepthProfile, ...]
    gained: tuple[DepthProfile, ...]
    animals: tuple[Hashable, ...] | None
    effects: tuple[ArmsEffect, ...]
    caveats: tuple[str, ...]
    window_um: Interval
    paired: bool
    n_units: tuple[int, int]
    level: ArmsDepth
    signal: ArmsDepth
    at_strength: float
    verdict: str = ""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed[0].components

    def of(self, component: str) -> ArmsEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]
