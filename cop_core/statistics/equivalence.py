"""Is a slope small enough to be called none? A low R2 cannot answer that, a margin can."""

from __future__ import annotations

import numpy as np
import scipy


def equivalence_p(slope: float, se: float, dof: float, margin: float) -> float:
    """Return p of two one-sided tests that a slope lies within plus or minus a margin.

    Parameters
    ----------
    slope, se : float
        Slope and its standard error.
    dof : float
        Degrees of freedom of the error.
    margin : float
        Largest slope that counts as none, in the slope's unit, above 0.

    Returns
    -------
    float
        The larger p of the two. Below 0.05 the slope is shown to be smaller than the margin
        (the 90 % interval lies inside it). NaN where slope or error are undefined.

    References
    ----------
    .. [1] D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 657 (1987).
    """
    if not np.isfinite([slope, se]).all():
        return float("nan")
    if se == 0:
        return float(abs(slope) >= margin)
    return float(scipy.stats.t.sf((margin - abs(slope)) / se, dof))
