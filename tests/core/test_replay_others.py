"""Replay of documents from watching, the demonstration and a recommendation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import zarr

import cop_core as cop
from cop_core.power import recommend_power
from cop_core.reading import StackReader, profile
from cop_core.report import why_not_repeatable, write_report
from cop_core.simulator import Detector, Optics
from cop_core.stacks.growing import open_growing

pytestmark = pytest.mark.usefixtures("quick_figures")

SCALE = {"axes": "ZYX", "PhysicalSizeZ": 20.0, "PhysicalSizeZUnit": "µm"}


@pytest.fixture
def growing(tmp_path, counts):
    """Four planes out of six."""
    path = tmp_path / "a.zarr"
    array = zarr.create_array(path, shape=(6, 96, 96), chunks=(1, 96, 96), dtype="u2")
    array[:4] = counts(4, 96)
    return path


def blocks(planes=24, seed=0):
    """Equal blocks at every depth, at 5 mW."""
    rng, depth = np.random.default_rng(seed), np.arange(planes) * 20.0
    picture = np.kron(np.linspace(0.2, 1, 64).reshape(8, 8), np.ones((24, 24))).astype(np.float32)
    light = Optics(photons=300.0).signal(5.0, depth)
    detector = Detector(gain_counts=4.0, dark_photons=0.0)
    return np.stack([detector.read(picture * photons, rng) for photons in light])


@pytest.fixture(scope="module")
def pixels():
    return blocks()


@pytest.fixture
def tiff(tmp_path, pixels):
    path = tmp_path / "fixed.ome.tif"
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata=SCALE)
    return path


@pytest.fixture
def recommended(run, tiff, tmp_path, tiny_weights):
    """Run `cop recommend` with some options; return the folder that it wrote."""

    def recommended(*options):
        folder = tmp_path / "power"
        words = ["recommend", tiff, "--max-power-mw", 15, "--offset-counts", 100, "-o", folder]
        words += ["--weights", tiny_weights, "--device", "cpu", "--precision", "float32"]
        code, _, err = run(*words, *options)
        assert code == 0, err
        return folder

    return recommended


def said(text):
    return " ".join(text.split())


# --- watching ----------------------------------------------------------------------------------


def test_what_was_watched_gives_the_same_numbers(run, growing, tmp_path, tiny_weights, counts):
    words = ["--z-step-um", 2, "--power", 5, "--weights", tiny_weights, "--json"]
    assert run("watch", growing, "--stop-after", 1, *words, "-o", tmp_path / "live")[0] == 0
    code, out, err = run("replay", tmp_path / "live")
    assert code == 0, err
    assert "The same numbers" in out
    zarr.open_array(growing)[4:] = counts(2, 96, 9)  # the acquisition went on
    code, out, _ = run("replay", tmp_path / "live")
    assert code == 1
    assert "Changed: stack of a." in said(out)


def test_watching_that_was_stopped_says_so(run, growing, tmp_path, tiny_estimator):
    source = open_growing(growing, z_step_um=2.0, stopped_after_s=60)
    live = StackReader(source, tiny_estimator)
    for step in live:
        if len(live.profile) == 4 and not step.crops_put_off:
            break
    assert not any(plane.reason for plane in live.profile.planes)
    assert "its reading was stopped before the end" in why_not_repeatable(live.profile)
    write_report(live.profile, tmp_path / "live")
    code, _, err = run("replay", tmp_path / "live")
    assert code == 2
    assert "reading was stopped before the end" in said(err)


def test_lines_of_watch_say_why_they_cannot_be_replayed(run, growing, tmp_path, tiny_weights):
    words = ["--z-step-um", 2, "--weights", tiny_weights, "--json"]
    code, out, _ = run("watch", growing, "--stop-after", 1, *words)
    assert code == 0
    (tmp_path / "lines.json").write_text(out, encoding="utf-8")
    code, _, err = run("replay", tmp_path / "lines.json")
    assert code == 2
    assert "lines of cop watch --json do not state how they were computed" in said(err)


def test_the_demonstration_says_that_it_is_in_no_file(run, monkeypatch, tmp_path, tiny_weights):
    pytest.importorskip("pymmcore_plus", reason="the extra 'live' is not installed")
    from cop_core.simulator import PRESETS, Phantom

    sample = PRESETS["sample"]
    phantom = Phantom(shape=(200, 200), field_um=300.0, depth_um=400.0)
    small = replace(sample, microscope=replace(sample.microscope, phantom=phantom), planes=3)
    monkeypatch.setitem(PRESETS, "sample", small)
    words = ["--frame-ms", 1, "--estimator", tiny_weights, "--device", "cpu"]
    code, _, err = run("demo-live", "-o", tmp_path / "demo", *words)
    assert code == 0, err
    code, _, err = run("replay", tmp_path / "demo")
    assert code == 2
    assert "the planes came from Micro-Manager: Camera, not from a file" in said(err)
    assert "Traceback" not in err


# --- a recommendation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("--power", 5),
        ("--power", "gained:5,3000,60", "--surface-power", 4, "--window-um", "0:400"),
        ("--power", 5, "--hold", "poisson", "--crops", 1, "--weights", "default"),
    ],
    ids=["signal", "law", "component"],
)
def test_a_recommendation_gives_the_same_numbers(recommended, run, options, tmp_path):
    folder = recommended(*options)
    document = json.loads((folder / "recommendation.json").read_text(encoding="utf-8"))
    assert (document["kind"], document["recipe"]["power"]["max_power_mw"]) == ("recommendation", 15)
    code, out, err = run("replay", folder, "-o", tmp_path / "again")
    assert code == 0, err
    assert "The same numbers" in out
    assert out.count("the same") == 1 + ("--hold" in options)
    again = json.loads((tmp_path / "again" / "recommendation.json").read_text(encoding="utf-8"))
    for part in ("planes", "attenuation", "held", "energy", "recipe"):
        assert again[part] == document[part]
    plans = [(path / "plan.json").read_text() for path in (folder, tmp_path / "again")]
    assert plans[0] == plans[1]
    assert run("replay", tmp_path / "again")[0] == 0


def test_inputs_of_a_recommendation_that_changed_are_named(recommended, run, tiff, tmp_path):
    (tmp_path / "p.csv").write_text("depth_um,power_mw\n0,5\n500,5\n")
    folder = recommended("--power", tmp_path / "p.csv")
    (tmp_path / "p.csv").write_text("depth_um,power_mw\n0,5\n500,6\n")
    code, out, _ = run("replay", folder)
    assert code == 1
    assert "Changed: power of fixed." in said(out)
    tifffile.imwrite(tiff, blocks(seed=1), photometric="minisblack", metadata=SCALE)
    code, out, _ = run("replay", folder)
    assert code == 1
    assert "Changed: stack of fixed, power of fixed." in said(out)
    tiff.unlink()
    code, _, err = run("replay", folder)
    assert code == 2
    assert "fixed.ome.tif (stack of fixed)" in said(err)


def test_a_number_that_was_edited_is_found(recommended, run):
    path = recommended("--power", 5) / "recommendation.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["planes"][3]["power"] *= 1.1
    path.write_text(json.dumps(document), encoding="utf-8")
    code, out, _ = run("replay", path)
    assert code == 1
    assert "planes.3.power" in out
    assert "No input is known to have changed" in said(out)


def test_recommended_from_a_profile(tiff, tiny_estimator, run, tmp_path):
    read = profile(tiff, estimator=tiny_estimator, crops=1, power=5, offset_counts=100)
    planes = (replace(read.planes[0], reason="above the dura"), *read.planes[1:])
    read = replace(read, planes=planes)
    found = recommend_power(read, max_power_mw=15)
    write_report(found, tmp_path / "means")
    code, out, err = run("replay", tmp_path / "means")
    assert code == 0, err
    assert "The same numbers" in out


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"recipe": {}}, "recipe.kind: the report was edited"),
        ({"recipe": {"kind": "recommendation", "power": {}}}, "recipe.power.max_power_mw"),
        ({"planes": None}, "planes: the report was edited: it is missing"),
        ({"schema_version": "1.0"}, "it has schema '1.0'"),
    ],
)
def test_what_does_not_say_enough_is_refused(recommended, run, change, said_of_it):
    path = recommended("--power", 5) / "recommendation.json"
    document = json.loads(path.read_text(encoding="utf-8")) | change
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    code, _, err = run("replay", path)
    assert code == 2
    assert said_of_it in said(err)
    assert "Traceback" not in err


def test_arrays_are_refused(pixels, run, tmp_path):
    stack = cop.open_stack(pixels, z_step_um=20.0, power=5)
    found = recommend_power(stack, max_power_mw=15, offset_counts=100)
    write_report(found, tmp_path / "array")
    code, _, err = run("replay", tmp_path / "array")
    assert code == 2
    assert "the stack was an array" in said(err)


# --- a report with other normalisations --------------------------------------------------------


def test_sensitivity_of_a_report_is_computed_again(run, tiff, tmp_path, tiny_weights):
    words = ["--crops", 1, "--weights", tiny_weights, "--sensitivity"]
    assert run("profile", tiff, *words, "-o", tmp_path / "r")[0] == 0
    code, out, err = run("replay", tmp_path / "r", "-o", tmp_path / "again")
    assert code == 0, err
    was, now = (
        json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
        for name in ("r", "again")
    )
    assert len(now["sensitivity"]) == 2
    assert now["sensitivity"] == was["sensitivity"]
    was["sensitivity"]["plane-minmax"]["fixed"]["poisson"]["slope_per_um"] += 1
    (tmp_path / "r" / "report.json").write_text(json.dumps(was), encoding="utf-8")
    code, out, _ = run("replay", tmp_path / "r")
    assert code == 1
    assert "1 of" in out
    assert "sensitivity" in out
