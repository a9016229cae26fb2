"""Properties that hold for any input: the grid of crops, the scale of each noise, seeds."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import cop_core as cop
from cop_core.noise import Draws, Genome, get_primitive
from cop_core.recipes import ReadingOptions
from cop_core.records.crop_grid import CROP

SCALES = st.sampled_from([0.125, 0.25, 0.5])


@settings(max_examples=5)
@given(order=st.permutations(range(4)), seed=st.integers(0, 99))
def test_a_plane_does_not_depend_on_where_its_crops_lie(order, seed, tiny_estimator):
    """Tiles of whole crops in another order have the same strengths, in that order."""
    tiles = np.random.default_rng(seed).poisson(40, (4, CROP, CROP)).astype(np.uint16)
    tiles += (20 * np.arange(4, dtype=np.uint16))[:, None, None]
    tiles[:, :8] *= 3  # something that is no noise: a plane of noise alone is left out

    def read(parts):
        plane = np.block([[parts[0], parts[1]], [parts[2], parts[3]]])
        stack = cop.open_stack(plane[None], axes="ZYX", z_step_um=1.0)
        return cop.profile(stack, estimator=tiny_estimator, reading=ReadingOptions()).planes[0]

    first, second = read(tiles), read(tiles[list(order)])
    assert not first.reason
    np.testing.assert_array_equal(second.strengths, first.strengths[list(order)])
    np.testing.assert_allclose(second.mean, first.mean, rtol=1e-12)


def drawn(name, x, s, seed):
    return get_primitive(name).apply(x, torch.full((1, 1, 1, 1), s), Draws.seeded(seed))


def image(seed):
    return torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


@given(s=st.floats(0.01, 0.9), scale=SCALES, seed=st.integers(0, 99))
def test_impulses_hit_the_same_pixels_whatever_their_scale(s, scale, seed):
    """Salt and pepper depends on the strength alone; the other pixels scale with the image."""
    x = 0.1 + 0.8 * image(seed)
    full, small = (drawn("salt_pepper", k * x, s, seed) for k in (1, scale))
    hit = full != x
    assert torch.equal(hit, small != scale * x)
    assert torch.equal(full[hit], small[hit])


@given(s=st.floats(0.01, 0.2), scale=SCALES, seed=st.integers(0, 99))
def test_the_papers_poisson_depends_on_strength_times_image(s, scale, seed):
    """An image with 1/k of the brightness at k times the strength is hit in the same way."""
    x = 0.1 + 0.8 * image(seed)
    full = drawn("paper_poisson", x, s, seed) == 1
    small = drawn("paper_poisson", scale * x, s / scale, seed) == 1
    assert float((full != small).float().mean()) < 0.01  # but for float32 at the very limit


@given(s=st.floats(0.01, 0.9), seed=st.integers(0, 99))
def test_analog_shot_noise_keeps_its_photons(s, seed):
    """N photons of x at full scale are 4 N photons of x / 4."""
    x = image(seed)
    full, small = drawn("analog_shot", x, s, seed), drawn("analog_shot", x / 4, s / 2, seed)
    torch.testing.assert_close(small, full / 4, rtol=1e-4, atol=1e-6)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), other=st.integers(0, 2**31))
def test_seeds_reproduce(seed, other):
    genome = Genome.preset("microscopy")
    clean = image(0)[0].numpy()
    strengths = np.full((1, 6), 1 / 6, np.float32)
    first, again, third = (genome.corrupt(clean, strengths, seed=k) for k in (seed, seed, other))
    assert np.array_equal(first, again)
    assert (seed == other) == np.array_equal(first, third)
