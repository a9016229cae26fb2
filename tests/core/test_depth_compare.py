"""Two protocols: effects against closed forms and statsmodels, warnings, the edges."""

import numpy as np
import pandas as pd
import pytest
from made_profiles import profile, strengths
from scipy.signal import lfilter
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests

from cop_core.errors import InputError
from cop_core.recipes import ReadingOptions
from cop_core.records import distinct_names
from cop_core.statistics import (
    clr,
    cohen_d,
    compare,
    exclusions,
    fit_profile,
    hedges_g,
    log_ratio_fits,
)
from cop_core.statistics.effect_intervals import effect_intervals
from cop_core.statistics.effect_size import D_CLASSES, D_CLASSES_PAPER, F2_CLASSES, classify
from cop_core.statistics.slope import FEW_PLANES, NEEDS_PLANES


@pytest.fixture(scope="module")
def pair():
    fixed = profile(strengths(0, 60, slope=5e-4, rho=0.6))
    gained = profile(strengths(1, 60, rho=0.6), name="gained")
    return fixed, gained


@pytest.fixture(scope="module")
def result(pair):
    return compare(*pair)


def test_naive_test_and_f2_are_those_of_a_linear_model(pair, result):
    frame = pd.concat(
        pd.DataFrame({"z": p.depth_um, "y": p.of("poisson"), "fixed": flag})
        for p, flag in zip(pair, (1, 0), strict=True)
    )
    full, reduced = ols("y ~ z * fixed", frame).fit(), ols("y ~ z + fixed", frame).fit()
    effect = result.of("poisson")
    assert effect.p_value_naive == pytest.approx(full.pvalues["z:fixed"], rel=1e-6)
    assert effect.slope_difference_per_um == pytest.approx(full.params["z:fixed"], rel=1e-8)
    f2 = (full.rsquared - reduced.rsquared) / (1 - full.rsquared)
    assert effect.f2 == pytest.approx(f2, rel=1e-8)


def test_difference_is_fixed_minus_gained(result):
    for effect in result.effects[:-1]:
        assert effect.slope_difference_per_um == pytest.approx(5e-4 / 4, rel=0.4)
        assert effect.cohen_d > 0
        assert effect.ci95[0] < effect.slope_difference_per_um < effect.ci95[1]
        assert effect.cohen_d_ci95[0] < effect.cohen_d < effect.cohen_d_ci95[1]
        assert effect.se == pytest.approx(np.hypot(effect.fixed.se, effect.gained.se))


def test_ar1_test_is_more_careful_than_the_naive_one(result):
    assert all(e.p_value_ar1 > e.p_value_naive for e in result.effects)


def test_holm_is_that_of_statsmodels_over_the_noises(result):
    noises = result.effects[:-1]
    expected = multipletests([e.p_value for e in noises], method="holm")[1]
    np.testing.assert_allclose([e.p_holm for e in noises], expected)
    assert np.isnan(result.of("clean").p_holm)


def test_cohen_d_and_hedges_g_have_their_closed_forms():
    rng = np.random.default_rng(2)
    a, b = rng.normal(1.0, 1.0, 12), rng.normal(0.0, 2.0, 20)
    pooled = np.sqrt((11 * a.var(ddof=1) + 19 * b.var(ddof=1)) / 30)
    d = (a.mean() - b.mean()) / pooled
    assert cohen_d(a, b) == pytest.approx(d, rel=1e-12)
    assert cohen_d(np.append(a, np.nan), b) == pytest.approx(d, rel=1e-12)
    assert hedges_g(d, 12, 20) == pytest.approx(d * (1 - 3 / (4 * 30 - 1)), rel=1e-4)


def test_effects_without_spread_are_undefined():
    assert np.isnan(cohen_d([0.1, 0.1, 0.1], [0.2, 0.2]))
    assert np.isnan(cohen_d([0.1], [0.2, 0.3]))
    assert np.isnan(hedges_g(0.5, 1, 2))


@pytest.mark.parametrize(
    ("size", "classes", "name"),
    [
        (0.1, D_CLASSES, "negligible"),
        (-0.2, D_CLASSES, "small"),
        (0.5, D_CLASSES, "medium"),
        (-0.9, D_CLASSES, "large"),
        (0.36, D_CLASSES_PAPER, "large (f2 convention)"),
        (0.36, F2_CLASSES, "large"),
        (0.02, F2_CLASSES, "small"),
        (float("nan"), D_CLASSES, "undefined"),
    ],
)
def test_classes(size, classes, name):
    assert classify(size, classes) == name


def test_paper_rule_takes_the_naive_test_and_its_own_classes(pair, result):
    paper = compare(*pair, rule="paper")
    for ours, theirs in zip(result.effects, paper.effects, strict=True):
        assert theirs.p_value == theirs.p_value_naive == ours.p_value_naive
        assert ours.p_value == ours.p_value_ar1 == theirs.p_value_ar1
    assert paper.of("gaussian").cohen_d_class == "large (f2 convention)"
    assert result.of("gaussian").cohen_d_class == "large"


