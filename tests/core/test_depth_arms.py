"""Several animals: against scipy's t tests of animals' slopes, and at the edges."""

from dataclasses import replace

import numpy as np
import pytest
from made_profiles import profile, strengths
from scipy import stats

from cop_core.errors import InputError
from cop_core.statistics import cohen_d, compare_arms
from cop_core.statistics.effect_size import independent_interval_of_d

DEPTH = np.arange(40) * 4.0


def stack(seed, *, tilt=0.0, doubt=None, **made):
    rows = strengths(seed, 40)
    rise = 1e-4 * tilt * np.arange(40)
    rows[:, 2] += rise
    rows[:, -1] -= rise
    found = profile(rows, name=f"s{seed}", **made)
    if doubt is None:
        return found
    planes = (replace(p, uncertainty=np.full(6, doubt)) for p in found.planes)
    return replace(found, planes=tuple(planes))


def slopes(arm, component="poisson"):
    return np.array([np.polyfit(p.depth_um[p.kept], p.of(component)[p.kept], 1)[0] for p in arm])


@pytest.fixture
def arms():
    tilts = np.random.default_rng(0).normal(size=8)
    fixed = [stack(s, tilt=6 + 2 * tilts[s]) for s in range(4)]
    return fixed, [stack(s + 4, tilt=2 * tilts[s] + 0.3 * tilts[s + 4]) for s in range(4)]


def test_animals_in_both_arms_give_the_paired_t_test(arms):
    effect = compare_arms(*arms, animals=("abcd", "abcd")).of("poisson")
    expected = stats.ttest_rel(*map(slopes, arms))
    assert effect.difference.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert effect.difference.dof == 3
    np.testing.assert_allclose(
        effect.difference.slope_difference_ci95, expected.confidence_interval(0.95)
    )
    assert effect.difference.p_value < compare_arms(*arms).of("poisson").difference.p_value


def test_animals_of_one_arm_each_give_welch(arms):
    result = compare_arms(*arms, animals=("abcd", "efgh"))
    expected = stats.ttest_ind(*map(slopes, arms), equal_var=False)
    effect = result.of("poisson")
    assert effect.difference.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert effect.difference.dof == pytest.approx(expected.df, rel=1e-6)
    assert not result.paired
    assert repr(compare_arms(*arms).of("poisson")) == repr(effect)


def test_fields_of_an_animal_are_averaged(arms):
    result = compare_arms(*arms, animals=("aabb", "aabb"))
    means = [slopes(arm).reshape(2, 2).mean(axis=1) for arm in arms]
    expected = stats.ttest_rel(*means)
    assert result.of("poisson").difference.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert result.n_units == (2, 2)


def test_all_slopes_are_over_the_depths_of_all_stacks(arms):
    fixed, gained = arms
    short = stack(9, tilt=6, reasons=dict.fromkeys(range(30, 40), "saturated"))
    result = compare_arms([*fixed, short], gained)
    assert result.window_um == (0, 29 * 4.0)
    cut = [slopes([p])[0] for p in (_until(q, 30) for q in fixed)]
    assert result.of("poisson").first_slope_per_um == pytest.approx(
        np.mean([*cut, slopes([short])[0]]), rel=1e-9
    )


def _until(made, n):
    return replace(made, planes=made.planes[:n])


def test_a_difference_below_the_reading_limit_is_not_called(arms):
    clear, doubtful = (
        compare_arms(
            [stack(s, tilt=8 + s, doubt=u) for s in range(4)],
            [stack(s + 4, tilt=s, doubt=u) for s in range(4)],
            names=("fixed", "gained"),
            animals=("abcd", "abcd"),
        )
        for u in (0.001, 0.05)
    )
    assert clear.of("poisson").difference.called
    assert "Shot noise rises faster with depth at fixed power." in clear.verdict
    assert doubtful.of("poisson").difference.p_holm < 0.05
    assert not doubtful.of("poisson").difference.called
    assert doubtful.verdict.startswith("No difference shown between fixed power and gained power")
    assert not compare_arms(*arms).of("poisson").difference.called  # no uncertainty is stated


def test_profiles_of_two_arms_compare():
    fixed = [profile(strengths(s, 40, slope=5e-4), name=f"f{s}") for s in range(3)]
    gained = [
        profile(strengths(s + 9, 40), name=f"g{s}", reasons={4: "saturated"}) for s in range(3)
    ]
    result = compare_arms(fixed, gained)
    effect = result.of("poisson")
    assert effect.difference.slope_difference_per_um == pytest.approx(5e-4 / 4, rel=0.2)
    assert (
        effect.difference.slope_difference_ci95[0]
        < 5e-4 / 4
        < effect.difference.slope_difference_ci95[1]
    )
    assert effect.difference.p_value <= effect.difference.p_holm < 0.05
    means = [[p.of("poisson")[p.kept].mean() for p in arm] for arm in (fixed, gained)]
    assert effect.difference.cohen_d == pytest.approx(cohen_d(*means), rel=1e-12)
    assert effect.difference.mean_difference == pytest.approx(np.mean(means[0]) - np.mean(means[1]))
    assert np.isnan(result.of("clean").difference.p_holm)
    assert "g0: 1 of 40 planes left out" in result.caveats
    assert result.components[-1] == "clean"


def test_arms_take_a_window():
    arms = [[profile(strengths(s + k, 40), name=f"{k}{s}") for s in range(3)] for k in (0, 9)]
    result = compare_arms(*arms, animals=("abc", "abc"), window_um=(80.0, None))
    assert result.window_um == (80.0, 156.0)
    assert result.animals == ("a", "b", "c", "a", "b", "c")
    assert result.of("gaussian").difference.dof == 2


def test_arms_that_cannot_be_compared_are_refused():
    one, two = profile(strengths(0, 40)), profile(strengths(1, 40))
    with pytest.raises(InputError, match="1 and 2 stacks are too few"):
        compare_arms([one], [one, two])
    with pytest.raises(InputError, match="1 and 2 animals for 2 and 2 stacks"):
        compare_arms([one, two], [one, two], animals=("a", "ab"))
    with pytest.raises(InputError, match="one animal per arm"):
        compare_arms([one, two], [two, one], animals=("aa", "bb"))
    with pytest.raises(InputError, match="fewer than 3 of its planes"):
        compare_arms([one, profile(strengths(1, 2))], [one, two])
    other = profile(strengths(0, 9, components=3), components=("gaussian", "poisson", "clean"))
    with pytest.raises(InputError, match="same estimator"):
        compare_arms([one, other], [one, two])


def test_interval_of_d_over_stacks_is_that_of_the_noncentral_t():
    low, high = independent_interval_of_d(1.2, 4, 5)
    root = np.sqrt(1 / 4 + 1 / 5)
    assert stats.nct.cdf(1.2 / root, 7, low / root) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(1.2 / root, 7, high / root) == pytest.approx(0.025, abs=1e-6)
    many = independent_interval_of_d(0.5, 4000, 4000)
    np.testing.assert_allclose(many, 0.5 + 1.96 * np.sqrt(2 / 4000) * np.array([-1, 1]), atol=2e-3)
    assert np.isnan(independent_interval_of_d(float("nan"), 4, 5)).all()
