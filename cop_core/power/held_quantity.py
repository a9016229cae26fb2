"""A quantity that power can hold constant over depth: the signal, or a noise component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.components import spoken
from cop_core.errors import InputError, option
from cop_core.power.tissue import TissueCourse, follow_tissue
from cop_core.recipes.power_options import FAINTEST, STRONGEST
from cop_core.statistics import autocorrelation
from cop_core.statistics.piecewise import PiecewiseFit

if TYPE_CHECKING:
    from collections.abc import Collection

    from cop_core.power.attenuation import Attenuation
    from cop_core.power.bright_signal import BrightSignal
    from cop_core.records import DepthProfile, WeightsUsed

Array = npt.NDArray[np.float64]

SIGNAL: Final = "signal"
"""Name of the signal, beside the names of components."""

SIGNAL_EXPONENTS: Final = {"poisson": -0.5, "gaussian": -1.0, "quantization": -1.0}
"""Strength is proportional to this power of the signal if each plane is normalised by itself.

A plane's range R is proportional to its signal. In the microscopy genome the Poisson strength is s
= 2 / sqrt(N) with N, the photons at full scale, proportional to R; amplifier noise and the
converter's step are fixed in counts, so their strengths are proportional to 1 / R.
"""


@dataclass(frozen=True)
class HeldQuantity:
    """A quantity Q of a plane as a function of depth and power: log Q = g(z) + t(z) + m log P.

    Attributes
    ----------
    name : str
        ``"signal"`` (bright signal in counts) or a component (strength from 0 to 1).
    exponent : float
        m: n for the signal of n-photon excitation, -n / 2 for Poisson noise.
    fit : PiecewiseFit
        g, one straight piece a layer.
    measured : ndarray of shape (planes,)
        Q of every plane of the stack; NaN where it is not in the fit.
    drift : float
        For a component: strength over what the signal explains, deepest plane over shallowest;
        1 where it follows the signal alone.
    tissue : TissueCourse or None
        t, the contribution of the stack's tissue; None if the law alone is held.
    """

    name: str
    exponent: float
    fit: PiecewiseFit
    measured: Array
    drift: float = 1.0
    tissue: TissueCourse | None = None

    @property
    def label(self) -> str:
        """Its name: ``"signal"`` or, for example, ``"shot noise"``."""
        return SIGNAL if self.name == SIGNAL else f"{spoken(self.name)} noise"

    @property
    def subject(self) -> str:
        """Its name in a sentence: ``"the signal"``, but ``"shot noise"``."""
        return f"the {SIGNAL}" if self.name == SIGNAL else self.label

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        if self.name == SIGNAL:
            return f"{value:.4g} counts"
        strongest = f"over {100 * STRONGEST:.0f} %"
        text = f"{100 * value:.1f}".removesuffix(".0")
        return f"{text} %" if value <= STRONGEST else strongest

    def at(self, depth_um: npt.ArrayLike, power: npt.ArrayLike) -> Array:
        """Return Q expected at depths in µm and powers; a strength is 1 at most."""
        gain = self.exponent * np.log(np.asarray(power, np.float64))
        highest = np.inf if self.name == SIGNAL else 1.0
        return np.asarray(np.minimum(np.exp(self._log(depth_um) + gain), highest))

    def power(self, level: float, depth_um: npt.ArrayLike) -> Array:
        """Return the power that gives Q a level at depths in µm."""
        log_power = (np.log(level) - self._log(depth_um)) / self.exponent
        return np.asarray(np.exp(np.minimum(log_power, 700.0)))  # exp overflows above

    def se_at(self, depth_um: npt.ArrayLike, anchor_um: float | None = None) -> Array:
        """Return the standard error of log Q at depths in µm, or of its change from an anchor."""
        law = self.fit.se_at(depth_um, anchor_um)
        return law if self.tissue is None else np.hypot(law, self.tissue.se_at(depth_um, anchor_um))

    def _log(self, depth_um: npt.ArrayLike) -> Array:
        """Return log Q at a power of 1."""
        law = self.fit.at(depth_um)
        return law if self.tissue is None else law + self.tissue.at(depth_um)


def hold_signal(found: Attenuation, follow_um: float = 0.0) -> HeldQuantity:
    """Return the bright signal as held quantity, with the tissue smoothed over a depth in µm."""
    measured = np.where(found.used, found.counts, np.nan)
    tissue = follow_tissue(found.fit.depth_um, found.fit.residual, follow_um)
    return HeldQuantity(SIGNAL, float(found.order), found.fit, measured, tissue=tissue)


def hold_component(
    profile: DepthProfile, component: str, found: Attenuation, follow_um: float = 0.0
) -> HeldQuantity:
    """Return a component's strength as held quantity.

    The strength of every plane is taken as c S^b, with b from `SIGNAL_EXPONENTS` and S the
    signal as its fit has it; c is the median over the planes.

    Parameters
    ----------
    profile : DepthProfile
        Of the same stack at the same power, read with weights of a genome whose photon noise is
        physical, and its planes normalised each by itself.
    component : str
        A key of `SIGNAL_EXPONENTS`.
    found : Attenuation
        Of the same stack.
    follow_um : float
        Depth over which deviations of the strength are smoothed and added; 0 for none.

    Raises
    ------
    InputError
        If the profile is not such a one or lacks the component, or fewer than 8 planes have a
        strength between 2 and 40 % within the depths of the fit.
    """
    require_profile(profile, component)
    _require_same_stack(profile, found.signal)
    b, signal = SIGNAL_EXPONENTS[component], hold_signal(found)
    strength, power, depth = profile.of(component), profile.power, profile.depth_um
    with np.errstate(invalid="ignore"):
        use = profile.kept & (strength >= FAINTEST) & (strength <= STRONGEST) & (power > 0)
        use &= (depth >= found.fit.depth_um[0]) & (depth <= found.fit.depth_um[-1])
    if use.sum() < autocorrelation.MIN_PLANES:
        raise InputError(
            f"{int(use.sum())} planes have {spoken(component)} noise of 2 to 40 % "
            f"at a known power, but {autocorrelation.MIN_PLANES} are needed",
            where=profile.name,
            advice="hold the signal instead",
        )
    ratio = np.log(strength[use]) - b * np.log(signal.at(depth[use], power[use]))
    c, error = float(np.median(ratio)), _error_of_mean(depth[use], ratio)
    fit = signal.fit.scaled(b, c, error)
    measured = np.where(use, strength, np.nan)
    trend = float(np.polyfit(depth[use], ratio, 1)[0] * np.ptp(depth[use]))
    tissue = follow_tissue(depth[use], ratio - c, follow_um)
    return HeldQuantity(component, b * found.order, fit, measured, float(np.exp(trend)), tissue)


def _error_of_mean(depth_um: Array, values: Array) -> float:
    """Return the standard error of a mean over correlated planes."""
    order = np.argsort(depth_um, kind="stable")
    gap = autocorrelation.gaps(depth_um[order])
    rho = autocorrelation.estimate_rho(np.ones((len(values), 1)), values[order], gap)
    weights = np.full(len(values), 1 / len(values))
    return float(values.std(ddof=1) * np.sqrt(autocorrelation.quadratic_form(weights, rho, gap)))


def require_profile(profile: DepthProfile, component: str) -> None:
    """Refuse a component that cannot be held by a profile; see `require_holdable`."""
    require_holdable(
        component,
        profile.components,
        profile.weights,
        profile.reading.normalisation,
        where=profile.name,
    )


def require_holdable(
    component: str,
    components: Collection[str],
    weights: WeightsUsed | None,
    normalisation: str,
    *,
    where: str,
) -> None:
    """Refuse a component that cannot be held by what some weights read with a normalisation.

    Raises
    ------
    InputError
        As in `hold_component`, but without reading anything.
    """
    if component not in components:
        raise InputError(f"its strengths have no {component}", where=where)
    if not normalisation.startswith("plane-"):
        raise InputError(
            f"with {normalisation}, strengths do not follow the signal of their plane",
            where=where,
            advice=f"read it with {option('normalisation', 'plane-percentile')}",
        )
    if weights is None or not weights.physical:
        name = f"the weights {weights.name!r}" if weights else "weights that it does not name"
        raise InputError(
            f"it is not known how strengths read with {name} change with power",
            where=where,
            advice="read it with weights of the microscopy genome, such as default, or hold the "
            "signal instead",
        )


def _require_same_stack(profile: DepthProfile, signal: BrightSignal) -> None:
    """Refuse a profile whose planes are not all in a stack: c is of depth, power and its unit."""
    here = np.isclose(profile.depth_um[:, None], signal.depth_um)
    here &= np.isclose(profile.power[:, None], signal.power, equal_nan=True)
    if profile.power_unit != signal.power_unit or not here.any(axis=1).all():
        raise InputError(
            f"its planes do not have the depths and powers ({signal.power_unit}) of the stack "
            f"{signal.name}",
            where=f"profile {profile.name}",
            advice="use a profile that was read from this stack, opened with the same options",
        )
