"""Estimation: crops, normalisation, batches, the survey, and invariance of results."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import cop_core as cop
from cop_core.errors import CancelledError, InputError
from cop_core.network import VitConfig, save_weights
from cop_core.reading import estimator as estimator_module
from cop_core.reading import load_estimator, profile, survey
from cop_core.reading.blocks import BLOCK, BlockPool
from cop_core.reading.crops import cut
from cop_core.reading.normalisation import normalise, plane_range
from cop_core.reading.planes import NO_RANGE
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.recipes.base import checked
from cop_core.records import NO_SIGNAL, DepthProfile
from cop_core.records.crop_grid import grid_starts

RNG = np.random.default_rng(0)
CROPS = RNG.random((5, 192, 192), np.float32)


def plain(record):
    return TypeAdapter(type(record)).dump_python(record, mode="json")


def read(data, estimator, **options):
    chosen = {key: options.pop(key) for key in ReadingOptions.model_fields if key in options}
    return profile(
        data, z_step_um=2.0, estimator=estimator, reading=ReadingOptions(**chosen), **options
    )


# --- crops -----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(h=st.integers(1, 40), w=st.integers(1, 40), crop=st.integers(1, 17))
def test_the_grid_covers_every_pixel_with_whole_crops(h, w, crop):
    plane = np.arange(h * w, dtype=np.float32).reshape(h, w)
    crops = cut(plane, None, (0, 0), crop)
    assert crops.shape[1:] == (crop, crop)
    assert len(crops) == -(-h // crop) * -(-w // crop)
    assert set(crops.ravel()) == set(plane.ravel())


def test_the_last_crops_of_the_grid_are_shifted_inwards():
    assert grid_starts(192) == [0]
    assert grid_starts(193) == [0, 1]
    assert grid_starts(512) == [0, 192, 320]
    assert grid_starts(100) == [0]
    plane = RNG.random((200, 400), np.float32)
    crops = cut(plane, None, (0, 0))
    assert len(crops) == 2 * 3
    np.testing.assert_array_equal(crops[-1], plane[-192:, -192:])


def test_small_planes_are_continued_by_reflection():
    plane = RNG.random((100, 70), np.float32)
    (crop,) = cut(plane, None, (0, 0))
    np.testing.assert_array_equal(crop[:100, :70], plane)
    np.testing.assert_array_equal(crop[100:192, :70], plane[::-1][:92])
    np.testing.assert_array_equal(crop[:100, 70:140], plane[:, ::-1])
    assert (cut(np.full((1, 1), 0.5, np.float32), 2, (0, 0)) == 0.5).all()


def test_random_crops_depend_on_seed_and_plane_alone():
    plane = RNG.random((300, 260), np.float32)
    crops = cut(plane, 6, (3, 1))
    assert crops.shape == (6, 192, 192)
    np.testing.assert_array_equal(cut(plane, 6, (3, 1)), crops)
    for other in ((3, 2), (4, 1)):
        assert not np.array_equal(cut(plane, 6, other), crops)
    windows = np.lib.stride_tricks.sliding_window_view(plane, (192, 192))
    for crop in crops:
        assert (windows[..., 0, 0] == crop[0, 0]).sum() == 1
        y, x = np.argwhere(windows[..., 0, 0] == crop[0, 0])[0]
        np.testing.assert_array_equal(windows[y, x], crop)


@pytest.mark.parametrize(
    "options",
    [
        *({"crops": 0}, {"crops": -2}, {"crops": 2.5}, {"crops": 2, "seed": -1}),
        *({"offset_counts": float("nan")}, {"offset_counts": -float("inf")}),
    ],
)
def test_impossible_settings_are_refused(options):
    with pytest.raises(InputError):
        ReadingOptions(**options)


# --- normalisation ---------------------------------------------------------------------------


def test_each_normalisation_takes_its_own_range():
    data = RNG.integers(100, 900, (60, 50)).astype(np.uint16)
    data[0, 0] = 60000
    low, high = np.percentile(data.astype(float), (0.1, 99.9))
    assert plane_range(data, "plane-minmax", (7, 8)) == (data.min(), 60000)
    assert plane_range(data, "plane-percentile", (7, 8)) == pytest.approx((low, high))
    assert plane_range(data, "stack-percentile", (7, 8)) == (7, 8)
    assert plane_range(data, "plane-minmax", (7, 8), 90.0) == (90, 60000)


def test_normalising_clips_and_does_not_wrap():
    data = np.array([[0, 100, 150, 200, 65535]], np.uint16)
    out = normalise(data, 100, 200)
    assert out.dtype == np.float32
    assert out.tolist() == [[0, 0, 0.5, 1, 1]]
    assert normalise(np.array([[-128, 127]], np.int8), -128, 127).tolist() == [[0, 1]]


def test_an_unknown_normalisation_is_refused():
    with pytest.raises(InputError, match="stack-percentile or plane-minmax"):
        ReadingOptions(normalisation="none")


def test_one_scale_for_the_stack_tells_dim_planes_from_bright_ones(counts, tiny_estimator):
    stack = counts(2)
    stack[1] = stack[0] // 2 * 2
    stack[1] //= 2
    by_plane = read(stack * 2, tiny_estimator)
    by_stack = read(stack * 2, tiny_estimator, normalisation="stack-percentile")
    assert np.abs(by_stack.mean[1] - by_plane.mean[1]).max() > 1e-4
    assert by_stack.reading.normalisation == "stack-percentile"
    low, high = by_stack.provenance.stack_range_counts
    assert (low, high) == pytest.approx(np.percentile(stack * 2.0, (0.1, 99.9)), abs=2)


# --- what may not change a result ------------------------------------------------------------


def test_rows_sum_to_1_and_crops_are_told_apart(tiny_estimator):
    found = tiny_estimator.predict(CROPS)
    assert found.shape == (5, 6)
    assert found.dtype == np.float64
    assert found.min() > 0
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    flat = tiny_estimator.predict(np.full((1, 192, 192), 0.5))
    assert np.abs(flat - found[0]).max() > 1e-3


@pytest.mark.parametrize("batch_size", [1, 2, 3, 64])
def test_batches_do_not_change_strengths(batch_size, tiny_estimator):
    found = tiny_estimator.predict(CROPS, batch_size=batch_size)
    np.testing.assert_allclose(found, tiny_estimator.predict(CROPS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_batches_do_not_change_a_profile(batch_size, counts, tiny_estimator):
    stack = counts(3)
    whole = read(stack, tiny_estimator)
    found = read(stack, tiny_estimator, batch_size=batch_size)
    np.testing.assert_allclose(found.mean, whole.mean, atol=1e-5, rtol=0)
    np.testing.assert_allclose(found.sd, whole.sd, atol=1e-5, rtol=0)


def test_plane_means_are_means_over_its_crops(counts, tiny_estimator):
    data = counts(1)
    crops = cut(normalise(data[0], *np.percentile(data[0], (0.1, 99.9))), None, (0, 0))
    strengths = tiny_estimator.predict(crops)
    found = read(data, tiny_estimator).planes[0]
    assert found.n_crops == len(crops) == 4
    np.testing.assert_allclose(found.mean, strengths.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.sd, strengths.std(axis=0, ddof=1), atol=1e-6)
    assert found.signal == pytest.approx(data.mean())


DTYPES = ["u1", "i2", "u2", "u4", "i8", "f2", "f4", "f8", ">u2", ">f4", ">f8"]


@pytest.mark.slow
def test_the_type_of_the_pixels_does_not_matter(counts, tiny_estimator):
    stack = counts(2).clip(0, 250)
    truth = read(stack.astype("u1"), tiny_estimator).mean
    same = {dtype: stack.astype(dtype) for dtype in DTYPES}
    same["scaled u2"] = stack * np.uint16(257)
    same["scaled f8"] = stack / 255
    same["scaled f4"] = (stack / 256).astype("f4")
    same["shifted i4"] = stack.astype("i4") - 1000
    for name, data in same.items():
        found = read(data, tiny_estimator).mean
        np.testing.assert_allclose(found, truth, atol=1e-5, rtol=0, err_msg=name)


def test_complex_and_bool_are_refused(tiny_estimator):
    for dtype in (bool, complex):
        with pytest.raises(InputError):
            read(np.ones((2, 200, 200), dtype), tiny_estimator)


def test_colour_is_the_mean_of_its_channels(tiny_estimator):
    colour = RNG.random((2, 192, 192, 3), np.float32)
    each = [tiny_estimator.predict(colour[..., c]) for c in range(3)]
    np.testing.assert_allclose(tiny_estimator.predict(colour), np.mean(each, axis=0), atol=1e-6)


def test_a_network_of_three_channels_reads_grey_as_three_copies(tmp_path, untrained, card_of):
    config = VitConfig(stem="patch", patch=16, channels=3, depth=1, width=48, heads=3)
    path = tmp_path / "rgb.safetensors"
    save_weights(path, untrained(config).state_dict(), card_of(config, "paper"))
    estimator = load_estimator(path, device="cpu", precision="float32")
    copies = np.repeat(CROPS[..., None], 3, axis=3)
    np.testing.assert_allclose(estimator.predict(CROPS), estimator.predict(copies), atol=1e-6)
    turned = np.stack([CROPS, CROPS.transpose(0, 2, 1), CROPS], axis=3)
    assert np.abs(estimator.predict(CROPS) - estimator.predict(turned)).max() > 1e-6


@pytest.mark.parametrize("shape", [(0, 192, 192), (0, 192, 192, 3)])
def test_no_crops_give_no_strengths(shape, tiny_estimator):
    assert tiny_estimator.predict(np.empty(shape)).shape == (0, 6)


def test_views_and_read_only_crops_are_read(tiny_estimator):
    expected = tiny_estimator.predict(CROPS[:1, ::-1].copy())
    np.testing.assert_array_equal(tiny_estimator.predict(CROPS[:1, ::-1]), expected)
    locked = CROPS[:1].copy()
    locked.flags.writeable = False
    np.testing.assert_array_equal(tiny_estimator.predict(locked), tiny_estimator.predict(CROPS[:1]))


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        (np.zeros((192, 192)), r"Use \(n, 192, 192\) or \(n, 192, 192, 3\)"),
        (np.zeros((1, 191, 192)), r"crops of shape \(1, 191, 192\)"),
        (np.zeros((1, 192, 192, 4)), r"crops of shape \(1, 192, 192, 4\)"),
        (np.full((1, 192, 192), 1.01), r"outside \[0, 1\]"),
        (np.full((1, 192, 192), -0.01), r"outside \[0, 1\]"),
        (np.full((1, 192, 192), np.nan), "not finite"),
    ],
)
def test_wrong_crops_are_refused(crops, message, tiny_estimator):
    with pytest.raises(InputError, match=message):
        tiny_estimator.predict(crops)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_impossible_batches_are_refused(batch_size, tiny_estimator, counts):
    with pytest.raises(InputError, match="batch size cannot be"):
        read(counts(2), tiny_estimator, batch_size=batch_size)
    with pytest.raises(InputError, match="batch size cannot be"):
        tiny_estimator.predict(CROPS, batch_size=batch_size)


def _crops(n):
    crops = np.random.default_rng(7).random((n, 192, 192), dtype=np.float32) ** 3
    crops[::3] = np.round(crops[::3] * 30) / 30
    crops[1::3] *= 0.1
    return crops


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_crop_reads_the_same_to_the_last_bit_whatever_is_read_with_it(trained, precision):
    crops = _crops(19)
    estimator = replace(trained("default"), precision=getattr(torch, precision))
    whole = estimator.read(crops)
    for sizes in ([1, 2, 3, 4, 5], [19], [16, 3], [8, 1, 10]):
        start = 0
        for size in sizes:
            own = estimator.read(crops[start : start + size])
            for found, expected in zip(own, whole, strict=True):
                np.testing.assert_array_equal(found, expected[start : start + size])
            start += size


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_neither_place_nor_neighbours_in_a_block_change_a_bit(trained, precision):
    crops = _crops(BLOCK)
    estimator = replace(trained("default"), precision=getattr(torch, precision))
    whole = estimator.read(crops)
    for shift in range(1, BLOCK):
        turned = estimator.read(np.roll(crops, shift, axis=0))
        for found, expected in zip(turned, whole, strict=True):
            np.testing.assert_array_equal(found, np.roll(expected, shift, axis=0))
    for place in range(BLOCK):
        for filling in (0.0, 1.0, 0.5):
            block = np.full_like(crops, filling)
            block[place] = crops[0]
            for found, expected in zip(estimator.read(block), whole, strict=True):
                np.testing.assert_array_equal(found[place], expected[0])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_number_of_threads_does_not_change_a_bit(trained, monkeypatch, precision):
    crops = _crops(10)
    estimator = replace(trained("default"), precision=getattr(torch, precision))
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(estimator_module, "block_pool", lambda n=threads: BlockPool(n))
        found.append(estimator.read(crops))
    for other in found[1:]:
        for values, expected in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(values, expected)


# --- memory ----------------------------------------------------------------------------------


@pytest.fixture
def scarce(tiny_estimator, monkeypatch):
    """Return an estimator on a device with room for few crops, and the calls that it gets."""

    def make(most, error=None):
        calls = []
        values = type(tiny_estimator)._values

        def on(self, x, device):
            calls.append((device.type, len(x)))
            if len(x) > most[device.type]:
                raise error or torch.OutOfMemoryError("no memory")
            return values(self, x, torch.device("cpu"))

        monkeypatch.setattr(type(tiny_estimator), "_values", on)
        return replace(tiny_estimator, device=torch.device("meta")), calls

    return make


def test_batches_shrink_until_they_fit(tiny_estimator, scarce):
    expected = tiny_estimator.predict(CROPS)
    estimator, calls = scarce({"meta": 2})
    found = estimator.predict(CROPS, batch_size=5)
    assert calls == [("meta", 5), ("meta", 2), ("meta", 2), ("meta", 1)]
    np.testing.assert_array_equal(found, expected)


def test_the_cpu_takes_over_where_not_even_one_crop_fits(tiny_estimator, scarce):
    expected = tiny_estimator.predict(CROPS)
    estimator, calls = scarce({"meta": 0, "cpu": 9})
    found = estimator.predict(CROPS, batch_size=4)
    assert calls == [("meta", 4), ("meta", 2), ("meta", 1), ("cpu", 4), ("cpu", 1)]
    np.testing.assert_array_equal(found, expected)


def test_no_memory_anywhere_is_said(scarce):
    estimator, calls = scarce({"meta": 0, "cpu": 0})
    with pytest.raises(cop.CopError, match="memory"):
        estimator.predict(CROPS, batch_size=2)
    assert calls == [("meta", 2), ("meta", 1), ("cpu", 2)]


def test_the_words_of_the_cpu_mean_no_memory(scarce):
    with pytest.raises(RuntimeError) as real:
        torch.empty(10**15)
    estimator, calls = scarce({"meta": 2}, real.value)
    assert len(estimator.predict(CROPS, batch_size=5)) == len(CROPS)
    assert calls == [("meta", 5), ("meta", 2), ("meta", 2), ("meta", 1)]


def test_reading_leaves_the_number_of_threads_alone(tiny_estimator):
    before = torch.get_num_threads()
    tiny_estimator.predict(CROPS)
    assert torch.get_num_threads() == before
    torch.set_num_threads(before + 1)
    try:
        tiny_estimator.predict(CROPS)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


# --- planes that are left out ----------------------------------------------------------------


def test_excluded_planes_say_why_and_leave_the_others_alone(counts, tiny_estimator):
    clean = counts(7).astype(np.float32)
    broken = clean.copy()
    broken[1, 3, 4] = np.nan
    broken[2] = 0
    broken[4] = 17
    broken[5, 0, 0] = np.inf
    before, after = read(clean, tiny_estimator), read(broken, tiny_estimator)
    assert before.kept.all()
    reasons = [p.reason for p in after.planes]
    assert reasons == [
        "",
        "not finite",
        "unwritten or empty (all zero)",
        "",
        "constant",
        "not finite",
        "",
    ]
    for i in (0, 3, 6):
        np.testing.assert_array_equal(after.planes[i].mean, before.planes[i].mean)
        np.testing.assert_array_equal(after.planes[i].sd, before.planes[i].sd)
    for i in (1, 2, 4, 5):
        assert after.planes[i].n_crops == 0
        assert np.isnan(after.planes[i].mean).all()
        assert np.isfinite(after.planes[i].signal)


def test_one_scale_for_the_stack_is_not_touched_by_excluded_planes(counts, tiny_estimator):
    clean = counts(4)
    broken = np.insert(clean, 2, 65535, axis=0)
    before = read(clean, tiny_estimator, normalisation="stack-percentile")
    after = read(broken, tiny_estimator, normalisation="stack-percentile")
    assert after.planes[2].reason == "saturated"
    assert before.provenance.stack_range_counts == after.provenance.stack_range_counts
    np.testing.assert_array_equal(after.mean[after.kept], before.mean)


def test_planes_of_noise_alone_are_found(counts, tiny_estimator):
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:200, :200] / 200
    structure = 400 + 300 * np.sin(9 * x) * np.cos(7 * y)
    planes = [rng.poisson(structure * f) for f in (1, 0.5, 0.1, 0.05)]
    planes += [rng.poisson(np.full((200, 200), 20)) for _ in range(2)]
    stack = cop.open_stack(np.array(planes, np.uint16), z_step_um=1.0)
    assert survey(stack).empty == {4, 5}
    found = read(np.array(planes, np.uint16), tiny_estimator)
    assert [p.reason for p in found.planes] == [""] * 4 + [NO_SIGNAL] * 2
    alone = cop.open_stack(np.array(planes[4:], np.uint16), z_step_um=1.0)
    assert survey(alone).empty == {0, 1}


def test_the_survey_reads_its_range_from_valid_planes(counts):
    data = counts(4).astype(np.float32)
    data[1] = np.nan
    data[2] = 0
    low, high = survey(cop.open_stack(data, z_step_um=1.0)).range_counts
    expected = np.percentile(data[[0, 3]].astype(float), (0.1, 99.9))
    assert (low, high) == pytest.approx(expected)


def test_a_stack_without_a_valid_plane_gives_a_profile(tiny_estimator):
    found = read(np.zeros((3, 200, 200), np.uint8), tiny_estimator)
    assert not found.kept.any()
    assert found.provenance.stack_range_counts is None
    assert found.mean.shape == (3, 6)


def test_a_known_offset_above_the_signal_leaves_no_range(counts, tiny_estimator):
    found = read(counts(2), tiny_estimator, offset_counts=5000.0)
    assert [p.reason for p in found.planes] == [NO_RANGE] * 2
    shifted = read(counts(2), tiny_estimator, offset_counts=0.0)
    assert shifted.kept.all()
    assert np.abs(shifted.mean - read(counts(2), tiny_estimator).mean).max() > 1e-5


def test_small_planes_are_read_and_flagged(counts, tiny_estimator):
    found = read(counts(2, 60), tiny_estimator)
    assert found.kept.all()
    assert all("smaller than a crop" in p.flags for p in found.planes)
    assert [p.n_crops for p in found.planes] == [1, 1]
    assert not found.sd.any()


# --- progress, settings, weights -------------------------------------------------------------


def test_progress_counts_survey_and_reading(counts, tiny_estimator):
    told = []
    read(counts(3), tiny_estimator, crops=1, progress=lambda *step: told.append(step))
    assert told == [(i, 6) for i in range(1, 7)]


@pytest.mark.parametrize("stop_at", [1, 3, 4, 6])
def test_cancelling_stops_where_it_is_asked(stop_at, counts, tiny_estimator):
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) == stop_at

    with pytest.raises(CancelledError, match=f"step {stop_at} of 6"):
        read(counts(3), tiny_estimator, crops=1, cancelled=cancelled)
    assert len(asked) == stop_at


def test_a_profile_says_how_it_was_made(counts, tiny_weights, tiny_estimator):
    found = read(counts(2), tiny_estimator, crops=2, seed=5, name="mine", power=12.0)
    assert found.name == "mine"
    own = {"weights": str(tiny_weights), "device": "cpu", "precision": "float32"}
    assert found.reading == ReadingOptions(crops=2, seed=5, **own)
    made = found.provenance
    assert made.source == "array"
    assert made.opened == StackOptions(z_step_um=2.0, power=12.0)
    assert made.image.plane_shape == (200, 200)
    assert made.weights.sha256 == tiny_estimator.card.sha256
    assert made.weights.genome == "microscopy"
    assert (made.device, made.precision) == ("cpu", "float32")
    assert checked(DepthProfile, json.loads(json.dumps(plain(found)))).provenance == made
    assert found.depth_um.tolist() == [0, 2]
    assert found.power_mw.tolist() == [12, 12]
    assert [p.n_crops for p in found.planes] == [2, 2]
    by_path = read(counts(2), None, crops=2, seed=5, weights=tiny_weights, device="cpu")
    assert by_path.components == found.components


def test_weights_device_and_precision_are_checked(tiny_weights):
    with pytest.raises(InputError, match="no such weights"):
        load_estimator("nothing")
    for device in ("nothing", "cuda:99"):
        with pytest.raises(InputError, match="Use auto or cpu"):
            load_estimator(tiny_weights, device=device)
    with pytest.raises(InputError, match="auto, float32 or bfloat16"):
        load_estimator(tiny_weights, device="cpu", precision="int8")
    low = load_estimator(tiny_weights, device="cpu", precision="bfloat16")
    full = load_estimator(tiny_weights, device="cpu", precision="float32")
    assert (low.precision, full.precision) == (torch.bfloat16, torch.float32)
    np.testing.assert_allclose(low.predict(CROPS[:1]), full.predict(CROPS[:1]), atol=0.02)


def test_weights_that_changed_on_disk_are_loaded_anew(own_weights, untrained, card_of):
    before = load_estimator(own_weights, device="cpu", precision="float32").predict(CROPS[:1])
    config = VitConfig(depth=1, width=48, heads=3)
    save_weights(own_weights, untrained(seed=9).state_dict(), card_of(config))
    after = load_estimator(own_weights, device="cpu", precision="float32").predict(CROPS[:1])
    assert np.abs(after - before).max() > 1e-4


# --- the SD of the noise ---------------------------------------------------------------------


def test_the_sd_of_the_noise_adds_both_variances(tiny_estimator):
    strengths = tiny_estimator.predict(CROPS)
    gaussian, poisson = (tiny_estimator.components.index(c) for c in ("gaussian", "poisson"))
    amplifier, shot = strengths[:, gaussian] / 2, strengths[:, poisson] / 2
    expected = amplifier**2 + shot**2 * CROPS.mean((1, 2))
    np.testing.assert_allclose(tiny_estimator.noise_sd(CROPS) ** 2, expected, rtol=1e-5)
    colour = np.stack([CROPS] * 3, axis=-1)
    np.testing.assert_allclose(tiny_estimator.noise_sd(colour) ** 2, expected, rtol=1e-5)


@pytest.mark.parametrize(("amplifier", "photons"), [(0.03, np.inf), (0.0, 400), (0.04, 100)])
def test_the_sd_of_the_noise_is_that_which_was_put_in(trained, amplifier, photons):
    y, x = np.mgrid[:192, :192] / 192
    scene = 0.4 + 0.2 * np.sin(9 * x) * np.cos(7 * y)
    sd = np.sqrt(amplifier**2 + scene / photons)
    noisy = scene + sd * np.random.default_rng(1).standard_normal((3, *scene.shape))
    found = trained("default").noise_sd(np.clip(noisy, 0, 1))
    np.testing.assert_allclose(found, np.sqrt((sd**2).mean()), rtol=0.1)


def test_weights_whose_strengths_are_no_sds_tell_none(trained):
    with pytest.raises(InputError, match="'paper-small' are not SDs"):
        trained("paper-small").noise_sd(CROPS)
