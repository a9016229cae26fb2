"""Two protocols: effects against closed forms and statsmodels, warnings, the edges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_profiles import profile, strengths
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests

from cop_core.errors import InputError
from cop_core.recipes import ReadingOptions
from cop_core.records import distinct_names
from cop_core.records.lines import FEW_PLANES, NEEDS_PLANES
from cop_core.statistics import (
    clr,
    cohen_d,
    compare,
    exclusions,
    fit_profile,
    hedges_g,
    log_ratio_fits,
)
from cop_core.statistics.calls import BELOW_LIMIT, UNDETERMINED
from cop_core.statistics.effect_size import D_CLASSES, D_CLASSES_PAPER, F2_CLASSES, classify


@pytest.fixture(scope="module")
def pair():
    fixed = profile(strengths(0, 60, slope=5e-4), step=20.0)
    gained = profile(strengths(1, 60), name="gained", step=20.0)
    return fixed, gained


def stated(made, doubt):
    planes = (replace(p, uncertainty=np.full(6, doubt)) for p in made.planes)
    return replace(made, planes=tuple(planes))


@pytest.fixture(scope="module")
def result(pair):
    return compare(*pair, tissue="same")


def test_naive_test_and_f2_are_those_of_a_linear_model(pair, result):
    frame = pd.concat(
        pd.DataFrame({"z": p.depth_um, "y": p.of("poisson"), "fixed": flag})
        for p, flag in zip(pair, (1, 0), strict=True)
    )
    full, reduced = ols("y ~ z * fixed", frame).fit(), ols("y ~ z + fixed", frame).fit()
    effect = result.of("poisson")
    assert effect.p_value_naive == pytest.approx(full.pvalues["z:fixed"], rel=1e-6)
    assert effect.difference.slope_difference_per_um == pytest.approx(
        full.params["z:fixed"], rel=1e-8
    )
    f2 = (full.rsquared - reduced.rsquared) / (1 - full.rsquared)
    assert effect.f2 == pytest.approx(f2, rel=1e-8)


def test_difference_is_fixed_minus_gained(result):
    four_se = 4 * 0.004 * (2 / 60) ** 0.5  # of a mean difference of such noise
    for effect in result.effects[:-1]:
        assert effect.difference.slope_difference_per_um == pytest.approx(5e-4 / 20, rel=0.1)
        assert effect.difference.mean_difference == pytest.approx(5e-4 * 59 / 2, abs=four_se)
        assert effect.difference.cohen_d > 0
        low, high = effect.difference.slope_difference_ci95
        assert low < effect.difference.slope_difference_per_um < high
        assert (
            effect.difference.cohen_d_ci95[0]
            < effect.difference.cohen_d
            < effect.difference.cohen_d_ci95[1]
        )
        assert 0 <= effect.differs_from_um < 800


def test_other_tissue_has_errors_of_each_stack(pair, result):
    other = compare(*pair, tissue="other", n_bootstrap=50)
    assert not other.same_tissue
    for ours, theirs in zip(result.effects, other.effects, strict=True):
        assert theirs.difference.slope_difference_per_um == pytest.approx(
            ours.difference.slope_difference_per_um
        )
        assert theirs.difference.se != ours.difference.se
        assert not len(theirs.band.depth_um)
    assert "Two tissues: tissue and protocol cannot be told apart." in other.verdict
    assert (
        compare(*pair, n_bootstrap=50).effects[0].difference.se == other.effects[0].difference.se
    )  # nothing to see


def test_a_difference_is_called_above_the_reading_limit_alone(pair):
    sure, unsure = (
        compare(*(stated(p, u) for p in pair), tissue="same", n_bootstrap=50) for u in (0.005, 0.05)
    )
    assert all(e.difference.called and e.difference.mean_called for e in sure.effects[:-1])
    assert not sure.of("clean").difference.called
    assert not any(e.difference.called or e.difference.mean_called for e in unsure.effects)
    assert all(e.difference.p_holm < 0.001 for e in unsure.effects[:-1])
    assert {e.difference.cohen_d_class for e in unsure.effects[:-1]} == {BELOW_LIMIT}
    assert unsure.verdict.startswith("No difference shown between fixed power and gained power")


def test_without_a_stated_uncertainty_nothing_is_called(result):
    assert not any(e.difference.called or e.difference.mean_called for e in result.effects)
    assert np.isnan([e.difference.reading_limit_per_um for e in result.effects]).all()
    assert "The weights state no uncertainty, so nothing is called." in result.verdict


def test_window_is_what_both_stacks_keep(pair):
    short = profile(
        strengths(1, 60), name="gained", step=20.0, reasons=dict.fromkeys(range(40, 60), "dark")
    )
    found = compare(pair[0], short, tissue="same", n_bootstrap=50)
    assert (found.window_um, found.n_pairs, found.n_dropped) == ((0, 780), 40, 0)
    ends = [p.of("poisson")[:40] for p in (pair[0], short)]
    expected = cohen_d(*ends)
    assert found.of("poisson").difference.cohen_d == pytest.approx(expected, rel=1e-12)
    slopes = [np.polyfit(np.arange(40) * 20.0, y, 1)[0] for y in ends]
    assert found.of("poisson").difference.slope_difference_per_um == pytest.approx(
        slopes[0] - slopes[1]
    )
    assert found.first.lines["poisson"].n == 60
    assert found.of("poisson").first.n == 40


def test_power_that_rises_in_the_stack_called_fixed_is_told(pair):
    rising = tuple(replace(p, power=5.0 + p.index) for p in pair[0].planes)
    found = compare(replace(pair[0], planes=rising), pair[1], n_bootstrap=50)
    assert any("fixed was acquired at 5 to 64 mW" in text for text in found.caveats)


def test_holm_is_that_of_statsmodels_over_the_noises(result):
    noises = result.effects[:-1]
    expected = multipletests([e.difference.p_value for e in noises], method="holm")[1]
    np.testing.assert_allclose([e.difference.p_holm for e in noises], expected)
    assert np.isnan(result.of("clean").difference.p_holm)


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
    paper = compare(*pair, rule="paper", tissue="same")
    for ours, theirs in zip(result.effects, paper.effects, strict=True):
        assert theirs.difference.p_value == theirs.p_value_naive == ours.p_value_naive
        assert ours.difference.p_value != theirs.difference.p_value
        assert ours.difference.slope_difference_ci95 == theirs.difference.slope_difference_ci95
    assert paper.of("gaussian").difference.cohen_d_class == "large (f2 convention)"
    assert result.of("gaussian").difference.cohen_d_class == "large"


def test_bootstrap_repeats_with_its_seed(pair, result):
    assert repr(compare(*pair, tissue="same")) == repr(result)  # undefined numbers equal nothing
    assert (
        compare(*pair, tissue="same", seed=1).of("gaussian").difference.cohen_d_ci95
        != result.of("gaussian").difference.cohen_d_ci95
    )


def test_class_of_d_is_that_of_the_end_nearer_to_0():
    alike = compare(*(profile(strengths(k, 60), step=20.0) for k in (2, 3)), tissue="same")
    for effect in alike.effects:
        low, high = effect.difference.cohen_d_ci95
        nearer = classify(min(low, high, key=abs), D_CLASSES)
        assert effect.difference.cohen_d_class == (UNDETERMINED if low < 0 < high else nearer)


def test_excluded_planes_do_not_enter(pair):
    clean = strengths(0, 60, slope=5e-4, rho=0.6)
    spoilt = clean.copy()
    spoilt[[3, 20]] = [1, 0, 0, 0, 0, 0]
    reasons = {3: "saturated", 20: "unwritten or empty"}
    kept, other = (profile(x, reasons=reasons) for x in (clean, spoilt))
    assert repr(compare(other, pair[1]).effects) == repr(compare(kept, pair[1]).effects)
    assert fit_profile(other)["gaussian"].n == 58
    assert exclusions(other) == {"saturated": 1, "unwritten or empty": 1}
    assert any("2 of 60 planes left out" in w for w in compare(other, pair[1]).caveats)


def test_stacks_of_different_length_and_step_compare():
    fixed = profile(strengths(0, 50, slope=5e-4))
    gained = profile(strengths(1, 31, slope=0.0), name="gained", step=6.0)
    effect = compare(fixed, gained).of("gaussian")
    assert effect.first.n == effect.second.n == 31
    assert np.isfinite(effect.difference.cohen_d_ci95).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_planes_give_no_slopes_but_a_comparison(n):
    result = compare(profile(strengths(0, n)), profile(strengths(1, 20), name="gained"))
    effect = result.of("poisson")
    assert effect.first.note == NEEDS_PLANES
    assert np.isnan(
        [
            effect.difference.slope_difference_per_um,
            effect.difference.p_value,
            effect.difference.p_holm,
        ]
    ).all()
    assert f"fixed: {NEEDS_PLANES}" in result.caveats


def test_three_planes_compare_without_error():
    made = profile(strengths(0, 3)), profile(strengths(1, 3), name="gained")
    result = compare(*made, tissue="same")
    assert np.isfinite(result.of("gaussian").difference.slope_difference_per_um)
    assert np.isnan(result.of("gaussian").difference.p_value)
    assert f"gained: {FEW_PLANES}" in result.caveats
    assert result.verdict.startswith("Too few planes to compare: only 3 depths are kept in both")


def test_all_planes_excluded():
    nothing = profile(strengths(0, 9), reasons=dict.fromkeys(range(9), "saturated"))
    result = compare(nothing, nothing)
    assert result.of("clean").difference.cohen_d_class == "undefined"
    assert "fixed (2): 9 of 9 planes left out (9 saturated)" in result.caveats
    assert "share no depth" in result.verdict


def test_constant_and_exact_profiles_have_no_false_numbers():
    flat = profile(np.tile([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], (20, 1)))
    effect = compare(flat, flat, tissue="same").of("gaussian")
    assert effect.difference.slope_difference_per_um == 0.0
    assert np.isnan(
        [effect.difference.se, effect.difference.p_value, effect.f2, effect.difference.cohen_d]
    ).all()


def rising(*, slow_rise, noise, n=40):
    """Strengths of which the first rises less than its neighbours."""
    rng = np.random.default_rng(0)
    slow = np.linspace(0.05, 0.05 + slow_rise, n) + noise * rng.normal(size=n)
    fast = np.linspace(0.02, 0.12, n)
    return profile(np.column_stack([slow, fast, fast, fast, fast, 1 - slow - 4 * fast]))


def test_closure_is_named():
    gained = profile(strengths(1, 40), name="gained")
    warnings = compare(rising(slow_rise=0.01, noise=5e-4), gained).caveats
    told = "log-ratios), the slope of Gaussian noise"
    assert any(w.startswith("fixed:") and told in w for w in warnings)


def test_closure_is_not_named_where_a_slope_may_be_zero():
    lines = rising(slow_rise=1e-3, noise=5e-3)
    assert (
        fit_profile(lines)["gaussian"].slope_per_um * log_ratio_fits(lines)["gaussian"].slope_per_um
        < 0
    )
    warnings = compare(lines, profile(strengths(1, 40), name="gained")).caveats
    assert not any("Gaussian" in w and "log-ratio" in w for w in warnings)


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
    assert "the stacks were read with different crops" in compare(fixed, gained).caveats
    from cop_core.statistics import within

    narrow = within(pair[0], (0, pair[0].depth_um[20]))
    assert any("different depth window" in note for note in compare(narrow, pair[1]).caveats)


def test_a_negative_seed_is_refused(pair):
    with pytest.raises(InputError, match="seed: -1 cannot be used"):
        compare(*pair, seed=-1)


def test_different_components_are_refused(pair):
    other = profile(strengths(0, 9, components=3), components=("gaussian", "poisson", "clean"))
    with pytest.raises(InputError, match="same weights"):
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
def test_false_positives_of_one_tissue_imaged_twice():
    """The same bent curve twice, with independent errors: at most the stated rate."""
    z, n_sim, found = np.arange(34) * 20.0, 60, 0
    curve = 0.05 + 2e-4 * np.maximum(z - 300, 0)
    for seed in range(n_sim):
        rng = np.random.default_rng(seed)
        rows = [curve[:, None] + 0.005 * rng.normal(size=(34, 5)) for _ in range(2)]
        both = (profile(np.column_stack([x, 1 - x.sum(axis=1)]), step=20.0) for x in rows)
        result = compare(*both, tissue="same", n_bootstrap=2)
        found += sum(e.difference.p_value < 0.05 for e in result.effects[:-1])
    assert found / (5 * n_sim) < 0.08
