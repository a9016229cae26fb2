"""Statistics of a pair: against a plain implementation, closed forms, and at the limits."""

from dataclasses import replace

import numpy as np
import plain_pair_statistics as plain
import pytest
from made_profiles import SHOT, profile, strengths
from scipy.signal import lfilter
from scipy.stats import binomtest

from cop_core.recipes import StackOptions
from cop_core.records import PlaneEstimate, Provenance, StoredImage, WeightsUsed
from cop_core.statistics import analyse
from cop_core.statistics.bend import WITHIN_READINGS, find_bend, find_bends
from cop_core.statistics.contrast import contrast, mean_weights, slope_weights, welch
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.effect_size import cohen_d
from cop_core.statistics.local_smooth import band, local_lines, studentised
from cop_core.statistics.near_planes import KNOTS_UM, ReadingErrors, reading_errors
from cop_core.statistics.pairing import paired_planes
from cop_core.statistics.plane_errors import PlaneErrors, local_variance
from cop_core.statistics.reading_bootstrap import interval_of_d, interval_of_r2
from cop_core.statistics.spline_contrast import fit_spline, spline_design
from cop_core.statistics.tissue_match import SAME_TISSUE, tissue_match
from cop_core.statistics.usable_depth import crossings, level_depth, limit_of, signal_depth


def hockey_stick(z, *, start, slope, seed=0, sd=0.01):
    rng = np.random.default_rng(seed)
    return 0.1 + slope * np.maximum(z - start, 0) + sd * rng.normal(size=len(z))


@pytest.fixture(params=["even", "uneven"])
def depths(request):
    z = np.arange(40) * 20.0
    return (
        z if request.param == "even" else np.sort(z + np.random.default_rng(1).uniform(-8, 8, 40))
    )


# --- contrast ------------------------------------------------------------------------------------


def test_slope_and_mean_are_those_of_the_plain_version(depths):
    first = hockey_stick(depths, start=200, slope=1e-3)
    second = hockey_stick(depths, start=500, slope=1e-3, seed=1)
    doubt = np.linspace(0.01, 0.06, 40), np.linspace(0.02, 0.03, 40)
    expected = plain.compared(depths, first, second, *doubt)
    for name, weights in (("slope", slope_weights(depths)), ("mean", mean_weights(depths))):
        found = contrast(depths, first - second, weights)
        ours = {
            "estimate": found.value, "ci95": found.ci95, "dof": found.dof, "p": found.p_value,
            "reading_limit": np.abs(weights) @ np.hypot(*doubt),
        }  # fmt: skip
        for key, value in expected[name].items():
            assert ours[key] == pytest.approx(value, rel=1e-9), (name, key)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_below_five_planes_there_is_an_estimate_without_error(n):
    z = np.arange(n) * 20.0
    found = contrast(z, np.arange(n) ** 2.0, np.ones(n))
    assert found.value == sum(np.arange(n) ** 2.0)
    assert np.isnan([found.se, found.dof, found.p_value, *found.ci95]).all()


@pytest.mark.parametrize("values", [np.full(20, 0.1), np.linspace(0, 1, 20)])
def test_without_spread_there_is_no_error(values):
    z = np.arange(20) * 20.0
    assert np.isnan(contrast(z, values, slope_weights(z)).se)


def test_a_bend_is_not_taken_for_error():
    z = np.arange(60) * 20.0
    bent = contrast(z, hockey_stick(z, start=600, slope=1e-3, sd=1e-3), slope_weights(z))
    flat = contrast(z, hockey_stick(z, start=600, slope=0, sd=1e-3), slope_weights(z))
    assert bent.se < 1.5 * flat.se


def test_depths_in_any_order_equal_ones_and_nan():
    depth = [40.0, 0.0, 20.0, 20.0, 60.0, np.nan]
    found = by_depth(depth, [4.0, 0.0, 1.0, 3.0, np.nan, 5.0])
    np.testing.assert_array_equal(found, [[0, 20, 40], [0, 2, 4]])


