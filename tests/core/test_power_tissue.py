"""Power that follows the tissue of a stack, not only the law fitted to it."""

from __future__ import annotations

import numpy as np
import pytest
from made_profiles import poisson_profile

from cop_core.power import recommend_power
from cop_core.power.tissue import follow_tissue
from cop_core.recipes.power_options import FOLLOW_UM
from cop_core.report import document_of
from cop_core.report.power_figure import power_figure
from cop_core.simulator import Detector, Optics
from cop_core.stacks import open_stack

OFFSET = 100.0
DEPTH = np.arange(30) * 20.0
BRIGHT = np.where((DEPTH >= 200) & (DEPTH <= 340), 1.3, 1.0)
INSIDE = (DEPTH >= 240) & (DEPTH <= 300)
OPTICS = Optics(photons=300.0, reference_mw=5.0, length_um=300.0)
DETECTOR = Detector(gain_counts=4.0, amplifier_counts=2.0, dark_photons=0.0)
BLOCKS = np.kron(np.linspace(0.2, 1.0, 64).reshape(8, 8), np.ones((8, 8))).astype(np.float32)


def image(power_mw, seed):
    """A stack of the same blocks at every depth, 30 % brighter in one layer."""
    rng = np.random.default_rng(seed)
    light = BRIGHT * OPTICS.signal(power_mw, DEPTH)
    counts = np.stack([DETECTOR.read(BLOCKS * photons, rng) for photons in light])
    return open_stack(counts, z_step_um=20.0, power=power_mw, name="layered")


@pytest.fixture(scope="module")
def first():
    return image(np.minimum(5 * np.exp(DEPTH / 300), 60), seed=5)


@pytest.fixture(scope="module")
def law(first):
    return recommend_power(first, max_power_mw=60, offset_counts=OFFSET, follow_um=0)


@pytest.fixture(scope="module")
def followed(first):
    return recommend_power(first, max_power_mw=60, offset_counts=OFFSET)


def imaged_again(found):
    """Bright counts of the layer over those of the rest, at the recommended power."""
    again = recommend_power(image(found.power_mw, 6), max_power_mw=60, offset_counts=OFFSET)
    counts = again.attenuation.counts
    outside = np.abs(DEPTH - 270) > 100
    return counts[INSIDE].mean() / counts[outside & ~found.capped].mean()


def test_a_bright_layer_gets_less_power(law, followed):
    assert imaged_again(law) == pytest.approx(1.3, abs=0.07)
    assert imaged_again(followed) == pytest.approx(1.0, abs=0.07)


def test_which_of_the_two_is_told(law, followed):
    (said,) = (note for note in followed.notes if "follows this tissue, smoothed over 120" in note)
    assert said.endswith("set the width over which tissue is followed to 0 (--follow-um 0)")
    assert any("only the exponential law is followed" in note for note in law.notes)
    document = document_of(followed).tree
    assert document["held"]["follow_um"] == document["recipe"]["power"]["follow_um"] == FOLLOW_UM
    assert max(row["tissue"] for row in document["planes"]) > 1.1
    document = document_of(law).tree
    assert document["held"]["follow_um"] == 0
    assert {row["tissue"] for row in document["planes"]} == {1.0}
    for found, drawn in ((followed, True), (law, False)):
        labels = [line.get_label() for line in power_figure(found).axes[0].get_lines()]
        assert ("tissue followed" in labels) == drawn


def test_beyond_the_measured_depths_the_power_does_not_jump(first):
    found = recommend_power(
        first, max_power_mw=60, offset_counts=OFFSET, window_um=(0, 300), surface_power=1,
        depths_um=np.arange(0, 500, 20.0),
    )  # fmt: skip
    tissue = found.held.tissue
    assert found.extrapolated.any()
    assert tissue.at([320.0, 400.0]).tolist() == [tissue.at(300.0)] * 2
    step = np.diff(np.log(found.wanted[found.depth_um >= 300]))
    assert step == pytest.approx(np.full(len(step), step[-1]), rel=1e-9)


def test_a_strength_is_held_in_its_own_course(first):
    depth, power = first.depth_um, first.power_mw
    fall = OPTICS.signal(power, depth) ** -0.5
    wavy = 0.1 * fall / fall[0] * np.exp(0.2 * np.sin(depth / 60) + depth / 2000)
    profile = poisson_profile(wavy, power, depth)
    off = {}
    for follow_um in (0.0, FOLLOW_UM):
        found = recommend_power(
            first, max_power_mw=60, hold="poisson", level=0.1, offset_counts=OFFSET,
            profile=profile, follow_um=follow_um,
        )  # fmt: skip
        assert np.isfinite(found.held.measured).sum() > 25
        again = wavy * (found.wanted / power) ** -1.5
        off[follow_um] = np.abs(again / np.median(again) - 1).max()
        assert any("does not explain" in note for note in found.notes) == (not follow_um)
    assert off[0.0] > 0.2
    assert off[FOLLOW_UM] < 0.08


def test_intervals_cover_a_smooth_course():
    rng = np.random.default_rng(3)
    truth = 0.1 * np.sin(DEPTH / 110)
    inside = []
    for _ in range(100):
        tissue = follow_tissue(DEPTH, truth + 0.03 * rng.standard_normal(30), 120.0)
        inside.append(np.abs(tissue.at(DEPTH) - truth) < 2 * tissue.se_at(DEPTH))
    assert 0.9 < np.mean(inside) < 0.98
    assert tissue.se_at([0.0, 300.0], 0.0)[0] == 0
    assert tissue.se_at([0.0, 300.0], 0.0)[1] > tissue.se_at([300.0])[0]


def test_few_planes_are_smoothed_together_however_small_the_window():
    noise = np.random.default_rng(4).standard_normal(30)
    narrow, least = (follow_tissue(DEPTH, noise, um).log_factor for um in (1.0, 97.0))
    np.testing.assert_array_equal(narrow, least)
    assert np.std(narrow) < 0.8 * np.std(noise)
