"""Photons and amplifier noise in counts: the formulas, and a known detector."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cop_core import report
from cop_core.reading import profile
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.records import (
    DepthProfile,
    Estimate,
    MeasuredDetector,
    PlaneEstimate,
    Provenance,
    StoredImage,
    WeightsUsed,
)
from cop_core.records.lines import what_few_lack
from cop_core.report import document_of, planes_csv
from cop_core.report.page import page_of
from cop_core.stacks import open_stack
from cop_core.statistics import analyse, photons_of, within
from cop_core.statistics.bend import TOO_FEW, TOO_NARROW, find_bends

VALIDITY = Path(report.__file__).parent / "templates" / "validity.html"


def read_with(genome, *order):
    weights = WeightsUsed("made", "", genome, order)
    return Provenance("array", StackOptions(), StoredImage("array", "ZYX", (1, 9, 9)), weights)


SHOT = read_with("microscopy", "shot", "gaussian")


def made(*rows, provenance=SHOT, zero=100.0):
    """A profile of planes with (Poisson, its uncertainty, Gaussian, span); None if left out."""
    planes = []
    for i, row in enumerate(rows):
        s, doubt, g, span = row or (np.nan,) * 4
        planes.append(
            PlaneEstimate(
                index=i,
                depth_um=5.0 * i,
                power=np.nan,
                mean=np.array([g, s, 1 - g - s]),
                sd=np.zeros(3),
                n_crops=int(row is not None),
                signal=100.0,
                reason="" if row else "constant",
                uncertainty=np.array([0.01, doubt, 0.02]) if row else np.empty(0),
                span_counts=span,
            )
        )
    components = ("gaussian", "poisson", "clean")
    reading = ReadingOptions(offset_counts=zero)
    return DepthProfile("made", components, tuple(planes), reading, provenance=provenance)


@pytest.mark.parametrize(
    ("shot", "untold"),
    [
        ((0.1, 0.3), "between 0 and 5 µm"),
        ((0.1, 0.15, 0.3, 0.4), "between 5 and 10 µm"),
        ((0.1, 0.15, 0.18, 0.17), ""),
        ((0.3, 0.35, 0.4), ""),
    ],
)
def test_few_planes_on_both_sides_of_the_level_tell_no_level_depth(shot, untold):
    found = analyse(made(*[(s, 0.01, 0.02, 500.0) for s in shot]))
    level = f"; {TOO_FEW} to tell the depth at which shot noise passes 20 % (100 photons), "
    assert (f"{level}but single planes pass it {untold}." in found.verdict) == bool(untold)
    assert (TOO_FEW in found.verdict) == bool(untold)
    lacks = what_few_lack(len(shot))
    assert lacks
    assert any(lacks in caveat for caveat in found.caveats)


def test_what_keeps_the_level_depth_unknown_is_told_apart():
    near = made(*[(s, 0.01, 0.02, 500.0) for s in (0.1, 0.15, 0.18, 0.2, 0.3, 0.4)])
    text = f"; {TOO_NARROW} to tell the depth at which shot noise passes 20 % (100 photons), but "
    assert text in analyse(near).verdict
    assert {bend.note for bend in find_bends(near).values()} == {TOO_NARROW}
    few = replace(near, planes=near.planes[:4])
    assert {bend.note for bend in find_bends(few).values()} == {TOO_FEW}


def test_a_last_plane_below_which_planes_are_left_out_is_the_last_usable_one():
    whole = made(*[(0.1, 0.01, 0.02, 500.0)] * 10)
    last = whole.planes[6].depth_um
    cut = replace(
        whole,
        planes=tuple(p if p.index <= 6 else replace(p, reason="saturated") for p in whole.planes),
    )
    said = f"there is signal down to the last usable plane at {last:.0f} µm"
    assert said in analyse(cut).verdict
    assert f"(100 photons) down to the last usable plane at {last:.0f} µm" in analyse(cut).verdict
    assert "down to the last plane at " in analyse(whole).verdict
    chosen = within(whole, (0, last))
    assert f"there is signal down to the last plane at {last:.0f} µm" in analyse(chosen).verdict


@pytest.mark.parametrize(
    ("shot", "gaussian", "doubt", "said"),
    [
        (0.01, 0.28, 0.02, " Gaussian noise is larger than shot noise: 28 % on average."),
        (0.2, 0.21, 0.02, ""),
        (0.2, 0.1, 0.0, ""),
        (0.2, 0.25, float("nan"), " Gaussian noise is larger than shot noise: 25 % on average."),
    ],
)
def test_a_noise_that_is_larger_than_shot_noise_is_named(shot, gaussian, doubt, said):
    found = analyse(made(*[(shot, doubt, gaussian, 500.0)] * 6))
    assert found.verdict.endswith(said or "µm.")
    assert ("larger than shot noise" in found.verdict) == bool(said)


def test_the_page_shows_the_photons_of_the_report():
    found = analyse(made(*[(0.2, 0.01, 0.02, 500.0)] * 4))
    facts = document_of(found).tree["protocols"]["made"]["photons"]
    assert (facts["n_planes"], facts["counts_per_photon"]) == (4, pytest.approx(5))
    words = re.sub(r"<[^>]+>|\s+", " ", page_of(document_of(found), "report.html", {}))
    assert re.search(r"Counts per photon, median of these planes +5 ", words)


@pytest.mark.parametrize(
    ("zero", "doubt", "why"),
    [
        (None, 0.01, "the zero level of the detector is not known; set it with"),
        (100.0, 0.1, "the uncertainty of shot noise is more than a tenth of it in every plane"),
        (100.0, 0.01, ""),
    ],
)
def test_the_page_says_why_no_plane_has_a_number_of_photons(zero, doubt, why):
    found = analyse(made(*[(0.2, doubt, 0.02, 500.0)] * 4, zero=zero))
    words = re.sub(r"<[^>]+>|\s+", " ", page_of(document_of(found), "report.html", {}))
    told = re.search(r"made *: no plane has a number of photons, because (.*?)\. ", words)
    assert (told[1].startswith(why) if told else "") == (bool(why) or "")


def test_the_page_names_only_what_a_report_states():
    tree = document_of(analyse(made(*[(0.2, 0.01, 0.02, 500.0)] * 4))).tree["protocols"]["made"]
    keys = re.findall(r'", "([a-z_.]+)", 1', VALIDITY.read_text())
    assert len(keys) > 10
    for key in keys:
        part = tree
        for name in key.split("."):
            assert name in part, key
            part = part[name]


def stated(profile):
    (protocol,) = document_of(profile).tree["protocols"].values()
    return protocol["photons"]


def test_photons_are_those_that_make_the_strength():
    photons, gain, amplifier, span = 50.0, 12.0, 9.0, 600.0
    s, g = 2 / np.sqrt(photons), 2 * amplifier / span
    found = photons_of(made((s, 0.08 * s, g, span), None, (s, 0.12 * s, g, span)))
    np.testing.assert_allclose(found.at_full_scale, [photons, np.nan, np.nan])
    np.testing.assert_allclose(found.counts, [gain, np.nan, np.nan])
    np.testing.assert_allclose(found.counts_sd, [0.16 * gain, np.nan, np.nan])
    np.testing.assert_allclose(found.amplifier_counts, [amplifier, np.nan, amplifier])
    np.testing.assert_allclose(found.amplifier_counts_sd, [0.01 * span / 2, np.nan, 3.0])
    assert stated(made((s, 0.08 * s, g, span), None, (s, 0.12 * s, g, span))) == {
        "n_planes": 1,
        "counts_per_photon": pytest.approx(gain),
        "counts_per_photon_quartiles": pytest.approx([gain, gain]),
    }


def test_without_the_detectors_zero_no_plane_tells():
    row = (0.3, 0.01, 0.0, 100.0)
    assert stated(made(row))["n_planes"] == 1
    assert stated(made(row, zero=None))["n_planes"] == 0
    assert np.isfinite(photons_of(made(row, zero=None), 0.1).counts).all()


def test_where_no_plane_tells_there_is_no_number():
    assert stated(made((0.1, 0.09, 0.0, 100.0)))["counts_per_photon"] is None
    assert stated(made((0.1, np.nan, 0.0, 100.0)))["n_planes"] == 0


@pytest.mark.parametrize("provenance", [None, read_with("paper", "paper_poisson")])
def test_strengths_of_another_genome_tell_no_photons(provenance):
    other = made((0.2, 0.01, 0.1, 100.0), provenance=provenance)
    assert photons_of(other) is None
    assert stated(other) is None
    assert (
        next(csv.DictReader(io.StringIO(planes_csv([analyse(other)]))))["counts_per_photon"] == ""
    )


def test_a_genome_without_amplifier_noise_tells_none():
    whole = made((0.2, 0.01, 0.1, 100.0))
    less = replace(whole, components=("banding", "poisson", "clean"))
    assert photons_of(less) is None


def test_a_known_detector_is_read_from_pixels():
    """7 counts per photon, zero at 100: the interval of every plane contains the truth."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :256] / 256
    mean = 3 + 2.9 * np.sin(9 * x) * np.cos(7 * y)
    counts = 100 + 7 * rng.poisson(np.stack([mean] * 3)) + rng.normal(0, 2, (3, 256, 256))
    stack = open_stack(counts.round().astype(np.uint16), z_step_um=5)
    found = profile(stack, offset_counts=100.0)
    photons = photons_of(found)
    assert photons is not None
    assert np.abs(photons.counts / 7 - 1).max() < 0.1
    assert (np.abs(photons.counts - 7) < 1.645 * photons.counts_sd).all()
    assert (np.abs(photons.amplifier_counts - 2) < 1.645 * photons.amplifier_counts_sd).all()
    span = [np.percentile(plane.data, 99.9) - 100 for plane in stack]
    assert [plane.span_counts for plane in found.planes] == pytest.approx(span)
    facts = stated(found)
    assert facts["n_planes"] == 3
    assert facts["counts_per_photon"] == pytest.approx(np.median(photons.counts))
    rows = list(csv.DictReader(io.StringIO(planes_csv([analyse(found)]))))
    assert [float(row["counts_per_photon"]) for row in rows] == photons.counts.tolist()
    assert [float(row["amplifier_counts"]) for row in rows] == photons.amplifier_counts.tolist()


@pytest.mark.parametrize(("counts_per_photon", "told"), [(12.5, False), (20.0, True)])
def test_photons_that_are_not_the_detectors_are_told(counts_per_photon, told):
    known = Estimate(counts_per_photon, (0.97 * counts_per_photon, 1.03 * counts_per_photon))
    none = Estimate(0.0, (0.0, 0.0))
    detector = MeasuredDetector(known, none, "line", None, none, none, known)
    s, span = 2 / np.sqrt(50.0), 600.0  # 12 counts per photon
    planes = made(*[(s, 0.2 * s, 0.03, span)] * 5, provenance=replace(SHOT, detector=detector))
    said = [text for text in analyse(planes).caveats if "photon transfer" in text]
    assert bool(said) == told
    assert all("12 counts per photon" in text and "measured 20" in text for text in said)
