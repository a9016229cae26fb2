"""Several stacks an arm: against statsmodels' mixed model and t-tests of the stacks' slopes."""

import numpy as np
import pandas as pd
import pytest
from made_profiles import profile, strengths
from scipy import stats
from statsmodels.regression.linear_model import GLS
from statsmodels.regression.mixed_linear_model import MixedLM

from cop_core.errors import InputError
from cop_core.statistics import cohen_d, compare_arms, fit_mixed
from cop_core.statistics.effect_size import independent_interval_of_d
from cop_core.statistics.mixed_model import AT_EDGE, NO_SPREAD

ARM = np.repeat([1.0, 0.0], 4)
DEPTH = np.arange(40) * 20.0


def stacks(seed, *, between=0.3, n=8, change=0.0):
    """Stacks with a level and a slope of their own each, fixed ones first."""
    rng = np.random.default_rng(seed)
    own = between * rng.normal(size=(n, 2)) + np.outer(np.arange(n) < n / 2, [0, change])
    tilt = np.linspace(-1, 1, 40)
    rows = own[:, :1] + own[:, 1:] * tilt + 0.3 * rng.normal(size=(n, 40))
    return [(DEPTH, row) for row in rows]


def slopes(series):
    return np.array([np.polyfit(depth, value, 1)[0] for depth, value in series])


def test_mixed_model_is_that_of_statsmodels():
    series = stacks(0, change=0.5)
    series[2] = (DEPTH[5:30], series[2][1][5:30])  # not balanced, so the variances matter
    fit = fit_mixed(series, ARM)
    depth, value = (np.concatenate(x) for x in zip(*series, strict=True))
    counts = [len(v) for _, v in series]
    frame = pd.DataFrame(
        {
            "y": (value - value.mean()) / value.std(),
            "z": (depth - depth.mean()) / depth.std(),
            "arm": np.repeat(ARM, counts),
            "stack": np.repeat(np.arange(8), counts),
        }
    )
    model = MixedLM.from_formula("y ~ arm * z", frame, groups="stack", re_formula="~ z")
    found = model.fit(reml=True, method=["lbfgs", "powell"])
    unit = value.std() / depth.std()
    assert fit.slope_difference_per_um == pytest.approx(found.params["arm:z"] * unit, rel=1e-8)
    assert fit.gained_slope_per_um == pytest.approx(found.params["z"] * unit, rel=1e-8)
    assert fit.se == pytest.approx(found.bse["arm:z"] * unit, rel=0.02)  # from another Hessian
    random = np.column_stack([np.ones(len(frame)), frame["z"]])
    same = np.equal.outer(frame["stack"].to_numpy(), frame["stack"].to_numpy())
    covariance = same * (random @ found.cov_re.to_numpy() @ random.T) + found.scale * np.eye(305)
    reference = GLS(frame["y"], found.model.exog, sigma=covariance)
    at_these = reference.fit(cov_type="fixed scale", cov_kwds={"scale": 1.0})
    assert fit.se == pytest.approx(at_these.bse.iloc[3] * unit, rel=1e-8)
    assert fit.dof == 6
    half = stats.t.ppf(0.975, 6) * fit.se
    np.testing.assert_allclose(
        fit.ci95, fit.slope_difference_per_um + half * np.array([-1, 1]), rtol=1e-10
    )
    assert (fit.n_stacks, fit.n_animals, fit.n_planes, fit.note) == (8, 0, 305, "")


def test_balanced_stacks_give_the_t_test_of_their_slopes():
    series = stacks(1)
    fit, each = fit_mixed(series, ARM), slopes(stacks(1))
    reference = stats.ttest_ind(each[:4], each[4:])
    assert fit.slope_difference_per_um == pytest.approx(each[:4].mean() - each[4:].mean(), rel=1e-6)
    assert fit.p_value == pytest.approx(reference.pvalue, rel=1e-3)
    assert fit.dof == reference.df