def alike(rng, n, rho, rows):
    """Return errors of SD 1 whose neighbours correlate by rho, shape (rows, n)."""
    drawn = rng.normal(size=(rows, n + 100)) * np.sqrt(1 - rho**2)
    return lfilter([1], [1, -rho], drawn, axis=1)[:, 100:]


def test_errors_of_near_planes_are_as_large_and_as_alike_as_they_are():
    z = np.arange(300) * 2.0
    (shared,) = 0.1 * alike(np.random.default_rng(0), 300, 0.6, 1)
    found = ReadingErrors.of(z, shared).planes
    assert found.rho == pytest.approx(0.6, abs=0.15)
    assert np.sqrt(found.variance.mean()) == pytest.approx(0.1, rel=0.2)
    apart = ReadingErrors.of(10 * z, shared).planes  # 20 µm apart they share no error
    assert apart.rho == 0
    np.testing.assert_array_equal(apart.variance, local_variance(10 * z, shared))


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_errors_drawn_are_those_that_were_found(rho):
    rng, z = np.random.default_rng(0), np.arange(30) * 2.0
    errors = PlaneErrors(z, np.linspace(1, 3, 30), rho)
    drawn = errors.drawn(20_000, rng)
    np.testing.assert_allclose(drawn.var(axis=0), errors.variance, rtol=0.06)
    sums = np.array([slope_weights(z), mean_weights(z)])
    np.testing.assert_allclose((drawn @ sums.T).var(axis=0), errors.variance_of(sums), rtol=0.06)
    assert drawn.var(axis=1, ddof=1).mean() == pytest.approx(errors.spread, rel=0.02)
    again = errors.estimated_again(drawn).mean(axis=0)[3:-3]
    np.testing.assert_allclose(again, errors.variance[3:-3], rtol=0.06)
    near = np.corrcoef(drawn[:, 10], drawn[:, 11])[0, 1]
    assert near == pytest.approx(rho, abs=0.03)


@pytest.mark.parametrize(("n", "step", "rho"), [(39, 2.0, 0.6), (160, 4.0, 0.45), (160, 4.0, 0.1)])
def test_interval_of_d_holds_where_neighbours_err_alike(n, step, rho):
    z, rng = np.arange(n) * step, np.random.default_rng(3)
    curves = 0.4 * (1 - np.exp(-z / 250)), np.zeros(n)
    true = cohen_d(*curves)
    missed = 0
    for pair in 0.005 * alike(rng, n, rho, 200).reshape(100, 2, n):
        y, x = curves + pair
        errors = reading_errors(z, y, x, same_tissue=True)
        dof = ReadingErrors.of(z, y - x).contrast(mean_weights(z)).dof
        low, high = interval_of_d(y, x, errors, dof, samples=200, seed=0)
        missed += not low <= true <= high
    assert binomtest(missed, 100, 0.05, alternative="greater").pvalue > 0.005


@pytest.mark.parametrize("weigh", [slope_weights, mean_weights])
@pytest.mark.parametrize("n", [8, 39, 160])
def test_contrast_of_near_planes_is_that_of_the_plain_version(n, weigh):
    rng, z = np.random.default_rng(n), np.sort(np.arange(n) * 4.0 + (np.arange(n) % 3 == 1))
    alike = lfilter([1], [1, -0.5], rng.normal(size=n))
    d = 0.3 * np.tanh(z / 200) + 0.01 * alike
    expected = plain.near_contrast(z, d, weigh(z), KNOTS_UM)
    found = ReadingErrors.of(z, d).contrast(weigh(z))
    assert found.value == pytest.approx(expected[0], rel=1e-9)
    # the plain version keeps all digits of the correlation
    assert (found.se, found.dof) == pytest.approx(expected[1:], rel=1e-4)


