from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import tifffile

import cop_core as cop
from cop_core.errors import InputError
from cop_core.network import VitConfig, save_weights
from cop_core.recipes import PowerOptions, ReadingOptions, RecommendRecipe, StackOptions
from cop_core.simulator import Detector, Optics
from cop_core.stacks import read_power_table


@pytest.fixture(scope="module")
def tiff(tmp_path_factory):
    """A stack of equal blocks at every depth, at 5 mW, as an OME-TIFF."""
    path = tmp_path_factory.mktemp("stack") / "fixed.ome.tif"
    rng, depth = np.random.default_rng(0), np.arange(24) * 20.0
    blocks = np.kron(np.linspace(0.2, 1, 64).reshape(8, 8), np.ones((8, 8))).astype(np.float32)
    light = Optics(photons=300.0).signal(5.0, depth)
    detector = Detector(gain_counts=4.0, dark_photons=0.0)
    counts = np.stack([detector.read(blocks * photons, rng) for photons in light])
    scale = {"axes": "ZYX", "PhysicalSizeZ": 20.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, counts, photometric="minisblack", metadata=scale)
    return path


def test_recommend(run, tiff, tmp_path):
    out = tmp_path / "out"
    code, text, err = run(
        "recommend", tiff, "--power", 5, "--max-power-mw", 15, "--offset-counts", 100,
        "--frame-time-s", 2, "-o", out,
    )  # fmt: skip
    assert code == 0, err
    assert "attenuation length" in text
    assert "limit of 15 mW" in text.replace("\n", " ")
    depth, power = read_power_table(out / "power.csv")
    assert depth.tolist() == (np.arange(24) * 20.0).tolist()
    assert power.max() == 15
    assert power[:10] == pytest.approx(5 * np.exp(depth[:10] / 300), rel=0.03)
    document = json.loads((out / "recommendation.json").read_text())
    assert document["provenance"]["command"].startswith("cop recommend")
    assert document["energy"]["frame_time_s"] == 2
    for suffix in ("svg", "pdf", "png"):
        assert (out / "figures" / f"power.{suffix}").stat().st_size > 1000
    svg = (out / "figures" / "power.svg").read_text()
    for shown in ("Power at the sample", "limit 15 mW", "exponential, equal noise"):
        assert shown in svg


@pytest.fixture
def of_paper(tmp_path, card_of, untrained):
    """Weights whose shot noise is not physical."""
    path = tmp_path / "of_paper.safetensors"
    card = card_of(VitConfig(depth=1, width=48, heads=3), "paper", "of_paper")
    save_weights(path, untrained().state_dict(), card)
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--power", 5), "strengths read with the weights 'of_paper' change with power"),
        ((), "power at its planes is not stated"),
        (("--power", 5, "--normalisation", "stack-percentile"), "with stack-percentile, strengths"),
        (("--power", 5, "--window-um", "0:50"), "3 of 24 planes can be used"),
    ],
)
def test_a_noise_that_cannot_be_held_is_refused_before_the_stack_is_read(
    run, tiff, tmp_path, of_paper, tiny_weights, monkeypatch, options, message
):
    monkeypatch.setattr("cop_core.pipeline.stacks.read_all", pytest.fail)
    weights = of_paper if "of_paper" in message else tiny_weights
    code, _, err = run(
        "recommend", tiff, "--max-power-mw", 15, "--offset-counts", 100, "--hold", "poisson",
        "--weights", weights, "--device", "cpu", "-o", tmp_path / "out", *options,
    )  # fmt: skip
    assert (code, message in err) == (2, True), err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"power": {"max_power": 15}}, "the limit is in another unit"),
        ({"stack": {}}, "power at its planes is not stated"),
        ({"power": {"max_power_mw": 15, "hold": "poisson"}}, "the weights 'of_paper' change"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_before_it_is_read(
    tiff, of_paper, monkeypatch, changed, message
):
    monkeypatch.setattr("cop_core.pipeline.stacks.read_all", pytest.fail)
    asked = {"stack": {"power": 5}, "power": {"max_power_mw": 15}, **changed}
    recipe = RecommendRecipe(
        stack=StackOptions(source=str(tiff), **asked["stack"]),
        reading=ReadingOptions(weights=str(of_paper), device="cpu"),
        power=PowerOptions(**asked["power"]),
        from_profile=True,
    )
    with pytest.raises(InputError, match=message):
        cop.run(recipe)


def test_without_useq_all_but_the_plan_is_written(run, tiff, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "useq", None)
    asked = ("recommend", tiff, "--power", 5, "--max-power-mw", 15, "--offset-counts", 100)
    code, text, err = run(*asked, "-o", tmp_path / "out")
    assert code == 0, err
    assert 'plan.json: not written, as it needs useq: pip install "napari-cop[live]"' in text
    assert (tmp_path / "out" / "power.csv").is_file()
    assert not (tmp_path / "out" / "plan.json").exists()
    monkeypatch.setattr("cop_core.pipeline.run", pytest.fail)
    code, _, err = run(*asked, "--laser", "Laser", "Percent", "-o", tmp_path / "other")
    assert code == 2
    assert 'an acquisition plan needs useq. Install it: pip install "napari-cop[live]"' in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "power at its planes is not stated"),
        (("--power", 5, "--surface-power", 16), "16 at the surface is above the limit"),
        (("--power", 5, "--max-power-mw", "nan"), "--max-power-mw: 'nan' cannot be used"),
        (("--power", 5, "--max-power-mw", 15000), "above 0, 1000 at most"),
        (("--power", 5, "--hold", "clean"), "--hold: 'clean' cannot be used"),
        (("--power", 5, "--window-um", "0:50"), "3 of 24 planes can be used"),
    ],
)
def test_what_cannot_be_recommended(run, tiff, tmp_path, options, message):
    code, _, err = run(
        "recommend", tiff, "--max-power-mw", 15, "--offset-counts", 100, "-o", tmp_path / "out",
        *options,
    )  # fmt: skip
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()
