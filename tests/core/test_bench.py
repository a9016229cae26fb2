"""`cop bench`: its results are consistent with each other and with the network."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def found(run, tiny_weights):
    options = ("--weights", str(tiny_weights), "--device", "cpu", "--precision", "float32")
    code, out, err = run("bench", *options, "--planes", "2", "--side", "200", "--json")
    assert code == 0, err
    return json.loads(out)


def test_shares_follow_from_rates(found):
    (cpu,) = found["devices"]
    assert (cpu["device"], cpu["precision"]) == ("cpu", "float32")
    reached = cpu["crops_per_s"] * cpu["gflop_per_crop"]
    assert cpu["share_of_matrix_rate"] == pytest.approx(reached / cpu["matrix_gflops"])
    apart = 1 / cpu["statistics_crops_per_s"] + 1 / cpu["transformer_crops_per_s"]
    # a plane of 200x200 is cut into four crops
    assert cpu["share_of_parts"] == pytest.approx(4 * cpu["planes_per_s"] * apart)
    assert found["recipe"]["planes"] == 2
    assert found["machine"]["processor"]


def test_operations_are_counted(found, tiny_estimator):
    """At least two for each weight of a layer and token; less than for ViT-B, 17.6 GFLOP."""
    layers = tiny_estimator.network.state_dict()
    weights = sum(w.numel() for name, w in layers.items() if w.ndim == 2 and "blocks" in name)
    (cpu,) = found["devices"]
    assert 2 * weights / 1e9 < cpu["gflop_per_crop"] < 17.6


def test_the_table(run, tiny_weights):
    code, out, _ = run("bench", "--weights", str(tiny_weights), "--planes", "1", "--side", "192")
    assert code == 0
    assert "planes per s" in out
    assert "share of matrix rate" in out
