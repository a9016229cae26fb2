"""Scores against known strengths: errors, and identification of the strongest noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.components import CLEAN
from cop_core.errors import InputError

Values = npt.NDArray[np.float64]

THRESHOLDS: Final = (0.1, 0.2, 0.3)
"""Strengths above which a noise counts as found."""


@dataclass(frozen=True)
class Accuracy:
    """Errors of predicted strengths.

    Attributes
    ----------
    rmse, mae : float
        Root mean squared and mean absolute error over crops and components.
    r2_by_component : dict
        Coefficient of determination by component (1 - SSE / SST); NaN if the true strength is
        constant.
    """

    rmse: float
    mae: float
    r2_by_component: dict[str, float]

    @property
    def r2(self) -> float:
        """Mean of R2 over the components for which it is defined."""
        return mean_of_known(self.r2_by_component.values())

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON types, None for an R2 that is undefined."""
        return {
            "rmse": self.rmse,
            "mae": self.mae,
            "r2": or_none(self.r2),
            "r2_by_component": {c: or_none(v) for c, v in self.r2_by_component.items()},
        }


def accuracy(truth: Values, predicted: Values, components: Sequence[str]) -> Accuracy:
    """Compare true and predicted strengths, both of shape (n, components)."""
    error = predicted - truth
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    r2 = np.full(len(spread), np.nan)
    np.divide((error**2).sum(axis=0), spread, out=r2, where=spread > 0)
    return Accuracy(
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        r2_by_component={c: 1 - float(v) for c, v in zip(components, r2, strict=True)},
    )


def sampling_errors(
    truth: Values, predicted: Values, components: Sequence[str], images: npt.NDArray[np.intp]
) -> dict[str, float | None]:
    """Return the standard errors of RMSE and mean R2 over images as ``rmse_se, r2_se``.

    Jackknife over images, each left out with all its crops, since crops of one image are alike
    [1]_; None for crops of a single image.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n, components)
    components : sequence of str
    images : ndarray of shape (n,)
        Index of the image of each crop.

    References
    ----------
    .. [1] B. Efron, C. Stein, "The jackknife estimate of variance", Ann. Stat. 9, 586 (1981).
    """
    of = np.unique(images)
    n = len(of)
    if n < 2:
        return {"rmse_se": None, "r2_se": None}
    rest = (images != one for one in of)
    without = [accuracy(truth[some], predicted[some], components) for some in rest]
    found = {"rmse_se": [a.rmse for a in without], "r2_se": [a.r2 for a in without]}
    return {name: or_none(math.sqrt((n - 1) * np.var(v))) for name, v in found.items()}


@dataclass(frozen=True)
class ThresholdAccuracy:
    """Dominant noises that are identified correctly and read above a threshold.

    Attributes
    ----------
    accuracy : float
        Share of crops, in [0, 1].
    reachable : float
        Share of crops whose dominant noise is truly above the threshold: perfect predictions would
        reach it, and predictions that are too large can exceed it.
    """

    accuracy: float
    reachable: float


@dataclass(frozen=True)
class DominantAccuracy:
    """How often the strongest noise of a crop is identified correctly.

    Shares of the crops that have any noise; NaN if none has.

    Attributes
    ----------
    crops : int
        Crops with a noise.
    accuracy : float
        Share of them whose strongest noise, clean left out, is also the strongest predicted.
    by_threshold : dict
        Threshold (a strength) to its `ThresholdAccuracy`.
    """

    crops: int
    accuracy: float
    by_threshold: dict[float, ThresholdAccuracy]

    def to_dict(self) -> dict[str, object]:
        """Return ``dominant_accuracy, threshold_accuracy`` as JSON types, None for NaN."""
        return {
            "dominant_accuracy": or_none(self.accuracy),
            "threshold_accuracy": {
                f"{t:g}": {key: or_none(share) for key, share in asdict(found).items()}
                for t, found in self.by_threshold.items()
            },
        }


def dominant_accuracy(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    components: Sequence[str],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
) -> DominantAccuracy:
    """Compare the strongest true and predicted noise of each crop.

    Parameters
    ----------
    truth, predicted : array of shape (n, components)
        The first of equal strengths counts as the strongest.
    components : sequence of str
        Names of the columns.
    thresholds : sequence of float
        Strengths that the prediction of the dominant noise must exceed.

    Raises
    ------
    InputError
        If shapes do not fit, a strength is not finite, or no component is a noise.

    References
    ----------
    .. [1] "A Contrastive Pre-trained Foundation Model for Deciphering Imaging Noisomics
       across Modalities", arXiv:2601.17047 (threshold accuracy).
    """
    true, read = (np.asarray(values, np.float64) for values in (truth, predicted))
    if true.shape != read.shape or true.ndim != 2 or true.shape[1] != len(components):
        raise InputError(
            f"strengths of shape {true.shape} and {read.shape}",
            advice=f"Pass both as (n, {len(components)})",
        )
    if not (np.isfinite(true).all() and np.isfinite(read).all()):
        raise InputError("strengths that are not finite")
    noises = [i for i, c in enumerate(components) if c != CLEAN]
    if not noises:
        raise InputError("no component is a noise")
    noisy = true[:, noises].max(axis=1) > 0
    true, read = true[noisy][:, noises], read[noisy][:, noises]
    right = true.argmax(axis=1) == read.argmax(axis=1)
    by_threshold = {
        t: ThresholdAccuracy(
            accuracy=_share(right & (read.max(axis=1) > t)),
            reachable=_share(true.max(axis=1) > t),
        )
        for t in thresholds
    }
    return DominantAccuracy(len(true), _share(right), by_threshold)


def mean_of_known(values: Iterable[float]) -> float:
    """Return the mean of the values that are not NaN; NaN if there are none."""
    known = [v for v in values if not math.isnan(v)]
    return float(np.mean(known)) if known else math.nan


def or_none(value: float) -> float | None:
    """Return a value for JSON: None for NaN."""
    return None if math.isnan(value) else value


def _share(found: npt.NDArray[np.bool_]) -> float:
    return float(found.mean()) if len(found) else math.nan