def test_planes_apart_have_pseudo_residuals_for_errors():
    z = np.arange(40) * 20.0
    d = hockey_stick(z, start=400, slope=1e-3)
    weights = slope_weights(z)
    assert ReadingErrors.of(z, d).contrast(weights) == contrast(z, d, weights)


@pytest.mark.parametrize(("n", "step", "rho"), [(39, 2.0, 0.6), (160, 4.0, 0.45), (160, 4.0, 0.0)])
def test_intervals_hold_where_neighbours_err_alike(n, step, rho):
    z, rng = np.arange(n) * step, np.random.default_rng(5)
    curve = 0.3 * np.tanh(z / 200)
    errors = lfilter([1], [1, -rho], rng.normal(size=(200, n + 100)), axis=1)[:, 100:]
    true = slope_weights(z) @ curve
    missed = 0
    for error in 0.01 * errors:
        low, high = ReadingErrors.of(z, curve + error).contrast(slope_weights(z)).ci95
        missed += not low <= true <= high
    assert binomtest(missed, len(errors), 0.05).pvalue > 0.01


# --- smooth and band -----------------------------------------------------------------------------


def test_band_is_that_of_the_plain_version(depths):
    d = hockey_stick(depths, start=300, slope=1e-3)
    value, se, critical = plain.band(depths, d, 500, 0)
    found = band(depths, d, n_samples=500, seed=0)
    np.testing.assert_allclose(found.value, value, rtol=1e-9)
    half = (found.high - found.low) / 2
    np.testing.assert_allclose(half / se, critical, rtol=0.02)


def test_errors_are_compared_with_an_se_that_is_estimated_again():
    z, rng = np.arange(40) * 20.0, np.random.default_rng(0)
    rows = local_lines(z, z[20:21], 70.0)
    errors = rng.normal(size=(20_000, 40))
    ratios = errors @ rows.T / np.sqrt(local_variance(z, errors) @ (rows**2).T)
    expected = np.quantile(np.abs(ratios), 0.95)
    for each in errors[:20]:
        drawn = studentised(ReadingErrors.of(z, each).planes, rows, n_samples=20_000, seed=1)
        assert np.quantile(np.abs(drawn), 0.95) == pytest.approx(expected, rel=0.02)


def test_band_starts_near_where_the_curves_part():
    z = np.arange(60) * 20.0
    d = hockey_stick(z, start=500, slope=1e-3, sd=0.005) - 0.1
    assert 480 <= band(z, d, n_samples=500, seed=0).from_um <= 600


def test_no_band_where_the_window_is_too_short():
    z = np.arange(8) * 10.0
    assert not len(band(z, z, n_samples=100, seed=0).depth_um)
    assert np.isnan(band(z, z, n_samples=100, seed=0).from_um)


def test_local_lines_leave_a_line_as_it_is():
    z = np.sort(np.random.default_rng(0).uniform(0, 500, 50))
    np.testing.assert_allclose(local_lines(z, z, 90.0) @ (2 + 3 * z), 2 + 3 * z, rtol=1e-6)


def test_bend_is_found_with_its_interval():
    z = np.arange(60) * 20.0
    found = find_bend(z[::-1], hockey_stick(z, start=600, slope=1e-3)[::-1])
    assert found.ci95_um[0] <= 600 <= found.ci95_um[1]
    assert found.p_value < 0.01
    assert (found.shallow_slope_per_um, found.deep_slope_per_um) == pytest.approx(
        (0, 1e-3), abs=3e-4
    )


@pytest.mark.parametrize(("doubt", "note"), [(0.1, ""), (1.0, WITHIN_READINGS), (np.nan, "")])
def test_a_bend_of_less_than_the_uncertainty_is_told(doubt, note):
    z = np.arange(60) * 20.0
    found = find_bend(z, hockey_stick(z, start=600, slope=1e-3), np.full(60, doubt))
    assert found.p_value < 0.01
    assert found.note == note


def test_no_bend_in_a_line():
    z = np.arange(60) * 20.0
    assert find_bend(z, hockey_stick(z, start=-100, slope=1e-4)).p_value > 0.05
    assert find_bend(z, np.full(60, 0.1)).note
    assert find_bend(z[:4], z[:4]).note


