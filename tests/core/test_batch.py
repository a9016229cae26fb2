"""A whole study: read once, resumed after a kill, and compared in the same way as single stacks."""

from __future__ import annotations

import csv
import html
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace
from signal import SIGINT, SIGKILL, default_int_handler, raise_signal, signal
from threading import Event
from uuid import uuid4

import numpy as np
import pytest
import tifffile
from filelock import FileLock
from made_profiles import profile as made
from made_profiles import strengths
from statsmodels.stats.multitest import multipletests

from cop_core.errors import CancelledError, InputError
from cop_core.pipeline import Stepped, Working, run
from cop_core.pipeline.alone import LOCK_FILE
from cop_core.pipeline.resume import PROFILE_FILE, keep, read_kept
from cop_core.reading import profile
from cop_core.recipes import ReadingOptions, StackOptions, StudyRecipe, StudyStack
from cop_core.recipes.plan import read_plan
from cop_core.records import StudyRecord, StudyStackRecord
from cop_core.report import document_of, read_document, tables_of, write_report
from cop_core.report.figures import FORMATS, save_figure
from cop_core.report.study_figures import slopes_figure
from cop_core.stacks import open_stack, read_power_table
from cop_core.statistics import analyse_stack, compare, compare_arms, compare_channels, within
from cop_core.writing import clear_leftovers, placed

pytestmark = pytest.mark.usefixtures("quick_figures")

ONE_CROP = ReadingOptions(crops=1)


def write_stack(path, planes, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, planes, photometric="minisblack", metadata={**axes, **metadata})


def touched_figure(_draw, stem):
    for suffix in FORMATS:
        stem.with_suffix(f".{suffix}").write_text("figure")


