"""The network: statistics, shapes, and weights that are checked before they are used."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from cop_core.errors import InputError
from cop_core.network import (
    NoiseViT,
    VitConfig,
    histograms,
    load_network,
    locate,
    packaged,
    read_card,
    save_weights,
)
from cop_core.network import tensor_statistics as stats
from cop_core.network.crop_statistics import noise_statistics
from cop_core.network.patch_pca import at_patches, decompose, patch_pca
from cop_core.noise import Genome
from cop_core.noise.scenes import random_scene
from cop_core.reading.normalisation import normalise
from cop_core.recipes import GainedPower
from cop_core.simulator import PERCENTILES, Strengths
from cop_core.simulator.protocols import Preset

TINY = VitConfig(depth=1, width=48, heads=3)
PAPER_TINY = VitConfig(stem="patch", patch=16, channels=3, depth=1, width=48, heads=3)


def crops(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 1, 192, 192, generator=torch.Generator().manual_seed(seed))


# --- statistics ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.0, 1.0, 0.3, 1 / 255])
def test_statistics_of_constant_crops_are_finite(level):
    found = noise_statistics(torch.full((1, 1, 192, 192), level), 32)
    for part in found:
        assert bool(part.isfinite().all())
    at_0, at_1 = found.crop[0, 32:34].tolist()
    assert (at_0, at_1) == (float(level == 0), float(level == 1))


def awkward_crops() -> torch.Tensor:
    """Return scenes with noise, on coarse and fine lattices, clipped, dark, black and flat."""
    rng = np.random.default_rng(7)
    genome = Genome.preset("microscopy")
    scenes = np.stack([random_scene(rng, 192) for _ in range(6)])
    noisy = genome.corrupt(scenes, rng.dirichlet(np.ones(6), 6))
    dark = noisy[0] / 50
    sparse = (rng.random((192, 192)) < 1e-3).astype(np.float32)
    made = [*noisy, np.round(scenes[1] * 255) / 255, np.round(scenes[2] * 15) / 15, dark, sparse]
    made += [np.clip(3 * scenes[3] - 1, 0, 1), np.zeros((192, 192)), np.full((192, 192), 0.25)]
    return torch.from_numpy(np.stack(made).astype(np.float32))


def test_the_compiled_pass_gives_the_statistics_of_the_tensors():
    x = awkward_crops()
    compiled, tensors = noise_statistics(x.unsqueeze(1), 32), stats.tensor_statistics(x, 32)
    for one, other in zip(compiled, tensors, strict=True):
        difference = (one - other).abs()
        assert difference.mean() < 1e-6
        # a pixel on the edge of two bins may fall on the other side
        assert (difference > 1e-4).float().mean() < 1e-4


def test_statistics_of_half_black_half_white_and_of_one_hot_pixel_are_finite():
    x = torch.zeros(2, 1, 192, 192)
    x[0, :, 96:] = 1
    x[1, 0, 50, 60] = 1
    found = noise_statistics(x, 32)
    for part in found:
        assert bool(part.isfinite().all())
    assert found.crop[0, 32:34].tolist() == pytest.approx([0.5**0.5] * 2)
    assert float(found.crop[1, 33]) == pytest.approx(1 / 192)


def test_statistics_have_their_stated_shapes():
    groups, patches, whole = noise_statistics(crops(2), 32)
    assert groups.shape == (2, stats.GROUPS, stats.GROUP_FEATURES)
    assert patches.shape == (2, 36, stats.PATCH_FEATURES)
    assert whole.shape == (2, stats.CROP_FEATURES)
    assert not any(part.requires_grad for part in (groups, patches, whole))


def test_statistics_of_a_crop_do_not_depend_on_its_companions():
    x = crops(11)
    x[3] = 0
    x[8] = 1
    together = noise_statistics(x, 32)
    order = torch.randperm(11, generator=torch.Generator().manual_seed(0))
    shuffled = noise_statistics(x[order], 32)
    for whole, turned in zip(together, shuffled, strict=True):
        assert torch.equal(whole[order], turned)
    for chunk in (1, 3):
        parts = [noise_statistics(part, 32) for part in torch.split(x, chunk)]
        for whole, pieces in zip(together, zip(*parts, strict=True), strict=True):
            assert torch.equal(torch.cat(pieces), whole)


def test_statistics_of_a_crop_do_not_depend_on_where_in_memory_it_lies():
    counts = torch.poisson(torch.full((32, 1, 192, 192), 60.0), generator=torch.Generator())
    x = counts / counts.amax((1, 2, 3), keepdim=True)
    together = noise_statistics(x, 32)
    for i in range(len(x)):
        for whole, alone in zip(together, noise_statistics(x[i : i + 1], 32), strict=True):
            assert torch.equal(whole[i : i + 1], alone)


@pytest.mark.parametrize("strength", [0.1, 0.2, 0.5])
def test_a_lattice_puts_a_peak_of_the_spectrum_at_one_over_its_step(strength):
    step = strength / 4
    genome = Genome.preset("microscopy")
    s = torch.zeros(2, 6)
    s[0, genome.components.index("quantization")] = strength
    smooth = crops(1) * 0.8 + 0.1
    x = genome.corrupt(smooth[:, 0].expand(2, -1, -1), s)
    bands = stats.SPECTRUM_BINS
    spectrum = noise_statistics(x.unsqueeze(1), 32).crop[:, 34 : 34 + 6 * bands]
    cycles = np.arange(1, 2 * stats.MAX_CYCLES + 1) / 2
    band_of = np.round(np.log(2 * cycles) / np.log(2 * stats.MAX_CYCLES) * (bands - 1)).astype(int)
    peak = band_of[np.argmin(abs(cycles - 1 / step))]
    below = [b for b in set(band_of[(cycles > 4) & (cycles < 0.8 / step)]) if b < peak - 1]
    for kind in (1, 4):  # moduli of pixel values and of neighbour differences
        lattice, plain = spectrum[:, kind * bands : (kind + 1) * bands].tolist()
        assert lattice[peak] > 0.9
        assert plain[peak] < 0.3
        assert max(lattice[b] for b in below) < 0.5


def test_noise_moves_residuals_up_and_correlation_shows_in_the_lags():
    genome = Genome.preset("microscopy")
    s = torch.zeros(2, 6)
    s[0, genome.components.index("gaussian")] = 0.3
    s[1, genome.components.index("anisotropic")] = 0.3
    x = genome.corrupt(torch.full((2, 192, 192), 0.5), s)
    patches = noise_statistics(x.unsqueeze(1), 32).patches.mean(1)
    lag = stats.COARSE_BINS * 2 + 2
    white, correlated = patches[:, lag].tolist()  # one pixel across
    assert correlated > white + 0.1


def test_the_quiet_directions_of_a_texture_hold_its_noise_and_nothing_else():
    side = np.arange(192)
    wave = np.sin(2.1 * side[:, None] + 1.3 * side) + np.sin(0.9 * side[:, None] - 2.4 * side)
    texture = torch.tensor(0.5 + 0.1 * wave).float().expand(8, -1, -1)
    sd = 0.02
    noise = sd * torch.randn(8, 192, 192, generator=torch.Generator().manual_seed(0))
    clean, noisy = patch_pca(texture[:1]), patch_pca(texture + noise)
    assert float(clean.residual.abs().max()) < 0.1 * sd  # fixed high-pass filters let 0.1 through
    assert clean.residual.shape == (1, 4, 62, 62)
    read = noisy.residual.square().mean((1, 2, 3)).sqrt()
    # the least of 49 sampled variances lie below the true one (Marchenko, Pastur 1967)
    assert float(read.mean()) == pytest.approx(sd * (1 - (49 / 62**2) ** 0.5), rel=0.05)
    assert bool((noisy.spread.diff(dim=1) >= 0).all())


def test_quiet_noise_is_told_by_place():
    brightness = torch.tensor([0.2, 0.8]).repeat_interleave(96).expand(1, 192, 192)
    sd = torch.where(brightness < 0.5, 0.01, 0.04)
    noise = sd * torch.randn(1, 192, 192, generator=torch.Generator().manual_seed(0))
    quiet = patch_pca(brightness + noise)
    place = at_patches((brightness > 0.5).long())
    found = quiet.sd(place, 3)[0, :, 0]
    dark, bright = (histograms.log_magnitude(torch.tensor(v)) for v in (0.01, 0.04))
    assert found[:2].tolist() == pytest.approx([float(dark), float(bright)], rel=0.1)
    assert float(found[2]) == 0  # no patch lies there
    shares = quiet.shares(place, 3)[0].square()
    assert shares.sum(-1).tolist() == pytest.approx([1, 1, 0])


def test_matrices_are_decomposed_as_numpy_does_on_however_many_cores(monkeypatch):
    root = np.random.default_rng(0).normal(size=(7, 5, 5))
    matrices = root + root.swapaxes(1, 2)
    for cores in (1, 3, 16):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        values, vectors = decompose(torch.from_numpy(matrices))
        np.testing.assert_allclose(values, np.linalg.eigvalsh(matrices), atol=1e-12)
        rebuilt = (vectors * values[:, None]) @ vectors.mT
        np.testing.assert_allclose(rebuilt, matrices, atol=1e-12)


def test_patches_that_are_black_but_for_a_few_faint_pixels_have_patch_pca():
    generator = torch.Generator().manual_seed(0)
    for faint in (1e-6, 0.004, 1.0):
        x = faint * (torch.rand(16, 192, 192, generator=generator) > 0.999).float()
        for part in patch_pca(x):
            assert bool(part.isfinite().all())


# --- network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [TINY, PAPER_TINY], ids=["statistics", "patch"])
def test_a_network_gives_features_and_logits(config, untrained):
    network = untrained(config)
    x = crops(3).expand(-1, config.channels, -1, -1)
    with torch.inference_mode():
        features = network.forward_features(x)
        logits = network(x)
        assert torch.equal(network.forward_head(features), logits)
        assert torch.equal(network(x), logits)
        again = network(x.flip(0)).flip(0)
    assert features.shape == (3, 48)
    assert logits.shape == (3, 6)
    torch.testing.assert_close(again, logits, rtol=1e-5, atol=1e-6)
    assert float((logits[0] - logits[1]).abs().max()) > 1e-6


def test_every_parameter_gets_a_gradient():
    network = NoiseViT(TINY)
    network(crops(2)).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


def test_stochastic_depth_acts_in_training_only(untrained):
    network = untrained(replace(TINY, depth=2, drop_path=0.5))
    x = crops(8)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))
        network.train()
        torch.manual_seed(0)
        assert not torch.equal(network(x), network(x))


def test_the_papers_network_is_a_vit_b_of_86_million():
    config = VitConfig.preset("paper")  # counted from one and two of its equal layers
    one, two = (_size(replace(config, depth=depth)) for depth in (1, 2))
    total = one + (config.depth - 1) * (two - one)
    assert total == pytest.approx(86e6, rel=0.02)
    assert (config.crop, config.patch, config.channels) == (192, 16, 3)
    assert (config.depth, config.width, config.heads) == (12, 768, 12)
    assert (config.layer_scale, config.drop_path, config.outputs) == (0.1, 0.1, 6)


def _size(config: VitConfig) -> int:
    return sum(p.numel() for p in NoiseViT(config).parameters())


def test_the_default_network_is_small():
    assert _size(VitConfig.preset("default", outputs=7)) < 5e6
    assert VitConfig.preset("default", outputs=7).outputs == 7


@pytest.mark.parametrize(
    "wrong",
    [{"patch": 50}, {"heads": 5}, {"heads": 0}, {"depth": 0}, {"width": -192}, {"outputs": 0}],
)
def test_shapes_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError):
        VitConfig(**wrong)


def test_unknown_networks_are_refused():
    with pytest.raises(InputError, match="Use one of default, paper"):
        VitConfig.preset("huge")


# --- weights ---------------------------------------------------------------------------------


def test_weights_come_back_in_half_precision(tmp_path, untrained, card_of):
    network = untrained()
    path = tmp_path / "new" / "w.safetensors"
    signed = save_weights(path, network.state_dict(), card_of(TINY))
    assert signed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    loaded, card = load_network(path)
    assert card == signed == read_card(path)
    assert loaded.config == TINY
    assert not loaded.training
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, network.state_dict()[name].half().float(), rtol=0, atol=0)
    assert not any(p.requires_grad for p in loaded.parameters())


def test_weights_are_found_by_path_only_with_their_suffix(own_weights, tmp_path):
    assert locate(own_weights) == own_weights
    assert locate(str(own_weights)) == own_weights
    for wrong in ("nothing", own_weights.with_suffix(".json"), tmp_path):
        with pytest.raises(InputError, match="no such weights"):
            locate(wrong)
    with pytest.raises(InputError, match=r"the weights cannot be read \(No such file"):
        locate(tmp_path / "no.safetensors")


def test_one_flipped_byte_is_noticed(own_weights):
    data = bytearray(own_weights.read_bytes())
    data[-10] ^= 1
    own_weights.write_bytes(data)
    with pytest.raises(InputError, match="SHA-256 differs"):
        load_network(own_weights)


def test_a_missing_or_damaged_card_is_refused(own_weights):
    card = own_weights.with_suffix(".json")
    good = json.loads(card.read_text())
    damaged = [
        "",
        "{",
        "[]",
        "null",
        json.dumps({**good, "surplus": 1}),
        json.dumps({k: v for k, v in good.items() if k != "components"}),
        json.dumps({**good, "components": 5}),
    ]
    for text in damaged:
        card.write_text(text)
        with pytest.raises(InputError, match="the card cannot be read"):
            load_network(own_weights)
    card.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="the card cannot be read"):
        load_network(own_weights)
    card.unlink()
    with pytest.raises(InputError, match=r"Keep the \.json file"):
        load_network(own_weights)


@pytest.mark.parametrize(
    "wrong",
    [
        {"components": ["clean", "gaussian"]},
        {"components": ["clean"]},
        {"genome": {}},
        {"genome": "paper"},
        {"network": {"depth": 2, "width": 48, "heads": 3}},
        {"network": {"depth": 1, "width": 96, "heads": 3}},
        {"network": {"depth": 1, "width": 48, "heads": 0}},
        {"network": {"depth": 1, "width": 48, "heads": 3, "layers": 4}},
        {"network": {"depth": 1, "width": 48, "heads": 3, "outputs": 7}},
        {"network": []},
    ],
    ids=str,
)
def test_a_card_that_does_not_fit_the_weights_is_refused(own_weights, wrong):
    card = own_weights.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **wrong}))
    with pytest.raises(InputError):
        load_network(own_weights)


class _Bomb:
    def __reduce__(self):
        return os.mkdir, (os.environ["COP_TEST_BOMB"],)


def _with_hash(path, data):
    """Replace weights by other bytes, with a card that has their hash."""
    path.write_bytes(data)
    card = path.with_suffix(".json")
    fields = json.loads(card.read_text())
    card.write_text(json.dumps({**fields, "sha256": hashlib.sha256(data).hexdigest()}))


def test_a_pickle_in_disguise_is_refused_and_not_executed(own_weights, tmp_path, monkeypatch):
    target = tmp_path / "executed"
    monkeypatch.setenv("COP_TEST_BOMB", str(target))
    _with_hash(own_weights, pickle.dumps(_Bomb()))
    with pytest.raises(InputError, match="do not fit their card"):
        load_network(own_weights)
    torch.save({"head.weight": _Bomb()}, own_weights)
    _with_hash(own_weights, own_weights.read_bytes())
    with pytest.raises(InputError, match="do not fit their card"):
        load_network(own_weights)
    assert not target.exists()
    pickle.loads(pickle.dumps(_Bomb()))  # the bomb is live
    assert target.exists()


def test_damaged_weights_that_their_card_vouches_for_are_refused(own_weights):
    data = own_weights.read_bytes()
    shorter = {"head.weight": torch.zeros(6, 47)}
    for wrong in (
        b"",
        data[:100],
        data[: len(data) // 2],
        data[:-1],
        (2**62).to_bytes(8, "little") + data[8:],
        save({}),
        save(shorter),
    ):
        _with_hash(own_weights, wrong)
        with pytest.raises(InputError, match="do not fit their card"):
            load_network(own_weights)
    _with_hash(own_weights, data)
    load_network(own_weights)


# --- accuracy of the weights that ship -------------------------------------------------------


@pytest.fixture(scope="module")
def clean_scenes():
    """Twelve clean scenes of many kinds with enough range for noise."""
    found = []
    seed = 1000
    while len(found) < 12:
        scene = random_scene(np.random.default_rng(seed), 192)
        seed += 1
        if scene.std() > 0.05 and 0.1 < scene.mean() < 0.8:
            found.append(scene)
    return np.stack(found)


def test_reading_a_crop_does_not_import_the_compiler_of_pytorch():
    code = (
        "import sys, numpy as np; from cop_core.reading import load_estimator\n"
        "load_estimator().read(np.zeros((1, 192, 192), np.float32))\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_packaged_weights_are_whole():
    if not packaged():
        pytest.skip("no weights in cop_core/network/packaged yet")
    assert set(packaged()) == {"default", "paper-small"}
    for path in packaged().values():
        _, card = load_network(path)
        assert card.genome == Genome.preset(card.genome.name).identify()


def test_shot_noise_is_not_missed_for_a_few_bright_or_dark_pixels(trained):
    # each was read as hardly any shot noise while groups of 5 to 60 pixels counted in full
    preset = Preset.of("sample").seeded(0).microscope
    phantom = replace(preset.phantom, shape=(208, 192), field_um=192 * preset.phantom.pixel_um)
    scope = replace(preset, phantom=phantom)
    power = GainedPower(5.0, 300.0, 60.0)
    crops, truth = [], []
    for image, depth_um in ((10, 680), (17, 680), (12, 720), (0, 840)):
        light = scope.optics.signal(float(power.at(depth_um)), depth_um)
        photons = scope.concentration(float(depth_um))[:192] * np.float32(light)
        rng = np.random.default_rng([9, 0, 1, image, depth_um])
        plane = scope.detector.read(photons, rng)
        low, high = np.percentile(plane, PERCENTILES)
        crops.append(normalise(plane, float(low), float(high)))
        strengths = Strengths.of(scope.detector, low, high, float(photons.mean()))
        truth.append(strengths.poisson_equivalent)
    read = trained("default").predict(np.stack(crops))
    assert read[:, 2] == pytest.approx(truth, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default", "paper-small"])
def test_packaged_weights_call_noise_free_scenes_clean(name, trained, clean_scenes):
    estimator = trained(name)
    assert estimator.predict(clean_scenes)[:, -1].mean() > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("name", ["default", "paper-small"])
def test_packaged_weights_follow_the_dose_of_each_noise(name, number, trained, clean_scenes):
    estimator = trained(name)
    genome = Genome.preset(estimator.card.genome.name)
    found = []
    for dose in (0.1, 0.3, 0.5):
        s = np.zeros((len(clean_scenes), len(genome)))
        s[:, number], s[:, -1] = dose, 1 - dose
        found.append(estimator.predict(genome.corrupt(clean_scenes, s, seed=7)).mean(axis=0))
    doses = [row[number] for row in found]
    assert doses[0] < doses[1] < doses[2]
    assert int(np.argmax(found[1][:-1])) == number
