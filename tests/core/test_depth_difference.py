"""Slope differences by pairs and blocks, equivalence, windows, caps: against closed forms."""

import numpy as np
import pytest
from made_profiles import profile, strengths
from scipy import stats
from scipy.signal import lfilter
from statsmodels.stats.weightstats import ttost_paired

from cop_core.errors import InputError
from cop_core.recipes import GainedPower
from cop_core.records import OUTSIDE
from cop_core.statistics import cap_depth_um, compare, equivalence_p, fit_slope, within
from cop_core.statistics.effect_intervals import effect_intervals
from cop_core.statistics.slope_difference import (
    block_length,
    bootstrap_difference,
    naive_interaction,
    paired_difference,
)


def ar1(rng, n, rho):
    return lfilter([1], [1, -rho], rng.normal(size=n + 200))[200:] * np.sqrt(1 - rho**2)


@pytest.fixture(scope="module")
def pair():
    fixed = profile(strengths(0, 60, slope=5e-4, rho=0.6))
    return fixed, profile(strengths(1, 60, rho=0.6), name="gained")


def series(seed, n=60, rho=0.5, slope=0.0):
    depth = np.arange(n) * 4.0
    return depth, slope * depth + ar1(np.random.default_rng(seed), n, rho)


def test_paired_difference_is_the_line_through_the_differences():
    first, second = series(0, slope=0.01), series(1)
    expected = fit_slope(first[0], first[1] - second[1])
    found = paired_difference(first, second)
    assert found.value == pytest.approx(expected.slope_per_um, rel=1e-12)
    assert (found.se, found.ci95, found.p_value) == (
        expected.se,
        expected.slope_ci95,
        expected.p_value,
    )


def test_pairs_are_those_at_shared_depths():
    first, second = series(0), series(1)
    fewer = second[0][::2], second[1][::2]
    expected = fit_slope(first[0][::2], (first[1] - second[1])[::2])
    assert paired_difference(first, fewer).value == pytest.approx(expected.slope_per_um)


def test_pairs_cancel_what_stacks_share(pair):
    tissue = 3 * series(2, rho=0.8)[1]
    (depth, a), (_, b) = series(0, slope=0.002), series(1)
    first, second = (depth, a + tissue), (depth, b + tissue)
    found = paired_difference(first, second)
    alone = [fit_slope(*s).se for s in (first, second)]
    assert found.se < 0.6 * np.hypot(*alone)


def test_pairs_need_shared_depths():
    first, (depth, value) = series(0), series(1)
    with pytest.raises(InputError, match="0 planes lie at depths that both"):
        paired_difference(first, (depth + 1, value))


def test_bootstrap_of_independent_planes_has_the_ordinary_error():
    first, second = series(3, n=200, rho=0.0), series(4, n=200, rho=0.0)
    fits = [fit_slope(*s) for s in (first, second)]
    found = bootstrap_difference(first, second, n_samples=4000, seed=0)
    assert found.value == pytest.approx(fits[0].slope_per_um - fits[1].slope_per_um)
    assert found.se == pytest.approx(np.hypot(*(f.se_ols for f in fits)), rel=0.1)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.value) / found.se), abs=0.05)


def test_bootstrap_keeps_what_neighbours_and_stacks_share():
    shared = series(5, n=300, rho=0.8)[1]
    (depth, a), (_, b) = series(6, n=300, rho=0.8), series(7, n=300, rho=0.8)
    apart = bootstrap_difference((depth, a), (depth, b), n_samples=1000, seed=0)
    naive = np.hypot(fit_slope(depth, a).se_ols, fit_slope(depth, b).se_ols)
    assert apart.se > 1.8 * naive
    same = bootstrap_difference(
        (depth, a + 5 * shared), (depth, b + 5 * shared), n_samples=1000, seed=0
    )
    assert same.se < 1.5 * apart.se


def test_block_length_grows_with_correlation_and_planes():
    assert block_length(300, 0.0) == block_length(300, float("nan")) == 1
    expected = (6 * 300 * 0.64 / 0.36**2) ** (1 / 3)
    assert block_length(300, 0.8) == int(np.ceil(expected))
    assert block_length(30, 0.99) == 10  # a third of the stack


def test_exact_lines_are_certain():
    depth = np.arange(20.0)
    found = bootstrap_difference((depth, 0.5 * depth), (depth, 0 * depth), n_samples=50, seed=0)
    assert found.value == pytest.approx(0.5)
    assert found.se == pytest.approx(0, abs=1e-12)
    assert np.isnan(naive_interaction((depth, 0.5 * depth), (depth, 0 * depth))[1])


def test_interval_of_f2_covers_it_and_tells_no_interaction_from_one():
    depth = np.arange(100.0)
    rng = np.random.default_rng(0)
    flat = [(depth, rng.normal(size=100)) for _ in range(2)]
    rising = depth, 0.05 * depth + rng.normal(size=100)
    f2 = naive_interaction(rising, flat[0])[1]
    low, high = effect_intervals(rising, flat[0], n_samples=400, seed=0)[1]
    assert 0 < low < f2 < high
    truth = 0.05**2 * (99 * depth.var(ddof=1)) / 2 / 196
    assert low < truth < high
    assert effect_intervals(*flat, n_samples=400, seed=0)[1][0] == 0


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 15))
    difference = x - y
    se, mean = difference.std(ddof=1) / np.sqrt(15), difference.mean()
    expected = ttost_paired(x, y, -1.5, 1.5)[0]
    assert equivalence_p(mean, se, 14, 1.5) == pytest.approx(expected, rel=1e-8)
    assert equivalence_p(1.5, 0.1, 14, 1.5) == pytest.approx(0.5)
    assert equivalence_p(0.5, 0.0, 14, 1.0) == 0.0
    assert np.isnan(equivalence_p(float("nan"), 0.1, 14, 1.0))


