"""Two straight lines that meet: where noise starts to run differently with depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.records import BreakFit
from cop_core.statistics import autocorrelation
from cop_core.statistics.autocorrelation import raised
from cop_core.statistics.piecewise import BreakSearch, fit_pieces, line_design
from cop_core.statistics.slope import paired_values
from cop_core.statistics.smooth_curve import fit_curve

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

Array = npt.NDArray[np.float64]

MIN_PLANES: Final = 12
"""Below this many planes (and different depths) no break is looked for."""
TOO_FEW: Final = f"needs {MIN_PLANES} planes or more at different depths"
NO_SPREAD: Final = "the two lines leave nothing to judge the break by"
OPEN: Final = "the break may lie outside the depths searched"

_CANDIDATES: Final = 120
_EACH: Final = np.arange(_CANDIDATES)[:, None]  # one break at each
_SIDE: Final = 0.1  # share of the planes that lies to either side of every candidate
_TERMS: Final = 4  # level, slope, bend, break
_LEVEL: Final = 0.975  # of F: at 0.95 the interval covers 89 to 96 %, as the likelihood has peaks


def fit_break(depth_um: npt.ArrayLike, values: npt.ArrayLike) -> BreakFit:
    """Find the depth at which a line through values changes its slope.

    Parameters
    ----------
    depth_um, values : array_like of shape (n,)
        In any order. Pairs with a NaN or infinite member do not enter.

    Returns
    -------
    BreakFit
        Undefined, with a note, for fewer than 12 planes or values without spread.

    Raises
    ------
    InputError
        The two are not one-dimensional or not of one length.
    """
    depth, value = paired_values(depth_um, values)
    if len(np.unique(depth)) < MIN_PLANES:
        return BreakFit(note=TOO_FEW)
    side = max(3, int(_SIDE * len(depth)))
    candidates = np.linspace(depth[side], depth[-side - 1], _CANDIDATES)
    left = BreakSearch(depth, value, candidates, [fit_curve(depth, value).known_rho]).left(_EACH)[0]
    if left.min() <= (1e-12 * np.linalg.norm(value)) ** 2:
        return BreakFit(note=NO_SPREAD)
    # The curve bends where the lines break, so its rho is too high: once more around the lines.
    lines = line_design(depth, [candidates[left.argmin()]])
    rho = autocorrelation.estimate_rho(lines, value, autocorrelation.gaps(depth))
    return _break_around(depth, value, candidates, raised(rho, _TERMS - 1, len(depth)))


def break_fits(profile: DepthProfile) -> dict[str, BreakFit]:
    """Look for a break in every component, clean included, over the planes that are kept."""
    kept = profile.kept
    columns = zip(profile.components, profile.mean[kept].T, strict=True)
    return {name: fit_break(profile.depth_um[kept], column) for name, column in columns}


def _break_around(depth: Array, value: Array, candidates: Array, rho: float) -> BreakFit:
    """Return the break of least squares at a correlation, with interval, test and slopes."""
    search, dof_left = BreakSearch(depth, value, candidates, [rho]), len(depth) - _TERMS
    left = search.left(_EACH)[0]
    at_um = float(candidates[left.argmin()])
    fit = fit_pieces(depth, value, (at_um,), known_rho=rho, breaks_known=True)
    allowed = left.min() * (1 + float(scipy.stats.f.ppf(_LEVEL, 1, fit.dof)) / dof_left)
    ((low, high),) = search.interval_um(_EACH, left <= allowed)
    shallow, deep = fit.slopes_per_um.tolist()
    shallow_ci95, deep_ci95 = fit.slopes_ci95_per_um.tolist()
    return BreakFit(
        depth_um=at_um,
        ci95_um=(low, high),
        p_value=_davies(search.gain()[0] / np.sqrt(left / dof_left), fit.dof),
        shallow_slope_per_um=shallow,
        shallow_ci95=tuple(shallow_ci95),
        deep_slope_per_um=deep,
        deep_ci95=tuple(deep_ci95),
        rho=rho,
        note=OPEN if low == candidates[0] or high == candidates[-1] else "",
    )


def _davies(t: Array, dof: float) -> float:
    """Return Davies' bound on p of the largest of many t statistics along depth."""
    normal = scipy.stats.norm
    largest = float(normal.isf(scipy.stats.t.sf(np.abs(t).max(), dof)))
    turns = float(np.abs(np.diff(t)).sum())
    bound = turns * np.exp(-(largest**2) / 2) / np.sqrt(8 * np.pi)
    return float(min(1.0, 2 * (normal.sf(largest) + bound)))
