"""Two estimators on the same crops: which one errs less, component by component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.errors import InputError

N_BOOTSTRAP: Final = 2000
_CHUNK: Final = 100  # bootstrap samples held at once, to keep memory flat


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two estimators' absolute errors for one component.

    Attributes
    ----------
    difference : float
        Mean of the first's absolute error minus the second's, in units of strength: below 0
        where the first is better.
    ci95 : (float, float)
        95 % percentile bootstrap interval of the mean difference; crops are drawn, with the
        errors of both.
    p_value : float
        Of the Wilcoxon signed-rank test, two-sided; 1 where no error differs.
    p_holm : float
        `p_value` after Holm's correction over the components.
    """

    difference: float
    ci95: tuple[float, float]
    p_value: float
    p_holm: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types."""
        return {
            "difference": self.difference,
            "ci95": list(self.ci95),
            "p_value": self.p_value,
            "p_holm": self.p_holm,
        }


def paired_differences(
    truth: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    components: Sequence[str],
    *,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> dict[str, PairedDifference]:
    """Compare the absolute errors of two estimators on the same crops.

    Crops count as independent: with many crops of one picture, intervals are too narrow.

    Parameters
    ----------
    truth, first, second : array of shape (n, components)
        True strengths and what each estimator reads, for two crops or more.
    components : sequence of str
        Names of the columns.
    n_bootstrap : int
        Bootstrap samples.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        Component to its `PairedDifference`.

    Raises
    ------
    InputError
        If shapes do not fit, a strength is not finite, or `n_bootstrap` is less than 1.

    References
    ----------
    .. [1] F. Wilcoxon, Biometrics Bull. 1, 80 (1945).
    .. [2] S. Holm, Scand. J. Stat. 6, 65 (1979).
    """
    from statsmodels.stats.multitest import multipletests

    true, a, b = (np.asarray(values, np.float64) for values in (truth, first, second))
    if not true.shape == a.shape == b.shape == (len(true), len(components)) or len(true) < 2:
        raise InputError(
            f"strengths of shape {true.shape}, {a.shape} and {b.shape}",
            advice=f"Give all as (n, {len(components)}), n 2 or more",
        )
    if n_bootstrap < 1:
        raise InputError(f"{n_bootstrap} bootstrap samples", advice="Give 1 or more")
    differences = np.abs(a - true) - np.abs(b - true)
    if not np.isfinite(differences).all():
        raise InputError("strengths that are not finite")
    interval = scipy.stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=n_bootstrap,
        batch=_CHUNK,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    p = [scipy.stats.wilcoxon(d).pvalue if d.any() else 1.0 for d in differences.T]
    columns = zip(
        components,
        differences.mean(axis=0),
        interval.low,
        interval.high,
        p,
        multipletests(p, method="holm")[1],
        strict=True,
    )
    return {
        c: PairedDifference(float(mean), (float(low), float(high)), float(p_value), float(p_holm))
        for c, mean, low, high, p_value, p_holm in columns
    }
