"""Evaluation: the strongest noise, cross-talk and domain shift on known truths."""

from __future__ import annotations

import json
import math
from itertools import combinations

import numpy as np
import pytest
import scipy
import tifffile
import torch

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.training.evaluation import (
    DoseResponse,
    domain_shift,
    dominant_accuracy,
    dose_response,
    encode,
    evaluate,
    squared_mmd,
)

NOISES = ("gaussian", "poisson", "clean")


# --- the strongest noise ---------------------------------------------------------------------


def test_the_strongest_noise_is_counted_without_clean():
    truth = np.array([[0.4, 0.1, 0.5], [0.1, 0.25, 0.65], [0.3, 0.2, 0.5], [0.15, 0.05, 0.8]])
    read = np.array([[0.25, 0.1, 0.65], [0.1, 0.35, 0.55], [0.2, 0.5, 0.3], [0.05, 0.0, 0.95]])
    found = dominant_accuracy(truth, read, NOISES)  # right, right, wrong, right
    assert found.crops == 4
    assert found.accuracy == 0.75
    assert list(found.by_threshold) == [0.1, 0.2, 0.3]
    assert [t.accuracy for t in found.by_threshold.values()] == [0.5, 0.5, 0.25]
    assert [t.reachable for t in found.by_threshold.values()] == [1, 0.75, 0.25]


def test_thresholds_have_to_be_exceeded():
    found = dominant_accuracy([[0.3, 0.7]], [[0.3, 0.7]], ("gaussian", "clean"), thresholds=(0.3,))
    assert found.by_threshold[0.3].accuracy == 0
    assert found.by_threshold[0.3].reachable == 0


def test_perfect_predictions_reach_what_is_reachable():
    truth = np.random.default_rng(0).dirichlet(np.ones(6), 200)
    found = dominant_accuracy(truth, truth, DEFAULT_COMPONENTS)
    assert found.accuracy == 1
    for threshold, reached in found.by_threshold.items():
        assert reached.accuracy == reached.reachable
        assert reached.reachable == (truth[:, :-1].max(axis=1) > threshold).mean()


def test_crops_without_noise_have_no_strongest_noise():
    truth, read = [[0, 0, 1], [0, 0.5, 0.5]], [[0.9, 0.0, 0.1], [0.1, 0.4, 0.5]]
    found = dominant_accuracy(truth, read, NOISES)
    assert (found.crops, found.accuracy) == (1, 1)
    none = dominant_accuracy(truth[:1], read[:1], NOISES)
    assert none.crops == 0
    assert math.isnan(none.accuracy)
    plain = json.loads(json.dumps(none.to_dict(), allow_nan=False))
    assert plain["dominant_accuracy"] is None
    assert plain["threshold_accuracy"]["0.1"] == {"accuracy": None, "reachable": None}


@pytest.mark.parametrize(
    ("truth", "read", "components", "said"),
    [
        ([[0.1, 0.9]], [[0.1, 0.9], [0.2, 0.8]], ("gaussian", "clean"), "shape"),
        ([[0.1, 0.9]], [[0.1, 0.9]], NOISES, "shape"),
        ([0.1, 0.9], [0.1, 0.9], ("gaussian", "clean"), "shape"),
        ([[0.1, 0.9]], [[np.nan, 0.9]], ("gaussian", "clean"), "not finite"),
        ([[1.0]], [[1.0]], ("clean",), "no component is a noise"),
    ],
)
def test_impossible_strengths_are_refused(truth, read, components, said):
    with pytest.raises(InputError, match=said):
        dominant_accuracy(truth, read, components)