def test_every_component_is_searched_over_the_planes_kept():
    rows = strengths(0, 60)
    found = find_bends(profile(rows, reasons={3: "saturated"}))
    kept = np.delete(np.arange(60), 3)
    assert found["poisson"] == find_bend(kept * 4.0, rows[kept, 2])
    assert list(found)[-1] == "clean"


# --- other tissue --------------------------------------------------------------------------------


def test_spline_holds_what_is_smooth():
    z = np.arange(60) * 20.0
    design = spline_design(z, 120.0)
    curve = np.sin(z / 200)
    left = curve - design @ np.linalg.lstsq(design, curve, rcond=None)[0]
    assert np.abs(left).max() < 2e-3
    assert design.shape[1] == 10 + 3  # knots 120 µm apart over 1180 µm


def test_other_tissue_is_less_certain_where_neighbours_are_alike():
    rng, z = np.random.default_rng(0), np.arange(160) * 4.0
    white = rng.normal(size=160)
    alike = np.convolve(rng.normal(size=180), np.ones(8) / 8**0.5, "same")[10:-10]
    found = [fit_spline(z, y, knots_um=120.0).contrast(slope_weights(z)) for y in (white, alike)]
    assert found[1].se > 1.5 * found[0].se
    both = welch(*found)
    assert both.se == pytest.approx(np.hypot(found[0].se, found[1].se))
    assert min(f.dof for f in found) <= both.dof <= sum(f.dof for f in found)


@pytest.mark.parametrize("n", [2, 5, 6, 9, 30])
def test_few_planes_of_another_tissue(n):
    z = np.arange(n) * 20.0
    values = np.random.default_rng(n).normal(size=n)
    found = fit_spline(z, values, knots_um=120.0).contrast(slope_weights(z))
    assert np.isfinite(found.value)
    assert np.isnan(found.se) or found.se > 0


# --- pairing and tissue --------------------------------------------------------------------------


def placed(depth_um, images=None, *, reasons=None, strength=0.1, weights=SHOT):
    reasons = reasons or {}
    planes = tuple(
        PlaneEstimate(
            index=i, depth_um=z, power=10.0, mean=np.full(6, strength), sd=np.zeros(6),
            n_crops=1, signal=1.0, reason=reasons.get(i, ""), uncertainty=np.full(6, 0.02),
            block_means=np.empty((0, 0)) if images is None else images[i],
        )
        for i, z in enumerate(depth_um)
    )  # fmt: skip
    made = profile([])
    image = StoredImage("", "", (), plane_shape=(256, 256), pixel_size_um=(1.5, 2.0))
    origin = Provenance("array", StackOptions(), image, weights)
    return type(made)("made", made.components, planes, provenance=origin)


def test_planes_pair_with_the_nearest_within_half_the_finer_step():
    pairs = paired_planes(placed([0, 20, 40, 60, 80]), placed([65.0, 5, 35], reasons={}))
    np.testing.assert_array_equal(pairs.depth_um, [2.5, 37.5, 62.5])
    np.testing.assert_array_equal(pairs.first, [0, 2, 3])
    np.testing.assert_array_equal(pairs.second, [1, 2, 0])
    assert pairs.window_um == (2.5, 62.5)


def test_planes_without_a_number_are_dropped_and_counted():
    first = placed(np.arange(10) * 20.0, reasons={4: "saturated", 9: "no signal"})
    pairs = paired_planes(first, placed(np.arange(10) * 20.0))
    assert len(pairs) == 8
    assert pairs.n_dropped == 2  # plane 4 of both; plane 9 lies beyond the window
    assert pairs.window_um == (0, 160)


def test_nothing_pairs_with_nothing():
    assert len(paired_planes(placed([]), placed([0.0, 20.0]))) == 0
    assert len(paired_planes(placed([0.0, 20.0]), placed([500.0, 520.0]))) == 0


