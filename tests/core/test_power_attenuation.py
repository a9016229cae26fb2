from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from cop_core import open_stack
from cop_core.errors import CancelledError, InputError
from cop_core.power import attenuation, bright_signal
from cop_core.power.bright_signal import CLIPPED, SMALL_PLANE, BrightSignal, brightness
from cop_core.power.layers import fit_layers
from cop_core.power.usable_planes import FAINT, NO_POWER, OUTLIER, OUTSIDE
from cop_core.simulator import Detector, Optics, Phantom, simulate

DETECTOR = Detector(gain_counts=4.0, amplifier_counts=2.0)
ZERO = DETECTOR.offset_counts + DETECTOR.gain_counts * DETECTOR.dark_photons
Z = np.arange(40) * 20.0


def signal(log_gain, depth=Z, power=5.0, order=3, offset=100.0, noise=0.01):
    """Planes whose bright signal is exactly exp(log_gain) P^n above the offset."""
    n = len(depth)
    power = np.broadcast_to(np.asarray(power, float), (n,))
    bright = offset + np.exp(log_gain) * power**order
    return BrightSignal(
        "made", depth, power, bright, np.full(n, offset), (bright + offset) / 2,
        np.full(n, noise), ("",) * n,
    )  # fmt: skip


@pytest.fixture(scope="module")
def phantom_stack():
    """A simulated stack at gained power, through grey into white matter."""
    optics = Optics(photons=300.0, reference_mw=2.0, length_um=280.0)
    depth = np.arange(26) * 40.0
    power = np.minimum(2 * np.exp(depth / 300), 60)
    phantom = Phantom((96, 96), 450.0, 1080.0, seed=3)
    planes = simulate(phantom, optics, DETECTOR, power, depth, seed=3)
    return open_stack(np.stack([c for c, _ in planes]), z_step_um=40.0, power=power)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("power", [5.0, 2.0 * np.exp(Z / 250)])
def test_an_exact_law_is_found_exactly(order, power):
    wavy = 1e-3 * np.sin(np.arange(40.0) ** 2)
    found = attenuation(
        signal(8 - order * Z / 280 + wavy, power=power, order=order),
        excitation_order=order,
        offset_counts=100.0,
    )
    (layer,) = found.layers
    assert layer.length_um == pytest.approx(280, rel=1e-3)
    low, high = layer.length_ci95_um
    assert low < 280 < high
    assert (layer.top_um, layer.bottom_um) == (0, 780)


def correlated(rng, rho):
    """Return an AR(1) process of SD 1 at the 40 depths."""
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.standard_normal(240))[200:]


def test_slope_and_error_are_those_of_statsmodels_gls():
    regression = pytest.importorskip("statsmodels.regression.linear_model")
    rng = np.random.default_rng(1)
    noise = 0.05 * correlated(rng, 0.6)
    fit = fit_layers(Z, 5 - 0.01 * Z + noise, most_breaks=0)
    covariance = fit.rho ** np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    design = np.column_stack([np.ones(40), Z])
    reference = regression.GLS(5 - 0.01 * Z + noise, design, sigma=covariance).fit()
    assert fit.coefficients == pytest.approx(reference.params, rel=1e-8)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(reference.bse, rel=1e-6)
    assert fit.se_at(Z) == pytest.approx(
        np.sqrt(np.einsum("ni,ij,nj->n", design, reference.cov_params(), design)), rel=1e-6
    )


