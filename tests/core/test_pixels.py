"""Pixels that are not image: fill, ceilings, floors, fixed pixels, and processing."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import cop_core as cop
from cop_core.records import PixelFacts, told_of_pixels
from cop_core.stacks import Plane, Validity, check_plane
from cop_core.stacks.border import WHOLE, Border, find_border
from cop_core.stacks.distinct import distinct, percentiles
from cop_core.stacks.fixed_pixels import FixedPixels, far_pixels, picture_of
from cop_core.stacks.processed import is_smoothed, shows_blocks
from cop_core.stacks.structure import structure
from cop_core.stacks.told_by_pixels import floor_fraction, pixel_facts

SIDE = 256
SAMPLES = ("fixed.ome.tif", "gained.ome.zarr")


def scene(seed=0, side=SIDE):
    """Return a smooth image in [0, 1]."""
    rng = np.random.default_rng(seed)
    picture = ndimage.gaussian_filter(rng.random((side, side)), 5)
    picture -= picture.min()
    return picture / picture.max()


def detected(picture, photons=60, gain=20.0, amplifier=6.0, offset=100.0, seed=0):
    """Return counts of an image: shot noise, amplifier noise and a zero level."""
    rng = np.random.default_rng(seed)
    light = gain * rng.poisson(photons * picture)
    return np.round(light + rng.normal(offset, amplifier, picture.shape))


def stack(n=8, **light):
    """Return planes (n, 256, 256) of different tissue that fade with depth."""
    return np.stack([detected(scene(i), 60 * 0.85**i, seed=i, **light) for i in range(n)]).astype(
        np.uint16
    )


@pytest.fixture(scope="module")
def planes():
    found = stack()
    found.setflags(write=False)
    return found


def plane(data, index=0):
    return Plane(index, data, 0.0, 0.0, check_plane(data))


def facts(data):
    one = plane(data)
    return pixel_facts(one, picture_of(one), 0)


def found_in(data):
    fixed = FixedPixels()
    for index, one in enumerate(data):
        fixed.add(plane(np.ascontiguousarray(one), index))
    return fixed.found()


# --- fill ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 37, 65535])
@pytest.mark.parametrize(
    "border",
    [Border(1), Border(40, 0, 0, 30), Border(0, 25, 3, 0), Border(50, 50, 50, 50)],
    ids=str,
)
def test_fill_is_left_out(planes, border, value):
    data = np.full((SIDE, SIDE), value, np.uint16)
    inside = border.inside(data.shape)
    data[inside] = planes[0][inside]
    assert find_border(data) == border
    found = check_plane(data)
    assert (found.reason, found.border) == ("", border)
    assert np.array_equal(picture_of(plane(data)), planes[0][inside])


def test_each_line_of_fill_may_have_a_value_of_its_own(planes):
    data = planes[0].copy()
    data[:6] = np.arange(100, 106)[:, np.newaxis]
    data[:, -3:] = [7, 0, 9]
    assert find_border(data) == Border(6, 0, 0, 3)


@pytest.mark.parametrize("reshape", [True, False])
@pytest.mark.parametrize("angle", [3, 7, 20, -45])
def test_corners_that_a_rotation_fills(planes, angle, reshape):
    turned = ndimage.rotate(planes[0].astype(np.float32), angle, reshape=reshape, order=1)
    data = np.round(turned).astype(np.uint16)
    found = check_plane(data)
    image = data[found.border.inside(data.shape)]
    assert found.ok
    assert (data == 0).mean() > 0.01
    assert image.min() > 0
    # the largest upright square in a square turned by an angle, and three pixels at each side
    radians = np.deg2rad(abs(angle))
    within = SIDE / (np.cos(radians) + np.sin(radians))
    assert within - 6 <= min(image.shape) <= max(image.shape) <= within + 6
    assert facts(data).floor_fraction == 0


@pytest.mark.parametrize("corner", ["dark", "bright"])
def test_corners_at_the_floor_or_the_ceiling_are_image(corner):
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:SIDE, :SIDE]
    signal = np.hypot(y, x) / SIDE * 400 - 100
    data = np.clip(rng.normal(signal, 60), 0, None)
    if corner == "bright":
        data = np.minimum(600 - np.minimum(data, 600), 560)
    assert (data[:8, :8] == data[0, 0]).mean() > 0.9
    assert find_border(np.round(data).astype(np.uint16)) == WHOLE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_border_that_is_not_finite(planes, value):
    data = planes[0].astype(np.float32)
    data[:, :8] = value
    data[-6:] = np.nan
    assert find_border(data) == Border(0, 6, 8, 0)
    assert check_plane(data).ok


def test_a_turned_plane_keeps_what_is_finite_between_its_corners(planes):
    turned = ndimage.rotate(planes[0].astype(np.float32), 1.0, reshape=False, order=1, cval=np.nan)
    found = check_plane(turned)
    assert found.ok
    assert all(1 <= side <= 6 for side in found.border)


@pytest.mark.parametrize(
    "place", [np.s_[0, 0], np.s_[5, 7], np.s_[:, :200], np.s_[100:110, 100:110]], ids=str
)
def test_what_is_not_finite_and_no_border_is_told(planes, place):
    data = planes[0].astype(np.float32)
    data[place] = np.nan
    assert check_plane(data) == Validity("not finite")


def dark():
    """Yield names and planes of little light, whose edges may have one value by chance."""
    rng = np.random.default_rng(0)
    for photons in (0.5, 0.1, 0.03, 0.01, 0.003, 0.001):
        yield f"{photons} photons", rng.poisson(photons, (SIDE, SIDE))
        yield f"{photons} photons, small", rng.poisson(photons, (40, 40))
    yield "rounded", np.round(rng.normal(100, 0.25, (SIDE, SIDE)))
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(y - 120, x - 140)
    yield "a cell in black", rng.poisson(80 * np.exp(-((away / 40) ** 2)) * (away < 60))
    yield "a round sample in black", rng.poisson(60 * (away < 90))
    yield "zero", np.zeros((SIDE, SIDE))


@pytest.mark.parametrize(
    ("name", "data"), dark(), ids=lambda one: one if isinstance(one, str) else ""
)
def test_the_dark_is_no_fill(name, data):
    assert find_border(data.astype(np.uint16)) == WHOLE


@pytest.mark.parametrize("share", [0.2, 0.3])
def test_a_little_picture_in_much_fill_is_left_as_it_is(planes, share):
    data, n = np.zeros((SIDE, SIDE), np.uint16), int(share * SIDE)
    data[:n] = planes[0][:n]
    assert (find_border(data) == WHOLE) == (share < 0.25)


# --- ceiling and floor ---------------------------------------------------------------------------


def clipped(ceiling=4094.0, frames=1, seed=0):
    """Return a plane with more than a fifth of its pixels at the ceiling."""
    bright = 6 * scene(seed) ** 2
    taken = [np.minimum(detected(bright, 2000, 3.0, seed=seed + k), ceiling) for k in range(frames)]
    return np.mean(taken, axis=0)


CLIPPED = {
    "4094": clipped().astype(np.uint16),
    "13 bits less an offset": (clipped(8191.0) + 38).astype(np.int16),
    "scaled floats": (clipped(4095.0) / 4095 * 0.731 - 0.02).astype(np.float32),
    "average of four frames": clipped(4095.0, frames=4),
    "sum of four frames": (4 * clipped(4094.0, frames=4)).astype(np.int32),
}


@pytest.mark.parametrize("data", CLIPPED.values(), ids=CLIPPED)
def test_bright_pixels_pile_up_wherever_the_ceiling_is(data):
    at_top = np.mean(data >= data.max() - 1e-6 * abs(data.max()))
    found = check_plane(data)
    assert found.reason == "saturated"
    assert found.saturated_fraction == pytest.approx(at_top)
    hotter = data.copy()
    hotter.flat[:: hotter.size // 60] = data.max() + data.dtype.type(1 + data.max() // 50)
    assert check_plane(hotter).reason == "saturated"
    assert check_plane(hotter).saturated_fraction == pytest.approx(at_top, abs=0.002)


def test_few_pixels_at_a_ceiling_are_counted():
    data = np.minimum(detected(scene(), 200, 20.0), 3333).astype(np.uint16)
    found = check_plane(data)
    assert found.ok
    assert found.saturated_fraction == np.mean(data == 3333) > 0


def test_a_stated_ceiling_is_taken(planes):
    ceiling = float(np.percentile(planes[0], 99))
    assert check_plane(planes[0]).saturated_fraction == 0
    found = check_plane(planes[0], ceiling_counts=ceiling)
    assert found.saturated_fraction == np.mean(planes[0] >= ceiling)


@pytest.mark.parametrize("gain", [1, 7, 20])
@pytest.mark.parametrize("photons", [0.02, 0.5, 3, 60])
def test_counts_of_photons_have_no_ceiling_and_no_cut_off_floor(photons, gain):
    data = (gain * np.random.default_rng(0).poisson(photons * scene())).astype(np.uint16)
    assert check_plane(data).saturated_fraction == 0
    assert floor_fraction(data) == 0


def test_a_floor_that_is_cut_off():
    data = np.clip(detected(scene(), 2, offset=0.0), 0, None).astype(np.uint16)
    at_zero = np.mean(data == 0)
    assert floor_fraction(data) == at_zero > 0.1
    (note,) = facts(data).notes
    assert note == f"floor cut off ({100 * at_zero:.0f} % of pixels)"
    assert floor_fraction(detected(scene(), 2)) == 0


# --- what was done to pixels ---------------------------------------------------------------------


def test_blocks_of_jpeg_are_seen(planes):
    for one in planes:
        eight = np.clip(one / planes.max() * 255, 0, 255).astype(np.uint8)
        decoded = imagecodecs.jpeg_decode(imagecodecs.jpeg_encode(eight, level=50))
        assert shows_blocks(decoded)
        assert shows_blocks(decoded[5:, 3:])
        assert not shows_blocks(eight)


def doubled(data, order):
    return ndimage.zoom(
        data[:128, :128].astype(float), 2, order=order, grid_mode=True, mode="nearest"
    )


SMOOTHING = {
    "half a pixel": lambda data: ndimage.shift(data.astype(float), 0.5, order=1)[1:, 1:],
    "half a pixel down": lambda data: ndimage.shift(data.astype(float), (0.5, 0), order=1)[1:],
    "half a pixel, cubic": lambda data: ndimage.shift(data.astype(float), 0.5, mode="nearest"),
    "doubled": lambda data: doubled(data, 0),
    "doubled, linear": lambda data: doubled(data, 1),
    "doubled, cubic": lambda data: doubled(data, 3),
    "blurred": lambda data: ndimage.gaussian_filter(data.astype(float), 1),
    "median": lambda data: ndimage.median_filter(data, 3),
    "median of 5 x 5": lambda data: ndimage.median_filter(data, 5),
}


@pytest.mark.parametrize("smooth", SMOOTHING.values(), ids=SMOOTHING)
def test_noise_without_its_finest_detail_is_seen(planes, smooth):
    assert all(is_smoothed(np.round(smooth(one))) for one in planes)
    assert not any(is_smoothed(one) for one in planes)


def test_a_slow_amplifier_is_no_smoothing():
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    for column in range(1, SIDE):
        noise[:, column] += 0.7 * noise[:, column - 1]
    assert not is_smoothed(noise)


# --- fixed pixels --------------------------------------------------------------------------------

RNG = np.random.default_rng(5)
PLACES = np.stack([RNG.integers(3, SIDE - 3, 66), RNG.integers(3, SIDE - 3, 66)])  # one in 1,000
FIXED = {
    "hot": lambda data: 4095,
    "warm": lambda data: data + 500,
    "warm, with noise of its own": lambda data: data + 20 * RNG.poisson(30, data.shape),
    "stuck": lambda data: 1800,
    "dead": lambda data: 0,
}


def with_fixed(data, value, places=PLACES):
    data = data.copy()
    data[:, places[0], places[1]] = value(data[:, places[0], places[1]])
    return data, {int(y * SIDE + x) for y, x in places.T}


@pytest.mark.parametrize("value", FIXED.values(), ids=FIXED)
def test_pixels_that_stand_out_in_every_plane_are_found(value):
    data, places = with_fixed(stack(12), value)
    found = found_in(data)
    assert found <= places
    assert len(found) >= 0.9 * len(places)
    assert found_in(data[::-1]) == found


def test_small_clusters_are_found(planes):
    pairs = np.concatenate(
        [PLACES[:, :20], PLACES[:, :20] + [[0], [1]], PLACES[:, :10] + [[1], [0]]], 1
    )
    data, places = with_fixed(planes, FIXED["hot"], pairs)
    assert found_in(data) == places


def test_others_stand_in_for_them(planes):
    data, places = with_fixed(planes, FIXED["hot"])
    picture = picture_of(plane(data[0]), found_in(data))
    apart = np.flatnonzero(picture != planes[0])
    assert set(apart.tolist()) <= places
    assert picture.max() <= planes[0].max()
    assert picture.dtype == planes.dtype


def test_tissue_noise_and_the_dark_are_no_fixed_pixels(planes):
    rng = np.random.default_rng(1)
    assert not found_in(planes)
    still = [detected(scene(), seed=k) for k in range(20)]  # the same in every frame
    assert not found_in(still)
    spots = np.zeros((SIDE, SIDE))
    spots[PLACES[0], PLACES[1]] = 1
    spots = ndimage.gaussian_filter(spots, 0.8)
    assert not found_in([detected(scene() / 4 + 20 * spots, seed=k) for k in range(20)])
    for photons in (0.3, 0.03, 0.003):
        assert not found_in(rng.poisson(photons, (8, SIDE, SIDE)).astype(np.uint16))


def test_too_few_planes_and_too_many_pixels_tell_nothing(planes):
    data, _ = with_fixed(planes, FIXED["hot"])
    assert not found_in(data[:4])
    many = np.stack(np.unravel_index(RNG.permutation(SIDE**2)[: SIDE**2 // 50], (SIDE, SIDE)))
    assert not found_in(with_fixed(planes, FIXED["hot"], many)[0])


# --- in readings ---------------------------------------------------------------------------------


def spoilt(data, how):
    data = data.astype(np.float32) if how == "not finite" else data.copy()
    if how == "one row":
        data[:, 0] = 0
    elif how == "wide":
        data[:, :, :30] = data[:, -20:] = 7
    elif how == "not finite":
        data[:, :, -9:] = np.nan
    elif how == "growing":
        for k in range(len(data)):
            data[k] = np.roll(data[k], k, axis=0)
            data[k, :k] = 0
    else:
        data, _ = with_fixed(data, FIXED[how])
    return data


@pytest.fixture(scope="module")
def strengths():
    """Read stacks with the shipped weights: array -> profile."""
    estimator = cop.load_estimator("default", device="cpu", precision="float32")
    return lambda data: cop.profile(data, estimator=estimator, z_step_um=10.0)


@pytest.fixture(scope="module")
def as_it_is(strengths, planes):
    return strengths(planes[:6])


@pytest.mark.parametrize("how", ["one row", "wide", "not finite", "growing", "hot", "dead"])
def test_strengths_are_as_without(how, strengths, as_it_is, planes):
    found = strengths(spoilt(planes[:6], how))
    assert found.kept.all()
    np.testing.assert_allclose(found.of("poisson"), as_it_is.of("poisson"), atol=0.03)
    told = [flag for one in found.planes for flag in one.flags]
    assert len(told) == (5 if how == "growing" else 6)


def test_ordinary_planes_have_no_notes(as_it_is):
    assert [one.flags for one in as_it_is.planes] == [()] * 6
    assert {one.pixels for one in as_it_is.planes} == {PixelFacts()}


def test_hot_pixels_do_not_hide_the_signal_of_a_dim_plane(tiny_estimator):
    dim = np.stack([detected(scene(i), 4, seed=i) for i in range(8)]).astype(np.uint16)
    data, _ = with_fixed(dim, FIXED["hot"])
    for one in (dim, data):
        assert cop.profile(one, estimator=tiny_estimator, z_step_um=1.0).kept.all()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_has_nothing_to_note(name, pytestconfig):
    sample = cop.open_stack(pytestconfig.rootpath / "sample_data" / name)
    fixed = FixedPixels()
    for one in sample:
        fixed.add(one)
        assert pixel_facts(one, picture_of(one), 0) == PixelFacts()
    assert not fixed.found()


def test_what_is_told_of_all_planes():
    some = [PixelFacts(3, 0, 12, 0.2), PixelFacts(1, 5, 12, smoothed=True), PixelFacts(masked=12)]
    assert told_of_pixels(some) == (
        "in 1 of 3 planes, 20 % of the pixels are at the lowest value: values below it seem "
        "to be cut off, so noise in dark regions is read wrongly (except with photon counting)",
        "12 hot or dead pixels masked in every plane",
        "fill left out at the edges of 2 of 3 planes: up to 3 rows and 5 columns",
    )
    assert told_of_pixels([]) == told_of_pixels([PixelFacts()]) == ()
    (floor,) = told_of_pixels([PixelFacts(floor_fraction=0.56)])
    assert floor.startswith("56 % of the pixels are at the lowest value: ")
    one = told_of_pixels([PixelFacts(3, 0, 12, smoothed=True)])
    assert one == (
        "the plane was interpolated or smoothed: neighbouring pixels share their noise, which is "
        "read too low",
        "12 hot or dead pixels masked",
        "fill left out at the edges of the plane: 3 rows",
    )
    assert told_of_pixels([PixelFacts(3)] * 2) == (
        "fill left out at the edges of all 2 planes: up to 3 rows",
    )
    (lossy,) = told_of_pixels([PixelFacts(lossy=True), PixelFacts()])
    assert lossy.startswith("lossy compression changed or removed the noise of 1 of 2 planes")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
@given(data=st.data())
def test_values_are_counted_and_percentiles_are_those_of_numpy(dtype, data):
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    seed, span = data.draw(st.integers(0, 2**32 - 1)), data.draw(st.integers(1, 120))
    pixels = np.random.default_rng(seed).integers(-span, span, shape, endpoint=True)
    pixels = (pixels - pixels.min() * (dtype[0] == "u")).astype(dtype)
    values, counts = np.unique(pixels, return_counts=True)
    found = distinct(pixels)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.counts, counts)
    wanted = (0.0, 0.1, 37.5, 50.0, 99.9, 100.0)
    np.testing.assert_array_equal(percentiles(pixels, wanted), np.percentile(pixels, wanted))


def some_pixels(dtype, shape, seed, level):
    """Return counts around a level, as a view with lines that are not contiguous."""
    wide = np.random.default_rng(seed).poisson(9, (shape[0] + 3, shape[1] + 2)) + level
    wide[shape[0] // 2, shape[1] // 2 :] += 70
    return wide.astype(dtype)[2:-1, 1:-1]


PICTURES = {"shape": st.tuples(st.integers(5, 70), st.integers(5, 70)), "seed": st.integers(0, 999)}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "float32", "float64"])
@given(**PICTURES)
def test_far_pixels_are_those_of_plain_arithmetic(dtype, shape, seed):
    pixels = some_pixels(dtype, shape, seed, 40)
    wide = np.pad(pixels.astype(float), 2, mode="reflect")
    four = np.sort([wide[:-4, 2:-2], wide[4:, 2:-2], wide[2:-2, :-4], wide[2:-2, 4:]], axis=0)
    excess = pixels - (four[1] + four[2]) / 2
    low, high = np.percentile(excess, (1, 99))
    noise = max(1.4826 * np.median(abs(excess)), np.clip(excess, low, high).std())
    above, below = far_pixels(pixels)
    # halves of counts against a limit of the noise: no rounding can decide
    np.testing.assert_array_equal(above, excess > np.maximum(3 * noise, four[2] - four[0]))
    np.testing.assert_array_equal(below, -excess > np.maximum(3 * noise, four[3] - four[1]))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("level", [3, 100, 30_000])
@given(**PICTURES)
def test_structure_is_that_of_plain_arithmetic(dtype, level, shape, seed):
    pixels = some_pixels(dtype, shape, seed, level if dtype != "uint8" else 3)
    found, (rows, columns) = structure(pixels), np.array(shape) // 8
    assert found.pixel_sd == pytest.approx(pixels.std(dtype=float), rel=1e-5)
    if rows > 1 and columns > 1:
        blocks = pixels[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).astype(float)
        noise = blocks.var(axis=(1, 3), ddof=1).mean() / 64
        excess = blocks.mean(axis=(1, 3)).var(ddof=1) - noise
        assert found.sd**2 == pytest.approx(max(0.0, excess), rel=1e-4, abs=1e-5 * noise)
