"""The effective attenuation length of the tissue, from a stack taken at known power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, option
from cop_core.power.bright_signal import BrightSignal, bright_signal
from cop_core.power.layers import fit_layers
from cop_core.power.usable_planes import Offset, commonest, find_offset, log_gain, reasons_of
from cop_core.recipes import Window
from cop_core.recipes.power_options import BRIGHT_SHARE, MOST_BREAKS
from cop_core.statistics import autocorrelation
from cop_core.statistics.piecewise import PiecewiseFit, fit_pieces
from cop_core.words import INFINITE

if TYPE_CHECKING:
    from cop_core.records import DepthProfile
    from cop_core.stacks import Stack

Array = npt.NDArray[np.float64]

ASSUMED_ORDER: Final = 3


@dataclass(frozen=True)
class TissueLayer:
    """One layer and its effective attenuation length, infinite if the signal does not fall."""

    top_um: float
    bottom_um: float
    length_um: float
    length_ci95_um: tuple[float, float]

    @property
    def length_text(self) -> str:
        """The length with its 95 % interval: ``"62 µm [24, ∞]"``."""
        low, high = self.length_ci95_um
        text = f"{self.length_um:.0f} µm [{low:.0f}, {high:.0f}]"
        return text.replace(f"{math.inf}", INFINITE)

    @property
    def text(self) -> str:
        """The length and the depth down to which it applies: ``"300 µm [294, 306] to 835 µm"``."""
        return f"{self.length_text} to {self.bottom_um:.0f} µm"


@dataclass(frozen=True)
class Attenuation:
    """How the signal falls with depth at a power of 1 (mW, or the unit of the file).

    The bright signal S of a plane at power P follows S = S0 P^n exp(-n tau(z)) with tau the
    integral of 1 / l; n photons are absorbed at once [1]_. The log of S / P^n is fitted by a
    straight line, or by one piece per layer.

    Attributes
    ----------
    signal : BrightSignal
    reasons : tuple of str
        Why a plane is not in the fit; empty if it is.
    order : int
        Photons absorbed at once, n.
    order_assumed : bool
        Whether the order was assumed.
    offset : Offset
    fit : PiecewiseFit
        Of log(S / P^n), counts and the unit of the power.

    References
    ----------
    .. [1] T. Wang et al., "Three-photon imaging of mouse brain structure and function through
       the intact skull", Nature Methods 15:789 (2018).
    """

    signal: BrightSignal
    reasons: tuple[str, ...]
    order: int
    offset: Offset
    fit: PiecewiseFit
    order_assumed: bool = False

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """True for the planes in the fit, shape (planes,)."""
        return np.array([not reason for reason in self.reasons], dtype=bool)

    @property
    def counts(self) -> Array:
        """Bright signal without the offset, in counts, shape (planes,)."""
        return np.asarray(self.signal.bright_counts - self.offset.counts)

    @property
    def layers(self) -> tuple[TissueLayer, ...]:
        """The layers from the top."""
        depth = self.fit.depth_um
        edges = [float(depth[0]), *self.fit.breaks_um, float(depth[-1])]
        low, high = self.fit.slopes_ci95_per_um.T
        lengths = map(self._lengths_um, (self.fit.slopes_per_um, low, high))
        rows = zip(edges[:-1], edges[1:], *lengths, strict=True)
        return tuple(
            TissueLayer(top, bottom, length, (low, high)) for top, bottom, length, low, high in rows
        )

    def _lengths_um(self, slopes_per_um: Array) -> list[float]:
        """Return attenuation lengths, infinite where the signal does not fall."""
        return [-self.order / slope if slope < 0 else math.inf for slope in slopes_per_um.tolist()]


def attenuation(
    source: Stack | DepthProfile | BrightSignal,
    *,
    excitation_order: int | None = None,
    offset_counts: float | None = None,
    window_um: Window | None = None,
    most_breaks: int = MOST_BREAKS,
    share: float = BRIGHT_SHARE,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Attenuation:
    """Estimate effective attenuation lengths from a stack whose power is known.

    Parameters
    ----------
    source : Stack, DepthProfile or BrightSignal
        Must state depth and power of its planes.
    excitation_order : int, optional
        Photons absorbed at once: 3, which is assumed, or 2 (1 for linear excitation).
    offset_counts : float, optional
        The detector's zero level: the mean of a dark frame. By default that of a profile
        is used; otherwise it is estimated if the stack reaches planes without signal, and required
        if not.
    window_um : (float or None, float or None), optional
        Depths to use, shallowest and deepest, for example below the dura.
    most_breaks : int
        Largest number of changes of the length with depth; 0 for a single length.
    share, progress, cancelled
        As for `bright_signal`.

    Raises
    ------
    InputError
        If power or depth is not stated, the offset cannot be estimated, fewer than 8 planes are
        usable or all at one depth, or the signal does not fall.
    CancelledError
        If `cancelled` returns True.
    """
    order = _order(ASSUMED_ORDER if excitation_order is None else excitation_order)
    require_stated(source)
    signal = source
    if not isinstance(signal, BrightSignal):
        signal = bright_signal(signal, share=share, progress=progress, cancelled=cancelled)
    offset = find_offset(signal, offset_counts)
    reasons = reasons_of(signal, offset, order, window_um)
    used = np.array([not reason for reason in reasons], dtype=bool)
    if used.sum() < autocorrelation.MIN_PLANES:
        raise InputError(
            f"{int(used.sum())} of {len(used)} planes can be used, but "
            f"{autocorrelation.MIN_PLANES} are needed",
            where=signal.name,
            advice=f"the most frequent reason: {commonest(reasons)}",
        )
    index = np.flatnonzero(used)[np.argsort(signal.depth_um[used], kind="stable")]
    depth_um = signal.depth_um[index]
    if depth_um[0] == depth_um[-1]:
        raise InputError(
            f"all planes that can be used lie at {depth_um[0]:g} µm, but attenuation shows only "
            "over depth",
            where=signal.name,
            advice=f"specify the depths with {option('z_step_um')}",
        )

    def values(offset_counts: float) -> Array:
        return log_gain(signal, offset_counts, order)[index]

    fit = fit_layers(depth_um, values(offset.counts), most_breaks=most_breaks)
    if offset.error_counts:
        low, high = (
            fit_pieces(depth_um, values(offset.counts + error), fit.breaks_um)
            for error in (-offset.error_counts, offset.error_counts)
        )
        fit = fit.with_shift((high.coefficients - low.coefficients) / 2)
    if (fit.slopes_per_um >= 0).all():
        raise InputError(
            "the signal does not fall with depth at the stated power",
            where=signal.name,
            advice="check the power, the depth and the detector's zero level",
        )
    return Attenuation(signal, reasons, order, offset, fit, excitation_order is None)


def _order(order: int) -> int:
    """Return the number of photons absorbed at once, or refuse it."""
    if isinstance(order, bool) or order not in (1, 2, 3, 4):
        raise InputError(
            f"the excitation order cannot be {order!r}",
            advice="use 3 (three-photon) or 2 (two-photon)",
        )
    return int(order)


def require_stated(source: Stack | DepthProfile | BrightSignal) -> None:
    """Refuse planes whose power or depth is not stated."""
    if not np.isfinite(source.power).any():
        raise InputError(
            "the power at its planes is not stated, but it is needed",
            where=source.name,
            advice=f"specify it with {option('power')}: constant, as a table (CSV), or increasing "
            "with depth",
        )
    unknown = int((~np.isfinite(source.depth_um)).sum())
    if unknown:
        raise InputError(
            f"the depth is not stated for {unknown} of its {len(source.depth_um)} planes, but it "
            "is needed",
            where=source.name,
            advice=f"open the stack with {option('z_step_um')}",
        )
