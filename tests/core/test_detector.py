from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, shift

import cop_core as cop
from cop_core.detector import measure_detector, read_movie
from cop_core.detector.history import read_history
from cop_core.recipes import DetectorRecipe, MovieOptions
from cop_core.recipes.plan import PlanError, read_plan
from cop_core.records import Estimate
from cop_core.report.detector_history import add_to_history, history_figure
from cop_core.simulator import Detector
from cop_core.stacks import open_movie, read_detector, read_power_table

SHARED = Path(os.environ.get("COP_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "data/stacks/fmi_2p_movie/Planes1_LP230_Gain610_frames1-200.tif"
DETECTOR = Detector()
PHOTON = DETECTOR.gain_counts * DETECTOR.excess_factor
CROSSING = DETECTOR.offset_counts - (DETECTOR.amplifier_counts**2 + 1 / 12) / PHOTON
DARK = DETECTOR.offset_counts + DETECTOR.gain_counts * DETECTOR.dark_photons
DARK_SD = DETECTOR.noise_counts(0.0)


def picture(rng, side=128):
    """Return photons per pixel, 0.3 to 8, of a smooth scene."""
    field = gaussian_filter(rng.standard_normal((side, side)), 2.0, mode="wrap")
    return np.exp(0.4 + 0.8 * np.clip(field / field.std(), -2.5, 2.5)).astype(np.float32)


def frames(rng, photons, n=30, detector=DETECTOR):
    return np.stack([detector.read(photons, rng) for _ in range(n)])


def measured(counts, dark=None, **asked):
    movies = [
        None if c is None else read_movie(open_movie(c, MovieOptions())) for c in (counts, dark)
    ]
    return measure_detector(*movies, DetectorRecipe(**asked))


def write(path, counts):
    tifffile.imwrite(path, counts, photometric="minisblack", metadata={"axes": "TYX"})
    return path


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A movie and dark frames, as files."""
    folder, rng = tmp_path_factory.mktemp("movie"), np.random.default_rng(0)
    photons = picture(rng)
    lit = write(folder / "lit.tif", frames(rng, photons))
    dark = write(folder / "dark.tif", frames(rng, 0 * photons))
    return lit, dark


# --- what is measured ----------------------------------------------------------------------------


def test_intervals_cover_the_truth():
    inside = {"photon": 0, "crossing": 0, "photon, dark": 0, "zero": 0, "amplifier": 0}
    photon_counts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        photons = picture(rng, 96)
        counts, dark = frames(rng, photons, 12), frames(rng, 0 * photons, 12)
        alone, both = measured(counts).detector, measured(counts, dark).detector
        inside["photon"] += alone.counts_per_photon.within(PHOTON)
        inside["crossing"] += alone.zero_counts.within(CROSSING)
        inside["photon, dark"] += both.counts_per_photon.within(PHOTON)
        inside["zero"] += both.zero_counts.within(DARK)
        inside["amplifier"] += both.amplifier_counts.within(DARK_SD)
        photon_counts.append(alone.counts_per_photon.value)
    assert np.mean(photon_counts) == pytest.approx(PHOTON, rel=0.01)
    # of 20 at 95 %, 16 or fewer come once in forty
    assert min(inside.values()) >= 17, inside


def _moving(photons, i, rng):
    return np.clip(shift(photons, rng.uniform(-2, 2, 2), order=3, mode="grid-wrap"), 0, None)


def _bleaching(photons, i, _rng):
    return photons * (1 - 0.1 * i / 30)


def _flickering(photons, _i, rng):
    return photons * rng.normal(1, 0.05)


@pytest.mark.parametrize("change", [_moving, _bleaching, _flickering])
def test_what_changes_the_whole_picture_is_taken_off(change):
    rng = np.random.default_rng(1)
    photons = picture(rng)
    counts = np.stack([DETECTOR.read(change(photons, i, rng), rng) for i in range(30)])
    found = measured(counts).detector
    assert found.counts_per_photon.value == pytest.approx(PHOTON, rel=0.03)
    assert found.zero_counts.value == pytest.approx(CROSSING, abs=0.05 * PHOTON)


def test_cells_that_fire_are_left_out():
    rng = np.random.default_rng(2)
    photons = picture(rng)
    firing = np.ones((30, *photons.shape), np.float32)
    firing[:, 40:52, 40:52] = rng.uniform(0.5, 3, 30)[:, None, None]
    counts = np.stack([DETECTOR.read(photons * f, rng) for f in firing])
    found = measured(counts)
    assert found.outlying > 0.005
    assert found.detector.counts_per_photon.value == pytest.approx(PHOTON, rel=0.03)


def test_a_zero_that_is_given_tells_the_amplifier():
    rng = np.random.default_rng(3)
    found = measured(frames(rng, picture(rng), 40), offset_counts=DARK).detector
    assert found.zero_from == "given"
    assert found.amplifier_counts.within(DARK_SD)


def test_dark_frames_make_one_brightness_enough():
    rng = np.random.default_rng(4)
    even = np.full((64, 64), 5.0, np.float32)
    found = measured(frames(rng, even), frames(rng, 0 * even)).detector
    assert found.counts_per_photon.value == pytest.approx(PHOTON, rel=0.03)


def test_saturated_pixels_are_left_out_and_the_ceiling_is_told():
    rng = np.random.default_rng(5)
    eight_bits = Detector(bits=8)
    found = measured(frames(rng, 2 * picture(rng), detector=eight_bits))
    assert found.detector.ceiling_counts == 255
    assert found.cut_off > 0.05
    assert found.detector.counts_per_photon.value == pytest.approx(PHOTON, rel=0.03)
    full = found.detector.full_scale_photons
    assert full.within((255 - CROSSING) / PHOTON)


@pytest.mark.parametrize("fill", [np.nan, 0.0, DARK])
def test_fill_at_the_edges_is_left_out(fill):
    rng = np.random.default_rng(12)
    counts, dark = (frames(rng, k * picture(rng), 12).astype(np.float32) for k in (1, 0))
    filled, filled_dark = counts.copy(), dark.copy()
    for i, (frame, unlit) in enumerate(zip(filled, filled_dark, strict=True)):
        frame[: i % 3], frame[:, 125:], unlit[-4:] = fill, fill, fill
    found = measured(filled, filled_dark)
    clean = measured(counts[:, 2:, :125], dark[:, :-4])
    assert found.detector == clean.detector
    assert found.notes == (
        *clean.notes,
        "fill at the edges of the frames is left out (2 rows, 3 columns)",
        "fill at the edges of the dark frames is left out (4 rows, 0 columns)",
    )


def test_frames_that_are_mostly_fill_are_too_small():
    rng = np.random.default_rng(12)
    counts = frames(rng, picture(rng, 64), 12).astype(np.float32)
    counts[:, :40] = np.nan
    with pytest.raises(cop.InputError, match="24 x 64 pixels without fill are too small"):
        measured(counts)


def test_neighbours_that_share_a_photon():
    rng = np.random.default_rng(6)
    counts = frames(rng, picture(rng)).astype(np.float32)
    shared = 0.75 * counts + 0.25 * np.roll(counts, 1, axis=2)
    found = measured(shared).detector
    # 0.75 x 0.25 of 0.75^2 + 0.25^2 is shared; the variance of a sum is that of whole photons
    assert found.along_line.value == pytest.approx(0.3, abs=0.01)
    assert abs(found.across_lines.value) < 0.01
    assert found.counts_per_photon.value == pytest.approx(0.625 * PHOTON, rel=0.03)
    assert found.whole_photon_counts.value == pytest.approx(PHOTON, rel=0.03)


def test_single_photons_that_are_counted():
    rng = np.random.default_rng(7)
    found = measured(rng.poisson(picture(rng), (30, 128, 128)).astype(np.uint16)).detector
    assert found.counts_per_photon.value == pytest.approx(1, rel=0.03)
    assert found.floor_counts is None
    assert found.zero_counts.value == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("counts", [1, 7])
def test_counted_photons_have_no_floor_however_few_or_many(counts):
    rng = np.random.default_rng(13)
    photons = 0.05 * picture(rng)
    photons[40:70, 40:70] = 30  # levels enough for the sum of pulses of an analog detector
    lit, dark = (
        rng.poisson(k, (30, 128, 128)) * counts for k in (photons + 0.02, 0.02 + 0 * photons)
    )
    found = measured(lit.astype(np.uint16), dark.astype(np.uint16))
    assert found.detector.counts_per_photon.value == pytest.approx(counts, rel=0.03)
    assert found.detector.floor_counts is None
    assert found.cut_off == 0
    assert found.detector.zero_counts.within(0.02 * counts)
    assert not any("cut off" in note for note in found.notes)


@pytest.mark.parametrize("photons", [1, 3])
@pytest.mark.parametrize("amplifier", [1, 1.5, 2])
def test_amplifier_noise_that_is_cut_off_does_not_pass_for_counted_photons(amplifier, photons):
    low = Detector(
        gain_counts=1, excess_factor=1, offset_counts=0, amplifier_counts=amplifier, dark_photons=0
    )
    inside = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        image = photons * picture(rng, 96)
        counts = frames(rng, image, 20, low)
        found = measured(counts).detector
        assert found.floor_counts == 0
        inside.append(found.counts_per_photon.within(1))
        with pytest.raises(cop.InputError, match="cut off at the floor of 0 counts"):
            measured(counts, frames(rng, 0 * image, 20, low))
    assert sum(inside) >= 8, inside  # of 10 at 95 %, 7 or fewer come once in a hundred


def test_counted_photons_are_told():
    told = "values count single photons"
    rng = np.random.default_rng(7)
    photons = picture(rng)
    assert any(told in note for note in measured(rng.poisson(photons, (30, 128, 128))).notes)
    assert not any(told in note for note in measured(frames(rng, photons)).notes)


def test_dark_frames_of_fewer_counts_than_show_a_floor_say_so():
    rng = np.random.default_rng(14)
    amplifier = Detector(offset_counts=0, amplifier_counts=0.3, dark_photons=0)
    photons = 3 * picture(rng)
    found = measured(*(frames(rng, k * photons, detector=amplifier) for k in (1, 0)))
    told = "the dark frames may be cut off at 0 counts: they hold too few levels to tell"
    assert told in found.notes


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL.name} is not there")
def test_a_real_movie_as_another_package_measures_it():
    found = cop.run(DetectorRecipe(stack=MovieOptions(source=str(REAL)))).detector
    # anscombe-transform 1.0.0
    assert found.counts_per_photon.value == pytest.approx(247.0, rel=0.05)
    assert found.counts_per_photon.within(247.0)
    assert found.zero_counts.value == pytest.approx(52.4, abs=0.05 * 247)
    assert found.zero_counts.within(52.4)
    assert found.floor_counts == 0


# --- what cannot tell ----------------------------------------------------------------------------


def _still(rng):
    return np.repeat(frames(rng, picture(rng), 1), 20, axis=0)


def _noiseless(rng):
    expected = DETECTOR.expected(picture(rng))
    return np.stack([expected * (1 - 0.005 * i) for i in range(20)])


def _noiseless_and_moving(rng):
    expected = DETECTOR.expected(picture(rng))
    return np.stack([_moving(expected, 0, rng) for _ in range(20)])


def _saturated(rng):
    counts = frames(rng, 100 + 1000 * picture(rng), 20)
    counts[:, :2] = 3000 + np.arange(20)[:, None, None]
    return counts


def _saturated_throughout(rng):
    return np.full((20, 64, 64), 4095, np.uint16)


def _one_brightness(rng):
    return frames(rng, np.full((64, 64), 5.0, np.float32), 20)


def _smoothed(rng):
    return gaussian_filter(frames(rng, picture(rng), 20).astype(np.float32), (0, 1.5, 1.5))


def _running_average(rng):
    counts = frames(rng, picture(rng), 20).astype(np.float32)
    return (counts[1:] + counts[:-1]) / 2


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (_still, "all frames are the same"),
        (_noiseless, "no noise between frames"),
        (_noiseless_and_moving, "neighbouring lines change together"),
        (_saturated, "it is saturated: 98 % of its values are at the ceiling"),
        (_saturated_throughout, "it is saturated: 100 % of its values are at the ceiling"),
        (_one_brightness, "no reliable increase of variance"),
        (_smoothed, "neighbouring lines change together"),
        (_running_average, "successive frames share noise"),
    ],
)
def test_a_movie_that_cannot_tell_says_so(run, tmp_path, made, told):
    movie = write(tmp_path / "movie.tif", made(np.random.default_rng(8)))
    code, _, err = run("detector", movie, "-o", tmp_path / "out")
    assert (code, told in err) == (2, True), err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("offset", "amplifier"), [(0, 1), (0, 2), (2, 2), (0, 5), (5, 5)], ids=str)
def test_dark_frames_that_are_cut_off_say_so(offset, amplifier):
    rng = np.random.default_rng(14)
    low = Detector(offset_counts=offset, amplifier_counts=amplifier, dark_photons=0)
    lit, dark = (frames(rng, k * picture(rng), detector=low) for k in (3, 0))
    with pytest.raises(cop.InputError, match="cut off at the floor of 0 counts"):
        measured(lit, dark)


@pytest.mark.parametrize("n", [4, 5, 8, 11])
def test_a_running_average_of_few_frames_says_so(n):
    rng = np.random.default_rng(8)
    counts = frames(rng, picture(rng), n + 1).astype(np.float32)
    with pytest.raises(cop.InputError, match="successive frames share noise"):
        measured((counts[1:] + counts[:-1]) / 2)
    photon = measured(counts[1:]).detector.counts_per_photon
    assert photon.value == pytest.approx(PHOTON, rel=0.1)


@pytest.mark.parametrize("n", [4, 5, 12, 30])
@pytest.mark.parametrize("seed", range(3))
def test_dark_frames_of_a_running_average_say_so(n, seed):
    rng = np.random.default_rng(seed)
    lit = frames(rng, picture(rng), 20)
    dark = frames(rng, np.zeros((128, 128), np.float32), n + 1).astype(np.float32)
    averaged = (dark[1:] + dark[:-1]) / 2
    with pytest.raises(cop.InputError, match="successive frames share noise"):
        measured(lit, averaged)
    assert measured(lit, dark).detector.amplifier_counts.value == pytest.approx(DARK_SD, rel=0.03)


@pytest.mark.parametrize("seed", range(8))
def test_a_few_dark_counts_do_not_pass_for_a_running_average(seed):
    rng = np.random.default_rng(seed)
    photons = picture(rng)
    dark = rng.poisson(1e-4, (20, *photons.shape))
    found = measured(rng.poisson(photons, (20, *photons.shape)), dark).detector
    assert found.zero_from == "dark frames"
    assert found.zero_counts.value == pytest.approx(1e-4, abs=1e-4)


def test_a_stack_is_no_movie(run, tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((5, 64, 64), np.uint16), imagej=True, metadata={"axes": "ZYX"})
    code, _, err = run("detector", path, "-o", tmp_path / "out")
    assert code == 2
    assert "this is not a movie" in err


def test_three_frames_are_too_few(run, tmp_path, taken):
    movie = write(tmp_path / "short.tif", tifffile.imread(taken[0])[:3])
    code, _, err = run("detector", movie, "-o", tmp_path / "out")
    assert (code, "3 frames can be used" in err) == (2, True)


# --- the file, and who takes it ------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(taken):
    lit, dark = map(str, taken)
    return cop.run(DetectorRecipe(stack=MovieOptions(source=lit), dark=dark))


@pytest.fixture(scope="module")
def measured_file(found, tmp_path_factory):
    return cop.write_document(found, tmp_path_factory.mktemp("detector") / "green.json")


def test_command(run, taken, tmp_path):
    lit, dark = taken
    code, text, err = run("detector", lit, "--dark", dark, "-o", tmp_path / "out")
    assert code == 0, err
    assert "counts per photon (95 % CI" in text.splitlines()[0]
    assert text.count(" counts per photon (") == 1  # the verdict is said once
    assert "from dark frames" in text
    for suffix in ("svg", "pdf", "png"):
        assert (tmp_path / "out" / "figures" / f"transfer.{suffix}").stat().st_size > 1000
    document = cop.read_document(tmp_path / "out")
    assert document.provenance.inputs["lit"]["stack"].sha256
    assert document.provenance.inputs["dark frames"]["stack"].sha256
    zero = read_detector(tmp_path / "out").zero_counts
    assert zero.value == pytest.approx(DARK, abs=0.05)


def test_replay(run, measured_file):
    code, text, err = run("replay", measured_file)
    assert code == 0, err
    assert "The same numbers" in text


def test_a_profile_takes_the_zero_of_the_detector(run, tiny_weights, measured_file, tmp_path):
    stack = tmp_path / "stack.tif"
    rng = np.random.default_rng(9)
    counts = frames(rng, picture(rng, 192), 3)
    tifffile.imwrite(stack, counts, photometric="minisblack", metadata={"axes": "ZYX"})
    options = (stack, "--z-step-um", 5, "--weights", tiny_weights)
    zero = read_detector(measured_file).zero_counts.value
    given = ("--offset-counts", repr(zero)), ("--detector", measured_file)
    planes = []
    for number, words in enumerate(given):
        out = tmp_path / str(number)
        code, _, err = run("profile", *options, *words, "-o", out)
        assert code == 0, err
        planes.append((out / "planes.csv").read_text())
    assert planes[0] == planes[1]
    document = json.loads((tmp_path / "1" / "report.json").read_text())
    assert document["provenance"]["inputs"]["stack"]["detector"]["sha256"]
    code, text, err = run("replay", tmp_path / "1")
    assert (code, "The same numbers" in text) == (0, True), err


def test_another_zero_beside_the_detector_is_refused(tiny_estimator, measured_file):
    counts = frames(np.random.default_rng(10), np.ones((192, 192), np.float32), 3)
    stack = cop.open_stack(counts, z_step_um=5, detector=measured_file)
    with pytest.raises(cop.InputError, match="given as 90 counts and as 100"):
        cop.profile(stack, estimator=tiny_estimator, offset_counts=90)
    rounded = cop.profile(stack, estimator=tiny_estimator, offset_counts=100)
    assert rounded.offset_counts == 100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no detector can be read"),
        ("{}", "it does not describe a detector"),
        ('{"kind": "detector", "detector": {"zero_counts": 3}}', "it was changed"),
    ],
)
def test_a_file_that_is_no_detector(run, tmp_path, tiny_weights, taken, text, told):
    (tmp_path / "detector.json").write_text(text)
    code, _, err = run(
        "profile", taken[0], "--z-step-um", 5, "--weights", tiny_weights,
        "--detector", tmp_path / "detector.json", "-o", tmp_path / "out",
    )  # fmt: skip
    assert (code, told in err) == (2, True), err


def test_a_plan_names_detectors(taken, measured_file, tmp_path):
    (tmp_path / "green.json").write_bytes(measured_file.read_bytes())
    plan = tmp_path / "plan.csv"
    plan.write_text(
        f"stack,arm,detector\n{taken[0]},fixed,green.json\n{taken[1]},gained,metadata\n"
    )
    first, second = read_plan(plan, read_power_table).stacks
    assert first.stack.detector == str(tmp_path / "green.json")
    assert second.stack.detector is None
    plan.write_text(f"stack,arm,detector\n{taken[0]},fixed,gone.json\n")
    with pytest.raises(PlanError) as told:
        read_plan(plan, read_power_table)
    assert "detector: gone.json: no such file" in told.value.problems[0]


# --- history -------------------------------------------------------------------------------------


def test_history_tells_drift(run, tmp_path):
    rng, history = np.random.default_rng(11), tmp_path / "history.csv"
    photons = picture(rng)
    said = []
    for day, gain in enumerate((12.0, 12.0, 13.0)):
        counts = frames(rng, photons, detector=Detector(gain_counts=gain))
        movie = write(tmp_path / f"day{day}.tif", counts)
        os.utime(movie, (86400 * (20000 + day),) * 2)
        code, text, err = run("detector", movie, "-o", tmp_path / "d.json", "--history", history)
        assert code == 0, err
        said.append(text.splitlines()[-1])
    assert said[0] == "history: the first measurement of this history."
    assert "no change beyond the intervals in 2 measurements" in said[1]
    assert "counts per photon drifted" in text
    assert "on 2024-10-04" in text
    run("detector", movie, "-o", tmp_path / "d.json", "--history", history)
    assert [each.movie for each in read_history(history)] == ["day0.tif", "day1.tif", "day2.tif"]
    assert (tmp_path / "history.png").stat().st_size > 1000


def test_a_damaged_history_is_refused_before_the_work(run, taken, tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("taken,movie\n2026-01-01,a.tif\n")
    code, _, err = run("detector", taken[0], "-o", tmp_path / "d.json", "--history", history)
    assert (code, "the header lacks" in err) == (2, True)
    assert not (tmp_path / "d.json").exists()


def dated(found, day, movie="movie.tif", **values):
    """Return a measurement as if of another movie, from another day, with other values."""
    made = found.provenance[found.name]
    files = replace(made.files, modified=f"2026-01-{day:02}T12:00:00+00:00")
    provenance = {found.name: replace(made, source=f"folder/{movie}", files=files)}
    return replace(found, provenance=provenance, detector=replace(found.detector, **values))


def test_a_history_shows_counts_as_they_are(found, tmp_path):
    history, zero = tmp_path / "history.csv", Estimate(100.125, (100.105, 100.147))
    add_to_history(dated(found, 1, zero_counts=zero), history)
    figure = history_figure(read_history(history))
    figure.draw_without_rendering()
    (ax,) = [ax for ax in figure.axes if ax.get_title() == "Zero level"]
    assert ax.yaxis.get_offset_text().get_text() == ""
    shown = [float(text.get_text()) for text in ax.get_yticklabels()]
    assert 100 < min(shown) < max(shown) < 100.3


def test_numbers_below_zero_are_read_back_from_a_history(found, tmp_path):
    history, zero = tmp_path / "history.csv", Estimate(-53.7, (-54.2, -53.1))
    for day in (1, 2):
        add_to_history(dated(found, day, zero_counts=zero), history)
    assert [each.values["zero_counts"] for each in read_history(history)] == [zero, zero]


@pytest.mark.parametrize(
    "name", ["=run.tif", "-1.tif", "'=run.tif", " a  b.tif", "a\r\n.tif", "\udcff.tif"]
)
def test_a_movie_is_in_a_history_once_whatever_its_name(found, tmp_path, name):
    history = tmp_path / "history.csv"
    for _ in range(2):
        add_to_history(dated(found, 1, name), history)
    (row,) = read_history(history)
    assert row.movie == " ".join(name.replace("\udcff", r"\udcff").split())
    assert not history.read_text().splitlines()[1].partition(",")[2].startswith(("=", "-"))


def test_two_measurements_at_once_are_both_in_the_history(found, tmp_path, monkeypatch):
    history = tmp_path / "history.csv"

    def slowly(path):
        rows = read_history(path)
        time.sleep(0.5)  # the other one reads what this one has read
        return rows

    monkeypatch.setattr("cop_core.report.detector_history.read_history", slowly)
    with ThreadPoolExecutor() as pool:
        [*pool.map(lambda day: add_to_history(dated(found, day), history), (1, 2, 3))]
    assert [each.taken.day for each in read_history(history)] == [1, 2, 3]


def test_amplifier_noise_that_was_none_drifts_without_a_share(found, tmp_path):
    values = (Estimate(0.0, (0.0, 0.3)), Estimate(2.0, (1.8, 2.2)))
    for day, value in enumerate(values, 1):
        said = add_to_history(dated(found, day, amplifier_counts=value), tmp_path / "history.csv")
    assert said == (
        "amplifier noise drifted by more than the intervals allow: 0 on 2026-01-01, 2 on "
        "2026-01-02 (+2)",
    )