def test_bootstrap_repeats_with_its_seed(pair, result):
    assert repr(compare(*pair)) == repr(result)  # undefined numbers equal nothing
    assert compare(*pair, seed=1).of("gaussian").cohen_d_ci95 != result.of("gaussian").cohen_d_ci95


def test_interval_of_d_keeps_the_trend():
    """With independent errors around a known trend, d is as certain as the levels are."""
    rng = np.random.default_rng(6)
    depth = np.arange(80.0)
    first = (depth, 0.05 + 1e-3 * depth + 0.005 * rng.normal(size=80))
    second = (depth, 0.05 + 0.005 * rng.normal(size=80))
    low, high = effect_intervals(first, second, n_samples=500, seed=0)[0]
    d = cohen_d(first[1], second[1])
    assert (low + high) / 2 == pytest.approx(d)
    assert high - low < 0.4  # planes taken as random draws of depth: 0.8


def test_interval_of_d_uses_what_planes_at_one_depth_share():
    rng = np.random.default_rng(6)
    depth = np.arange(80.0)
    tissue = 0.01 * rng.normal(size=80)
    first, second = (depth, 0.06 + tissue), (depth, 0.05 + tissue + 0.002 * rng.normal(size=80))
    elsewhere = (depth + 0.5, second[1])
    widths = [
        np.ptp(effect_intervals(first, other, n_samples=500, seed=0)[0])
        for other in (second, elsewhere)
    ]
    assert widths[0] < 0.6 * widths[1]


@pytest.mark.slow
def test_interval_of_d_covers():
    """A rising stack against a flat one, correlated planes."""
    rng = np.random.default_rng(0)
    depth, rise, rho, n_sim, hits = np.arange(60) * 4.0, np.linspace(0, 0.1, 60), 0.6, 80, 0
    pooled = np.sqrt((59 * rise.var(ddof=1) + 118 * 0.015**2) / 118)
    for _ in range(n_sim):
        noise = lfilter([1], [1, -rho], rng.normal(size=(2, 160)))[:, 100:] * np.sqrt(1 - rho**2)
        pair = (depth, rise + 0.015 * noise[0]), (depth, 0.015 * noise[1])
        low, high = effect_intervals(*pair, n_samples=200, seed=0)[0]
        hits += low <= rise.mean() / pooled <= high
    assert 0.88 <= hits / n_sim <= 1.0


def test_correlated_planes_widen_the_interval_of_d():
    def width(rho):
        fixed = profile(strengths(4, 200, rho=rho))
        gained = profile(strengths(5, 200, rho=rho), name="gained")
        low, high = compare(fixed, gained, n_bootstrap=400).of("gaussian").cohen_d_ci95
        return high - low

    assert width(0.9) > 1.5 * width(0.0)


def test_excluded_planes_do_not_enter(pair):
    clean = strengths(0, 60, slope=5e-4, rho=0.6)
    spoilt = clean.copy()
    spoilt[[3, 20]] = [1, 0, 0, 0, 0, 0]
    reasons = {3: "saturated", 20: "unwritten or empty"}
    kept, other = (profile(x, reasons=reasons) for x in (clean, spoilt))
    assert compare(other, pair[1]).effects == compare(kept, pair[1]).effects
    assert fit_profile(other)["gaussian"].n == 58
    assert exclusions(other) == {"saturated": 1, "unwritten or empty": 1}
    assert any("2 of 60 planes excluded" in w for w in compare(other, pair[1]).caveats)


def test_stacks_of_different_length_and_step_compare():
    fixed = profile(strengths(0, 50, slope=5e-4))
    gained = profile(strengths(1, 31, slope=0.0), name="gained", step=6.0)
    effect = compare(fixed, gained).of("gaussian")
    assert effect.fixed.n == 50
    assert effect.gained.n == 31
    assert np.isfinite(effect.cohen_d_ci95).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_planes_give_no_slopes_but_a_comparison(n):
    result = compare(profile(strengths(0, n)), profile(strengths(1, 20), name="gained"))
    effect = result.of("poisson")
    assert effect.fixed.note == NEEDS_PLANES
    assert np.isnan([effect.slope_difference_per_um, effect.p_value, effect.p_holm]).all()
    assert f"fixed: {NEEDS_PLANES}" in result.caveats


def test_three_planes_compare():
    result = compare(profile(strengths(0, 3)), profile(strengths(1, 3), name="gained"))
    assert np.isfinite(result.of("gaussian").p_value)
    assert f"gained: {FEW_PLANES}" in result.caveats


def test_all_planes_excluded():
    nothing = profile(strengths(0, 9), reasons=dict.fromkeys(range(9), "saturated"))
    result = compare(nothing, nothing)
    assert result.of("clean").cohen_d_class == "undefined"
    assert "fixed (2): 9 of 9 planes excluded (9 saturated)" in result.caveats


