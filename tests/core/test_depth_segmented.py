"""Two lines that meet: against generalised least squares, scipy and simulated truth."""

import numpy as np
import pytest
from made_profiles import profile, strengths
from scipy.optimize import curve_fit
from scipy.signal import lfilter
from statsmodels.regression.linear_model import GLS

from cop_core.statistics import break_fits, fit_break
from cop_core.statistics.breaks import NO_SPREAD, OPEN, TOO_FEW


def bent(seed, n=80, rho=0.0, at=0.6, rise=6.0):
    u = np.linspace(0, 1, n)
    noise = lfilter([1], [1, -rho], np.random.default_rng(seed).normal(size=n + 200))[200:]
    return 800 * u, rise * np.maximum(u - at, 0) / (1 - at) + noise * np.sqrt(1 - rho**2)


def test_break_is_that_of_least_squares():
    depth, value = bent(0, rise=30.0)
    fit = fit_break(depth, value)
    lines = lambda z, a, b, c, at: a + b * z + c * np.maximum(z - at, 0)  # noqa: E731
    best, _ = curve_fit(lines, depth, value, p0=[0, 0, 0.1, 480])
    assert fit.rho < 0.2
    assert fit.depth_um == pytest.approx(best[3], abs=6)  # candidates lie 5.4 um apart
    assert fit.shallow_slope_per_um == pytest.approx(best[1], abs=2e-3)
    assert fit.deep_slope_per_um == pytest.approx(best[1] + best[2], rel=0.05)
    assert fit.ci95_um[0] <= 480 <= fit.ci95_um[1]
    assert fit.p_value < 1e-6
    assert fit.note == ""


def test_slopes_are_those_of_generalised_least_squares():
    depth, value = bent(1, rho=0.6)
    fit = fit_break(depth, value)
    design = np.column_stack([np.ones(80), depth, np.maximum(depth - fit.depth_um, 0)])
    step = depth[1]
    model = GLS(value, design, sigma=fit.rho ** (np.abs(depth[:, None] - depth) / step)).fit()
    assert fit.shallow_slope_per_um == pytest.approx(model.params[1], rel=1e-8)
    assert fit.deep_slope_per_um == pytest.approx(model.params[1:].sum(), rel=1e-8)
    deep = model.t_test([0, 1, 1])
    ratio = np.ptp(fit.deep_ci95) / np.ptp(fit.shallow_ci95)
    assert ratio == pytest.approx(float(deep.sd.item()) / model.bse[1], rel=1e-8)


def test_correlated_planes_widen_the_interval():
    width = [
        np.median([np.ptp(fit_break(*bent(s, rho=r)).ci95_um) for s in range(8)])
        for r in (0.0, 0.8)
    ]
    assert width[1] > 1.5 * width[0]


def test_no_break_is_seldom_found():
    found = sum(fit_break(*bent(s, rise=0.0, rho=0.6)).p_value < 0.05 for s in range(60))
    assert found <= 8


def test_interval_that_reaches_the_end_is_open():
    fit = fit_break(*bent(2, rise=0.5, rho=0.8))
    assert fit.note == OPEN
    assert fit.p_value > 0.05


@pytest.mark.slow
def test_interval_covers_the_break():
    fits = [fit_break(*bent(s, rho=0.7)).ci95_um for s in range(120)]
    assert 0.88 <= np.mean([low <= 480 <= high for low, high in fits]) <= 1


def test_too_few_planes_or_no_spread_have_no_break():
    assert fit_break(np.arange(11.0), np.arange(11.0)).note == TOO_FEW
    assert fit_break(np.arange(30.0), 2 * np.arange(30.0)).note == NO_SPREAD
    assert fit_break(np.arange(30.0), np.full(30, 0.2)).note == NO_SPREAD
    assert np.isnan(fit_break([], []).depth_um)
    assert fit_break(np.full(30, 4.0), np.arange(30.0)).note == TOO_FEW


def test_every_component_is_searched_over_the_planes_kept():
    rows = strengths(0, 40)
    found = break_fits(profile(rows, reasons={3: "saturated"}))
    kept = np.delete(np.arange(40), 3)
    assert found["poisson"] == fit_break(kept * 4.0, rows[kept, 2])
    assert list(found)[-1] == "clean"
