"""Equivalence, closure, windows, caps: against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from made_profiles import profile, strengths
from statsmodels.stats.weightstats import ttost_paired

from cop_core.errors import InputError
from cop_core.recipes import GainedPower
from cop_core.records import OUTSIDE
from cop_core.statistics import cap_depth_um, compare, equivalence_p, fit_slope, within


@pytest.fixture(scope="module")
def pair():
    fixed = profile(strengths(0, 60, slope=5e-4, rho=0.6))
    return fixed, profile(strengths(1, 60, rho=0.6), name="gained")


def stated(made, doubt):
    planes = (replace(p, uncertainty=np.full(6, doubt)) for p in made.planes)
    return replace(made, planes=tuple(planes))


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
    sure = [stated(p, 1e-5) for p in pair]
    for stacks in (sure, [stated(p, 0.01) for p in pair]):
        effect = compare(*stacks, margin_per_100_um=0.02, n_bootstrap=50).of("poisson")
        fit = effect.second
        left = 2e-4 - fit.reading_limit_per_um
        assert effect.difference.equivalence_p_second == equivalence_p(
            fit.slope_per_um, fit.se, fit.dof, left
        )
    plain, tight = (
        compare(*sure, margin_per_100_um=margin, n_bootstrap=50).of("poisson").difference
        for margin in (0.02, 0.001)
    )
    assert plain.equivalence_p_second < 0.05
    assert tight.equivalence_p_first > 0.9
    for unknown in (
        compare(*sure, n_bootstrap=50),
        compare(*pair, margin_per_100_um=0.02, n_bootstrap=50),  # no uncertainty is stated
    ):
        assert np.isnan(unknown.of("poisson").difference.equivalence_p_first)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_margin_must_be_a_slope(pair, margin):
    with pytest.raises(InputError, match="margin"):
        compare(*pair, margin_per_100_um=margin)


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
    both = (stated(p, 1e-4) for p in (rising, gained))
    warnings = compare(*both, tissue="same", n_bootstrap=50).caveats
    assert any("log-ratios), the slopes of Gaussian noise differ" in w for w in warnings)


def test_window_leaves_planes_out_of_every_fit(pair):
    window = (80.0, 160.0)
    fixed = within(pair[0], window)
    assert fixed.kept.sum() == 21  # both ends included
    assert fixed.planes[0].reason == f"{OUTSIDE} (from 80 to 160 µm)"
    assert fixed.planes[0].mean is pair[0].planes[0].mean
    result = compare(*pair, window_um=window, n_bootstrap=50)
    alone = fit_slope(pair[0].depth_um[20:41], pair[0].of("gaussian")[20:41], samples=50)
    assert repr(result.of("gaussian").first) == repr(alone)  # undefined numbers equal nothing
    assert result.first.profile.window_um == (80.0, 160.0)
    assert any("39 of 60 planes left out (39 outside" in w for w in result.caveats)


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