def test_evaluation_reports_the_strongest_noise(tmp_path, tiny_estimator):
    folders = [tmp_path / name for name in ("a", "b")]
    rng = np.random.default_rng(0)
    for folder in folders:
        folder.mkdir()
        tifffile.imwrite(folder / "0.tif", rng.integers(0, 255, (200, 200), np.uint8))
    found = evaluate(folders, tiny_estimator, crops=6).to_dict()
    rows = list(found["domains"].values())
    for row in (*rows, found["overall"]):
        assert {"rmse", "mae", "r2", "r2_by_component"} <= set(row)
        assert list(row["threshold_accuracy"]) == ["0.1", "0.2", "0.3"]
    share = found["overall"]["dominant_accuracy"]
    assert share == pytest.approx(np.mean([row["dominant_accuracy"] for row in rows]))
    for key in ("accuracy", "reachable"):
        values = [row["threshold_accuracy"]["0.2"][key] for row in rows]
        overall = found["overall"]["threshold_accuracy"]["0.2"][key]
        assert overall == pytest.approx(np.mean(values))
    json.dumps(found, allow_nan=False)


def test_an_evaluation_needs_a_folder(tiny_estimator):
    with pytest.raises(InputError, match="no folders"):
        evaluate([], tiny_estimator)


# --- cross-talk ------------------------------------------------------------------------------


def _response(doses, rows):
    return DoseResponse("gaussian", doses, ("gaussian", "poisson", "anisotropic", "clean"), rows)


def test_cross_talk_is_the_largest_rise_of_another_noise():
    rows = np.array(
        [[0.02, 0.10, 0.03, 0.85], [0.2, 0.18, 0.02, 0.6], [0.4, 0.05, 0.05, 0.5]], np.float64
    )
    response = _response((0.0, 0.2, 0.4), rows)
    assert response.cross_talk == pytest.approx(0.08)
    assert response.to_dict()["cross_talk"] == pytest.approx(0.08)
    back = _response((0.4, 0.2, 0.0), rows[::-1])
    assert back.cross_talk == pytest.approx(0.08)


def test_cross_talk_counts_neither_falls_nor_clean():
    falling = np.array([[0.0, 0.1, 0.1, 0.8], [0.0, 0.05, 0.0, 0.95]])
    assert _response((0.0, 0.3), falling).cross_talk == 0


def test_cross_talk_needs_dose_0():
    response = _response((0.1, 0.3), np.full((2, 4), 0.25))
    assert math.isnan(response.cross_talk)
    assert response.to_dict()["cross_talk"] is None


def test_cross_talk_of_an_estimator(tiny_estimator):
    clean = np.random.default_rng(0).random((2, 192, 192), np.float32)
    (found,) = dose_response(clean, tiny_estimator, doses=(0, 0.5), only=["gaussian"]).values()
    assert found.cross_talk == pytest.approx(
        max(0, (found.predicted[1] - found.predicted[0])[1:-1].max())
    )


# --- domain shift ----------------------------------------------------------------------------


def _naive(first, second):
    """Return the unbiased squared MMD pair by pair."""
    rows = [np.asarray(r) / math.sqrt(sum(v * v for v in r)) for r in (*first, *second)]
    n = len(first)
    b = np.median([np.linalg.norm(p - q) for p, q in combinations(rows, 2)])

    def mean(pairs):
        return np.mean([math.exp(-(np.linalg.norm(p - q) ** 2) / (2 * b * b)) for p, q in pairs])

    a, c = rows[:n], rows[n:]
    across = mean([(p, q) for p in a for q in c])
    return mean(combinations(a, 2)) + mean(combinations(c, 2)) - 2 * across, b


def test_mmd_is_that_of_its_formula():
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 1, (7, 4)), rng.normal(0, 2, (5, 4))
    found = squared_mmd(first, second, permutations=9)
    expected, bandwidth = _naive(first, second)
    assert found.squared_mmd == pytest.approx(expected)
    assert found.bandwidth == pytest.approx(bandwidth)
    assert squared_mmd(second, first, permutations=9).squared_mmd == pytest.approx(expected)
    scaled = squared_mmd(first * 7, second * rng.uniform(1, 9, (5, 1)), permutations=9)
    assert scaled.squared_mmd == pytest.approx(expected)


