from __future__ import annotations

import itertools
import json

import dask.array as da
import numpy as np
import pytest
import zarr

from cop_core.errors import InputError
from cop_core.recipes import GainedPower, StackOptions
from cop_core.stacks import Stack, open_stack

RNG = np.random.default_rng(0)
ZYX = RNG.integers(1, 4000, (5, 20, 24)).astype(np.uint16)


def planes(stack):
    return np.stack([plane.data for plane in stack])


def test_array_is_a_stack():
    stack = open_stack(ZYX, z_step_um=2.5, power=[1, 2, 3, 4, 5], name="mine")
    assert isinstance(stack, Stack)
    assert (stack.name, stack.source, stack.shape, len(stack)) == ("mine", "array", ZYX.shape, 5)
    assert stack.depth_um.tolist() == [0, 2.5, 5, 7.5, 10]
    plane = stack.plane(3)
    assert (plane.index, plane.depth_um, plane.power) == (3, 7.5, 4)
    assert plane.validity.ok
    assert plane.validity.flags == ("smaller than a crop",)
    assert np.array_equal(planes(stack), ZYX)
    assert stack.pixel_size_um is None


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", ">u2", "u4", ">i4", "u8", "f2", ">f4", "f8"]
)
def test_real_types_give_native_planes(dtype):
    data = (ZYX % 100).astype(dtype)
    stack = open_stack(data, z_step_um=1)
    assert stack.dtype == np.dtype(dtype).newbyteorder("=")
    assert stack.plane(0).data.dtype == stack.dtype
    assert stack.plane(0).data.dtype.isnative
    assert np.array_equal(planes(stack), ZYX % 100)


@pytest.mark.parametrize("dtype", ["?", "c8", "c16", "M8[s]", "O", "S4"])
def test_other_types_are_refused(dtype):
    with pytest.raises(InputError, match="pixels of type"):
        open_stack(np.zeros((3, 20, 20), dtype), z_step_um=1)


@pytest.mark.parametrize("order", ["".join(p) for p in itertools.permutations("ZYX")])
def test_axis_order_changes_no_plane(order):
    moved = np.transpose(ZYX, ["ZYX".index(axis) for axis in order])
    for array in (moved, da.from_array(moved, chunks=2)):
        found = open_stack(array, axes=order, z_step_um=1)
        assert np.array_equal(planes(found), ZYX)


@pytest.mark.parametrize("order", ["TCZYX", "ZCYXT", "CTYXZ", "XYZCT"])
def test_five_axes(order):
    whole = RNG.integers(0, 99, (2, 3, 4, 10, 12))
    moved = np.transpose(whole, ["TCZYX".index(axis) for axis in order])
    found = open_stack(moved, axes=order.lower(), z_step_um=1, channel=2, time="1")
    assert np.array_equal(planes(found), whole[1, 2])


def test_dask_and_zarr_arrays(tmp_path):
    lazy = da.from_array(ZYX, chunks=(2, 8, 24))
    stored = zarr.create_array(store=str(tmp_path / "a.zarr"), data=ZYX, chunks=(3, 8, 8))
    memory = zarr.array(ZYX, chunks=(2, 20, 24))
    for array in (lazy, stored, memory):
        assert np.array_equal(planes(open_stack(array, z_step_um=1)), ZYX)


def test_each_dask_chunk_is_computed_once():
    computed = []

    def block(block_info=None):
        computed.append(block_info[None]["chunk-location"])
        return np.ones((4, 20, 24), np.uint16)

    lazy = da.map_blocks(block, chunks=((4, 4, 4), (20,), (24,)), dtype=np.uint16, meta=ZYX[:0])
    computed.clear()
    assert len(list(open_stack(lazy, z_step_um=1))) == 12
    assert sorted(computed) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_zero_one_and_two_planes():
    for n in range(3):
        stack = open_stack(ZYX[:n], z_step_um=1)
        assert len(stack) == len(list(stack)) == len(stack.depth_um) == n