def tissue(seed, n=9, shift=(0, 0), noise=0.1):
    from scipy.ndimage import gaussian_filter
    from scipy.ndimage import shift as moved

    images = gaussian_filter(np.random.default_rng(seed).normal(size=(n, 40, 40)), (0, 1.5, 1.5))
    images = np.array([moved(x / x.std(), shift, order=3, mode="reflect") for x in images])
    return images[:, 8:-8, 8:-8] + noise * np.random.default_rng(seed + 1).normal(size=(n, 24, 24))


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (0.5, 1.25)])
def test_the_same_tissue_is_known_again_where_it_moved(shift):
    z = np.arange(9) * 20.0
    first, second = placed(z, tissue(0)), placed(z, tissue(0, shift=shift, noise=0.3))
    found = tissue_match(first, second, paired_planes(first, second))
    assert found.correlation > 0.75
    block_um = 16 * np.array([1.5, 2.0])
    np.testing.assert_allclose(found.shift_um / block_um, shift, atol=1 / 4)


def test_another_tissue_is_told_apart():
    z = np.arange(9) * 20.0
    first, second = placed(z, tissue(0)), placed(z, tissue(7))
    assert tissue_match(first, second, paired_planes(first, second)).correlation < SAME_TISSUE


def test_stacks_without_images_are_not_judged():
    first = placed(np.arange(9) * 20.0)
    assert np.isnan(tissue_match(first, first, paired_planes(first, first)).correlation)


# --- d and R2 ------------------------------------------------------------------------------------


def covers(draw, truth, interval, n=60):
    found = [interval(np.random.default_rng(i), draw) for i in range(n)]
    return np.mean([low <= truth <= high for low, high in found])


def test_interval_of_r2_covers_that_of_the_expected_reading():
    z = np.arange(40) * 20.0
    curve = hockey_stick(z, start=300, slope=5e-4, sd=0)
    truth = np.corrcoef(z, curve)[0, 1] ** 2

    def interval(rng, curve):
        y = curve + 0.02 * rng.normal(size=40)
        dof = contrast(z, y, slope_weights(z)).dof
        return interval_of_r2(y, ReadingErrors.of(z, y).planes, dof, samples=200, seed=0)

    assert covers(curve, truth, interval) >= 0.88


def test_interval_of_d_covers_that_of_the_expected_reading():
    z = np.arange(40) * 20.0
    a, b = (hockey_stick(z, start=s, slope=5e-4, sd=0) for s in (300, 500))
    truth = (a - b).mean() / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)

    def interval(rng, curves):
        y, x = (c + 0.02 * rng.normal(size=40) for c in curves)
        dof = contrast(z, y - x, mean_weights(z)).dof
        errors = reading_errors(z, y, x, same_tissue=True)
        return interval_of_d(y, x, errors, dof, samples=200, seed=0)

    assert covers((a, b), truth, interval) >= 0.88


def test_what_two_stacks_share_is_no_error_of_d():
    rng, z = np.random.default_rng(0), np.arange(40) * 20.0
    shared = 0.05 * rng.normal(size=40)
    y, x = (0.1 + shared + 0.002 * rng.normal(size=40) for _ in range(2))
    together = sum(e.variance for e in reading_errors(z, y, x, same_tissue=True))
    apart = sum(e.variance for e in reading_errors(z, y, x, same_tissue=False))
    assert together.mean() < 0.04 * apart.mean()
    np.testing.assert_allclose(together, local_variance(z, y - x))


# --- usable depth --------------------------------------------------------------------------------


def test_crossings_are_interpolated_and_censored():
    z = np.array([0.0, 20, 40, 60])
    curves = np.array([[0.1, 0.1, 0.3, 0.4], [0.1] * 4, [0.3] * 4, [0.3, 0.1, 0.1, 0.4]])
    found = crossings(z, curves, 0.2)
    np.testing.assert_allclose(found, [30, np.inf, -np.inf, 40 + 20 / 3])


