"""`time="mean"`: the time points of each plane averaged, whatever the format."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import zarr

from cop_core.errors import InputError
from cop_core.recipes import StackOptions
from cop_core.stacks import open_stack

DATA = np.random.default_rng(0).integers(1, 4000, (4, 3, 2, 40, 48)).astype(np.uint16)
"""Of axes TZCYX."""


def planes(stack):
    return np.stack([plane.data for plane in stack])


def ome_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, ome=True, metadata={"axes": "TZCYX"})
    return tmp_path / "a.ome.tif", {}


def zarr_array(tmp_path):
    path, chunks = tmp_path / "a.zarr", (1, 1, 1, 40, 48)
    zarr.create_array(path, shape=DATA.shape, chunks=chunks, dtype="u2")[:] = DATA
    return path, {"axes": "TZCYX"}


def numpy_array(_):
    return DATA, {"axes": "TZCYX"}


@pytest.mark.parametrize("source", [ome_tiff, zarr_array, numpy_array])
def test_the_mean_of_all_time_points(tmp_path, source):
    path, options = source(tmp_path)
    stack = open_stack(path, time="mean", channel=1, z_step_um=2, **options)
    assert np.allclose(planes(stack), DATA[:, :, 1].mean(axis=0), rtol=1e-6)
    assert stack.dtype == np.float32
    assert stack.image.time is None
    assert stack.image.dtype == "uint16"
    assert stack.options.time == "mean"
    assert "each plane is the mean of its 4 time points" in stack.image.remarks


TYPES = [("u1", "f4"), ("i4", "f8"), ("f2", "f4"), ("f8", "f8")]


@pytest.mark.parametrize(("stored", "kept"), TYPES)
def test_the_type_holds_the_mean(stored, kept):
    stack = open_stack(DATA[:, :, 0].astype(stored), axes="TZYX", time="mean", z_step_um=1)
    assert stack.dtype == np.dtype(kept)
    assert planes(stack).dtype == np.dtype(kept)


def test_a_single_time_point_stays_as_it_is():
    stack = open_stack(DATA[:1, :, 0], axes="TZYX", time="mean", z_step_um=1)
    assert stack.dtype == np.uint16
    assert np.array_equal(planes(stack), DATA[0, :, 0])


def test_a_plane_that_lacks_a_time_point_has_no_mean(tmp_path):
    path, options = zarr_array(tmp_path)
    (path / "c" / "2" / "1" / "0" / "0" / "0").unlink()
    stack = open_stack(path, time="mean", channel=0, z_step_um=1, **options)
    reasons = [plane.validity.reason for plane in stack]
    assert reasons == ["", "unwritten or empty (chunk absent) (time point 2)", ""]


def test_planes_are_no_time_points():
    with pytest.raises(InputError, match="the time axis holds the planes"):
        open_stack(DATA[:, 0, 0], axes="TYX", time="mean", z_step_um=1)


def test_a_choice_is_asked_for_with_the_mean():
    with pytest.raises(InputError, match=r"there are 4 time points: .* or mean for all"):
        open_stack(DATA[:, :, 0], axes="TZYX", z_step_um=1)


@pytest.mark.parametrize("word", ["median", "means", "", "1.5"])
def test_other_words_are_refused(word):
    with pytest.raises(InputError, match="from 0 to 1000000, or mean"):
        StackOptions(time=word)
    assert StackOptions.of(StackOptions(time="mean").plain()).time == "mean"