def test_white_matter_is_a_layer_of_its_own():
    rng = np.random.default_rng(0)
    tau = np.clip(Z, 0, 500) / 300 + np.clip(Z - 500, 0, None) / 150
    found = attenuation(signal(8 - 3 * tau + 0.03 * rng.standard_normal(40)), offset_counts=100)
    above, below = found.layers
    for layer, truth in ((above, 300), (below, 150)):
        assert layer.length_um == pytest.approx(truth, rel=0.05)
        assert layer.length_ci95_um[0] < truth < layer.length_ci95_um[1]
    ((low, high),) = found.fit.breaks_ci95_um
    assert low < 500 < high
    assert high - low < 120
    one = attenuation(found.signal, offset_counts=100, most_breaks=0)
    assert len(one.layers) == 1


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_correlated_planes_make_no_layers_and_intervals_cover(rho):
    rng = np.random.default_rng(7)
    covered, broken = 0, 0
    for _ in range(60):
        noise = 0.1 * correlated(rng, rho)
        (first, *others) = attenuation(signal(8 - 3 * Z / 300 + noise), offset_counts=100).layers
        covered += first.length_ci95_um[0] < 300 < first.length_ci95_um[1]
        broken += bool(others)
    assert covered >= 53
    assert broken <= 3


def test_noise_is_not_taken_for_brightness():
    """Bright blocks of a noisy plane look brighter: the contribution of noise is removed."""
    rng = np.random.default_rng(2)
    structure = np.kron(rng.normal(8, 1.5, (32, 32)), np.ones((8, 8)))
    truth = brightness(100 + structure)[0] - 100
    expected = np.sort(structure[::8, ::8].ravel())[-102:].mean()
    assert truth == pytest.approx(expected, rel=1e-6)
    read, naive = [], []
    for _ in range(10):
        noisy = 100 + structure + 12 * rng.standard_normal(structure.shape)
        read.append(brightness(noisy)[0] - 100)
        blocks = np.sort(noisy.reshape(32, 8, 32, 8).mean((1, 3)).ravel())
        naive.append(blocks[-102:].mean() - 100)
    assert np.mean(read) == pytest.approx(truth, rel=0.02)
    assert np.mean(naive) > 1.05 * truth


def test_phantom_with_white_matter(phantom_stack):
    found = attenuation(phantom_stack, offset_counts=ZERO)
    above, below = found.layers
    assert above.length_um == pytest.approx(280, rel=0.05)
    assert above.length_ci95_um[0] < 280 < above.length_ci95_um[1]
    assert below.length_ci95_um[0] < 150 < below.length_ci95_um[1]
    assert found.fit.breaks_ci95_um[0][0] < 840 < found.fit.breaks_ci95_um[0][1]
    assert not found.offset.estimated


def test_offset_is_estimated_where_the_stack_gets_dark_and_refused_elsewhere():
    depth, noise = np.arange(60) * 20.0, np.full(60, 0.05)
    made = signal(9 - 3 * depth / 250, depth)
    light = made.bright_counts - 100
    dark = BrightSignal(
        "made", depth, made.power, 100 + light, 100 + 0.1 * light, 100 + 0.5 * light, noise,
        made.reasons,
    )  # fmt: skip
    found = attenuation(dark)
    assert found.offset.estimated
    assert found.offset.counts == pytest.approx(100, abs=3 * found.offset.error_counts)
    low, high = found.layers[0].length_ci95_um
    assert low < 250 < high
    given = attenuation(dark, offset_counts=100).layers[0].length_ci95_um
    assert high - low > given[1] - given[0]
    with pytest.raises(InputError, match=r"zero level cannot be estimated.*offset_counts"):
        attenuation(
            BrightSignal(
                "lit", depth[:9], made.power[:9], dark.bright_counts[:9], dark.dark_counts[:9],
                dark.mean_counts[:9], noise[:9], made.reasons[:9],
            )
        )  # fmt: skip


def test_planes_that_cannot_be_used_are_left_out_with_a_reason():
    gain = 8 - 3 * Z / 300 + 0.01 * np.cos(np.arange(40.0) ** 2)
    gain[10] += 1.0
    power = np.full(40, 5.0)
    power[3], power[4] = 0.0, np.nan
    made = signal(gain, power=power, noise=0.5)
    found = attenuation(made, offset_counts=100, window_um=(40, 700))
    assert found.reasons[3] == found.reasons[4] == NO_POWER
    assert found.reasons[10] == OUTLIER
    assert found.reasons[0] == found.reasons[-1] == OUTSIDE
    assert found.layers[0].length_um == pytest.approx(300, rel=0.01)
    faint = attenuation(signal(gain, noise=20.0), offset_counts=100)
    counts = faint.signal.bright_counts - 100
    assert [reason == FAINT for reason in faint.reasons] == (counts <= 200).tolist()


