"""Several animals: against scipy's t tests of animals' slopes, and at the limits."""

from dataclasses import replace

import numpy as np
import pytest
from made_profiles import profile, strengths, with_shot_noise
from scipy import stats

from cop_core.errors import InputError
from cop_core.records import NO_SIGNAL
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


def test_planes_that_are_left_out_have_their_reasons():
    dark = dict.fromkeys(range(30, 40), NO_SIGNAL) | {2: "saturated"}
    arms = [stack(0, reasons=dark), stack(1)], [stack(2), stack(3)]
    said = "s0: 11 of 40 planes left out (10 no signal above the background; 1 saturated)"
    assert said in compare_arms(*arms).caveats


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
    assert "g0: 1 of 40 planes left out (1 saturated)" in result.caveats
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
    with pytest.raises(InputError, match="same weights"):
        compare_arms([one, other], [one, two])


def test_interval_of_d_over_stacks_is_that_of_the_noncentral_t():
    low, high = independent_interval_of_d(1.2, 4, 5)
    root = np.sqrt(1 / 4 + 1 / 5)
    assert stats.nct.cdf(1.2 / root, 7, low / root) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(1.2 / root, 7, high / root) == pytest.approx(0.025, abs=1e-6)
    many = independent_interval_of_d(0.5, 4000, 4000)
    np.testing.assert_allclose(many, 0.5 + 1.96 * np.sqrt(2 / 4000) * np.array([-1, 1]), atol=2e-3)
    assert np.isnan(independent_interval_of_d(float("nan"), 4, 5)).all()


# --- usable depths -------------------------------------------------------------------------------


def lit(seed, last_um, n=50):
    """Return a stack of planes 20 µm apart with signal down to a depth."""
    lost = {i: NO_SIGNAL for i in range(n) if 20 * i > last_um}
    return profile(strengths(seed, n), name=f"s{seed}", step=20.0, reasons=lost)


def lit_arms(*ends):
    return [[lit(10 * k + i, end) for i, end in enumerate(arm)] for k, arm in enumerate(ends)]


def test_signal_depths_that_are_all_equal_are_known_to_a_step():
    fixed, gained = lit_arms([660] * 5, [900, 920, 940, 960, 920])
    found = compare_arms(fixed, gained, names=("fixed", "gained")).signal
    assert found.difference_um == pytest.approx(-268)
    error = np.hypot(0.75 * 20, np.std([900, 920, 940, 960, 920], ddof=1)) / 5**0.5
    assert np.ptp(found.ci95_um) == pytest.approx(2 * stats.t.ppf(0.975, 7) * error, rel=0.05)
    tied = compare_arms(*lit_arms([660] * 5, [940] * 5), names=("fixed", "gained"))
    error = 0.75 * 20 * (2 / 5) ** 0.5  # the signal depth of one tissue imaged again
    half = stats.t.ppf(0.975, 8) * error
    assert tied.signal.ci95_um == pytest.approx((-280 - half, -280 + half))
    assert tied.verdict.startswith(
        "Gained power images deeper: there is signal down to 940 µm instead of 660 µm (95 % CI "
    )
    same = compare_arms(*lit_arms([660] * 5, [660] * 5)).signal
    assert (same.difference_um, same.p_value) == (0, pytest.approx(1))


def test_animals_under_both_protocols_may_all_gain_alike():
    fixed, gained = lit_arms([660, 700, 640], [860, 900, 840])
    found = compare_arms(fixed, gained, animals=("abc", "abc")).signal
    half = stats.t.ppf(0.975, 2) * 0.75 * 20 * (2 / 3) ** 0.5
    assert found.ci95_um == pytest.approx((-200 - half, -200 + half))


def test_a_signal_that_is_never_lost_counts_as_deep_as_planes_reach():
    fixed, gained = lit_arms([640, 660, 680, 660, 640], [2000] * 5)
    result = compare_arms(fixed, gained, names=("fixed", "gained"))
    found = result.signal
    assert (found.second_um, found.counted_to_um, found.n_deeper) == (980, 980, 5)
    assert found.difference_um == pytest.approx(656 - 980)
    assert result.verdict.startswith(
        "Gained power images deeper: there is signal down to at least 980 µm instead of 656 µm "
        "(95 % CI "
    )


def test_depths_beyond_the_planes_of_some_stacks_count_as_far_as_all_reach():
    shown = [lit(i, end, n) for i, (end, n) in enumerate([(640, 50), (900, 50), (2000, 40)])]
    others = [lit(9 + i, end) for i, end in enumerate([500, 520, 540])]
    result = compare_arms(shown, others, names=("shown", "others"))
    found = result.signal
    assert (found.counted_to_um, found.n_deeper) == (780, 1)
    assert found.first_um == pytest.approx(np.mean([640, 780, 780]))
    expected = stats.ttest_ind([640, 780, 780], [500, 520, 540], equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert "down to 733 µm instead of 520 µm, counting deeper ones as 780 µm (" in result.verdict


def rising_through(at_um, seed, name="a"):
    """Return a stack whose shot noise rises through 20 % at a depth."""
    return with_shot_noise(lambda z: 0.2 + (z - at_um) * 2e-4, seed=seed, name=name)


def test_means_are_those_of_the_animals_that_are_tested():
    fixed = [rising_through(at, i) for i, at in enumerate((440, 450, 430, 700))]
    gained = [rising_through(at, 9 + i) for i, at in enumerate((400, 412, 391, 600))]
    gained[3] = replace(gained[3], provenance=None)  # of weights that tell no shot noise
    result = compare_arms(fixed, gained, animals=("abcd", "abcd"), names=("fixed", "gained"))
    found = result.level
    assert (found.first_um, found.second_um) == pytest.approx((440, 401), abs=6)
    assert found.difference_um == pytest.approx(found.first_um - found.second_um)
    assert found.n_untold == 1
    assert " µm, 1 of 8 stacks left out because this depth is not known (95 % CI " in result.verdict


def test_stacks_that_never_reach_the_level_are_not_left_out():
    fixed = [rising_through(450 + 5 * i, i) for i in range(5)]
    gained = [rising_through(at, 9 + i) for i, at in enumerate((400, 405, 398, 1100, 1150))]
    result = compare_arms(fixed, gained, names=("fixed", "gained"))
    found = result.level
    assert (found.counted_to_um, found.n_deeper) == (1000, 2)
    assert found.second_um == pytest.approx(np.mean([400, 405, 398, 1000, 1000]), abs=6)
    assert found.p_value > 0.1
    assert "images deeper" not in result.verdict


@pytest.mark.parametrize("doubt", [None, 1e-3])
def test_equivalence_needs_a_reading_limit(doubt):
    arms = [[stack(10 * k + i, doubt=doubt) for i in range(4)] for k in (0, 1)]
    found = compare_arms(*arms, margin_per_100_um=0.5).of("poisson").difference
    assert np.isnan(found.equivalence_p_difference) == (doubt is None)