def stack(strength, *, n_dark=0):
    z = np.arange(len(strength)) * 20.0
    dark = dict.fromkeys(range(len(z) - n_dark, len(z)), "no signal above the background")
    made = placed(z, reasons=dark)
    planes = [
        type(p)(**{**vars(p), "mean": np.full(6, s)})
        for p, s in zip(made.planes, strength, strict=True)
    ]
    return type(made)(made.name, made.components, tuple(planes), provenance=made.provenance)


def test_level_depth_with_its_interval():
    z = np.arange(50) * 20.0
    y = 0.1 + 4e-4 * z + 0.005 * np.random.default_rng(0).normal(size=50)
    found = level_depth(stack(y), 0.2, samples=500, seed=0)
    assert found.depth_um == pytest.approx(250, abs=15)
    assert found.ci95_um[0] <= 250 <= found.ci95_um[1]
    assert found.reading_shift_um == pytest.approx(0.02 / 4e-4, rel=0.2)


def test_a_level_that_is_not_reached_is_deeper_or_shallower():
    rng, z = np.random.default_rng(0), np.arange(50) * 20.0
    low, high = (stack(s + 0.003 * rng.normal(size=50)) for s in (0.1, 0.4))
    assert level_depth(low, 0.2, samples=200, seed=0).deeper_than_um == z[-1]
    assert level_depth(high, 0.2, samples=200, seed=0).shallower_than_um == z[0]


@pytest.mark.parametrize("n", [4, 8])
def test_planes_too_few_for_a_curve_tell_where_all_lie_on_one_side(n):
    def found(*strength):
        close = placed(np.arange(n) * 2.0)
        planes = [
            replace(plane, mean=np.full(6, s))
            for plane, s in zip(close.planes, strength, strict=True)
        ]
        return analyse(replace(close, planes=tuple(planes)))

    noisy, good = found(*[0.4] * n), found(*[0.1] * n)
    assert noisy.usable.level.shallower_than_um == 0
    assert "shot noise is above 20 % (100 photons) at all depths" in noisy.verdict
    assert good.usable.level.deeper_than_um == 2 * (n - 1)
    assert "shot noise stays below 20 % (100 photons) down to the last plane" in good.verdict
    mixed = found(0.1, *[0.4] * (n - 1)).usable.level
    assert np.isnan([mixed.depth_um, mixed.shallower_than_um, mixed.deeper_than_um]).all()


def test_a_level_that_no_plane_keeps_below_is_shallower_than_all():
    z = np.arange(40) * 20.0
    curve = np.array([z, np.full(40, 0.4), np.zeros(40)])
    found = limit_of(curve, 0.2, np.full(20, -np.inf))
    assert found.shallower_than_um == 0
    assert np.isnan([found.depth_um, found.deeper_than_um, found.from_um]).all()


def test_no_level_for_weights_whose_poisson_is_no_shot_noise():
    made = placed(np.arange(50) * 20.0, weights=WeightsUsed("paper", "", "paper", ("poisson",)))
    assert np.isnan(level_depth(made, 0.2, samples=200, seed=0).depth_um)


def test_signal_depth_is_that_of_the_last_plane_before_three_without():
    dark = "no signal above the background"
    reasons = {3: dark, 7: "saturated", 10: dark, 11: dark, 12: dark}
    found = signal_depth(placed(np.arange(16) * 20.0, reasons=reasons))
    assert found.depth_um == 180
    assert found.ci95_um == (180 - 29.4, 180 + 29.4)
    assert signal_depth(stack(np.full(20, 0.1), n_dark=1)).depth_um == 360


def test_signal_to_the_end_is_deeper_and_none_at_all_is_unknown():
    assert signal_depth(stack(np.full(20, 0.1))).deeper_than_um == 380
    none = signal_depth(stack(np.full(5, 0.1), n_dark=5))
    assert np.isnan([none.depth_um, none.deeper_than_um]).all()