@pytest.mark.parametrize("step", [0, -1, float("nan"), float("inf"), "two", True])
def test_bad_z_step(step):
    with pytest.raises(InputError, match="z_step_um: "):
        open_stack(ZYX, z_step_um=step)


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (ZYX, {}, "If its planes are z planes, set z_step_um"),
        (ZYX, {"axes": "ZYX"}, r"z step is not known. Set the distance .* z_step_um"),
        (ZYX[0, 0], {"z_step_um": 1}, "State their order"),
        (ZYX[None], {"z_step_um": 1}, "axes of a 1 x 5 x 20 x 24 array are not known"),
        (ZYX[..., :3], {"z_step_um": 1}, "axes of a 5 x 20 x 3 array"),
        (ZYX[:, :0], {"z_step_um": 1}, "no pixels"),
        (ZYX, {"axes": "ZCYX"}, "name 4 dimensions, but there are 3"),
        (ZYX, {"axes": "ZZX"}, "must be different letters"),
        (ZYX, {"axes": "ZWX"}, "must be different letters"),
        (ZYX, {"axes": ""}, "must be different letters|z step"),
        (ZYX, {"axes": "ZCX"}, "lack Y or X"),
        (ZYX[..., :3], {"axes": "YXS", "z_step_um": 1}, "RGB"),
        (ZYX, {"axes": "CYX", "z_step_um": 1}, "there are 5 channels"),
        (ZYX[:, :1], {"z_step_um": 1}, "a line scan, of 1 x 24 pixels"),
        (ZYX[None], {"axes": "TZYX", "z_step_um": 1, "channel": 1}, "no channel 1"),
        (ZYX[None], {"axes": "IZYX", "z_step_um": 1, "time": 2}, "no time point 2"),
        (ZYX[:, None, :4], {"axes": "ZTYX", "z_step_um": 1, "channel": "GFP"}, "'GFP'"),
        (ZYX[:, :2], {"axes": "ZTX"}, "lack Y"),
        (ZYX.reshape(5, 2, 10, 24), {"axes": "ZIYX", "z_step_um": 1}, "axis I of length 2"),
        (ZYX.reshape(5, 2, 10, 24), {"axes": "IQYX", "z_step_um": 1}, "no z axis among IQYX"),
        (ZYX, {"axes": "TYX", "z_step_um": 1, "time": 1}, "time axis holds the planes"),
        (ZYX, {"z_step_um": 1, "power": -3}, "negative"),
    ],
)
def test_messages(array, options, message):
    with pytest.raises(InputError, match=message) as caught:
        open_stack(array, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("power", "said"),
    [
        (5, 5.0),
        (np.float32(0.1), float(np.float32(0.1))),
        (0, 0.0),
        ("7.5", 7.5),
        ("gained:2,150,10", "gained:2.0,150.0,10.0"),
        (GainedPower(1 / 3, 150, np.float64(10)), f"gained:{1 / 3!r},150.0,10.0"),
        ([1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0]),
        (np.arange(5), [0.0, 1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_a_stack_remembers_its_power_as_it_was_given(power, said):
    opened = open_stack(ZYX, z_step_um=np.float64(2), power=power).options
    stated = json.loads(json.dumps(opened.plain()))
    assert (stated["z_step_um"], stated["power"]) == (2.0, said)
    assert StackOptions.of(stated) == opened


def test_a_stack_remembers_the_options_it_was_opened_with(tmp_path):
    table = tmp_path / "power.csv"
    table.write_text("depth_um,power_mw\n0,5\n9,6\n")
    whole = np.zeros((3, 2, 5, 10, 12), np.uint8)
    options = {"axes": "TCZYX", "z_step_um": 1.5, "channel": np.int64(1), "time": "2"}
    found = open_stack(whole, **options, power=table, name="a", allow_partial=True).options
    stated = {name: value for name, value in found.plain().items() if value is not None}
    assert json.loads(json.dumps(stated)) == {
        "name": "a",
        "z_step_um": 1.5,
        "power": str(table),
        "channel": 1,
        "time": 2,
        "axes": "TCZYX",
        "level": 0,
        "allow_partial": True,
        "left_out": {},
    }


def test_choices_are_listed():
    whole = np.zeros((3, 2, 4, 10, 12), np.uint8)
    with pytest.raises(InputError, match=r"there are 2 channels: 0, 1\. Choose one"):
        open_stack(whole, axes="TCZYX", z_step_um=1, time=0)
    with pytest.raises(InputError, match=r"there are 3 time points: 0, 1, 2\. Choose one"):
        open_stack(whole, axes="TCZYX", z_step_um=1, channel=1)
    for wrong in (3, "3"):
        with pytest.raises(InputError, match=r"Choose one of: 0, 1, 2"):
            open_stack(whole, axes="TCZYX", z_step_um=1, channel=1, time=wrong)
    for wrong in (-1, True, 0.5, "x"):
        with pytest.raises(InputError, match=r"^time: "):
            open_stack(whole, axes="TCZYX", z_step_um=1, channel=1, time=wrong)


def test_movie_as_planes_only_on_request():
    with pytest.raises(InputError, match="time movie of 5 frames"):
        open_stack(zarr_like_movie(), z_step_um=None)
    assert len(open_stack(ZYX, axes="TYX", z_step_um=3)) == 5


def zarr_like_movie():
    store = zarr.storage.MemoryStore()
    zarr.create_array(store=store, data=ZYX, dimension_names=["t", "y", "x"])
    return zarr.open_array(store=store, mode="r")


@pytest.mark.parametrize("source", [None, 3, b"x", [1, 2], object()])
def test_other_objects(source):
    with pytest.raises(InputError, match="cannot be opened as a stack"):
        open_stack(source)


def test_index_outside_the_stack():
    stack = open_stack(ZYX, z_step_um=1)
    for index in (-1, 5):
        with pytest.raises(InputError, match="no plane"):
            stack.plane(index)


def test_a_giant_lazy_array_is_refused():
    giant = da.zeros((1_000_000, 100_000, 100_000), dtype=np.uint16, chunks=(1, 100_000, 100_000))
    with pytest.raises(InputError, match="one chunk of"):
        open_stack(giant, z_step_um=1)


def test_a_failing_source_is_flagged_not_raised():
    def fail(_):
        raise OSError("disk\ngone")

    lazy = da.from_array(ZYX, chunks=(1, 20, 24)).map_blocks(fail, dtype=ZYX.dtype, meta=ZYX[:0])
    plane = open_stack(lazy, z_step_um=1).plane(2)
    assert plane.validity.reason == "damaged: OSError disk gone"
    assert not plane.data.any()
