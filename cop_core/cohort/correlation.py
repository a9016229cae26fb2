"""Correlation of settings with strengths, and of image quality with the clean part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.cohort.variables import ranks_of
from cop_core.components import CLEAN
from cop_core.records import Coefficient, Correlation
from cop_core.statistics.significance import holm, t95, t_p_value

if TYPE_CHECKING:
    from cop_core.cohort.variables import Variable
    from cop_core.records import CohortRow

QUALITIES: Final = {"psnr_db": "PSNR (dB)", "ssim": "SSIM"}
"""Measures of the similarity to a reference, by their names in `CohortRow`."""
LEAST: Final = 5
"""Rows or groups below which a coefficient has no interval."""

_Floats = npt.NDArray[np.float64]


def correlations_of(
    rows: Sequence[CohortRow], variables: Sequence[Variable], components: Sequence[str]
) -> tuple[Correlation, ...]:
    """Return correlations of every setting with every strength, and of quality with clean.

    p values are corrected after Holm over all settings and strengths; those of the qualities by
    themselves.
    """
    strengths = np.array([row.strengths for row in rows])
    groups = np.array([row.group for row in rows])
    columns = [column for variable in variables for column in variable.columns()]
    settings = [
        _correlation(name, values, component, strengths[:, i], groups)
        for name, values in columns
        for i, component in enumerate(components)
    ]
    clean = components.index(CLEAN)
    qualities = [
        _correlation(name, values, CLEAN, strengths[:, clean], groups)
        for name in QUALITIES
        if np.isfinite(values := np.array([getattr(row, name) for row in rows])).sum() > 2
    ]
    return (*_corrected(settings), *_corrected(qualities))


def _correlation(
    what: str, x: _Floats, component: str, y: _Floats, groups: npt.NDArray[np.str_]
) -> Correlation:
    known = np.isfinite(x) & np.isfinite(y)
    x, y, groups = x[known], y[known], groups[known]
    n_groups = len(np.unique(groups))
    find = _by_row if n_groups == len(x) else _by_group(groups)
    return Correlation(
        what=what,
        component=component,
        n=len(x),
        n_groups=n_groups,
        pearson=_coefficient(x, y, find, ranks=False),
        spearman=_coefficient(ranks_of(x), ranks_of(y), find, ranks=True),
    )


_Find = Callable[[_Floats, _Floats, float, bool], Coefficient]


def _coefficient(x: _Floats, y: _Floats, find: _Find, *, ranks: bool) -> Coefficient:
    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return Coefficient()
    return find(x, y, float(np.corrcoef(x, y)[0, 1]), ranks)


def _by_row(x: _Floats, y: _Floats, r: float, ranks: bool) -> Coefficient:
    """Return the coefficient of independent rows.

    References
    ----------
    .. [1] R. A. Fisher, Metron 1, 3 (1921).
    .. [2] D. G. Bonett and T. A. Wright, Psychometrika 65, 23 (2000), for ranks.
    """
    n = len(x)
    if n < LEAST or abs(r) > 1 - 1e-12:
        return Coefficient(r)
    spread = np.sqrt((1 + r**2 / 2 if ranks else 1) / (n - 3))
    low, high = np.tanh(np.arctanh(r) + scipy.special.ndtri((0.025, 0.975)) * spread)
    p_value = t_p_value(r * np.sqrt((n - 2) / (1 - r**2)), 1.0, n - 2)
    return Coefficient(r, (float(low), float(high)), p_value)


def _by_group(groups: npt.NDArray[np.str_]) -> _Find:
    """Return a function for the coefficient of rows that are alike within groups.

    It is the slope of standardised values, with an error that is robust to that.
    """
    import statsmodels.api as sm

    _, members = np.unique(groups, return_inverse=True)
    dof = members.max()

    def find(x: _Floats, y: _Floats, r: float, _ranks: bool) -> Coefficient:
        if dof + 1 < LEAST or abs(r) > 1 - 1e-12:
            return Coefficient(r)
        a, b = ((values - values.mean()) / values.std() for values in (x, y))
        fit = sm.OLS(b, sm.add_constant(a)).fit(
            cov_type="cluster", cov_kwds={"groups": members}, use_t=True
        )
        se = float(fit.bse[1])
        if not se > 0:
            return Coefficient(r)
        half = t95(dof) * se
        return Coefficient(r, (max(r - half, -1.0), min(r + half, 1.0)), t_p_value(r, se, dof))

    return find


def _corrected(found: Sequence[Correlation]) -> list[Correlation]:
    pearson, spearman = (
        holm([getattr(each, kind).p_value for each in found]) for kind in ("pearson", "spearman")
    )
    return [
        replace(
            each,
            pearson=replace(each.pearson, p_holm=p),
            spearman=replace(each.spearman, p_holm=s),
        )
        for each, p, s in zip(found, pearson, spearman, strict=True)
    ]
