"""A report computed again: the same numbers, or the changed input and the differences."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from cop_core.network import VitConfig, save_weights
from cop_core.reading import StackReader, load_estimator, profile
from cop_core.report import agreement, read_document, write_report
from cop_core.stacks import open_stack
from cop_core.statistics import compare

pytestmark = pytest.mark.usefixtures("quick_figures")


@pytest.fixture(scope="module")
def original(pair, tiny_weights, tmp_path_factory):
    """A folder with two stacks, a power table, weights and their report."""
    made, folder = (tmp_path_factory.mktemp(name) for name in ("made", "moved"))
    for path in (*pair, tiny_weights, tiny_weights.with_suffix(".json")):
        shutil.copy(path, made)
    (made / "power.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    estimator = load_estimator(made / tiny_weights.name, device="cpu", precision="float32")
    fixed = open_stack(made / "fixed.ome.tif", name="fixed", power=made / "power.csv")
    gained = open_stack(made / "gained.ome.tif", name="gained", power="gained:5,300,60")
    read = [profile(stack, estimator=estimator, crops=1) for stack in (fixed, gained)]
    write_report(compare(*read, n_bootstrap=20, window_um=(None, 18)), made, hashed=True)
    made.rename(folder / "study")  # so that nothing is where the report says
    return folder / "study"


@pytest.fixture
def study(original, tmp_path):
    """A copy of that folder that a test may change."""
    return shutil.copytree(original, tmp_path / "study")


@pytest.fixture
def compared(study):
    """The report in it."""
    return study / "report.json"


def rewritten(path, change):
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


# --- the same numbers ------------------------------------------------------------------------


def test_a_comparison_gives_the_same_numbers(compared, run):
    code, out, err = run("replay", compared)
    assert code == 0, err
    assert "The same numbers: " in out
    assert out.count("the same") == 4  # stack and power table, stack, weights
    assert "Yet" not in out


def test_a_report_of_relative_paths_shows_them_and_is_replayed_from_its_folder(
    pair, run, tiny_weights, tmp_path, monkeypatch
):
    (tmp_path / "work" / "data").mkdir(parents=True)
    shutil.copy(pair[0], tmp_path / "work" / "data")
    monkeypatch.chdir(tmp_path / "work")
    words = ["profile", "data/fixed.ome.tif", "-o", "out/report", "--weights", str(tiny_weights)]
    code, _, err = run(*words, "--crops", 1, "--device", "cpu", "--precision", "float32")
    assert code == 0, err
    command = read_document("out/report").provenance.command
    assert command.startswith("cop profile data/fixed.ome.tif -o out/report ")
    page = Path("out/report/report.html").read_text(encoding="utf-8")
    assert str(tmp_path / "work") not in page
    (tmp_path / "work").rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved" / "out" / "report")
    code, out, err = run("replay", "report.json")
    assert code == 0, err
    assert "The same numbers" in out


def test_the_new_report_can_be_replayed_too(compared, run, tmp_path):
    assert run("replay", compared.parent, "-o", tmp_path / "again")[0] == 0
    first, second = map(read_document, (compared, tmp_path / "again"))
    assert agreement(first, second, tolerance=0).differences == ()
    assert first.recipe.comparison == second.recipe.comparison
    assert run("replay", tmp_path / "again")[0] == 0


def test_planes_left_out_by_hand_are_left_out_again(study, run, tiny_estimator, tmp_path):
    found = profile(study / "fixed.ome.tif", estimator=tiny_estimator, crops=1, power=5)
    planes = (replace(found.planes[0], reason="above the dura"), *found.planes[1:])
    write_report(replace(found, planes=planes, name="mine"), tmp_path / "r")
    code, out, err = run("replay", tmp_path / "r")
    assert code == 0, err
    assert "The same numbers" in out


def test_inputs_elsewhere_are_found(compared, run, study, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(compared, other)
    assert run("replay", other)[0] == 2
    code, out, err = run("replay", other, "--data", study)
    assert code == 0, err
    assert "The same numbers" in out


def test_another_file_with_the_same_pixels_is_said(compared, run, study):
    path = study / "fixed.ome.tif"
    path.write_bytes(path.read_bytes() + b"\0\0")
    code, out, err = run("replay", compared)
    assert code == 0, err
    assert "These files have changed, however: stack of fixed." in out
    assert "changed: SHA-256 was" in " ".join(out.split())


# --- other numbers ---------------------------------------------------------------------------


def test_changed_pixels_are_named_and_their_effect(compared, run, study, tmp_path):
    path = study / "gained.ome.tif"
    data = tifffile.imread(path)
    data[4] = data[0]
    shape = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, data, photometric="minisblack", metadata=shape)
    code, out, _ = run("replay", compared, "-o", tmp_path / "now")
    assert code == 1
    said = " ".join(out.split())
    assert "values differ. Changed: stack of gained." in said
    was, now = map(read_document, (compared, tmp_path / "now"))
    agreed = agreement(was, now)
    assert f"Different numbers: {len(agreed.differences)} of {agreed.n} values differ" in said
    assert not any(one.where.startswith("protocols.fixed") for one in agreed.differences)
    slopes = [d.results.protocols["gained"].components["poisson"].slope_per_um for d in (was, now)]
    (one,) = [
        d for d in agreed.differences if d.where.endswith("gained.components.poisson.slope_per_um")
    ]
    assert [one.stated, one.found] == slopes
    assert one.relative == pytest.approx(abs(np.subtract(*slopes)) / max(map(abs, slopes)))


def test_other_weights_are_named(compared, run, study, card_of, untrained):
    config = VitConfig(depth=1, width=48, heads=3)
    other = untrained(config, seed=9).state_dict()
    save_weights(study / "tiny.safetensors", other, card_of(config))
    code, out, _ = run("replay", compared)
    assert code == 1
    assert "Changed: weights." in " ".join(out.split())


def test_another_power_table_is_named(compared, run, study):
    (study / "power.csv").write_text("depth_um,power_mw\n0,5\n20,7\n")
    code, out, _ = run("replay", compared)
    assert code == 1
    assert "Changed: power of fixed." in " ".join(out.split())
    assert "power_max" in out


def test_a_number_that_was_edited_is_found(compared, run):
    def edit(document):
        document["comparison"]["components"]["gaussian"]["cohen_d"] = 12.5

    rewritten(compared, edit)
    code, out, _ = run("replay", compared)
    assert code == 1
    assert "1 of" in out
    assert "No input is known to have changed" in " ".join(out.split())
    assert "12.5" in out


def test_other_versions_are_said(compared, run):
    def edit(document):
        document["provenance"]["versions"]["scipy"] = "0.1"
        document["provenance"]["inputs"] = {}

    rewritten(compared, edit)
    code, out, _ = run("replay", compared)
    assert code == 0
    assert "scipy: was 0.1, is " in out
    assert out.count("not checked") == 3  # the stacks and the power table


# --- what cannot be computed -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["gained.ome.tif", "power.csv", "tiny.safetensors"])
def test_a_file_that_is_gone_is_named(name, compared, run, study):
    (study / name).unlink()
    code, out, err = run("replay", compared)
    assert code == 2
    said = " ".join(err.split())
    assert f"/{name} (" in said
    assert "cop replay REPORT --data FOLDER" in said
    assert "missing" in out
    assert "Traceback" not in err


def test_a_stack_that_cannot_be_opened_any_more(compared, run, study):
    (study / "gained.ome.tif").write_bytes(b"II*\0")
    code, out, err = run("replay", compared)
    assert code == 2
    assert "changed" in out
    assert "gained.ome.tif" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the report cannot be read"),
        ("{", "the report cannot be read"),
        ("[" * 100_000, "the report cannot be read"),
        ("[]", "it is not a report"),
        ('{"schema_version": "1.0"}', "it is not a report"),
        (None, "No such file"),
    ],
    ids=["empty", "cut", "deep", "list", "parts", "missing"],
)
def test_what_is_no_report_is_refused(text, said, run, tmp_path):
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    code, out, err = run("replay", path)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("schema_version",), "9.0", "it has schema '9.0'"),
        (("kind",), "atlas", "'atlas' is not a kind of report"),
        (("recipe",), {}, "recipe.kind: the report was edited"),
        (("recipe", "stacks", 0, "source"), None, "the recipe names no file for it"),
        (("recipe", "stacks", 0, "axes"), "ABC", "axes"),
        (("recipe", "stacks", 0, "x"), 1, "recipe.stacks.0.x: the report was edited"),
        (("recipe", "reading", "normalisation"), "none", "recipe.reading.normalisation"),
        (("provenance", "protocols", "fixed", "whole"), False, "stopped before the end"),
    ],
)
def test_reports_that_do_not_say_enough_are_refused(place, value, said, compared, run):
    def edit(document):
        for key in place[:-1]:
            document = document[key]
        document[place[-1]] = value

    rewritten(compared, edit)
    code, _, err = run("replay", compared)
    assert code == 2
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_a_stopped_reading_is_refused(pair, tiny_estimator, run, tmp_path):
    found = StackReader(open_stack(pair[0]), tiny_estimator).profile
    write_report(found, tmp_path / "r")
    code, _, err = run("replay", tmp_path / "r")
    assert code == 2
    assert "the reading was stopped" in " ".join(err.split())


@pytest.mark.parametrize("tolerance", ["inf", "nan", "-1", "x"])
def test_tolerances_that_are_none_are_refused(tolerance, compared, run):
    code, _, err = run("replay", compared, "--tolerance", tolerance)
    assert code == 2
    assert "tolerance" in err
    assert "Traceback" not in err


# --- agreement -------------------------------------------------------------------------------


class Results:
    model_fields = ("protocols", "comparison")


def documents(a, b):
    """Two documents that differ in one of their parts at most."""
    trees = ({"protocols": a}, {"protocols": b, "new": 1})
    return [
        SimpleNamespace(results=Results(), tree={**tree, "comparison": {"x": [1.0, 2.0]}})
        for tree in trees
    ]


@pytest.mark.parametrize(
    ("stated", "found", "relative"),
    [
        (1.0, 1.0, 0),
        (1.0, 1.0 + 1e-9, 0),
        (2.0, 1.0, 0.5),
        (-1.0, 1.0, 2),
        (0.0, 1e-13, 0),
        (None, None, 0),
        (None, 1.0, math.inf),
        ("large", "small", math.inf),
        (True, 1.0, 0),
        ([1, 2], [1], 0.5),
        ({"y": 1}, 3, math.inf),
    ],
)
def test_agreement_by_hand(stated, found, relative):
    agreed = agreement(*documents({"a": stated, "b": 1}, {"a": found, "b": 1, "c": 9}))
    assert [d.relative for d in agreed.differences] == ([relative] if relative else [])


def test_tolerance_is_relative():
    pair = documents({"a": 1e-5}, {"a": 1.001e-5})
    assert agreement(*pair, tolerance=1e-2).differences == ()
    assert agreement(*pair, tolerance=1e-2).largest == pytest.approx(1e-3, rel=1e-2)
    assert len(agreement(*pair, tolerance=1e-4).differences) == 1


def test_arrays_are_refused(counts, tiny_estimator, run, tmp_path):
    found = profile(counts(3, 48), estimator=tiny_estimator, z_step_um=1.0)
    write_report(found, tmp_path / "r")
    code, _, err = run("replay", Path(tmp_path, "r"))
    assert code == 2
    assert "the stack was an array" in err
