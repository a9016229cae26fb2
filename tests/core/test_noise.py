"""The engine: every primitive against its formula, genomes, priors, registration."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cop_core.components import CLEAN, DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.network import VitConfig, load_network, save_weights
from cop_core.noise import PRESETS, PRIORS, Draws, Genome, get_primitive, get_prior, primitive
from cop_core.noise import primitives as built_in
from cop_core.noise.primitives import PRIMITIVES
from cop_core.reading import load_estimator, profile
from cop_core.recipes import TrainRecipe
from cop_core.report import write_report
from cop_core.training.train_and_save import train_and_save

SIDE = 512
NOISES = (
    "paper_gaussian",
    "salt_pepper",
    "paper_poisson",
    "paper_quantization",
    "paper_anisotropic",
    "gaussian",
    "shot",
    "analog_shot",
    "quantization",
    "anisotropic",
)


def noisy(
    name: str, level: float, s: float, *, n: int = 1, seed: int = 0, side: int = SIDE
) -> torch.Tensor:
    """Return n flat images of a level after one primitive, before the engine clips."""
    x = torch.full((n, 1, side, side), level)
    strength = torch.full((n, 1, 1, 1), s)
    return get_primitive(name).apply(x, strength, Draws.seeded(seed)).double()


def only(genome: Genome, **strengths: float) -> np.ndarray:
    s = np.zeros((1, len(genome)))
    for component, value in strengths.items():
        s[0, genome.components.index(component)] = value
    s[0, -1] = 1 - s.sum()
    return s


def mean_is(values: torch.Tensor, mean: float, sd: float) -> None:
    """Check a mean of independent values to five standard errors."""
    assert float(values.mean()) == pytest.approx(mean, abs=5 * sd / math.sqrt(values.numel()))


# --- identity and formulas -----------------------------------------------------------------


@pytest.mark.parametrize("name", NOISES)
def test_strength_0_is_the_identity_bit_for_bit_beside_noisy_images(name):
    x = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    s = torch.tensor([0.0, 0.7, 0.0]).reshape(-1, 1, 1, 1)
    out = get_primitive(name).apply(x, s, Draws.seeded(0))
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[2], x[2])
    assert not torch.equal(out[1], x[1])


@pytest.mark.parametrize("genome", PRESETS)
def test_clean_images_pass_a_genome_unchanged(genome):
    known = Genome.preset(genome)
    clean = np.random.default_rng(0).random((2, 32, 32), np.float32)
    strengths = np.eye(len(known))[[-1, -1]]
    np.testing.assert_array_equal(known.corrupt(clean, strengths), clean)


@pytest.mark.parametrize(("name", "sd_per_strength"), [("paper_gaussian", 1.0), ("gaussian", 0.5)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_gaussian_is_white_with_the_stated_sd(name, sd_per_strength, level):
    s = 0.2
    change = noisy(name, level, s) - level
    sd = sd_per_strength * s
    mean_is(change, 0, sd)
    assert float(change.std()) == pytest.approx(sd, rel=0.01)
    for shifted in (change[..., 1:] * change[..., :-1], change[..., 1:, :] * change[..., :-1, :]):
        mean_is(shifted, 0, sd**2)


def test_gaussian_after_clipping_has_the_moments_of_a_clipped_normal():
    genome = Genome.preset("paper")
    s = only(genome, gaussian=0.5)
    flat = genome.corrupt(np.ones((1, SIDE, SIDE)), s)
    # 1 + 0.5 e clipped to [0, 1]: half the pixels stay at 1, the rest falls by |e|.
    tail = math.erfc(2 / math.sqrt(2)) / 2
    falls = 0.5 * (1 - math.exp(-2)) / math.sqrt(2 * math.pi) + tail
    assert np.mean(flat == 1) == pytest.approx(0.5, abs=0.005)
    assert np.mean(flat == 0) == pytest.approx(tail, abs=0.002)
    assert 1 - flat.mean(dtype=float) == pytest.approx(falls, abs=0.002)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_salt_and_pepper_hits_a_quarter_of_the_strength_each(level):
    s = 0.4
    out = noisy("salt_pepper", level, s)
    sd = math.sqrt(0.1 * 0.9)
    mean_is((out == 0).double(), s / 4 + (1 - s / 2) * (level == 0), sd)
    mean_is((out == 1).double(), s / 4 + (1 - s / 2) * (level == 1), sd)
    assert set(out.unique().tolist()) <= {0.0, level, 1.0}


@pytest.mark.parametrize("level", [0.0, 0.25, 0.5, 1.0])
def test_the_papers_poisson_sets_pixels_to_1_with_its_probability(level):
    s = 0.8
    out = noisy("paper_poisson", level, s).clamp(0, 1)
    p = 1 - math.exp(-s * level / 4)
    mean_is(out, level + (1 - level) * p, math.sqrt(p * (1 - p)) * (1 - level))
    if level < 1:
        mean_is((out == 1).double(), p, math.sqrt(p * (1 - p)))
    assert set(out.unique().tolist()) <= {level, 1.0}


def test_the_papers_poisson_is_the_clipped_formula():
    x = torch.full((1, 1, SIDE, SIDE), 0.5)
    literal = (x + torch.poisson(0.8 * x / 4, generator=torch.Generator().manual_seed(0))).clamp(
        0, 1
    )
    out = noisy("paper_poisson", 0.5, 0.8).clamp(0, 1)
    assert float(out.mean()) == pytest.approx(float(literal.mean()), abs=0.002)
    assert float(out.std()) == pytest.approx(float(literal.std()), abs=0.002)


def test_the_papers_quantization_is_unbiased_dither():
    s = 0.4
    step = s / 4
    variances = []
    for level in np.linspace(0.3, 0.3 + step, 11)[:-1]:
        out = noisy("paper_quantization", float(level), s)
        share = level / step % 1
        variance = step**2 * share * (1 - share)
        mean_is(out, level, max(1e-5, math.sqrt(variance)))
        assert float(out.var()) == pytest.approx(variance, rel=0.02, abs=1e-8)
        lattice = out / step
        assert float((lattice - lattice.round()).abs().max()) < 1e-4
        variances.append(float(out.var()))
    assert np.mean(variances) == pytest.approx(step**2 / 6, rel=0.02)


def test_rounding_stays_within_half_a_step_and_has_its_variance():
    x = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    step = 0.4 / 4
    out = get_primitive("quantization").apply(x, torch.full((1, 1, 1, 1), 0.4), Draws.seeded(0))
    change = (out - x).double()
    assert float(change.abs().max()) <= step / 2 + 1e-6
    mean_is(change, 0, step / math.sqrt(12))
    assert float(change.var()) == pytest.approx(step**2 / 12, rel=0.01)
    again = get_primitive("quantization").apply(x, torch.full((1, 1, 1, 1), 0.4), Draws.seeded(9))
    assert torch.equal(out, again)


@pytest.mark.parametrize(
    ("name", "sd_per_strength"), [("paper_anisotropic", 0.068359375), ("anisotropic", 0.5)]
)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_anisotropic_noise_has_the_stated_sd(name, sd_per_strength, level):
    change = noisy(name, level, 0.3, n=4) - level
    assert float(change.std()) == pytest.approx(0.3 * sd_per_strength, rel=0.02)
    assert abs(float(change.mean())) < 0.3 * sd_per_strength * 0.02


def test_the_correlated_field_has_binomial_correlations_in_both_directions():
    like = torch.zeros(4, 1, SIDE, SIDE)
    field = built_in.correlated_field(like, Draws.seeded(0)).double()
    variance = float(field.var())
    assert variance == pytest.approx((70 / 256) ** 2, rel=0.02)
    for lag, expected in enumerate((56 / 70, 28 / 70, 8 / 70, 1 / 70, 0), start=1):
        across = float((field[..., lag:] * field[..., :-lag]).mean()) / variance
        down = float((field[..., lag:, :] * field[..., :-lag, :]).mean()) / variance
        assert across == pytest.approx(expected, abs=0.02)
        assert down == pytest.approx(expected, abs=0.02)
    oblique = float((field[..., 1:, 1:] * field[..., :-1, :-1]).mean()) / variance
    assert oblique == pytest.approx(0.64, abs=0.02)


def test_the_correlated_field_keeps_its_variance_at_borders():
    field = built_in.correlated_field(torch.zeros(2000, 1, 12, 12), Draws.seeded(0)).double()
    variance = field.var(dim=(0, 1)) / (70 / 256) ** 2
    edges = torch.cat([variance[0], variance[-1], variance[:, 0], variance[:, -1]])
    assert float(edges.mean()) == pytest.approx(1, abs=0.03)
    assert float(variance.min()) > 0.85
    assert float(variance.max()) < 1.15


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("s", [0.05, 0.5])
def test_shot_noise_is_poisson_in_photons(level, s):
    out = noisy("shot", level, s)
    photons = 4 / s**2
    sd = math.sqrt(level / photons)
    mean_is(out, level, sd)
    assert float(out.var()) == pytest.approx(level / photons, rel=0.02)
    counted = out * photons
    assert float((counted - counted.round()).abs().max()) < 1e-2
    if level == 1:
        assert float(out.std()) == pytest.approx(s / 2, rel=0.01)


def test_shot_noise_goes_over_to_its_normal_limit_without_a_step():
    switch = 2 / math.sqrt(built_in.MAX_RATE)
    for s in (1.05 * switch, switch, 0.95 * switch, 0.2 * switch):
        out = noisy("shot", 0.64, s)
        assert float(out.std()) == pytest.approx(0.8 * s / 2, rel=0.02)
        mean_is(out, 0.64, 0.8 * s / 2)


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("s", [0.05, 0.5])
def test_analog_shot_noise_has_the_variance_of_counted_photons(level, s):
    out = noisy("analog_shot", level, s, n=24)
    sd = math.sqrt(level) * s / 2
    mean_is(out, level, sd)
    assert float(out.var()) == pytest.approx(level * s**2 / 4, rel=0.02)


def test_analog_shot_noise_hides_the_lattice_of_whole_photons():
    photons = 4 / 0.5**2
    off = (noisy("analog_shot", 0.5, 0.5, n=60) * photons).sub_(0.5).remainder_(1).sub_(0.5).abs()
    counted = off.mean((1, 2, 3)) < 1e-3
    assert 12 <= int(counted.sum()) <= 36  # two fifths of the images
    smeared = off.mean((1, 2, 3))[~counted]
    assert float(smeared.median()) == pytest.approx(0.25, abs=0.02)  # as evenly spread values


def test_analog_shot_noise_of_slow_amplifiers_correlates_along_one_line():
    out = noisy("analog_shot", 0.5, 0.3, n=400, side=192) - 0.5
    variance = out.square().mean((1, 2, 3))
    row = (out[..., 1:] * out[..., :-1]).mean((1, 2, 3)) / variance
    column = (out[..., 1:, :] * out[..., :-1, :]).mean((1, 2, 3)) / variance
    slow = torch.maximum(row, column) > 0.08  # w above 0.074, three quarters of the slow ones
    assert float(slow.float().mean()) == pytest.approx(0.6 / 5 * 0.75, abs=0.04)
    assert 0.3 < float(torch.maximum(row, column).max()) < 0.36 + 0.03
    assert float(torch.minimum(row, column).abs()[slow].max()) < 0.05
    assert float((row > column)[slow].float().mean()) == pytest.approx(0.5, abs=0.25)
    assert float(variance[slow].mean()) == pytest.approx(0.5 * 0.3**2 / 4, rel=0.02)


# --- genomes ---------------------------------------------------------------------------------


def test_presets_act_in_the_stated_orders():
    orders = {name: genome.order for name, genome in PRESETS.items()}
    p = "paper_"
    gaussian, poisson, steps, field = (
        f"{p}{n}" for n in ("gaussian", "poisson", "quantization", "anisotropic")
    )
    assert orders == {
        "paper": (gaussian, "salt_pepper", poisson, steps, field),
        "microscopy": ("anisotropic", "shot", "gaussian", "salt_pepper", "quantization"),
        "cmos": (poisson, gaussian, "salt_pepper", steps, field),
        "pmt": (field, poisson, gaussian, "salt_pepper", steps),
    }
    for genome in PRESETS.values():
        assert genome.components == DEFAULT_COMPONENTS
        assert len(genome) == 6


def test_order_matters_and_names_the_fingerprint():
    forward = Genome("a", ("salt_pepper", "quantization"))
    backward = Genome("a", ("quantization", "salt_pepper"))
    assert forward.components == backward.components
    assert forward.identify().fingerprint != backward.identify().fingerprint
    assert forward.identify() == Genome("a", ("salt_pepper", "quantization")).identify()
    clean = np.full((1, 64, 64), 0.5)
    s = [[0.5, 0.48, 0.02]]  # a step of 0.12 does not hold 1, so order shows
    assert not np.array_equal(forward.corrupt(clean, s), backward.corrupt(clean, s))
    assert 1.0 not in forward.corrupt(clean, s)
    assert 1.0 in backward.corrupt(clean, s)


@pytest.mark.parametrize("name", PRESETS)
def test_values_stay_in_range_and_seeds_reproduce(name):
    genome = Genome.preset(name)
    clean = np.random.default_rng(0).uniform(-0.5, 1.5, (3, 48, 40))
    strengths = get_prior("wide")(3, 6, torch.Generator().manual_seed(0))
    first = genome.corrupt(clean, strengths, seed=4)
    assert isinstance(first, np.ndarray)
    assert first.dtype == np.float32
    assert first.shape == clean.shape
    assert first.min() >= 0
    assert first.max() <= 1
    np.testing.assert_array_equal(first, genome.corrupt(clean, strengths, seed=4))
    assert not np.array_equal(first, genome.corrupt(clean, strengths, seed=5))


def test_tensors_come_back_as_tensors_and_are_left_alone():
    genome = Genome.preset("paper")
    clean = torch.rand(2, 32, 32)
    before = clean.clone()
    strengths = torch.full((2, 6), 1 / 6)
    out = genome.corrupt(clean, strengths)
    assert isinstance(out, torch.Tensor)
    np.testing.assert_array_equal(out.numpy(), genome.corrupt(clean.numpy(), strengths.numpy()))
    assert torch.equal(clean, before)


@pytest.mark.parametrize("component", ["gaussian", "anisotropic", "poisson", "salt_pepper"])
def test_colour_channels_get_independent_noise(component):
    genome = Genome.preset("microscopy")
    clean = np.full((1, 128, 128, 3), 0.5, np.float32)
    change = genome.corrupt(clean, only(genome, **{component: 0.3}))[0] - 0.5
    assert change.shape == (128, 128, 3)
    assert (change.std(axis=(0, 1)) > 0.03).all()
    between = np.corrcoef(change.reshape(-1, 3).T)[np.triu_indices(3, 1)]
    assert np.abs(between).max() < 0.1


def test_a_grey_image_gets_one_field_and_images_get_their_own():
    genome = Genome.preset("paper")
    clean = np.full((2, 64, 64), 0.5, np.float32)
    out = genome.corrupt(clean, np.repeat(only(genome, gaussian=0.2), 2, axis=0))
    assert out.shape == (2, 64, 64)
    assert abs(np.corrcoef(out[0].ravel(), out[1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a[:, ::-1],
        lambda a: a.astype(">f4"),
        lambda a: a.astype(np.float64),
        lambda a: a.tolist(),
        lambda a: np.broadcast_to(a, a.shape),
    ],
    ids=["reversed", "big-endian", "float64", "list", "read-only"],
)
def test_any_array_of_the_same_values_gives_the_same_noise(change):
    genome = Genome.preset("microscopy")
    clean = np.random.default_rng(0).random((2, 24, 24), np.float32)
    same = np.ascontiguousarray(np.asarray(change(clean), np.float32))
    strengths = np.full((2, 6), 1 / 6)
    expected = genome.corrupt(same, strengths)
    np.testing.assert_array_equal(genome.corrupt(change(clean), strengths), expected)


def test_no_image_is_no_error():
    assert Genome.preset("paper").corrupt(np.empty((0, 8, 8)), np.empty((0, 6))).shape == (0, 8, 8)


@pytest.mark.parametrize(
    ("clean", "strengths", "message"),
    [
        (np.zeros((8, 8)), np.zeros((1, 6)), r"images of shape \(8, 8\)"),
        (np.zeros((1, 8, 8, 4)), np.zeros((1, 6)), r"Use \(n, h, w\) or \(n, h, w, 3\)"),
        (np.zeros((2, 8, 8)), np.zeros((1, 6)), r"Use \(2, 6\): gaussian, salt_pepper"),
        (np.zeros((1, 8, 8)), np.zeros((1, 5)), r"strengths of shape \(1, 5\)"),
        (np.zeros((1, 8, 8)), np.full((1, 6), np.nan), "not finite"),
        (np.zeros((1, 8, 8)), [[1.5, 0, 0, 0, 0, 0]], r"outside \[0, 1\]"),
        (np.zeros((1, 8, 8)), [[-0.1, 0, 0, 0, 0, 1]], r"outside \[0, 1\]"),
        (np.full((1, 8, 8), np.nan), np.full((1, 6), 1 / 6), "NaN pixels"),
    ],
)
def test_wrong_input_is_refused(clean, strengths, message):
    with pytest.raises(InputError, match=message):
        Genome.preset("microscopy").corrupt(clean, strengths)


def test_unknown_names_are_refused_with_what_is_known():
    with pytest.raises(
        InputError, match=r"no genome 'x'\. Use one of paper, microscopy, cmos, pmt"
    ):
        Genome.preset("x")
    with pytest.raises(InputError, match=r"no prior 'x'\. Use one of paper, wide"):
        get_prior("x")
    with pytest.raises(InputError, match=r"no noise primitive 'x'\. Use one of analog_shot, an"):
        Genome("mine", ("x",))
    with pytest.raises(InputError, match="component twice"):
        Genome("mine", ("gaussian", "paper_gaussian"))


# --- properties ------------------------------------------------------------------------------


@given(
    s=st.integers(1, 90).map(lambda percent: percent / 100),
    scale=st.sampled_from([0.125, 0.25, 0.5]),
    seed=st.integers(0, 99),
)
def test_primitives_scale_with_image_and_strength(s, scale, seed):
    """Additive noises and lattices at half the image and half the strength give half the result."""
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    strength = torch.full((1, 1, 1, 1), s)
    for name in set(NOISES) - {"salt_pepper", "paper_poisson", "shot", "analog_shot"}:
        apply = get_primitive(name).apply
        full = apply(x, strength, Draws.seeded(seed))
        small = apply(scale * x, scale * strength, Draws.seeded(seed))
        torch.testing.assert_close(small, scale * full, rtol=1e-5, atol=1e-6)
    # N photons of x at full scale are 4 N photons of x / 4.
    apply = get_primitive("shot").apply
    full = apply(x, strength, Draws.seeded(seed))
    small = apply(x / 4, strength / 2, Draws.seeded(seed))
    torch.testing.assert_close(small, full / 4, rtol=1e-4, atol=1e-6)


@settings(max_examples=40)
@given(
    name=st.sampled_from(sorted(PRESETS)),
    z=st.lists(st.floats(-8, 8), min_size=6, max_size=6),
    level=st.sampled_from([-1.0, 0.0, 1e-6, 0.3, 1.0, 2.0]),
    seed=st.integers(0, 2**32),
)
def test_every_mixture_of_every_preset_stays_finite_in_range(name, z, level, seed):
    out = Genome.preset(name).corrupt(
        torch.full((1, 9, 7), level), torch.tensor([z]).softmax(-1), seed=seed
    )
    assert bool(((out >= 0) & (out <= 1)).all())


@settings(max_examples=30)
@given(name=st.sampled_from(sorted(PRIORS)), k=st.integers(3, 9), seed=st.integers(0, 2**32))
def test_priors_stay_on_the_simplex_for_any_number_of_components(name, k, seed):
    s = PRIORS[name](50, k, torch.Generator().manual_seed(seed))
    assert s.shape == (50, k)
    assert float(s.min()) >= 0
    torch.testing.assert_close(s.sum(1), torch.ones(50))
    assert torch.equal(s, PRIORS[name](50, k, torch.Generator().manual_seed(seed)))


# --- priors ----------------------------------------------------------------------------------


def drawn(name: str, n: int = 20_000) -> torch.Tensor:
    return get_prior(name)(n, 6, torch.Generator().manual_seed(0))


def test_the_papers_prior_has_its_spread():
    s = drawn("paper", 50_000)
    torch.testing.assert_close(s.mean(0), torch.full((6,), 1 / 6), atol=0.004, rtol=0)
    torch.testing.assert_close(s.std(0), torch.full((6,), 0.143), atol=0.003, rtol=0)


def test_the_wide_prior_draws_single_noises_that_the_papers_does_not():
    strong = {name: float((drawn(name).amax(1) > 0.9).float().mean()) for name in ("paper", "wide")}
    assert strong["paper"] < 0.01
    assert strong["wide"] > 0.15


def test_nearly_clean_is_led_by_clean():
    s = drawn("nearly_clean")
    assert float(s[:, -1].mean()) > 0.6
    assert float((s[:, -1] > 0.9).float().mean()) > 0.2
    torch.testing.assert_close(s[:, :-1].mean(0), s[:, :-1].mean().expand(5), atol=0.01, rtol=0)


def test_alone_is_one_noise_and_clean():
    s = drawn("alone")
    assert int((s[:, :-1] > 0).sum(1).max()) == 1
    assert float(s[:, :-1].max()) <= 0.8
    hit = (s[:, :-1] > 0).float().mean(0)
    torch.testing.assert_close(hit, torch.full((5,), 0.2), atol=0.02, rtol=0)
    assert float((s[:, :-1].sum(1) < 0.4).float().mean()) == pytest.approx(0.5 ** (2 / 3), abs=0.02)


def test_pair_is_two_noises_at_most_and_clean():
    s = drawn("pair")
    noises = (s[:, :-1] > 0).sum(1)
    assert int(noises.max()) == 2
    assert float((noises == 2).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float(s[:, :-1].sum(1).max()) <= 0.8


def test_faint_is_a_few_noises_spread_evenly_over_the_logarithm():
    s = drawn("faint")
    noises = (s[:, :-1] > 0).sum(1)
    assert noises.min() == 1
    assert float((noises == 1).float().mean()) == pytest.approx(0.75**4, abs=0.02)
    assert float(noises.float().mean()) == pytest.approx(2, abs=0.03)
    alone = s[noises == 1][:, :-1].sum(1)
    assert alone.min() >= 0.005 - 1e-6
    assert alone.max() <= 0.4 + 1e-6
    assert alone.median() == pytest.approx((0.005 * 0.4) ** 0.5, rel=0.15)
    assert s[:, :-1].sum(1).max() <= 0.9 + 1e-6


def test_detector_puts_amplifier_beside_shot_noise_in_every_proportion():
    s = drawn("detector")
    gaussian, others, poisson = s[:, 0], s[:, [1, 3, 4]], s[:, 2]
    alone = others.sum(1) == 0
    neither = 0.4 * 0.75**3  # of faint's noises is one of the others
    assert float(alone.float().mean()) == pytest.approx((2 + neither) / 3, abs=0.02)
    total, share = (gaussian + poisson)[alone], (gaussian / (gaussian + poisson))[alone]
    assert float(total.min()) == pytest.approx(0.05, abs=0.001)
    assert float(total.max()) == pytest.approx(0.9, abs=0.001)
    for values, low, high in ((total, 0.05, 0.9), (share, 0, 1)):
        counts = torch.histc(values, 10, low, high) / len(values)
        torch.testing.assert_close(counts, torch.full((10,), 0.1), atol=0.01, rtol=0)
    assert float(s[:, -1].min()) > 0


def test_the_mixture_draws_from_all_priors():
    s = drawn("mixture")
    zeros = (s[:, :-1] == 0).sum(1)
    assert float((zeros == 4).float().mean()) == pytest.approx(0.14 + 0.14 * 0.2, abs=0.02)
    assert float((zeros == 3).float().mean()) == pytest.approx(0.14 * 0.8, abs=0.02)
    assert float((zeros == 0).float().mean()) == pytest.approx(0.72, abs=0.02)


# --- a new primitive -------------------------------------------------------------------------


@pytest.fixture
def banding(monkeypatch):
    """Register a row noise and a genome with it; remove both afterwards."""
    try:

        @primitive("test_banding", component="row_banding")
        def test_banding(x, s, draws):
            return x + s / 4 * draws.normal(x[..., :1])

        genome = Genome("test-banded", ("shot", "test_banding", "gaussian"))
        monkeypatch.setitem(PRESETS, genome.name, genome)
        yield genome
    finally:
        PRIMITIVES.pop("test_banding", None)


def test_a_name_registered_twice_warns_and_the_newer_wins(banding):
    old = get_primitive("test_banding")
    with pytest.warns(UserWarning, match="'test_banding' is replaced"):

        @primitive("test_banding", component="row_banding")
        def other(x, s, draws):
            return x

    assert get_primitive("test_banding") is not old


def test_a_primitive_without_a_component_is_its_own():
    assert get_primitive("salt_pepper").component == "salt_pepper"


@pytest.mark.slow
def test_a_new_primitive_reaches_training_profiles_and_reports(
    banding, tiny_presets, counts, tmp_path
):
    names = ("gaussian", "poisson", "row_banding", CLEAN)
    assert banding.components == names
    rows = banding.corrupt(np.full((1, 64, 64), 0.5), only(banding, row_banding=0.4))[0]
    assert float(np.ptp(rows, axis=1).max()) < 1e-6
    assert float(rows[:, 0].std()) == pytest.approx(0.1, rel=0.3)

    recipe = TrainRecipe(
        genomes=(banding.name,),
        contrastive_steps=1,
        head_steps=1,
        finetune_steps=2,
        uncertainty_crops=64,
        batch_size=3,
        scenes=3,
        scene_size=192,
        device="cpu",
    )
    (path,) = train_and_save(recipe, tmp_path / "run")
    network, card = load_network(path)
    assert network.config.outputs == 4
    assert network.config.uncertainty
    assert card.components == names
    assert card.genome.order == banding.order

    found = profile(counts(3, 64), z_step_um=2.0, estimator=load_estimator(path, device="cpu"))
    assert found.components == names
    assert found.mean.shape == found.uncertainty.shape == (3, 4)
    assert (found.uncertainty > 0).all()
    np.testing.assert_allclose(found.mean.sum(axis=1), 1, atol=1e-9)

    folder = write_report(found, tmp_path / "report")
    report = json.loads((folder / "report.json").read_text())
    (shown,) = report["protocols"].values()
    assert set(names) - {CLEAN} <= set(shown["components"])
    header = (folder / "planes.csv").read_text().splitlines()[0].split(",")
    assert [c for c in header if c in names] == list(names)
    figure = (folder / "figures" / "profile.svg").read_text()
    assert "Row banding" in figure


def test_weights_of_a_new_genome_need_as_many_outputs(banding, untrained, card_of, tmp_path):
    path = tmp_path / "w.safetensors"
    small = VitConfig(depth=1, width=48, heads=3, outputs=6)
    save_weights(path, untrained(small).state_dict(), card_of(small, banding.name))
    with pytest.raises(InputError, match="a different number of outputs"):
        load_network(path)
