"""Lines through plane means: against statsmodels, and at the limits."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import lfilter
from statsmodels.regression.linear_model import GLS, GLSAR, OLS

from cop_core.errors import InputError
from cop_core.records.lines import FEW_PLANES, NEEDS_PLANES
from cop_core.statistics import fit_slope
from cop_core.statistics.autocorrelation import (
    estimate_rho,
    gaps,
    quadratic_form,
    raised,
    whiten,
)
from cop_core.statistics.slope import NEEDS_DEPTHS, NO_SPREAD


def ar1_noise(rng, n, rho):
    noise = lfilter([1], [1, -rho], rng.normal(size=n + 200))[200:]
    return noise * np.sqrt(1 - rho**2)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(3)
    depth = np.arange(120) * 4.0
    return depth, 0.1 + 2e-4 * depth + 0.02 * ar1_noise(rng, 120, 0.7)


def test_line_and_ordinary_errors_are_those_of_statsmodels(noisy):
    depth, value = noisy
    reference = OLS(value, np.column_stack([np.ones_like(depth), depth])).fit()
    fit = fit_slope(depth, value)
    np.testing.assert_allclose([fit.intercept, fit.slope_per_um], reference.params, rtol=1e-10)
    assert fit.r2 == pytest.approx(reference.rsquared, rel=1e-10)
    assert fit.se_ols == pytest.approx(reference.bse[1], rel=1e-10)
    np.testing.assert_allclose(fit.ci95_ols, reference.conf_int()[1], rtol=1e-10)
    assert fit.p_value_ols == pytest.approx(reference.pvalues[1], rel=1e-8)


def test_whitened_fit_is_generalised_least_squares(noisy):
    depth, value = noisy
    keep = np.ones(len(depth), bool)
    keep[[10, 11, 40]] = False
    depth, value = depth[keep], value[keep]
    design = np.column_stack([np.ones_like(depth), depth])
    gap = gaps(depth)
    correlation = 0.7 ** (np.abs(depth[:, None] - depth) / 4.0)
    dense = GLS(value, design, sigma=correlation).fit()
    white = OLS(whiten(value[:, None], 0.7, gap)[:, 0], whiten(design, 0.7, gap)).fit()
    np.testing.assert_allclose(white.params, dense.params, rtol=1e-10)
    np.testing.assert_allclose(white.bse, dense.bse, rtol=1e-10)
    weights = np.linalg.pinv(design)[1]
    assert quadratic_form(weights, 0.7, gap) == pytest.approx(weights @ correlation @ weights)


def test_correlation_of_a_long_stack_agrees_with_glsar():
    rng = np.random.default_rng(8)
    depth = np.arange(4000.0)
    value = 0.2 + 1e-5 * depth + 0.02 * ar1_noise(rng, 4000, 0.8)
    design = np.column_stack([np.ones_like(depth), depth])
    model = GLSAR(value, design, rho=1)
    model.iterative_fit(maxiter=10)
    assert estimate_rho(design, value, gaps(depth)) == pytest.approx(model.rho[0], abs=0.01)


def test_correlation_is_less_biased_than_the_plain_lag_1():
    rng = np.random.default_rng(5)
    design = np.column_stack([np.ones(40), np.arange(40.0)])
    ours, plain = [], []
    for _ in range(100):
        value = ar1_noise(rng, 40, 0.8)
        residual = OLS(value, design).fit().resid
        plain.append(residual[1:] @ residual[:-1] / (residual @ residual))
        ours.append(estimate_rho(design, value, np.ones(39)))
    assert abs(np.mean(ours) - 0.8) < 0.5 * abs(np.mean(plain) - 0.8)


def test_correlations_are_raised_where_planes_are_few_for_them():
    rhos = np.linspace(0, 0.99, 50)
    short, long = (np.array([raised(r, 3, n) for r in rhos]) for n in (40, 326))
    assert short[0] == long[0] == 0
    assert (np.diff(short) >= 0).all()
    assert (short >= long).all()
    assert (long >= rhos).all()
    assert long[rhos < 0.9] == pytest.approx(rhos[rhos < 0.9], abs=0.005)
    assert raised(0.85, 3, 40) > 0.9
    assert short.max() < 1


def test_error_of_independent_planes_on_a_line_is_the_ordinary_one():
    depth = np.arange(400.0)
    fit = fit_slope(20 * depth, 0.01 * depth + np.random.default_rng(0).normal(size=400))
    assert fit.se == pytest.approx(fit.se_ols, rel=0.1)
    assert fit.error_correlation == 0
    assert fit.slope_ci95[0] < 0.01 / 20 < fit.slope_ci95[1]


def test_reading_limit_is_the_slope_of_a_bias_that_turns_over(noisy):
    depth, value = noisy
    limit = fit_slope(depth, value, np.full(120, 0.05)).reading_limit_per_um
    bias = 0.05 * np.sign(depth - depth.mean())
    assert limit == pytest.approx(np.polyfit(depth, bias, 1)[0], rel=1e-9)
    assert np.isnan(fit_slope(depth, value).reading_limit_per_um)


def test_order_of_planes_does_not_matter(noisy):
    depth, value = noisy
    fit, other = fit_slope(depth, value), fit_slope(depth[::-1], value[::-1])
    assert repr(other) == repr(fit)
    assert np.isfinite(fit.se)


def test_values_that_are_not_finite_do_not_enter(noisy):
    depth, value = noisy
    gap = value.copy()
    gap[7], gap[50] = np.nan, np.inf
    rest = fit_slope(np.delete(depth, [7, 50]), np.delete(value, [7, 50]))
    assert repr(fit_slope(depth, gap)) == repr(rest)  # undefined numbers equal nothing


@pytest.mark.parametrize("n", [0, 1, 2])
def test_slope_needs_three_planes(n):
    fit = fit_slope(np.arange(n) * 4.0, np.full(n, 0.1))
    assert not fit.defined
    assert fit.note == NEEDS_PLANES == "a slope needs 3 planes or more"
    assert fit.n == n
    assert np.isnan(fit.dof)


def test_three_planes_have_a_slope_without_error():
    fit = fit_slope([0, 4, 8], [0.1, 0.2, 0.25])
    assert fit.slope_per_um == pytest.approx(0.15 / 8)
    assert fit.note == FEW_PLANES
    assert np.isnan([fit.se, fit.p_value, fit.dof, *fit.slope_ci95, *fit.r2_ci95]).all()
    assert 0.1 < fit.p_value_ols < 0.15


@pytest.mark.parametrize("depth", [[5.0, 5.0, 5.0], [np.nan] * 3])
def test_slope_needs_depths(depth):
    assert fit_slope(depth, [0.1, 0.2, 0.3]).note == NEEDS_DEPTHS


def test_flat_values_have_slope_zero_and_no_r2():
    fit = fit_slope(np.arange(20.0), np.full(20, 0.3))
    assert (fit.slope_per_um, fit.intercept) == pytest.approx((0.0, 0.3))
    assert fit.note == NO_SPREAD
    assert np.isnan([fit.r2, fit.se, fit.p_value]).all()


def test_exact_line_has_no_error():
    depth = np.arange(20.0)
    fit = fit_slope(depth, 0.5 * depth)
    assert fit.r2 == pytest.approx(1)
    assert np.isnan(fit.se)
    assert fit.at([2.0]) == pytest.approx([1.0])


def test_repeated_depths_are_averaged():
    rng = np.random.default_rng(0)
    value = rng.normal(size=40)
    fit = fit_slope(np.repeat(np.arange(20.0), 2), value)
    once = fit_slope(np.arange(20.0), value.reshape(20, 2).mean(axis=1))
    assert (fit.slope_per_um, fit.se, fit.n) == (once.slope_per_um, once.se, 40)


def test_unpaired_input_is_refused():
    with pytest.raises(InputError, match="do not match"):
        fit_slope([0, 1, 2], [0.1, 0.2])


def test_import_needs_nothing_that_is_slow_to_import():
    slow = {"torch", "matplotlib", "scipy.stats"}
    code = f"import cop_core.statistics, sys; print(*{slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