@pytest.fixture(scope="module")
def data(counts, tmp_path_factory):
    """Two stacks per arm, of three planes; one animal in both arms, another one in each."""
    folder = tmp_path_factory.mktemp("data")
    lines = ["stack,arm,animal,power"]
    for i, arm in enumerate(("fixed", "gained")):
        for j, animal in enumerate(("m1", f"{arm}-only")):
            write_stack(folder / arm / f"s{j}.ome.tif", counts(3, 192, 10 * i + j))
            lines.append(f"{arm}/s{j}.ome.tif,{arm},{animal},{5 if i else 'power.csv'}")
    (folder / "power.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    (folder / "plan.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def study(data, tmp_path):
    """A copy of that folder that a test may change."""
    return shutil.copytree(data, tmp_path / "data")


@pytest.fixture(scope="module")
def once_read(data, tiny_estimator, tmp_path_factory):
    """The folder with the study finished in it."""
    folder = shutil.copytree(data, tmp_path_factory.mktemp("finished") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cop_core.report.figures.save_figure", touched_figure)
        recipe = read_plan(folder / "plan.csv", read_power_table, reading=ONE_CROP)
        run(recipe, folder=folder / "study", estimator=tiny_estimator)
    return folder


@pytest.fixture
def finished(once_read, tmp_path):
    """A copy of it: other paths, the same bytes."""
    return shutil.copytree(once_read, tmp_path / "finished")


@pytest.fixture
def read(tiny_estimator):
    """Read the plan of a folder into ``study`` in it: (folder, reading, further means)."""

    def read(folder, reading=ONE_CROP, **given):
        recipe = read_plan(folder / "plan.csv", read_power_table, reading=reading)
        return run(recipe, folder=folder / "study", **{"estimator": tiny_estimator, **given}).stacks

    return read


def reports(folder):
    """Times at which the stacks' reports were written."""
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in sorted((folder / "study" / "fixed").glob("*/report.json"))
    }


# --- kept to the last bit --------------------------------------------------------------------


def assert_equal(first, second):
    for name in ("name", "components", "reading", "provenance"):
        assert getattr(first, name) == getattr(second, name)
    for one, other in zip(first.planes, second.planes, strict=True):
        for field in fields(one):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert type(a) is type(b), field.name
            np.testing.assert_array_equal(a, b, strict=True, err_msg=field.name)


def test_a_profile_comes_back_bit_by_bit(tmp_path):
    original = made(strengths(0, 5), reasons={3: "saturated"})
    rng = np.random.default_rng(0)
    planes = list(original.planes)
    planes[0] = replace(
        planes[0],
        strengths=rng.random((9, 6)) / 3,
        uncertainty=np.array([0.1, np.nan, 1e-300, 0, -0.0, 1 / 3]),
        flags=("a; b", "smaller than a crop"),
        unfamiliar_fraction=1 / 9,
        saturated_fraction=1e-7,
    )
    planes[1] = replace(planes[1], unfamiliar_fraction=float("nan"), power=float("nan"))
    reading = ReadingOptions(offset_counts=0.1)
    original = replace(original, planes=tuple(planes), reading=reading, name="Mäuse \udcff")
    write_report(original, tmp_path)
    assert_equal(keep(original, tmp_path).profile, original)
    assert_equal(read_kept(tmp_path).profile, original)


def test_a_real_profile_comes_back_bit_by_bit(data, read, tiny_estimator, tmp_path):
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    first = read(tmp_path)[0]
    stack = open_stack(first.row.stack.source, name="s0", power=tmp_path / "power.csv")
    again = profile(stack, estimator=tiny_estimator, reading=ONE_CROP)
    assert_equal(first.profile, again)


@pytest.mark.parametrize("broken", ["no report", "other report", "no profile", "half a profile"])
def test_only_a_whole_report_counts_as_finished(tmp_path, broken):
    write_report(made(strengths(0, 4)), tmp_path)
    keep(made(strengths(0, 4)), tmp_path)
    report, kept = tmp_path / "report.json", tmp_path / PROFILE_FILE
    change = {
        "no report": report.unlink,
        "other report": lambda: write_report(made(strengths(1, 4)), tmp_path),
        "no profile": kept.unlink,
        "half a profile": lambda: os.truncate(kept, kept.stat().st_size // 2),
    }
    assert read_kept(tmp_path) is not None
    change[broken]()
    assert read_kept(tmp_path) is None


# --- resumed ---------------------------------------------------------------------------------


def done(events):
    """Reported numbers of stacks done, and totals."""
    return [(e.done, e.total) for e in events if isinstance(e, Working) and e.what == "stacks"]


def test_finished_stacks_are_not_read_again(study, read):
    seen = []
    first = read(study, on_event=seen.append)
    assert done(seen) == [(i, 4) for i in range(5)]
    assert [s.row.place for s in seen if isinstance(s, StudyStackRecord)] == [
        s.row.place for s in first
    ]
    before = reports(study)
    seen.clear()
    second = read(study, on_event=seen.append)
    assert done(seen) == [(4, 4)]
    assert not any(isinstance(event, Stepped) for event in seen)
    assert [s.resumed for s in first + second] == [False] * 4 + [True] * 4
    assert reports(study) == before
    for one, other in zip(first, second, strict=True):
        assert_equal(one.profile, other.profile)


def other_pixels(study, counts):
    write_stack(study / "fixed" / "s0.ome.tif", counts(3, 192, 99))


def other_power(study, _counts):
    (study / "power.csv").write_text("depth_um,power_mw\n0,5\n20,7\n")


def other_step(study, _counts):
    plan = study / "plan.csv"
    lines = [f"{line},5" for line in plan.read_text().splitlines()]
    plan.write_text("\n".join([lines[0].replace(",5", ",z_step_um"), *lines[1:]]))


def touched(study, _counts):
    os.utime(study / "fixed" / "s0.ome.tif")


def renamed_folder(study, _counts):
    (study / "fixed").rename(study / "moved")
    plan = study / "plan.csv"
    plan.write_text(plan.read_text().replace("fixed/", "moved/"))


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (other_pixels, {"s0"}),
        (other_power, {"s0", "s1"}),
        (other_step, {"s0", "s1"}),
        (touched, set()),  # the same bytes
        (renamed_folder, set()),
    ],
)
def test_what_would_be_read_otherwise_is_read_again(finished, read, counts, change, again):
    before = reports(finished)
    change(finished, counts)
    read(finished)
    after = reports(finished)
    assert {name for name in before if after[name] != before[name]} == again


def test_other_settings_or_weights_read_all_again(finished, read, tiny_estimator):
    other = replace(tiny_estimator, card=replace(tiny_estimator.card, sha256="0" * 64))
    for given in ({"reading": ReadingOptions(crops=1, seed=1)}, {"estimator": other}):
        assert not any(s.resumed for s in read(finished, **given))
    assert all(s.resumed for s in read(finished, estimator=other))