def test_constant_and_exact_profiles_have_no_false_numbers():
    flat = profile(np.tile([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], (20, 1)))
    effect = compare(flat, flat).of("gaussian")
    assert (effect.slope_difference_per_um, effect.se) == (0.0, 0.0)
    assert np.isnan([effect.p_value, effect.f2, effect.cohen_d]).all()


def test_warnings_speak_of_samples_correlation_and_closure(result):
    text = "\n".join(result.caveats)
    assert "one stack per protocol" in text
    assert "neighbouring planes are correlated" in text
    assert "centred log-ratio" not in text.split("gained:")[0]


def rising(*, slow_rise, noise, n=40):
    """Strengths of which the first rises less than its neighbours."""
    rng = np.random.default_rng(0)
    slow = np.linspace(0.05, 0.05 + slow_rise, n) + noise * rng.normal(size=n)
    fast = np.linspace(0.02, 0.12, n)
    return profile(np.column_stack([slow, fast, fast, fast, fast, 1 - slow - 4 * fast]))


def test_closure_is_named():
    gained = profile(strengths(1, 40), name="gained")
    warnings = compare(rising(slow_rise=0.01, noise=5e-4), gained).caveats
    assert any(w.startswith("fixed:") and "log-ratio for gaussian" in w for w in warnings)


def test_closure_is_not_named_where_a_slope_may_be_zero():
    lines = rising(slow_rise=1e-3, noise=5e-3)
    assert (
        fit_profile(lines)["gaussian"].slope_per_um * log_ratio_fits(lines)["gaussian"].slope_per_um
        < 0
    )
    warnings = compare(lines, profile(strengths(1, 40), name="gained")).caveats
    assert not any("gaussian" in w and "log-ratio" in w for w in warnings)


def test_curves_are_named():
    n = 50
    rise = 0.05 + 0.1 * np.linspace(0, 1, n) ** 4 + 0.002 * np.random.default_rng(0).normal(size=n)
    flat = strengths(3, n)[:, 1:5]
    rows = np.column_stack([rise, flat, 1 - rise - flat.sum(axis=1)])
    found = compare(profile(rows), profile(strengths(1, n), name="gained")).caveats
    (text,) = [w for w in found if "curved" in w]
    assert text.startswith("fixed: gaussian, clean are curved: a straight line misses ")


def test_centred_log_ratio():
    rows = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [np.nan, np.nan, np.nan]])
    ratios = clr(rows)
    np.testing.assert_allclose(ratios[:2].sum(axis=1), 0, atol=1e-12)
    assert ratios[0, 0] - ratios[0, 1] == pytest.approx(np.log(2))
    assert ratios[1, 0] - ratios[1, 1] == pytest.approx(np.log(1000))
    assert np.isnan(ratios[2]).all()


def test_settings_that_differ_are_named(pair):
    from dataclasses import replace

    fixed, gained = (
        replace(p, reading=ReadingOptions(crops=crops, normalisation="stack-percentile", device=on))
        for p, crops, on in zip(pair, (5, 9), ("cpu", "cuda"), strict=True)
    )
    assert "the two profiles were made with different crops" in compare(fixed, gained).caveats
    from cop_core.statistics import within

    narrow = within(pair[0], (0, pair[0].depth_um[20]))
    assert any("different depth window" in note for note in compare(narrow, pair[1]).caveats)


def test_a_negative_seed_is_refused(pair):
    with pytest.raises(InputError, match="seed: -1 cannot be used"):
        compare(*pair, seed=-1)


def test_different_components_are_refused(pair):
    other = profile(strengths(0, 9, components=3), components=("gaussian", "poisson", "clean"))
    with pytest.raises(InputError, match="same estimator"):
        compare(pair[0], other)


def test_unknown_rule_is_refused(pair):
    with pytest.raises(InputError, match="rule: 'strict' cannot be used"):
        compare(*pair, rule="strict")
    with pytest.raises(InputError, match="bootstrap"):
        compare(*pair, n_bootstrap=0)


def test_repeated_names_are_told_apart(pair):
    assert distinct_names((pair[0], pair[0], pair[1])) == ("fixed", "fixed (2)", "gained")
    assert distinct_names((profile([], name=""),)) == ("stack",)


@pytest.mark.slow
def test_false_positives_on_correlated_planes():
    """Stacks without any effect: the naive test calls half of them significant."""
    naive, ours, n_sim = 0, 0, 24
    for seed in range(n_sim):
        both = (profile(strengths(2 * seed + k, 80, rho=0.8)) for k in (0, 1))
        result = compare(*both, n_bootstrap=1)
        naive += sum(e.p_value_naive < 0.05 for e in result.effects[:-1])
        ours += sum(e.p_value < 0.05 for e in result.effects[:-1])
    assert naive / (5 * n_sim) > 0.3
    assert ours / (5 * n_sim) < 0.13
