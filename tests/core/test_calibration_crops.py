"""Crops from which the uncertainty is learnt: stretched, finer, and planes of a detector."""

from __future__ import annotations

import pytest
import torch

from cop_core.network import VitConfig
from cop_core.noise import Genome
from cop_core.recipes import TrainRecipe
from cop_core.training.batches import BatchMaker, with_analog_detectors
from cop_core.training.calibration_crops import (
    CalibrationMaker,
    detector_planes,
    refine,
    stretch,
)
from cop_core.training.scene_bank import SceneBank

CPU = torch.device("cpu")
PATCH = VitConfig(stem="patch", depth=1, width=48, heads=3)  # its input is the crops themselves
MICROSCOPY = with_analog_detectors(Genome.preset("microscopy"))


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "scenes.npy"
    return SceneBank.open(path, scenes=6, size=200, seed=0)


def test_planes_have_the_noise_that_their_strengths_say():
    """Half of each is dark, with amplifier noise only, half is bright."""
    clean = torch.zeros(32, 1, 256, 256)
    clean[..., 128:] = 0.8
    planes, strengths = detector_planes(clean, MICROSCOPY, torch.Generator().manual_seed(0))
    dark, bright = planes[..., 2:126].flatten(1), planes[..., 130:254].flatten(1)
    gaussian, poisson, quantization = (
        strengths[:, MICROSCOPY.components.index(name)]
        for name in ("gaussian", "poisson", "quantization")
    )
    rounding = (quantization / 4) ** 2 / 12
    clips = (dark == 0).float().mean(1) > 0.01  # where the detector's zero is the plane's
    assert 8 < int(clips.sum()) < 24
    tells = ~clips & (gaussian > quantization)  # steps coarser than the noise are not white
    assert int(tells.sum()) > 8
    torch.testing.assert_close(
        (gaussian**2 / 4 + rounding)[tells], dark.var(1)[tells], rtol=0.05, atol=1e-6
    )
    rise = bright.var(1) - dark.var(1)
    light = bright.mean(1) - dark.mean(1)
    tells &= poisson > gaussian
    torch.testing.assert_close((poisson**2 / 4)[tells], (rise / light)[tells], rtol=0.12, atol=1e-4)


def test_strengths_of_planes_are_shares():
    clean = torch.rand(64, 1, 48, 48, generator=torch.Generator().manual_seed(1))
    clean[0] = 0  # a plane without light is noise stretched to the full range
    _, strengths = detector_planes(clean, MICROSCOPY, torch.Generator().manual_seed(0))
    assert bool((strengths >= 0).all())
    torch.testing.assert_close(strengths[1:].sum(1), torch.ones(63))
    assert not strengths[:, MICROSCOPY.components.index("salt_pepper")].any()


def test_a_stretched_crop_clips_at_both_ends():
    ramp = torch.linspace(0.3, 0.6, 64 * 64).reshape(1, 1, 64, 64).repeat(50, 1, 1, 1)
    stretched = stretch(ramp, torch.Generator().manual_seed(0))
    for end in (0, 1):
        share = (stretched == end).float().mean((1, 2, 3))
        assert float(share.min()) >= 0.002
        assert 0.2 < float(share.max()) < 0.302


def test_a_refined_crop_repeats_every_second_pixel_mirrored():
    crop = torch.arange(25.0).reshape(1, 1, 5, 5)
    row = torch.tensor([0.0, 2.0, 4.0, 4.0, 2.0])
    torch.testing.assert_close(refine(crop)[0, 0], row[:, None] * 5 + row)


def test_kinds_take_turns_and_a_step_gives_the_same_batch(bank, untrained):
    recipe = TrainRecipe(genomes=("microscopy",), batch_size=4)
    network = untrained(PATCH)
    maker = CalibrationMaker(recipe, bank, network, CPU)
    as_training = BatchMaker(recipe, bank, network, CPU)
    for step in (0, 2, 3, 15):
        batch, again = maker.make("finetune", step), maker.make("finetune", step)
        assert torch.equal(batch.crops, again.crops)
        assert torch.equal(batch.strengths, again.strengths)
        same = torch.equal(batch.crops, as_training.make("finetune", step).crops)
        assert same == (step in (0, 3))


def test_a_genome_without_a_detector_has_crops_of_training_for_planes(bank, untrained):
    recipe = TrainRecipe(genomes=("paper",), batch_size=4)
    network = untrained(PATCH)
    batch = CalibrationMaker(recipe, bank, network, CPU).make("finetune", 15)
    expected = BatchMaker(recipe, bank, network, CPU).make("finetune", 15)
    assert torch.equal(batch.crops, expected.crops)