def left_over(study):
    """Hidden files, except the lock between runs."""
    return [path for path in study.glob("study/**/.*") if path.name != LOCK_FILE]


def test_a_cancelled_study_keeps_what_is_finished(study, read):
    stop = Event()

    def in_the_third(event):
        if isinstance(event, Stepped) and event.name == "gained/s0" and event.step.done == 4:
            stop.set()

    with pytest.raises(CancelledError):
        read(study, on_event=in_the_third, cancelled=stop.is_set)
    assert len(list(study.glob("study/*/*/report.json"))) == 2
    assert left_over(study) == []

    def interrupt(event):
        if isinstance(event, Stepped) and event.name == "gained/s1":
            raise_signal(SIGINT)

    before = signal(SIGINT, default_int_handler)  # ignored where the tests run in the background
    try:
        with pytest.raises(KeyboardInterrupt):  # Ctrl-C, in the fourth
            read(study, on_event=interrupt)
    finally:
        signal(SIGINT, before)
    assert len(list(study.glob("study/*/*/report.json"))) == 3
    assert left_over(study) == []
    assert [s.resumed for s in read(study)] == [True] * 3 + [False]


def test_what_a_kill_left_is_cleared_away(study, read):
    left = study / "study" / "fixed" / "s0" / f".cop-{uuid4().hex}" / "new" / "report.json"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    read(study)
    assert left_over(study) == []


def test_a_second_run_waits_for_the_first_and_finds_all_finished(study, read):
    waits, told = Event(), []

    def first_run(event):
        if isinstance(event, Stepped):
            assert waits.wait(timeout=600)

    def second_run(event):
        told.append(event)
        if isinstance(event, Working) and event.what.startswith("waiting for another run"):
            waits.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(read, study, on_event=first_run)
        while not (study / "study" / LOCK_FILE).exists():
            time.sleep(0.01)
        second = pool.submit(read, study, on_event=second_run)
        assert [s.resumed for s in first.result()] == [False] * 4
        assert [s.resumed for s in second.result()] == [True] * 4
    assert told[0] == Working("waiting for another run that is writing to the folder")


def test_a_run_that_waits_can_be_cancelled(study, read):
    (study / "study").mkdir()
    with FileLock(study / "study" / LOCK_FILE), pytest.raises(CancelledError):
        read(study, cancelled=lambda: True)


def test_what_is_being_written_is_not_cleared_away(tmp_path):
    with placed(tmp_path) as fresh:
        clear_leftovers(tmp_path)
        (fresh / "report.json").write_text("whole")
    assert (tmp_path / "report.json").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [tmp_path / "report.json"]


# --- failures --------------------------------------------------------------------------------