def test_margin_tests_both_slopes_and_their_difference(pair):
    effect = compare(*pair, margin_per_100_um=0.02, n_bootstrap=50).of("poisson")
    fit = effect.gained
    assert effect.equivalence_p_gained == equivalence_p(fit.slope_per_um, fit.se, fit.dof, 2e-4)
    assert effect.equivalence_p_gained < 0.05
    assert (
        compare(*pair, margin_per_100_um=0.001, n_bootstrap=50).of("poisson").equivalence_p_fixed
        > 0.9
    )
    assert np.isnan(compare(*pair, n_bootstrap=50).of("poisson").equivalence_p_fixed)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_margin_must_be_a_slope(pair, margin):
    with pytest.raises(InputError, match="margin"):
        compare(*pair, margin_per_100_um=margin)


def test_errors_choose_the_interval_and_the_p(pair):
    usual, paired, drawn = (
        compare(*pair, errors=e, n_bootstrap=100).of("gaussian")
        for e in ("ar1", "paired", "bootstrap")
    )
    assert paired.slope_difference_per_um == pytest.approx(usual.slope_difference_per_um)
    assert len({usual.ci95, paired.ci95, drawn.ci95}) == 3
    assert usual.p_value_ar1 == paired.p_value_ar1 == drawn.p_value_ar1 == usual.p_value
    assert drawn.p_value >= 1 / 101


def test_errors_are_checked(pair):
    with pytest.raises(InputError, match="errors: 'guess' cannot be used"):
        compare(*pair, errors="guess")
    with pytest.raises(InputError, match="paper's rule"):
        compare(*pair, errors="paired", rule="paper")


def test_log_ratio_difference_is_that_of_the_log_ratios(pair):
    from cop_core.statistics import log_ratio_fits

    effect = compare(*pair, n_bootstrap=50).of("gaussian")
    expected = log_ratio_fits(pair[0])["gaussian"].slope_per_um
    expected -= log_ratio_fits(pair[1])["gaussian"].slope_per_um
    assert effect.log_ratio_slope_difference_per_um == pytest.approx(expected, rel=1e-12)
    assert effect.log_ratio_ci95[0] < expected < effect.log_ratio_ci95[1]


def test_difference_that_closure_makes_is_named():
    n, rng = 60, np.random.default_rng(0)
    fast = np.linspace(0.02, 0.12, n)
    slow = np.linspace(0.05, 0.06, n) + 5e-4 * rng.normal(size=n)
    rising = profile(np.column_stack([slow, fast, fast, fast, fast, 1 - slow - 4 * fast]))
    flat = np.tile([0.05, 0.02, 0.02, 0.02, 0.02], (n, 1)) * np.exp(0.01 * rng.normal(size=(n, 5)))
    gained = profile(np.column_stack([flat, 1 - flat.sum(axis=1)]), name="gained")
    warnings = compare(rising, gained, n_bootstrap=50).caveats
    assert any("difference between the protocols" in w and "gaussian" in w for w in warnings)


def test_window_leaves_planes_out_of_every_fit(pair):
    window = (80.0, 160.0)
    fixed = within(pair[0], window)
    assert fixed.kept.sum() == 21  # both ends included
    assert fixed.planes[0].reason == f"{OUTSIDE} (from 80 to 160 um)"
    assert fixed.planes[0].mean is pair[0].planes[0].mean
    result = compare(*pair, window_um=window, n_bootstrap=50)
    alone = fit_slope(pair[0].depth_um[20:41], pair[0].of("gaussian")[20:41])
    assert result.of("gaussian").fixed == alone
    assert result.fixed.profile.window_um == (80.0, 160.0)
    assert any("39 of 60 planes excluded (39 outside" in w for w in result.caveats)


def test_window_may_be_open_and_keeps_earlier_reasons():
    spoilt = profile(strengths(0, 20), reasons={19: "saturated"})
    deep = within(spoilt, (40.0, None))
    assert deep.kept.tolist() == [False] * 10 + [True] * 9 + [False]
    assert deep.planes[19].reason == "saturated"
    assert within(spoilt, (None, 40.0)).kept.sum() == 11


@pytest.mark.parametrize(
    ("window", "match"),
    [((50.0, 40.0), "is not a"), ((None, None), "is not a"), ((900.0, None), "no plane lies")],
)
def test_window_that_makes_no_sense_is_refused(pair, window, match):
    with pytest.raises(InputError, match=match):
        within(pair[0], window)


def test_window_needs_depths():
    with pytest.raises(InputError, match="known depths"):
        within(profile(strengths(0, 9), step=float("nan")), (0.0, 9.0))


def test_cap_is_where_the_law_reaches_it():
    depth = np.arange(326) * 4.0
    power = GainedPower(5.0, 300.0, 60.0).at(depth)
    expected = 300 * np.log(12)
    assert expected <= cap_depth_um(depth, power) < expected + 4
    shuffled = np.random.default_rng(0).permutation(326)
    assert cap_depth_um(depth[shuffled], power[shuffled]) == cap_depth_um(depth, power)


@pytest.mark.parametrize(
    "power", [[5, 5, 5, 5], [1, 2, 3, 4], [4, 3, 2, 2], [1, 2, 2, np.nan]], ids=str
)
def test_no_cap(power):
    assert np.isnan(cap_depth_um([0, 1, 2, 3], power))
