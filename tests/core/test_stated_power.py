"""Metadata of files: power in their own unit, surface, zero level, remarks."""

from __future__ import annotations

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import cop_core as cop
from cop_core.errors import InputError
from cop_core.power import power_csv
from cop_core.power.notes import notes_of
from cop_core.report import document_of
from cop_core.report.csv_tables import planes_csv
from cop_core.report.tables import tables_of
from cop_core.stacks import formats, open_stack
from cop_core.stacks.dataset import (
    Dataset,
    Scale,
    StatedDetector,
    StatedPower,
    StatedSurface,
)
from cop_core.statistics import analyse

N, STEP_UM = 12, 10.0
PER_CENT = 10 * np.exp(STEP_UM * np.arange(N) / 60)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file of a test format with the given metadata."""
    stated = {}

    def describe(path, _opening):
        pixels = np.fromfile(path, np.uint16).reshape(N, 64, 64)
        data = Dataset(
            str(path), path.stem, "own", "ZYX", pixels.shape, pixels.dtype,
            lambda at: pixels[at["Z"]], Scale(STEP_UM),
        )  # fmt: skip
        return replace(data, **stated)

    own = SimpleNamespace(
        KIND="own", recognises=lambda path: path.suffix == ".own", describe=describe
    )
    monkeypatch.setattr(formats, "FORMATS", (own, *formats.FORMATS))
    rng = np.random.default_rng(0)
    # structure that fades with depth, as light does, under power that rises
    light = 2000 * PER_CENT**3 / PER_CENT[0] ** 3 * np.exp(-3 * STEP_UM * np.arange(N) / 50)
    structure = np.kron(rng.uniform(0, 1, (8, 8)), np.ones((8, 8)))
    pixels = rng.poisson(light[:, None, None] * structure / 4) * 4
    path = tmp_path / "a.own"
    pixels.astype(np.uint16).tofile(path)

    def make(**given):
        stated.clear()
        stated.update(given)
        return path

    return make


def in_per_cent(values=PER_CENT):
    return StatedPower(tuple(map(float, values)), "%", "the header")


def test_another_unit_is_kept_with_its_numbers(write):
    stack = open_stack(write(power=in_per_cent()))
    assert (stack.power_unit, stack.image.power_from) == ("%", "the header")
    assert stack.power == pytest.approx(PER_CENT)
    assert np.isnan(stack.power_mw).all()
    assert (stack.plane(3).power, stack.plane(3).power_unit) == (PER_CENT[3], "%")


def test_one_factor_makes_mw_at_100_per_cent_or_of_a_unit(write):
    stack = open_stack(write(power=in_per_cent()), power_scale=200)
    assert stack.power_mw == pytest.approx(2 * PER_CENT)
    assert stack.image.power_from == "the header, scaled by 200 mW at 100 %"
    volts = StatedPower((0.5,), "V", "the header")
    stack = open_stack(write(power=volts), power_scale=200)
    assert (stack.power_unit, stack.power_mw.tolist()) == ("mW", [100.0] * N)


def test_a_calibration_table_makes_mw_given_or_beside_the_file(write, tmp_path):
    path, table = write(power=in_per_cent()), tmp_path / "pockels.csv"
    table.write_text("setting;power_mw\n0;0\n50;20,5\n100;90\n")
    stack = open_stack(path, power_scale=table)
    assert stack.power_mw == pytest.approx(np.interp(PER_CENT, [0, 50, 100], [0, 20.5, 90]))
    assert stack.options.power_scale == table
    table.rename(tmp_path / "power_scale.csv")
    beside = open_stack(path)
    assert np.array_equal(beside.power_mw, stack.power_mw)
    assert beside.options.power_scale == tmp_path / "power_scale.csv"
    assert open_stack(path, power=5).options.power_scale is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("setting,power_mw\n0,0\n20,5\n", "covers 0 to 20, the stack needs 23"),
        ("setting,power_mw\n0,0\n0,5\n", "setting 0 occurs more than once"),
        ("setting,power_mw\n0,x\n", "line 2 lacks a setting and a power"),
        ("depth_um,power_mw\n0,5\n", "lacks 'setting'"),
    ],
)
def test_bad_calibrations_are_refused(write, tmp_path, table, said):
    path = tmp_path / "scale.csv"
    path.write_text(table)
    with pytest.raises(InputError, match=said):
        open_stack(write(power=in_per_cent()), power_scale=path)


@pytest.mark.parametrize("scale", [0, -1, "nan", "gained:1,2,3", [1, 2]])
def test_what_is_no_scale_is_refused(write, scale):
    with pytest.raises(InputError, match="power_scale"):
        open_stack(write(power=in_per_cent()), power_scale=scale)


def test_a_scale_for_nothing_is_refused(write):
    with pytest.raises(InputError, match="the file states no power"):
        open_stack(write(), power_scale=5)
    with pytest.raises(InputError, match="states its power in mW already"):
        open_stack(write(power=StatedPower((5.0,), "mW", "x")), power_scale=5)


def test_powers_that_do_not_fit_are_refused(write):
    with pytest.raises(InputError, match=r"there are 2 powers for 12 planes \(the header\)"):
        open_stack(write(power=in_per_cent([1, 2])))
    with pytest.raises(InputError, match="a power of -3 mW is stated"):
        open_stack(write(power=StatedPower((-3.0,), "mW", "x")))


RISING, FALLING = in_per_cent(), in_per_cent(PER_CENT[::-1])


@pytest.mark.parametrize(
    ("stated", "given", "end", "why"),
    [
        ({}, None, "first", "assumed"),
        ({"power": RISING}, None, "first", "lowest power"),
        ({"power": FALLING}, None, "last", "lowest power"),
        ({"power": in_per_cent([7])}, None, "first", "assumed"),
        ({"power": FALLING}, "first", "first", "as given"),
        ({"surface": StatedSurface("last", "z falls")}, None, "last", "z falls"),
        ({"surface": StatedSurface("last", "z falls")}, "first", "first", "as given"),
    ],
)
def test_which_end_is_the_surface_and_why(write, stated, given, end, why):
    stack = open_stack(write(**stated), surface=given)
    depth_um = STEP_UM * np.arange(N)
    assert stack.depth_um == pytest.approx(depth_um if end == "first" else depth_um[::-1])
    assert (stack.image.surface, stack.image.surface_from) == (end, why)
    assert stack.image.remarks == ()


def test_a_conflict_of_signs_is_told(write):
    stack = open_stack(write(power=RISING, surface=StatedSurface("last", "z falls")))
    assert stack.image.surface == "last"
    (said,) = stack.image.remarks
    assert "the last plane is taken as the surface (z falls), but the power falls" in said
    assert "set the surface to first (--surface first)" in said


def test_a_law_over_depth_begins_at_the_surface(write):
    stack = open_stack(write(), surface="last", power="gained:5,100,60")
    assert stack.power_mw[-1] == 5
    assert stack.power_mw[0] == pytest.approx(5 * np.exp(1.1))


def test_a_position_where_there_are_none_is_refused(write):
    assert open_stack(write(), position=0).image.position == 0
    with pytest.raises(InputError, match="there is no position 1"):
        open_stack(write(), position=1)


@pytest.fixture
def profile(write, tiny_estimator):
    path = write(
        power=in_per_cent(),
        detectors=(StatedDetector(zero_counts=8.0, ceiling_counts=9000.0, stated_by="the header"),),
        remarks=("2 flyback frames were left out",),
    )
    return cop.profile(open_stack(path), estimator=tiny_estimator)


def test_the_report_says_what_was_taken_and_from_where(profile):
    found = analyse(profile)
    assert "a: 2 flyback frames were left out" in found.caveats
    (table,) = tables_of(found)
    assert table.caption == (
        "depth 0 at the first plane (lowest power); "
        "power 10 to 62.55 % (the header); zero level 8 counts (the header)"
    )
    stated = document_of(found).tree["protocols"]["a"]
    assert stated["excitation"]["unit"] == "%"
    assert stated["excitation"]["power_max"] == pytest.approx(PER_CENT[-1])
    assert stated["image"]["surface_from"] == "lowest power"
    assert (stated["image"]["zero_counts"], stated["image"]["zero_from"]) == (8, "the header")
    rows = list(csv.DictReader(planes_csv([found]).splitlines()))
    assert [(row["power_mw"], row["power_unit"]) for row in rows] == [("", "%")] * N
    assert [float(row["power"]) for row in rows] == pytest.approx(PER_CENT)


def test_a_stated_zero_level_is_used_unless_one_is_given(write, tiny_estimator):
    detector = StatedDetector(zero_counts=8.0, stated_by="the header")
    stack = open_stack(write(detectors=(detector,)))
    assert stack.detector == detector
    stated = cop.profile(stack, estimator=tiny_estimator)
    as_given = cop.profile(open_stack(write()), estimator=tiny_estimator, offset_counts=8.0)
    assert np.array_equal(stated.mean, as_given.mean, equal_nan=True)
    assert (stated.offset_counts, stated.reading.offset_counts) == (8, None)
    other = cop.profile(stack, estimator=tiny_estimator, offset_counts=0.0)
    assert other.offset_counts == 0
    assert not np.array_equal(stated.mean, other.mean, equal_nan=True)


def test_power_is_recommended_in_the_files_own_unit(write):
    stack = open_stack(write(power=in_per_cent()))
    with pytest.raises(InputError, match=r"its power is in %.*with max_power, or .*power_scale"):
        cop.recommend_power(stack, max_power_mw=60, offset_counts=0)
    own = cop.recommend_power(stack, max_power=80, offset_counts=0, excitation_order=3)
    assert (own.unit, own.limit.max_power) == ("%", 80)
    assert np.isnan(own.power_mw).all()
    scaled = open_stack(write(power=in_per_cent()), power_scale=100)
    with pytest.raises(InputError, match="its power is in mW"):
        cop.recommend_power(scaled, max_power=80, offset_counts=0)
    in_mw = cop.recommend_power(scaled, max_power_mw=80, offset_counts=0)
    assert own.power == pytest.approx(in_mw.power_mw)
    assert power_csv(own).splitlines()[:2] == [
        "depth_um,power,power_unit",
        f"0,{own.power[0].item()!r},%",
    ]
    assert power_csv(in_mw).startswith("depth_um,power_mw\n")
    assert notes_of(own)[0].startswith("powers are in the file's own unit (%)")
    assert "power, %" in tables_of(own)[1].head