def test_one_bad_file_does_not_stop_the_rest(study, run, tiny_weights, counts):
    bad = study / "fixed" / "s1.ome.tif"
    os.truncate(bad, bad.stat().st_size // 2)
    words = ["batch", study / "plan.csv", "-o", study / "study"]
    words += ["--crops", "1", "--weights", tiny_weights]
    code, out, err = run(*words)
    assert (code, "Traceback" in err) == (1, False)
    assert "4 stacks: 3 read now, 0 before, 1 failed" in out
    assert "failed: fixed/s1 (line 3)" in out
    document = json.loads((study / "study" / "study.json").read_text())
    assert [bool(s["error"]) for s in document["stacks"]] == [False, True, False, False]
    (compared,) = document["comparisons"]
    assert compared["arms"]["fixed"] == ["fixed/s0"]
    assert [left["place"] for left in compared["left_out"]] == ["fixed/s1"]
    with (study / "study" / "study.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["stack"] == "fixed/s1"]
    assert len(rows) == 1
    assert rows[0]["error"]
    assert not rows[0]["slope_per_um"]
    write_stack(bad, counts(3, 192, 1))
    code, out, _ = run(*words)
    assert code == 0
    assert "4 stacks: 1 read now, 3 before, 0 failed" in out


def test_a_bad_plan_is_refused_before_anything_is_read(study, run):
    with (study / "plan.csv").open("a") as plan:
        plan.write("\ngone.tif,fixed,m9,\nfixed/s0.ome.tif,figures,m9,")
    code, out, err = run("batch", study / "plan.csv", "-o", study / "study")
    assert (code, out) == (2, "")
    assert "2 problems in the plan; nothing was read" in err
    assert "\n  line 6: no such file or folder 'gone.tif'" in err
    assert "\n  line 7: arm: 'figures' is reserved for a file of the study" in err
    assert not (study / "study").exists()


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(study, read):
    (study / "study").write_text("a file")
    with pytest.raises(InputError, match="Choose a folder"):
        read(study, on_event=pytest.fail)


# --- compared --------------------------------------------------------------------------------


def components(document):
    ((compared,),) = (each["pairs"] for each in document["comparisons"])
    return compared["components"]


def test_several_stacks_an_arm_are_compared_over_animals(study, run, tiny_weights, tiny_estimator):
    code, out, err = run(
        *("batch", study / "plan.csv", "-o", study / "study", "--crops", "1"),
        *("--weights", tiny_weights, "--device", "cpu", "--precision", "float32"),
    )
    assert code == 0, err
    assert "fixed (2) minus gained (2)" in out
    arms = [
        [
            profile(study / arm / f"s{j}.ome.tif", estimator=tiny_estimator, reading=ONE_CROP)
            for j in range(2)
        ]
        for arm in ("fixed", "gained")
    ]
    owners = ["m1", "fixed-only"], ["m1", "gained-only"]
    expected = compare_arms(*arms, animals=owners)
    found = components(json.loads((study / "study" / "study.json").read_text()))
    assert list(found) == list(expected.components)
    assert (expected.paired, expected.n_units) == (False, (2, 2))
    for effect in expected.effects:
        values = found[effect.component]
        for key in ("slope_difference_per_um", "p_value", "cohen_d"):
            assert values[key] == getattr(effect.difference, key), (effect.component, key)


def test_one_stack_an_arm_is_described_like_a_pair(study, read, tmp_path):
    plan = study / "plan.csv"
    lines = plan.read_text().splitlines()
    plan.write_text("\n".join([lines[0], lines[1], lines[3]]))
    window = (None, 9.0)
    found = record(read(study), window_um=window)
    document = document_of(found).tree
    first, second = (within(s.profile, window) for s in found.stacks)
    expected = document_of(compare(first, second)).tree
    assert components(document) == expected["comparison"]["components"]
    assert document["comparisons"][0]["pairs"][0]["kind"] == "pair"
    assert document["stacks"][0]["components"] == expected["protocols"]["s0"]["components"]
    write_report(found, tmp_path / "out", hashed=False)
    written = json.loads((tmp_path / "out" / "study.json").read_text())
    assert {k: v for k, v in written.items() if k != "provenance"} == {
        k: v for k, v in document.items() if k != "provenance"
    }


def outcome(i, arm, channel="", *, planes=6, animal="", **given):
    """A finished stack, made without reading."""
    stack = StackOptions(source=f"{i}.tif", name=f"s{i}")
    row = StudyStack(line=i + 2, stack=stack, arm=arm, animal=animal, channel=channel)
    return StudyStackRecord(row, made(strengths(i, planes), **given))


def record(stacks, **asked):
    """Result of a study of stacks that were read."""
    recipe = StudyRecipe.model_construct(stacks=tuple(s.row for s in stacks), **asked)
    analysed = tuple(analyse_stack(stack, recipe.window_um) for stack in stacks)
    return StudyRecord(recipe, analysed, compare_channels(analysed, recipe.comparison))


def test_channels_are_compared_by_themselves():
    stacks = [
        outcome(i, arm, channel)
        for i, (arm, channel) in enumerate(
            (arm, channel) for arm in ("fixed", "gained") * 2 for channel in ("green", "red")
        )
    ]
    green, red = record(stacks).comparisons
    assert (green.channel, red.channel) == ("green", "red")
    for each, names in ((green, "0 4 2 6"), (red, "1 5 3 7")):
        fixed, gained = each.arms
        assert [m.row.name[1:] for m in fixed.stacks + gained.stacks] == names.split()
        assert each.pairs[0].result.n_units == (2, 2)


def test_stacks_without_a_line_are_left_out_with_the_reason():
    stacks = [outcome(i, ("fixed", "gained")[i % 2]) for i in range(4)]
    stacks += [outcome(4, "fixed", planes=2), outcome(5, "fixed", step=float("nan"))]
    (each,) = record(stacks).comparisons
    assert [s.row.place for s in each.left_out] == ["fixed/s4", "fixed/s5"]
    reasons = [s.left_out for s in each.left_out]
    assert ["fewer than 3" in reasons[0], "depths" in reasons[1]] == [True] * 2
    assert each.pairs[0].result.n_units == (2, 2)


@pytest.mark.parametrize(
    ("stacks", "said"),
    [
        ([("fixed", ""), ("gained", ""), ("gained", "")], "1 fixed and 2 gained"),
        (
            [("fixed", "m1"), ("fixed", "m1"), ("gained", "m2"), ("gained", "m2")],
            "one animal per arm",
        ),
    ],
)
def test_arms_that_cannot_be_compared_say_why(stacks, said, tmp_path):
    found = record([outcome(i, arm, animal=a) for i, (arm, a) in enumerate(stacks)])
    ((pair,),) = (each.pairs for each in found.comparisons)
    assert pair.result is None
    assert said in pair.note
    document = document_of(found).tree
    assert document["comparisons"][0]["pairs"][0]["note"] == pair.note
    assert document["verdict"] == f"Not compared: {pair.note}"
    write_report(found, tmp_path, hashed=False)
    assert len((tmp_path / "study.csv").read_text().splitlines()) == 1 + 6 * len(stacks)


def test_one_protocol_alone_is_not_compared():
    found = record([outcome(i, "fixed") for i in range(2)])
    assert found.comparisons[0].pairs == ()
    assert found.verdict == "Not compared: all stacks have the same protocol, fixed"


def steep(i, arm, slope, animal=""):
    """A finished stack whose shot noise rises by a slope per plane, with a stated uncertainty."""
    rows = strengths(i, 12)
    rows[:, 2] += slope * np.arange(12)
    rows[:, -1] -= slope * np.arange(12)
    planes = tuple(replace(p, uncertainty=np.full(6, 1e-4)) for p in made(rows).planes)
    stack = outcome(i, arm, animal=animal)
    return replace(stack, profile=replace(stack.profile, planes=planes))


def three_protocols():
    """Three animals under three protocols; the first protocol has the steep slope."""
    arms = {"AO off": 4e-3, "AO on": 0.0, "long wave": 0.0}
    return record([
        steep(3 * k + m, arm, slope + 1e-4 * m, animal=f"m{m}")
        for k, (arm, slope) in enumerate(arms.items())
        for m in range(3)
    ])  # fmt: skip


def test_three_protocols_are_compared_pair_by_pair_with_holm_over_all():
    (each,) = three_protocols().comparisons
    assert [arm.name for arm in each.arms] == ["AO off", "AO on", "long wave"]
    results = [pair.result for pair in each.pairs]
    names = [("AO off", "AO on"), ("AO off", "long wave"), ("AO on", "long wave")]
    assert [result.names for result in results] == names
    noises = [e.difference for result in results for e in result.effects[:-1]]
    expected = multipletests([e.p_value for e in noises], method="holm")[1]
    np.testing.assert_allclose([e.p_holm for e in noises], expected)
    assert [r.of("poisson").difference.called for r in results] == [True, True, False]
    assert each.verdict.startswith("None of the 3 protocols is shown to image deeper")
    said = "Shot noise rises faster with depth with AO off than with AO on."
    assert said in each.verdict
    assert "No difference shown between AO on and long wave" in each.verdict
    assert each.verdict.endswith(
        "From 3 (AO off), 3 (AO on) and 3 (long wave) animals. "
        "p values are corrected for 5 noises and 3 pairs (Holm)."
    )


def test_all_arms_are_compared_over_the_depths_of_all():
    stacks = [
        *(steep(i, "a", 1e-3) for i in range(2)),
        *(steep(i + 2, "b", 0.0) for i in range(2)),
        *(outcome(i + 4, "c", planes=8) for i in range(2)),
    ]
    (each,) = record(stacks).comparisons
    assert {pair.result.window_um for pair in each.pairs} == {(0.0, 7 * 4.0)}


def test_slopes_of_stacks_are_drawn_over_the_depths_that_are_compared():
    stacks = [
        *(steep(i, "a", 1e-3 * (i + 1)) for i in range(2)),
        *(outcome(i + 2, "b", planes=8) for i in range(2)),
    ]
    (each,) = record(stacks).comparisons
    (ax,) = slopes_figure(each).axes
    arms = [line.get_xdata() for line in ax.lines if line.get_marker() == "|"]
    drawn = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "None"]
    drawn = [x for x in drawn if len(x) == 2]
    assert len(drawn) == len(arms) == 10
    np.testing.assert_allclose(np.mean(drawn, axis=1), np.ravel(arms))


def test_an_arm_of_one_stack_among_larger_ones_leaves_these_compared():
    stacks = [outcome(i, "ab"[i % 2]) for i in range(4)]
    (each,) = record([*stacks, outcome(4, "fxied")]).comparisons
    assert [pair.result is not None for pair in each.pairs] == [True, False, False]
    assert "a and fxied are not compared: 2 a and 1 fxied stacks" in each.verdict
    (ax,) = slopes_figure(each).axes
    assert "of arms not compared, over its own depths" in ax.get_xlabel()


def test_a_misspelt_arm_is_asked_about_and_told_what_to_do(run, study, tiny_weights, quick_figures):
    arms = [*["fixed"] * 3, *["gained"] * 2, "gaind"]
    found = record([outcome(i, arm) for i, arm in enumerate(arms)])
    caution = "Caution: the arm gaind has one stack: did you mean gained, which has 2?"
    assert found.verdict.startswith(caution)
    assert "Add stacks to gaind: arms of 2 or more are compared, arms of one" in found.verdict
    assert document_of(found).tree["verdict"] == found.verdict
    rows = (study / "plan.csv").read_text().splitlines()
    rows[-1] = rows[-1].replace(",gained,", ",fixd,")
    (study / "plan.csv").write_text("\n".join(rows))
    options = ["--weights", tiny_weights, "-o", study / "study"]
    code, out, err = run("batch", study / "plan.csv", *options)
    assert code == 0
    asked = "the arm fixd has one stack: did you mean fixed, which has 2?"
    assert f"{study / 'plan.csv'}: {asked}" in err
    assert f"Caution: {asked}" in " ".join(out.split())


def test_three_stacks_of_three_protocols_are_corrected_together():
    (each,) = record([steep(i, "abc"[i], 2e-3 * (i == 0)) for i in range(3)]).comparisons
    noises = [e.difference for pair in each.pairs for e in pair.result.effects[:-1]]
    known = [e for e in noises if np.isfinite(e.p_value)]
    expected = multipletests([e.p_value for e in known], method="holm")[1]
    np.testing.assert_allclose([e.p_holm for e in known], expected)


def test_a_study_of_three_protocols_is_written_and_read_again(tmp_path):
    write_report(three_protocols(), tmp_path, hashed=False)
    document = read_document(tmp_path)
    (channel,) = document.tree["comparisons"]
    assert list(channel["arms"]) == ["AO off", "AO on", "long wave"]
    assert len(channel["pairs"]) == 3
    page = (tmp_path / "study.html").read_text()
    shown = html.unescape(re.sub("<[^>]+>", "", page))
    assert "AO on minus long wave" in shown
    assert channel["verdict"] in shown


# --- the page --------------------------------------------------------------------------------


def hostile_study():
    """Four finished stacks, one with a hostile name, and one that failed."""
    stacks = [outcome(i, ("fixed", "gained")[i % 2], "<script>", animal=f"m{i}") for i in range(4)]
    row = stacks[0].row
    named = row.stack.model_copy(update={"name": "<img src=x>"})  # not as a recipe lets it be
    row = row.model_copy(update={"stack": named, "animal": "=cmd()"})
    return record([*stacks, StudyStackRecord(row, error="<b>cut</b> at 50 %")])


def test_every_number_of_the_page_is_of_the_document(tmp_path):
    write_report(hostile_study(), tmp_path, command="cop batch '<plan>.csv' -o study", hashed=False)
    document = json.loads((tmp_path / "study.json").read_text())
    page = (tmp_path / "study.html").read_text()
    shown = re.findall(r'<data value="([^"]*)"[^>]* data-key="([^"]*)">', page)
    places = [key.split("/")[1] for _, key in shown]
    # five numbers and three intervals a component, but clean has no Holm p; four stacks' slopes
    assert places.count("comparisons") == 6 * 11 - 1
    assert places.count("stacks") == 4 * 6
    for value, key in shown:
        found = document
        for part in html.unescape(key).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        assert repr(found) == value, key
    for text in ("<script", "<img src=x", "<b>cut", "<plan>", ">=cmd"):
        assert text not in page
    assert "<h1>Study of 5 stacks, 4 used</h1>" in page
    with (tmp_path / "study.csv").open(newline="") as file:
        (failed,) = [row for row in csv.DictReader(file) if row["error"]]
    assert failed["animal"] == "'=cmd()"


def test_tables_say_what_the_document_does():
    compared, stacks = tables_of(hostile_study())
    assert compared.title == "fixed (2) minus gained (2), channel <script>"
    assert [len(row) == len(compared.head) for row in compared.rows] == [True] * 6
    assert [len(row) == len(stacks.head) for row in stacks.rows] == [True] * 5
    assert stacks.rows[-1] == ("fixed/<img src=x>", "=cmd()", *[""] * 6, "<b>cut</b> at 50 %")
    assert [table.title for table in tables_of(hostile_study(), brief=True)] == [compared.title]


def test_ctrl_c_says_that_finished_stacks_are_kept(study, run, tiny_weights, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("cop_core.pipeline.study.follow", stopped)
    plan, out = study / "plan.csv", study / "study"
    code, _, err = run("batch", plan, "-o", out, "--weights", tiny_weights)
    assert code == 130
    kept = "Stacks that were finished are kept; run it again to read the rest."
    assert err.splitlines()[-1] == f"cop: cancelled. {kept}"


@pytest.mark.slow
def test_figures_are_drawn_for_every_channel_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setattr("cop_core.report.figures.FORMATS", ("svg",))
    monkeypatch.setattr("cop_core.report.figures.save_figure", save_figure)
    stacks = [outcome(i, ("fixed", "gained")[i % 2], "red" * (i > 3)) for i in range(8)]
    for some, names in ((stacks, ["curves-1-stack", "curves-2-red"]), (stacks[:4], ["curves"])):
        write_report(record(some), tmp_path, hashed=False)
        drawn = [path.stem for path in sorted((tmp_path / "figures").iterdir())]
        assert drawn == names + [name.replace("curves", "slopes") for name in names]
        page = (tmp_path / "study.html").read_text(encoding="utf-8")
        assert page.count("data:image/svg+xml;base64,") == len(drawn)
    assert ">fixed (2)<" in (tmp_path / "figures" / "slopes.svg").read_text()


# --- killed ----------------------------------------------------------------------------------

QUICK = """
from cop_core.report import figures
def touch(_, stem):
    for suffix in figures.FORMATS:
        stem.with_suffix(f".{suffix}").write_text("figure")
figures.save_figure = touch
from cop_core.cli import main
main()
"""


def n_finished(folder):
    """Count finished stacks; the folder of the study is made and removed once before."""
    with suppress(FileNotFoundError):
        return len(list(folder.glob(f"study/*/*/{PROFILE_FILE}")))
    return 0


def killed(words, folder, when):
    """Run `cop` in a process that is killed shortly after ``when`` stacks are finished."""
    started = subprocess.Popen(
        [sys.executable, "-c", QUICK, *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while n_finished(folder) < when:
            assert started.poll() is None, started.stderr.read()
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.2))
    finally:
        started.kill()
        started.communicate(timeout=600)
    assert started.returncode == -SIGKILL


@pytest.mark.slow
def test_a_killed_study_ends_with_the_same_report_bit_for_bit(
    counts, tiny_weights, tmp_path, run, monkeypatch
):
    lines = ["stack,arm,animal"]
    for i in range(20):
        path = tmp_path / "data" / f"s{i}.ome.tif"
        write_stack(path, counts(3, 192, i))
        lines.append(f"{path},{('fixed', 'gained')[i % 2]},m{i // 4}")
    words = ["batch", "plan.csv", "-o", "study", "--crops", "1", "--weights", str(tiny_weights)]
    (tmp_path / "plan.csv").write_text("\n".join(lines))
    study, whole = tmp_path / "study", tmp_path / "whole"
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert code == 0, err
    assert "20 stacks: 20 read now, 0 before, 0 failed" in out
    study.rename(whole)

    at_least = random.randint(1, 15)
    killed(words, tmp_path, at_least)
    finished = {
        path: path.stat().st_mtime_ns
        for path in study.glob("*/*/report.json")
        if read_kept(path.parent)
    }
    assert at_least <= len(finished) < 20
    assert not (study / "study.json").exists()

    code, out, err = run(*words)
    assert code == 0, err
    assert f"20 stacks: {20 - len(finished)} read now, {len(finished)} before, 0 failed" in out
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    first, second = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (whole, study)
    )
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []
