"""Options of a study go into its report, and its report gives the same numbers again."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import tifffile

from cop_core.pipeline import run as run_recipe
from cop_core.reading import profile
from cop_core.recipes import ReadingOptions
from cop_core.recipes.plan import read_plan
from cop_core.records import StudyStackRecord
from cop_core.report import document_of
from cop_core.stacks import read_power_table
from cop_core.statistics import compare_arms, fit_profile, within
from cop_core.statistics.arms import NO_PAPER_TEST

pytestmark = pytest.mark.usefixtures("quick_figures")

OTHERS = ["stack-percentile", "plane-minmax"]
ONE_CROP = ReadingOptions(crops=1)


@pytest.fixture
def data(counts, tmp_path):
    """Two stacks per arm in folders of the animals, with shared names, and a power table."""
    lines = ["stack,arm,animal,power"]
    for i, arm in enumerate(("fixed", "gained")):
        for j in range(2):
            path = tmp_path / f"m{2 * i + j}" / f"{arm}.ome.tif"
            path.parent.mkdir()
            scale = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
            tifffile.imwrite(
                path, counts(5, 192, 10 * i + j), photometric="minisblack", metadata=scale
            )
            lines.append(f"m{2 * i + j}/{arm}.ome.tif,{arm},,{'power.csv' if i else 5}")
    lines = [f"{line},s{n}" if n else f"{line},name" for n, line in enumerate(lines)]
    (tmp_path / "power.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    (tmp_path / "plan.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def batch(data, run, tiny_weights):
    """Run `cop batch` on it with some options, and return study.json."""

    def batch(*options, code=0):
        words = ["batch", data / "plan.csv", "-o", data / "study", "--crops", 1, "--device", "cpu"]
        words += ["--precision", "float32"]
        found, out, err = run(*words, "--weights", tiny_weights, *options)
        assert found == code, err
        return json.loads((data / "study" / "study.json").read_text(encoding="utf-8")), out

    return batch


def paths(data):
    """The stacks of the plan."""
    stacks = read_plan(data / "plan.csv", read_power_table).stacks
    return [each.stack.source for each in stacks]


def differences(document):
    ((compared,),) = (each["pairs"] for each in document["comparisons"])
    return compared["components"]


# --- options -----------------------------------------------------------------------------------


def test_rule_and_margin_go_into_the_comparison_of_arms(batch, data, tiny_estimator):
    document, out = batch("--rule", "paper", "--margin", 0.02, "--window-um", ":13")
    assert document["recipe"]["comparison"]["rule"] == "paper"
    assert document["recipe"]["comparison"]["margin_per_100_um"] == 0.02
    assert NO_PAPER_TEST in document["comparisons"][0]["pairs"][0]["caveats"]
    assert "has no test for several stacks" in " ".join(out.split())
    read = [
        within(profile(path, estimator=tiny_estimator, reading=ONE_CROP), (None, 13))
        for path in paths(data)
    ]
    expected = compare_arms(read[:2], read[2:], rule="paper", margin_per_100_um=0.02)
    for effect in expected.effects:
        values, found = differences(document)[effect.component], effect.difference
        assert np.isnan(found.reading_limit_per_um)  # of weights that state no uncertainty
        assert values["equivalence_p_difference"] is None
        assert values["cohen_d_class"] == found.cohen_d_class
    page = (data / "study" / "study.html").read_text(encoding="utf-8")
    assert "p (margin)" in page


def test_rule_and_margin_of_a_pair_are_those_of_cop_compare(batch, data, run, tiny_weights):
    plan = data / "plan.csv"
    lines = plan.read_text().splitlines()
    plan.write_text("\n".join([lines[0], lines[1], lines[3]]))
    document, _ = batch("--rule", "paper", "--margin", 0.02)
    code, _, err = run(
        *("compare", data / "m0" / "fixed.ome.tif", data / "m2" / "gained.ome.tif"),
        *("--power", 5, data / "power.csv", "--crops", 1),
        *("--device", "cpu", "--precision", "float32"),
        *("--weights", tiny_weights, "--rule", "paper", "--margin", 0.02, "-o", data / "pair"),
    )
    assert code == 0, err
    report = json.loads((data / "pair" / "report.json").read_text(encoding="utf-8"))
    assert differences(document) == report["comparison"]["components"]


@pytest.mark.parametrize("option", [("--rule", "mine"), ("--margin", 0), ("--margin", -1)])
def test_options_are_refused_before_anything_is_read(data, run, tiny_weights, option):
    words = ["batch", data / "plan.csv", "-o", data / "study", "--weights", tiny_weights]
    code, _, err = run(*words, *option)
    assert code == 2
    assert "Traceback" not in err
    assert not (data / "study").exists()


def test_sensitivity_reads_every_normalisation_and_resumes(batch, data, tiny_estimator):
    document, _ = batch("--sensitivity")
    assert list(document["sensitivity"]) == OTHERS
    for name in OTHERS:
        slopes = document["sensitivity"][name]["stacks"]
        assert list(slopes) == [stack["place"] for stack in document["stacks"]]
        reading = ReadingOptions(crops=1, normalisation=name)
        expected = profile(paths(data)[0], estimator=tiny_estimator, reading=reading)
        found = slopes["fixed/s1"]["poisson"]["slope_per_um"]
        assert found == fit_profile(expected)["poisson"].slope_per_um
        (compared,) = document["sensitivity"][name]["comparisons"][0]["pairs"]
        own = differences(document)["poisson"]["slope_difference_per_um"]
        assert compared["components"]["poisson"]["slope_difference_per_um"] != own
    before = {p: p.stat().st_mtime_ns for p in data.glob("study/**/report.json")}
    assert len(before) == 12
    again, _ = batch("--sensitivity")
    assert again == document
    assert {p: p.stat().st_mtime_ns for p in data.glob("study/**/report.json")} == before
    page = (data / "study" / "study.html").read_text(encoding="utf-8")
    assert "plane-percentile (used)" in page
    without, _ = batch()
    assert without["sensitivity"] == {}
    assert "Not computed" in (data / "study" / "study.html").read_text(encoding="utf-8")


# --- the same numbers --------------------------------------------------------------------------


def test_a_study_gives_the_same_numbers(batch, data, run, tmp_path):
    document, _ = batch("--margin", 0.02, "--sensitivity", "--window-um", ":13")
    code, out, err = run("replay", data / "study", "-o", tmp_path / "again")
    assert code == 0, err
    assert "The same numbers: " in out
    again = json.loads((tmp_path / "again" / "study.json").read_text(encoding="utf-8"))
    for part in ("stacks", "comparisons", "sensitivity"):
        assert again[part] == document[part]
    assert run("replay", tmp_path / "again")[0] == 0


def test_a_study_elsewhere_finds_files_that_share_a_name(batch, data, run, tmp_path_factory):
    batch()
    other = tmp_path_factory.mktemp("other")
    shutil.copy(data / "study" / "study.json", other)
    moved = data.rename(data.parent / "moved")
    code, _, err = run("replay", other / "study.json")
    assert code == 2
    assert "without" in err
    code, out, err = run("replay", other / "study.json", "--data", moved)
    assert code == 0, err
    assert "The same numbers" in out


def test_a_changed_stack_of_a_study_is_named(batch, data, run, counts):
    batch()
    path = data / "m1" / "fixed.ome.tif"
    scale = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, counts(5, 192, 99), photometric="minisblack", metadata=scale)
    code, out, _ = run("replay", data / "study")
    assert code == 1
    assert "Changed: stack of fixed/s2." in " ".join(out.split())
    (data / "power.csv").write_text("depth_um,power_mw\n0,5\n20,9\n")
    code, out, _ = run("replay", data / "study")
    assert "power of gained/s3, power of gained/s4." in " ".join(out.split())
    path.unlink()
    code, _, err = run("replay", data / "study")
    assert code == 2
    assert "(stack of fixed/s2)" in " ".join(err.split())


def test_a_stack_that_failed_then_has_no_part_in_the_replay(batch, data, run):
    os.truncate(data / "m1" / "fixed.ome.tif", 3000)
    document, _ = batch(code=1)
    assert [bool(s["error"]) for s in document["stacks"]] == [False, True, False, False]
    code, out, err = run("replay", data / "study")
    assert code == 0, err
    assert "The same numbers" in out


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("provenance", "protocols"), None, "study.json, provenance.protocols"),
        (("recipe", "comparison"), None, "study.json, recipe.comparison"),
        (("stacks", 0), {}, "study.json, stacks.0.place: the report was edited: it is missing"),
        (("stacks",), None, "study.json, stacks"),
        (("recipe", "stacks", 1, "stack", "name"), "../up", "recipe.stacks.1.stack: the report"),
        (
            ("comparisons", 0, "pairs", 0, "components", "poisson", "se"),
            "0.1",
            "comparisons.0.pairs.0.components",
        ),
        (
            ("provenance", "protocols", "fixed/s1", "opened", "source"),
            None,
            "fixed/s1: it cannot be replayed",
        ),
    ],
)
def test_a_study_that_does_not_say_enough_is_refused(batch, data, run, place, value, said):
    document, _ = batch()
    within_it = document
    for key in place[:-1]:
        within_it = within_it[key]
    within_it[place[-1]] = value
    (data / "study" / "study.json").write_text(json.dumps(document), encoding="utf-8")
    code, _, err = run("replay", data / "study")
    assert code == 2
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_the_library_makes_the_same_study(batch, data, tiny_estimator):
    document, _ = batch("--margin", 0.02)
    told = []
    recipe = read_plan(
        data / "plan.csv",
        read_power_table,
        reading=ONE_CROP,
        comparison={"margin_per_100_um": 0.02},
    )
    found = run_recipe(
        recipe, folder=str(data / "other"), estimator=tiny_estimator, on_event=told.append
    )
    assert document_of(found).tree["comparisons"] == document["comparisons"]
    assert [each.row for each in told if isinstance(each, StudyStackRecord)] == [*recipe.stacks]
