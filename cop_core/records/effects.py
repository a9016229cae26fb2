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

CURVED_P = 0.05
"""A line is called curved where the terms above it have a smaller p ..."""
CURVED_R2 = 0.05
"""... and explain more of the variance than this."""


@dataclass(frozen=True)
class SlopeFit:
    """A line through plane means.

    The slope is that of ordinary least squares, as in the paper. Its standard error, interval and
    p value are those of this slope under AR(1) errors around a smooth curve
    (`cop_core.statistics.smooth_curve` has the choice and how often it is wrong), with a t
    distribution. So they say how well the slope of the best straight line is known; whether a
    straight line describes the planes is for `r2_curve` and `p_curved`. NaN means undefined, with
    the reason in `note`.

    Attributes
    ----------
    slope_per_um, intercept : float
        Change of strength per um, and strength at depth 0.
    r2 : float
        Share of the variance that the line explains.
    se, slope_ci95, p_value
        Standard error, 95 % confidence interval and two-sided p of the slope, AR(1) errors.
    se_ols, ci95_ols, p_value_ols
        The same with planes taken as independent (the paper's).
    rho : float
        Correlation of neighbouring planes around a smooth curve (restricted maximum likelihood,
        raised against its bias in short stacks).
    n : int
        Planes that entered.
    n_effective : float
        ``n (1 - rho) / (1 + rho)``, the independent planes they are worth.
    degree : int
        Degree of the polynomial that the smooth curve is; 0 where there is none.
    r2_curve, p_curved : float
        Share of the variance that the curve explains, and p of its terms above the line (F test,
        AR(1) errors).
    dof : float
        Degrees of freedom of `p_value` and `slope_ci95`.
    note : str
        What the reader must know of this fit; empty for an ordinary one.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4.
    """

    slope_per_um: float = _NAN
    intercept: float = _NAN
    r2: float = _NAN
    se: float = _NAN
    slope_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    se_ols: float = _NAN
    ci95_ols: Interval = UNKNOWN
    p_value_ols: float = _NAN
    rho: float = _NAN
    n: int = 0
    n_effective: float = _NAN
    degree: int = 0
    r2_curve: float = _NAN
    p_curved: float = _NAN
    dof: float = _NAN
    note: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a line at all."""
        return bool(np.isfinite(self.slope_per_um))

    @property
    def curved(self) -> bool:
        """Whether a straight line clearly misses how the planes run with depth."""
        return self.p_curved < CURVED_P and self.r2_curve - self.r2 > CURVED_R2

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
class BreakFit:
    """Two lines that meet at a break, errors AR(1) along depth.

    NaN means undefined, with the reason in `note`.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        Depth of the break, and its 95 % interval from the likelihood; it ends with the depths
        searched.
    p_value : float
        p of there being no break (Davies' bound, so rather too large than too small).
    shallow_slope_per_um, deep_slope_per_um : float
        Slopes above and below the break, generalised least squares.
    shallow_ci95, deep_ci95 : (float, float)
        Their 95 % intervals, the break taken as known.
    rho : float
        Correlation of neighbouring planes around the two lines.
    note : str
        What the reader must know; empty for an ordinary fit.

    References
    ----------
    .. [1] J. D. Toms, M. L. Lesperance, "Piecewise regression: a tool for identifying
       ecological thresholds", Ecology 84, 2034 (2003), the interval.
    .. [2] R. B. Davies, "Hypothesis testing when a nuisance parameter is present only under
       the alternative", Biometrika 74, 33 (1987), the test.
    """

    depth_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    p_value: float = _NAN
    shallow_slope_per_um: float = _NAN
    shallow_ci95: Interval = UNKNOWN
    deep_slope_per_um: float = _NAN
    deep_ci95: Interval = UNKNOWN
    rho: float = _NAN
    note: str = ""


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
        left out or the uncertainty of s is too large a share of it.
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
    breaks : dict of str to BreakFit
        Where a line changes its slope, by component.
    photons : Photons or None
        None for weights whose strengths are no SDs.
    cap_depth_um : float
        Depth from which the power stays at its largest value; NaN where it does not.
    caveats : tuple of str
        What to know beside the numbers, sentences without a full stop.
    sensitivity : dict
        Lines of the same stack read with other normalisations, by their names.
    """

    name: str
    profile: DepthProfile
    lines: dict[str, SlopeFit]
    log_ratios: dict[str, SlopeFit]
    breaks: dict[str, BreakFit]
    photons: Photons | None
    cap_depth_um: float
    caveats: tuple[str, ...]
    sensitivity: dict[str, dict[str, SlopeFit]] = field(default_factory=dict)

    @property
    def analysed(self) -> tuple[AnalysedProfile, ...]:
        """Itself alone, as a comparison has two."""
        return (self,)


@dataclass(frozen=True)
class ComponentEffect:
    """What the protocol does to one component.

    Differences are fixed minus gained: a positive slope difference or d means that the component
    grows faster, or is stronger, under the fixed protocol. NaN means undefined.

    Attributes
    ----------
    fixed, gained : SlopeFit
        The lines of the two profiles.
    slope_difference_per_um, se, ci95
        Difference of the two slopes per um, its standard error and 95 % interval, by the
        comparison's errors.
    p_value : float
        p of the depth x protocol interaction by the comparison's rule and errors.
    p_value_ar1, p_value_naive : float
        The same with AR(1) errors of each stack, and by the t-test that takes planes as
        independent.
    p_holm : float
        `p_value` after Holm's correction over the noise components; NaN for clean.
    cohen_d, hedges_g : float
        Difference of the means over all kept planes in pooled SDs of plane means.
    cohen_d_ci95, f2_ci95 : (float, float)
        95 % intervals from a bootstrap that keeps depths and curves.
    cohen_d_class, f2_class : str
        Classes, that of d by the comparison's rule.
    f2 : float
        Cohen's f2 of the interaction.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        p of each slope, and of their difference, being no smaller than the margin; NaN without
        one, and for the difference where its error has no t distribution.
    log_ratio_slope_difference_per_um, log_ratio_ci95, log_ratio_p_value
        Slope difference of the centred log-ratios (free of closure), AR(1) errors.
    """

    component: str
    fixed: SlopeFit
    gained: SlopeFit
    slope_difference_per_um: float
    se: float
    ci95: Interval
    p_value: float
    p_value_ar1: float
    p_value_naive: float
    p_holm: float
    cohen_d: float
    cohen_d_ci95: Interval
    cohen_d_class: str
    hedges_g: float
    f2: float
    f2_class: str
    f2_ci95: Interval = UNKNOWN
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN
    log_ratio_slope_difference_per_um: float = _NAN
    log_ratio_ci95: Interval = UNKNOWN
    log_ratio_p_value: float = _NAN


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
    """

    fixed: AnalysedProfile
    gained: AnalysedProfile
    effects: tuple[ComponentEffect, ...]
    options: ComparisonOptions
    caveats: tuple[str, ...]

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
class MixedFit:
    """Slopes of two arms from a linear mixed model, by restricted maximum likelihood.

    ``strength ~ depth * arm`` with a random level and slope for each stack. Planes of a stack are
    correlated; the random slopes take that up. Where an animal has several stacks, the stacks'
    slopes are fitted, ``slope ~ arm`` with a random level for each animal.

    Attributes
    ----------
    fixed_slope_per_um, gained_slope_per_um : float
        Slope of each arm; with standard errors and 95 % intervals.
    slope_difference_per_um, se, ci95, p_value
        Fixed minus gained.
    dof : float
        Degrees of freedom of all intervals and p: stacks (or animals) beyond those that the two
        arms use up. The normal distribution of most software is too bold for few stacks.
    n_stacks, n_animals, n_planes : int
        What entered; `n_animals` is 0 where animals are not stated.
    note : str
        What the reader must know; empty for an ordinary fit.

    References
    ----------
    .. [1] N. M. Laird, J. H. Ware, "Random-effects models for longitudinal data", Biometrics
       38, 963 (1982).
    """

    fixed_slope_per_um: float = _NAN
    fixed_se: float = _NAN
    fixed_ci95: Interval = UNKNOWN
    gained_slope_per_um: float = _NAN
    gained_se: float = _NAN
    gained_ci95: Interval = UNKNOWN
    slope_difference_per_um: float = _NAN
    se: float = _NAN
    dof: float = _NAN
    ci95: Interval = UNKNOWN
    p_value: float = _NAN
    n_stacks: int = 0
    n_animals: int = 0
    n_planes: int = 0
    note: str = ""


@dataclass(frozen=True)
class ArmsEffect:
    """What the protocol does to one component, over stacks.

    Differences are fixed minus gained. NaN means undefined.

    Attributes
    ----------
    model : MixedFit
        Slopes of both arms and their difference.
    p_holm : float
        The difference's p after Holm's correction over the noise components.
    cohen_d, hedges_g : float
        Difference of the arms' means in pooled SDs of the units' means (a unit is an animal's
        stacks in one arm, or a stack where animals are not stated).
    cohen_d_ci95 : (float, float)
        95 % interval of d, units taken as independent.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        p of each arm's slope, and of their difference, being no smaller than the margin; NaN
        without one.
    """

    component: str
    model: MixedFit
    p_holm: float
    cohen_d: float
    cohen_d_ci95: Interval
    cohen_d_class: str
    hedges_g: float
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN

    @property
    def p_value(self) -> float:
        """Two-sided p of the difference of slopes."""
        return self.model.p_value

    @property
    def slope_difference_per_um(self) -> float:
        """Difference of slopes per um."""
        return self.model.slope_difference_per_um

    @property
    def ci95(self) -> Interval:
        """95 % interval of the difference of slopes."""
        return self.model.ci95


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
    """

    fixed: tuple[DepthProfile, ...]
    gained: tuple[DepthProfile, ...]
    animals: tuple[Hashable, ...] | None
    effects: tuple[ArmsEffect, ...]
    caveats: tuple[str, ...]

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed[0].components

    def of(self, component: str) -> ArmsEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]