def test_saturated_broken_and_small_planes_are_told():
    rng = np.random.default_rng(0)
    counts = rng.poisson(900, (4, 64, 64)).astype(np.uint16)
    counts[1, 20:28] = 65535
    counts[2] = 0
    found = bright_signal(open_stack(counts, z_step_um=5))
    assert found.reasons == ("", CLIPPED, "unwritten or empty (all zero)", "")
    assert np.isfinite(found.bright_counts).tolist() == [True, False, False, True]
    small = bright_signal(open_stack(counts[:, :20, :20], z_step_um=5))
    assert small.reasons[0] == SMALL_PLANE


def test_hot_pixels_are_no_signal():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64] / 64
    counts = rng.poisson(300 + 250 * np.sin(9 * x) * np.cos(7 * y), (8, 64, 64)).astype(np.uint16)
    hot = counts.copy()
    hot[:, 4::24, 4::24] = 65535
    hot[:, 20:22, 40] = 65535
    found, clean = (bright_signal(open_stack(data, z_step_um=5)) for data in (hot, counts))
    assert found.reasons == ("",) * 8
    np.testing.assert_allclose(found.bright_counts, clean.bright_counts, rtol=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"excitation_order": 0}, "excitation order"),
        ({"excitation_order": True}, "excitation order"),
        ({"offset_counts": np.nan}, "zero level"),
        ({"offset_counts": 1e9}, "0 of 40 planes can be used"),
        ({"offset_counts": 100, "window_um": (0, 100)}, "6 of 40 planes can be used"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        attenuation(signal(8 - 3 * Z / 300), **options)


def test_a_signal_that_does_not_fall_is_refused():
    with pytest.raises(InputError, match="does not fall with depth"):
        attenuation(signal(2 + Z / 300), offset_counts=100)


def test_planes_at_one_depth_tell_no_attenuation():
    with pytest.raises(InputError, match=r"all planes that can be used lie at 40 µm.*z_step_um"):
        attenuation(signal(8 + 0.01 * np.cos(Z), depth=np.full(40, 40.0)), offset_counts=100)


@pytest.mark.parametrize("depths", [2, 5, 10, 20])
def test_planes_may_share_depths(depths):
    depth = np.repeat(np.arange(depths) * 20.0, 40 // depths)
    gain = 8 - 3 * depth / 300 + 1e-3 * np.cos(np.arange(40.0) ** 2)
    (layer,) = attenuation(signal(gain, depth), offset_counts=100).layers
    assert layer.length_um == pytest.approx(300, rel=0.02)


def test_depth_must_be_stated():
    depth = np.where(np.arange(40) < 3, np.nan, Z)
    with pytest.raises(InputError, match=r"made: the depth is not stated for 3 of its 40 planes"):
        attenuation(signal(8 - 3 * Z / 300, depth), offset_counts=100)


def test_power_must_be_stated():
    stack = open_stack(np.full((9, 64, 64), 5, np.uint16), z_step_um=5)
    with pytest.raises(InputError, match=r"power at its planes is not stated.*with power"):
        attenuation(stack)


def test_measuring_can_be_cancelled():
    stack = open_stack(np.full((9, 64, 64), 5, np.uint16), z_step_um=5, power=3)
    seen = []
    with pytest.raises(CancelledError, match="plane 3 of 9"):
        bright_signal(
            stack,
            progress=lambda done, total: seen.append((done, total)),
            cancelled=lambda: len(seen) == 3,
        )
    for share in (0, 1.5, np.nan):
        with pytest.raises(InputError, match="share"):
            bright_signal(stack, share=share)
