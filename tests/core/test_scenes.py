"""Scenes are seeded, bounded, varied and free of noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from cop_core.noise.scenes import FAMILIES, random_scene

SEEDS = range(10)
TILE = 16


def render(family: str, seed: int) -> np.ndarray:
    return FAMILIES[family](np.random.default_rng(seed), 192)


def rendered(family: str) -> np.ndarray:
    return np.stack([render(family, seed) for seed in SEEDS])


def _tiles(image: np.ndarray) -> np.ndarray:
    side = image.shape[0] // TILE
    blocks = image.reshape(side, TILE, side, TILE).swapaxes(1, 2)
    return blocks.reshape(-1, TILE, TILE).astype(np.float64)


def _detrend(tiles: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : TILE * 1j, -1 : 1 : TILE * 1j].reshape(2, -1)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1))
    flat = tiles.reshape(len(tiles), -1)
    return (flat - flat @ basis @ basis.T).reshape(tiles.shape)


def _laplacian_sd(tiles: np.ndarray) -> np.ndarray:
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    laplacian = np.einsum("nijkl,kl->nij", sliding_window_view(tiles, (3, 3), (1, 2)), kernel)
    middle = np.median(laplacian, axis=(1, 2), keepdims=True)
    return 1.4826 * np.median(np.abs(laplacian - middle), axis=(1, 2)) / np.sqrt(20)


@pytest.fixture(scope="module", params=list(FAMILIES))
def scenes(request: pytest.FixtureRequest) -> tuple[str, list[np.ndarray]]:
    return request.param, [render(request.param, seed) for seed in SEEDS]


def test_values_are_bounded_float32(scenes):
    for scene in scenes[1]:
        assert scene.dtype == np.float32
        assert scene.shape == (192, 192)
        assert np.isfinite(scene).all()
        assert scene.min() >= 0
        assert scene.max() <= 1


def test_a_seed_gives_the_same_pixels(scenes):
    name, rendered = scenes
    np.testing.assert_array_equal(render(name, 3), rendered[3])


def test_a_family_varies(scenes):
    stack = np.stack(scenes[1])
    distance = np.abs(stack[:, None] - stack[None]).mean(axis=(2, 3))
    assert np.median(distance[~np.eye(len(stack), dtype=bool)]) > 0.01


def test_flat_regions_hold_no_noise(scenes):
    tiles = np.concatenate([_tiles(scene) for scene in scenes[1]])
    spread = tiles.std(axis=(1, 2))
    flattest = tiles[spread <= np.quantile(spread, 0.05)]
    assert _laplacian_sd(_detrend(flattest)).max() < 1e-3


def test_drawings_are_mostly_white():
    for scene in rendered("drawing"):
        assert np.median(scene) > 0.8


def test_stretched_scenes_clip_at_both_ends():
    ends = [[(scene == end).mean() for end in (0, 1)] for scene in rendered("stretched")]
    assert np.min(ends) > 0.001
    assert np.median(ends) > 0.05


def test_dense_fluorescence_is_brighter_than_cells_on_dark_ground():
    assert np.mean(rendered("dense_fluorescence")) > 2 * np.mean(rendered("cells"))


def test_filled_planes_have_a_constant_edge():
    def has_flat_edge(scene):
        edges = (scene[0], scene[-1], scene[:, 0], scene[:, -1])
        return any(np.ptp(edge) == 0 for edge in edges)

    assert sum(map(has_flat_edge, rendered("filled"))) >= len(SEEDS) // 2


@pytest.mark.parametrize("size", [192, 333, 512])
def test_random_scenes_at_other_sizes(size):
    for seed in range(2):
        scene = random_scene(np.random.default_rng(seed), size)
        again = random_scene(np.random.default_rng(seed), size)
        assert scene.shape == (size, size)
        assert scene.dtype == np.float32
        np.testing.assert_array_equal(scene, again)