def test_p_is_that_of_all_permutations_where_they_are_few():
    rng = np.random.default_rng(2)
    rows = rng.normal(0, 1, (6, 3))
    found = squared_mmd(rows[:3], rows[3:], permutations=100)
    everywhere = [
        _naive(rows[list(chosen)], np.delete(rows, chosen, axis=0))[0]
        for chosen in combinations(range(6), 3)
    ]
    expected = np.mean(np.array(everywhere) >= found.squared_mmd - 1e-12)
    assert found.p_value == pytest.approx(expected)


def test_equal_distributions_have_no_mmd_and_uniform_p():
    rng = np.random.default_rng(3)
    found = [
        squared_mmd(*rng.normal(1, 1, (2, 15, 4)), permutations=99, seed=i) for i in range(120)
    ]
    values = np.array([f.squared_mmd for f in found])
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(len(values))
    assert values.min() < 0
    assert scipy.stats.kstest([f.p_value for f in found], "uniform").pvalue > 0.01


def test_shifted_distributions_have_mmd_and_small_p():
    rng = np.random.default_rng(4)
    first, second = rng.normal(1, 0.5, (40, 6)), rng.normal([2, 1, 1, 1, 1, 0], 0.5, (30, 6))
    found = squared_mmd(first, second, permutations=199)
    assert found.squared_mmd > 0.05
    assert found.p_value == pytest.approx(1 / 200)
    assert found == squared_mmd(first, second, permutations=199, seed=0)


def test_shift_is_of_all_pairs_and_their_mean():
    rng = np.random.default_rng(5)
    features = {name: rng.normal(1, 1, (8, 3)) for name in "abc"}
    shift = domain_shift(features, permutations=19, seed=3)
    assert list(shift.pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert shift.pairs["a", "c"] == squared_mmd(
        features["a"], features["c"], permutations=19, seed=3
    )
    plain = json.loads(json.dumps(shift.to_dict(), allow_nan=False))
    assert plain["mean_squared_mmd"] == pytest.approx(
        np.mean([pair["squared_mmd"] for pair in plain["pairs"]])
    )
    assert plain["pairs"][2]["domains"] == ["b", "c"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), "shape"),
        (np.ones((1, 2)), np.ones((3, 2)), "shape"),
        (np.ones(3), np.ones(3), "shape"),
        (np.zeros((3, 2)), np.ones((3, 2)), "0 or not finite"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), "0 or not finite"),
        (np.ones((3, 2)), 2 * np.ones((3, 2)), "most features are the same"),
    ],
)
def test_impossible_features_are_refused(first, second, said):
    with pytest.raises(InputError, match=said):
        squared_mmd(first, second)


def test_impossible_comparisons_are_refused():
    with pytest.raises(InputError, match="1 domains"):
        domain_shift({"a": np.eye(3)})
    with pytest.raises(InputError, match="0 permutations"):
        squared_mmd(np.eye(3), np.eye(3), permutations=0)


def test_features_are_what_the_head_reads(tiny_estimator):
    crops = np.random.default_rng(6).random((5, 192, 192), np.float32)
    features = encode(tiny_estimator, crops, batch_size=2)
    assert features.shape == (5, tiny_estimator.network.config.width)
    assert features.dtype == np.float64
    with torch.inference_mode():
        logits = tiny_estimator.network.forward_head(torch.from_numpy(features).float())
    np.testing.assert_allclose(
        torch.softmax(logits, -1).numpy(), tiny_estimator.predict(crops), atol=1e-5
    )
    assert encode(tiny_estimator, crops[:0]).shape == (0, features.shape[1])


@pytest.mark.parametrize(
    ("crops", "batch_size", "said"),
    [
        (np.zeros((1, 64, 64)), 1, "shape"),
        (np.zeros((192, 192)), 1, "shape"),
        (np.zeros((1, 192, 192, 3)), 1, "shape"),
        (np.full((1, 192, 192), 2.0), 1, "outside"),
        (np.full((1, 192, 192), np.nan), 1, "not finite"),
        (np.zeros((1, 192, 192)), 0, "0 crops per batch"),
    ],
)
def test_impossible_crops_are_refused(crops, batch_size, said, tiny_estimator):
    with pytest.raises(InputError, match=said):
        encode(tiny_estimator, crops, batch_size=batch_size)
