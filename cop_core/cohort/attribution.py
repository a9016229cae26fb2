"""Attribution of noises to settings, if settings explain them at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.cohort.surrogate import (
    LEAST_GROUPS,
    LEAST_ROWS,
    Design,
    Floats,
    Progress,
    fit,
    one_thread,
    out_of_sample_r2,
    shap_values,
)
from cop_core.cohort.variables import factor_name
from cop_core.records import Attribution, Share
from cop_core.statistics.calls import LEVEL
from cop_core.statistics.reading_bootstrap import typical_doubt

Tick = Callable[[], None]
"""Called after every fit; may end the work."""

RESAMPLES: Final = 40
"""Resamples of the groups for intervals."""
_ROWS_RESAMPLED: Final = 100
"""Number of rows whose SHAP values give the shares of a resample."""


@dataclass(frozen=True)
class NoiseTable:
    """Strengths to be explained.

    Attributes
    ----------
    components : tuple of str
    strengths, uncertainty : ndarray of shape (rows, components)
    """

    components: tuple[str, ...]
    strengths: Floats
    uncertainty: Floats


def attribute(
    design: Design,
    noises: NoiseTable,
    *,
    permutations: int,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress = lambda _done, _total: None,
) -> tuple[Attribution, ...]:
    """Return how far the settings explain each noise.

    A noise is attributed where the surrogate predicts groups that it has not seen better than it
    does with permuted strengths, at a p of 0.05 or less that is corrected over the noises, and
    where the noise varies by more than its readings are uncertain.

    Parameters
    ----------
    permutations : int
        At most; they end once no noise can be attributed any more.
    resamples : int
        Of the groups, for the intervals of shares.

    References
    ----------
    .. [1] P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing, Wiley (1993).
    """
    plain = [_described(noises, i) for i in range(len(noises.components))]
    if why := _too_few(design):
        return tuple(replace(each, note=why) for each in plain)
    vary = [i for i, each in enumerate(plain) if not each.note]
    n_fits = (permutations + 1) * len(vary) * len(design.folds)
    tick = _ticking(progress, n_fits + resamples * len(vary))
    tested = _tested(design, noises.strengths[:, vary], permutations, seed, tick)
    found = list(plain)
    for i, (r2, null95, p_value) in zip(vary, tested, strict=True):
        found[i] = replace(plain[i], r2=r2, r2_null95=null95, p_value=p_value)
        if p_value > LEVEL or r2 <= 0:
            found[i] = replace(found[i], note=_UNEXPLAINED)
    drawn = [i for i in vary if not found[i].note]
    for i in drawn:
        found[i] = _shared(found[i], design, noises.strengths[:, i], seed, resamples, tick)
    return tuple(found)


_UNEXPLAINED: Final = "the settings predict unseen images no better than chance"


def _too_few(design: Design) -> str:
    rows, groups = len(design.groups), design.n_groups
    if not design.factors:
        return "no setting varies"
    if rows < LEAST_ROWS:
        return f"{rows} rows are too few ({LEAST_ROWS} are needed)"
    if groups < LEAST_GROUPS:
        return f"{groups} groups are too few ({LEAST_GROUPS} are needed)"
    return ""


def _described(noises: NoiseTable, i: int) -> Attribution:
    y = noises.strengths[:, i]
    sd = float(y.std())
    plain = Attribution(noises.components[i], float(y.mean()), sd)
    if sd < 1e-9:
        return replace(plain, note="it is the same in all images")
    if sd < (doubt := typical_doubt(noises.uncertainty[:, i])):
        return replace(
            plain,
            note=f"it varies by {100 * sd:.1f} %, less than the uncertainty of its readings "
            f"({100 * doubt:.1f} %)",
        )
    return plain


# --- is anything explained? ----------------------------------------------------------------------


@one_thread()
def _tested(
    design: Design, strengths: Floats, permutations: int, seed: int, tick: Tick
) -> list[tuple[float, float, float]]:
    """Return R2, the 95th percentile of its null and the corrected p of every noise."""
    n = strengths.shape[1]
    r2 = np.array([out_of_sample_r2(design, y, tick) for y in strengths.T])
    rng = np.random.default_rng((seed, 1))
    null: list[Floats] = []
    most = int(LEVEL * (permutations + 1)) - 1  # as many may be as good for a p of LEVEL
    for _ in range(permutations if n else 0):
        if null and (_exceeding(null, r2) > most).all():
            break
        moved = design.permuted(strengths, rng)
        null.append(np.array([out_of_sample_r2(design, y, tick) for y in moved.T]))
    if not null:
        return [(float(each), np.nan, np.nan) for each in r2]
    p_values = (1 + _exceeding(null, r2)) / (1 + len(null))
    high = np.percentile(np.array(null), 95, axis=0)
    return [
        (float(each), float(chance), float(p))
        for each, chance, p in zip(r2, high, p_values, strict=True)
    ]


def _exceeding(null: Sequence[Floats], r2: Floats) -> npt.NDArray[np.int64]:
    """Return, for each noise, in how many permutations the best prediction is at least as good."""
    best = np.array(null).max(axis=1)
    return np.asarray((best[:, None] >= r2).sum(axis=0))


def _ticking(progress: Progress, total: int) -> Tick:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return tick


# --- by what? ------------------------------------------------------------------------------------


@one_thread()
def _shared(
    found: Attribution, design: Design, y: Floats, seed: int, resamples: int, tick: Tick
) -> Attribution:
    names = [factor_name(factor) for factor in design.factors]
    everyone = np.arange(len(y))
    values = shap_values(design, fit(design, y), everyone)
    size = np.abs(values).mean(axis=0)
    drawn = _resampled_shares(design, y, seed, resamples, tick)
    known = drawn[np.isfinite(drawn).all(axis=1)]
    leads = np.bincount(known.argmax(axis=1), minlength=len(names)) / max(len(known), 1)
    shares = [
        Share(
            factor=name,
            mean_abs_shap=float(size[i]),
            share=float(size[i] / size.sum()),
            share_ci95=_interval(drawn[:, i]),
            leads=float(leads[i]),
        )
        for i, name in enumerate(names)
    ]
    return replace(found, shares=tuple(sorted(shares, key=lambda each: -each.share)), shap=values)


def _resampled_shares(design: Design, y: Floats, seed: int, resamples: int, tick: Tick) -> Floats:
    rng = np.random.default_rng((seed, 2))
    shown = rng.permutation(len(y))[:_ROWS_RESAMPLED]
    found = np.empty((resamples, len(design.factors)))
    for row in found:
        size = np.abs(shap_values(design, fit(design, y, design.resampled(rng)), shown)).mean(
            axis=0
        )
        row[:] = size / size.sum() if size.sum() else np.nan
        tick()
    return found


def _interval(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5)).tolist()
    return low, high