def test_animals_in_both_arms_give_the_paired_t_test():
    rng, series = np.random.default_rng(0), stacks(2, between=0.1, change=0.2)
    own = rng.normal(size=4)
    series = [(z, y + own[i % 4] * np.linspace(-1, 1, 40)) for i, (z, y) in enumerate(series)]
    fit, each = fit_mixed(series, ARM, "abcdabcd"), slopes(series)
    reference = stats.ttest_rel(each[:4], each[4:])
    assert fit.slope_difference_per_um == pytest.approx(np.mean(each[:4] - each[4:]), rel=1e-8)
    assert fit.p_value == pytest.approx(reference.pvalue, rel=1e-5)
    assert (fit.dof, fit.n_animals) == (3, 4)
    assert fit.p_value < fit_mixed(series, ARM).p_value


def test_animals_with_several_stacks_are_those_of_statsmodels():
    rng, n = np.random.default_rng(4), 18
    arm, animals = np.repeat([1.0, 0.0], 9), [*"aaabbbccc", *"dddeeefff"]
    own = dict(zip("abcdef", rng.normal(size=6), strict=True))
    tilts = [own[a] + 0.4 * rng.normal() for a in animals]
    rows = [(DEPTH, t * np.linspace(-1, 1, 40) + 0.1 * rng.normal(size=40)) for t in tilts]
    fit, each = fit_mixed(rows, arm, animals), slopes(rows)
    frame = pd.DataFrame({"y": each / each.std(), "arm": arm, "animal": animals})
    found = MixedLM.from_formula("y ~ arm", frame, groups="animal").fit(reml=True, gtol=1e-10)
    assert len(rows) == n
    assert fit.slope_difference_per_um == pytest.approx(found.params["arm"] * each.std(), rel=1e-8)
    assert fit.se == pytest.approx(found.bse["arm"] * each.std(), rel=1e-4)
    assert fit.dof == 4


def test_stacks_that_differ_no_more_than_their_planes_are_named():
    assert AT_EDGE in {fit_mixed(stacks(seed, between=0.0), ARM).note for seed in range(5)}
    assert fit_mixed([(DEPTH, np.full(40, 0.2))] * 8, ARM).note == NO_SPREAD


def test_profiles_of_two_arms_compare():
    fixed = [profile(strengths(s, 40, slope=5e-4), name=f"f{s}") for s in range(3)]
    gained = [
        profile(strengths(s + 9, 40), name=f"g{s}", reasons={4: "saturated"}) for s in range(3)
    ]
    result = compare_arms(fixed, gained)
    effect = result.of("poisson")
    assert effect.slope_difference_per_um == pytest.approx(5e-4 / 4, rel=0.2)
    assert effect.ci95[0] < 5e-4 / 4 < effect.ci95[1]
    assert effect.p_value < effect.p_holm < 0.05
    means = [[p.of("poisson")[p.kept].mean() for p in arm] for arm in (fixed, gained)]
    assert effect.cohen_d == pytest.approx(cohen_d(*means), rel=1e-12)
    assert np.isnan(result.of("clean").p_holm)
    assert "g0: 1 of 40 planes excluded" in result.caveats
    assert result.components[-1] == "clean"


def test_arms_take_a_window_and_animals():
    arms = [[profile(strengths(s + k, 40), name=f"{k}{s}") for s in range(3)] for k in (0, 9)]
    result = compare_arms(*arms, animals=("abc", "abc"), window_um=(80.0, None))
    assert result.of("gaussian").model.n_planes == 6 * 20
    assert result.animals == ("a", "b", "c", "a", "b", "c")
    assert result.of("gaussian").model.dof == 2


def test_arms_that_cannot_be_compared_are_refused():
    one, two = profile(strengths(0, 40)), profile(strengths(1, 40))
    with pytest.raises(InputError, match="1 and 2 stacks are too few"):
        compare_arms([one], [one, two])
    with pytest.raises(InputError, match="1 and 2 animals for 2 and 2 stacks"):
        compare_arms([one, two], [one, two], animals=("a", "ab"))
    with pytest.raises(InputError, match="2 animals leave no error"):
        compare_arms([one, two], [two, one], animals=("aa", "bb"))
    with pytest.raises(InputError, match="fewer than 3 planes"):
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
