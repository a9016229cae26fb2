"""The phantom and its microscope: physics, reproducibility and files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaozarrs
import zarr

from cop_core.errors import CancelledError, CopError, InputError
from cop_core.simulator import (
    PRESETS,
    Detector,
    Microscope,
    Optics,
    Phantom,
    Preset,
    Strengths,
    simulate,
    simulate_pair,
    write_pair,
)
from cop_core.stacks import read_power_table

SAMPLE = Path(__file__).parents[2] / "sample_data"
PHANTOM = Phantom(shape=(64, 72), field_um=180.0, depth_um=1200.0)
TINY = Preset(
    "tiny",
    Microscope(PHANTOM, Optics(photons=680.0), Detector(gain_counts=5.0, amplifier_counts=2.0)),
    planes=25,
    z_step_um=50.0,
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"), TINY, seed=3)


@pytest.fixture(scope="module")
def truth(pair):
    return json.loads(pair.truth.read_text())


def column(truth, protocol, name):
    return np.array([plane[name] for plane in truth["protocols"][protocol]["planes"]])


def test_the_same_seed_gives_the_same_tissue():
    plane = PHANTOM.fluorophore(300.0)
    assert plane.shape == (64, 72)
    assert plane.dtype == np.float32
    assert np.array_equal(plane, replace(PHANTOM).fluorophore(300.0))
    assert not np.array_equal(plane, replace(PHANTOM, seed=1).fluorophore(300.0))


def test_tissue_is_smooth_in_depth():
    planes = {z: PHANTOM.fluorophore(z).ravel() for z in (300.0, 301.0, 380.0)}
    assert np.corrcoef(planes[300.0], planes[301.0])[0, 1] > 0.9
    assert np.corrcoef(planes[300.0], planes[380.0])[0, 1] < 0.5


@pytest.mark.parametrize("depth_um", [0.0, 60.0, 560.0, 920.0, 1140.0])
def test_concentration_stays_near_the_unit_range(depth_um):
    plane = PHANTOM.fluorophore(depth_um)
    assert plane.min() >= 0
    assert plane.max() < 1.6
    assert 0.1 < plane.mean() < 0.4


def test_vessels_are_dark_or_bright():
    inside = PHANTOM._vessels.draw(PHANTOM._grid, 300.0) > 0.95
    assert inside.any()
    labelled = replace(PHANTOM, vessels="labelled").fluorophore(300.0)
    assert PHANTOM.fluorophore(300.0)[inside].max() < 0.2
    assert labelled[inside].min() > 0.8


def test_vessels_fill_a_few_per_cent_of_the_cortex():
    planes = [PHANTOM._vessels.draw(PHANTOM._grid, depth) for depth in range(30, 840, 30)]
    assert 0.01 < np.mean(planes) < 0.05


@pytest.mark.parametrize(("top_um", "bottom_um", "density"), [(130, 320, 105e3), (470, 640, 80e3)])
def test_cells_are_as_dense_as_in_their_layer(top_um, bottom_um, density):
    cells = PHANTOM._cells
    depth_um = np.concatenate([cells.somata.zyx_um[:, 0], cells.unlabelled.zyx_um[:, 0]])
    bodies = np.sum((depth_um > top_um) & (depth_um < bottom_um)) / 2  # each has two lobes
    volume_mm3 = (bottom_um - top_um) * 160.0 * 180.0 / 1e9
    assert bodies / volume_mm3 == pytest.approx(density, rel=0.15)


def test_the_same_seed_gives_the_same_counts():
    arguments = (PHANTOM, Optics(), Detector(), 5.0, [0.0, 200.0])
    first, again, other = (list(simulate(*arguments, seed=seed)) for seed in (4, 4, 5))
    for (counts, expected), (counts_again, _), (counts_other, expected_other) in zip(
        first, again, other, strict=True
    ):
        assert counts.dtype == np.uint16
        assert np.array_equal(counts, counts_again)
        assert not np.array_equal(counts, counts_other)
        assert np.array_equal(expected, expected_other)


def test_protocols_share_tissue_but_not_noise():
    microscope = Microscope(PHANTOM, Optics(), Detector())
    (both,) = simulate_pair(microscope, {"fixed": 5.0, "gained": [5.0]}, [100.0], seed=2)
    ((alone, _),) = simulate(PHANTOM, Optics(), Detector(), 5.0, [100.0], seed=2)
    assert np.array_equal(both["fixed"][1], both["gained"][1])
    assert np.array_equal(both["fixed"][0], alone)
    assert not np.array_equal(both["fixed"][0], both["gained"][0])


@pytest.mark.parametrize("length_um", [200.0, 300.0])
def test_signal_falls_with_three_over_the_attenuation_length(length_um):
    optics, detector = Optics(photons=100.0, length_um=length_um), Detector(dark_photons=0.0)
    depths_um = np.arange(0.0, 840.0, 60.0)
    stack = simulate(PHANTOM, optics, detector, 5.0, depths_um)
    log_signal = [
        np.log((expected.mean(dtype=float) - 100.0) / PHANTOM.fluorophore(depth).mean())
        for depth, (_, expected) in zip(depths_um, stack, strict=True)
    ]
    slope = np.polyfit(depths_um, log_signal, 1)[0]
    assert slope == pytest.approx(-3 / length_um, rel=0.02)


def test_white_matter_attenuates_faster():
    optics = Optics()
    grey, white, below = (
        np.log(optics.signal(5.0, z) / optics.signal(5.0, z + 10.0)) for z in (800.0, 900.0, 1050.0)
    )
    assert grey == pytest.approx(0.1)
    assert white == pytest.approx(0.2)
    assert below == pytest.approx(grey)


def test_signal_grows_with_the_cube_of_power():
    assert Optics().signal(10.0, 100.0) == pytest.approx(8 * Optics().signal(5.0, 100.0))


def test_photon_transfer_line():
    detector = Detector(gain_counts=12.0, excess_factor=1.3, amplifier_counts=4.0, dark_photons=0)
    photons = np.repeat([0.0, 0.5, 2.0, 8.0, 30.0], 30_000)
    rng = np.random.default_rng(0)
    reads = np.stack([detector.read(photons, rng) for _ in range(8)]).astype(float)
    levels = reads.reshape(8, 5, -1)
    mean = levels.mean(axis=(0, 2)) - detector.offset_counts
    variance = levels.var(axis=0, ddof=1).mean(axis=1)
    slope, intercept = np.polyfit(mean, variance, 1, w=1 / variance)
    assert slope == pytest.approx(12.0 * 1.3, rel=0.05)
    assert intercept == pytest.approx(4.0**2 + 1 / 12, rel=0.05)
    assert np.sqrt(variance) == pytest.approx(detector.noise_counts([0, 0.5, 2, 8, 30]), rel=0.02)


def test_without_excess_noise_a_photon_is_always_the_same():
    detector = Detector(5.0, 1.0, offset_counts=7.0, amplifier_counts=0.0, dark_photons=0.0)
    counts = detector.read(np.full(500, 3.0), np.random.default_rng(0))
    assert set((counts - 7) % 5) == {0}


def test_the_converter_clips():
    detector = Detector(bits=10, offset_counts=0.0)
    counts = detector.read(np.array([0.0, 1e4]).repeat(50), np.random.default_rng(0))
    assert counts.min() == 0
    assert counts.max() == 1023


def test_gained_power_reaches_its_cap_at_745_um():
    paper = PRESETS["paper"]
    assert paper.cap_depth_um == pytest.approx(745.5, abs=0.1)
    power_mw = paper.powers_mw["gained"]
    assert paper.depths_um[np.argmax(power_mw >= 60.0)] == 748.0
    assert paper.depths_um[-1] == 1300.0


def test_the_tiff_says_its_scale(pair):
    with tifffile.TiffFile(pair.fixed) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == "ZYX"
        assert tiff.series[0].shape == (25, 64, 72)
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"]) == (2.5, 2.5)
    assert pixels["PhysicalSizeZ"] == 50
    assert pixels["PhysicalSizeZUnit"] == "µm"


def test_the_zarr_says_its_scale(pair):
    yaozarrs.validate_zarr_store(str(pair.gained))
    group = zarr.open_group(pair.gained, mode="r")
    assert group.metadata.zarr_format == 3
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert [axis["unit"] for axis in multiscale["axes"]] == ["micrometer"] * 3
    (transform,) = multiscale["datasets"][0]["coordinateTransformations"]
    assert transform["scale"] == [50.0, 2.5, 2.5]
    assert group["0"].chunks == (1, 64, 72)
    assert group["0"].nchunks_initialized == 25


def test_files_hold_what_the_microscope_read(pair):
    microscope = replace(TINY.microscope, phantom=replace(PHANTOM, seed=3))
    planes = simulate_pair(microscope, TINY.powers_mw, TINY.depths_um, seed=3)
    fixed, gained = tifffile.imread(pair.fixed), zarr.open_group(pair.gained, mode="r")["0"]
    for index, exposures in zip(range(4), planes, strict=False):
        assert np.array_equal(fixed[index], exposures["fixed"][0])
        assert np.array_equal(gained[index], exposures["gained"][0])


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.3.0",
    reason="older NumPy rounds otherwise: one pixel of the third plane differs",
)
def test_the_sample_data_is_what_the_preset_gives():
    sample = PRESETS["sample"]
    yaozarrs.validate_zarr_store(str(SAMPLE / "gained.ome.zarr"))
    gained = zarr.open_group(SAMPLE / "gained.ome.zarr", mode="r")["0"]
    fixed = tifffile.imread(SAMPLE / "fixed.ome.tif")
    planes = simulate_pair(sample.microscope, sample.powers_mw, sample.depths_um)
    for index, exposures in zip(range(3), planes, strict=False):
        assert np.array_equal(fixed[index], exposures["fixed"][0])
        assert np.array_equal(gained[index], exposures["gained"][0])


def test_power_tables_can_be_read(pair):
    depth_um, power_mw = read_power_table(pair.gained_power)
    assert depth_um == pytest.approx(TINY.depths_um)
    assert power_mw == pytest.approx(TINY.powers_mw["gained"], abs=1e-6)
    assert set(read_power_table(pair.fixed_power)[1]) == {5.0}


def test_noise_rises_with_depth_at_fixed_power_only(truth):
    depth_um = column(truth, "fixed", "depth_um")
    fixed, gained = (column(truth, protocol, "snr") for protocol in ("fixed", "gained"))
    assert (np.diff(fixed[::4]) < 0).all()
    above_cap = depth_um < truth["gained"]["cap_depth_um"]
    assert column(truth, "gained", "full_photons")[above_cap] == pytest.approx(680.0)
    assert gained[above_cap].std() / gained[above_cap].mean() < 0.25  # what tissue there is
    assert (np.diff(gained[depth_um > 800]) < 0).all()
    assert fixed[0] == gained[0]


def test_strengths_follow_from_the_settings(truth):
    detector = Detector(**truth["detector"])
    for protocol in truth["protocols"].values():
        photons = [plane["mean_photons"] for plane in protocol["planes"]]
        stated = [protocol["by_stack"], *(plane["by_plane"] for plane in protocol["planes"])]
        for entry, mean_photons in zip(stated, [np.mean(photons), *photons], strict=True):
            range_counts = entry["low_counts"], entry["high_counts"]
            strengths = Strengths.of(detector, *range_counts, mean_photons)
            assert vars(strengths) == pytest.approx(entry, rel=1e-5)


def test_strengths_are_those_of_the_normalised_pixels():
    microscope, depth_um = TINY.microscope, 300.0
    concentration = microscope.concentration(depth_um)
    rng = np.random.default_rng(0)
    exposures = [microscope.expose(concentration, 13.6, depth_um, rng) for _ in range(60)]
    counts = np.stack([counts for counts, _ in exposures]).astype(float)
    low_counts, high_counts = np.percentile(counts[0], [0.1, 99.9]).tolist()
    mean_photons = concentration.mean() * microscope.optics.signal(13.6, depth_um)
    stated = Strengths.of(microscope.detector, low_counts, high_counts, mean_photons)
    unit = (counts - stated.low_counts) / (stated.high_counts - stated.low_counts)
    mean, variance = unit.mean(axis=0).ravel(), unit.var(axis=0, ddof=1).ravel()
    slope = np.polyfit(mean, variance, 1)[0]
    assert 2 * np.sqrt(slope) == pytest.approx(stated.poisson, rel=0.05)
    photon_variance = (
        variance.mean() - (stated.gaussian / 2) ** 2 - (stated.quantization / 4) ** 2 / 12
    )
    equivalent = 2 * np.sqrt(photon_variance / mean.mean())
    assert equivalent == pytest.approx(stated.poisson_equivalent, rel=0.05)


def test_without_photons_there_is_no_photon_noise():
    detector = Detector(dark_photons=0.0)
    assert Strengths.of(detector, 88.0, 112.0, mean_photons=0.0).poisson_equivalent == 0


def test_truth_describes_the_planes(pair, truth):
    gained = zarr.open_group(pair.gained, mode="r")["0"]
    detector = Detector(**truth["detector"])
    for plane in truth["protocols"]["gained"]["planes"]:
        light = gained[plane["plane"]].mean() - detector.offset_counts
        photons = light / detector.gain_counts - detector.dark_photons
        noise = detector.noise_counts(plane["mean_photons"]) / detector.gain_counts
        error = 5 * float(noise) / np.sqrt(64 * 72)
        assert plane["mean_photons"] == pytest.approx(photons, abs=error)
        assert plane["saturated_fraction"] < 0.01
    low, high = np.percentile(gained[:], [0.1, 99.9])
    assert truth["protocols"]["gained"]["by_stack"]["low_counts"] == pytest.approx(low, abs=1)
    assert truth["protocols"]["gained"]["by_stack"]["high_counts"] == pytest.approx(high, rel=0.01)


def test_truth_table_says_the_same(pair, truth):
    with pair.truth_table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * TINY.planes
    for row in rows:
        plane = truth["protocols"][row["protocol"]]["planes"][int(row["plane"])]
        assert float(row["snr"]) == plane["snr"]
        assert float(row["poisson_by_plane"]) == plane["by_plane"]["poisson"]


def test_a_pair_can_be_written_again_and_nothing_else_is_touched(tmp_path):
    short = replace(TINY, planes=3)
    (tmp_path / "notes.txt").write_text("mine")
    done = []
    first = write_pair(tmp_path, short, seed=1, progress=lambda *at: done.append(at))
    assert done == [(1, 3), (2, 3), (3, 3)]
    before = first.fixed.read_bytes(), first.truth.read_bytes()
    write_pair(tmp_path, short, seed=1)
    assert (first.fixed.read_bytes(), first.truth.read_bytes()) == before
    names = {"notes.txt", *(path.name for path in vars(first).values())}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_cancel_leaves_the_folder_as_it_was(tmp_path):
    def cancel(done, total):
        raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        write_pair(tmp_path, replace(TINY, planes=3), progress=cancel)
    assert not list(tmp_path.iterdir())


def test_a_target_that_cannot_be_replaced_is_an_error(tmp_path):
    (tmp_path / "fixed.ome.tif").mkdir()
    with pytest.raises(CopError, match="could not be written"):
        write_pair(tmp_path, replace(TINY, planes=2))
    assert [path.name for path in tmp_path.iterdir()] == ["fixed.ome.tif"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Phantom(shape=(0, 5)), "holds nothing"),
        (lambda: Phantom(labelled_fraction=1.5), "fractions"),
        (lambda: Phantom(vessels="red"), "vessels cannot be 'red'"),
        (lambda: Optics(length_um=0.0), "attenuation lengths"),
        (lambda: Detector(excess_factor=0.5), "excess noise factor of 0.5"),
        (lambda: simulate(PHANTOM, Optics(), Detector(), [1, 2], [0, 1, 2]), "2 powers do not"),
        (lambda: simulate(PHANTOM, Optics(), Detector(), -1, [0]), "0 or more"),
        (lambda: simulate(PHANTOM, Optics(), Detector(), 1, [np.nan]), "depths_um"),
        (lambda: simulate(PHANTOM, Optics(), Detector(), 1, [0], seed=-1), "seed"),
        (lambda: write_pair("nowhere", "huge"), "no preset 'huge'"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
