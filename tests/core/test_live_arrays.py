"""A growing array, like that of a layer, delivers every plane once, when it is complete."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr

from cop_core.errors import InputError
from cop_core.recipes import StackOptions
from cop_core.stacks.growing import GrowingArray, SettledPlanes, State, settled

PIXELS = np.random.default_rng(0).poisson(40, (9, 32, 24)).astype(np.uint16)
OPTIONS = StackOptions(name="stack", z_step_um=4.0, power=7.0)


def follow(pixels: Any, stopped_after_s: float = 30.0) -> tuple[GrowingArray, SettledPlanes]:
    array = GrowingArray(pixels, OPTIONS)
    return array, SettledPlanes(array, stopped_after_s)


def gather(of: SettledPlanes, count: int, seconds: float = 600.0) -> list[Any]:
    """Request news until so many planes have arrived, and once more."""
    planes: list[Any] = []
    end = time.monotonic() + seconds
    while len(planes) < count and time.monotonic() < end:
        planes += of.news(2)
        time.sleep(0.01)
    return planes + list(of.news())


def test_longer_data_bring_their_new_planes() -> None:
    array, growing = follow(PIXELS[:1])
    planes = gather(growing, 1)
    assert growing.state is State.GROWING
    for length in (2, 5, 9):
        array.put(PIXELS[:length].copy())
        planes += gather(growing, length - len(planes))
    assert [plane.index for plane in planes] == list(range(9))
    assert [plane.depth_um for plane in planes] == [4.0 * i for i in range(9)]
    assert {plane.power for plane in planes} == {7.0}
    assert all(np.array_equal(plane.data, PIXELS[plane.index]) for plane in planes)
    assert growing.planned is None
    assert growing.completed_at(8) <= time.time()
    array.end()
    assert growing.news() == []
    assert growing.state is State.STOPPED


def test_it_has_not_stopped_before_every_plane_was_looked_at(monkeypatch: Any) -> None:
    pixels = np.zeros((60, *PIXELS.shape[1:]), np.uint16)
    pixels[0] = PIXELS[0]
    _, growing = follow(pixels, stopped_after_s=0.5)
    gather(growing, 1)
    monkeypatch.setattr(settled, "_LOOK_S", -1.0)  # a look sees one plane
    clock = count(10**6)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    growing._at = 8
    pixels[5] = PIXELS[5]
    while growing.state is not State.STOPPED:
        if any(plane.index == 5 for plane in growing.news()):
            break
    assert growing.state is not State.STOPPED


@pytest.mark.parametrize("order", [range(9), range(8, -1, -1)], ids=["downwards", "upwards"])
def test_blank_planes_are_waited_for(order: range) -> None:
    pixels = np.zeros_like(PIXELS)
    _, growing = follow(pixels)
    assert growing.news() == []
    assert growing.state is State.WAITING
    assert growing.planned == 9
    came = []
    for index in order:
        pixels[index] = PIXELS[index]
        came += gather(growing, 1)
    assert [plane.index for plane in came] == list(order)
    assert growing.state is State.COMPLETE


def test_a_plane_that_is_being_filled_is_not_handed_out() -> None:
    pixels = np.zeros_like(PIXELS)
    _, growing = follow(pixels)
    for row in range(0, 32, 2):
        pixels[0, row : row + 2] = PIXELS[0, row : row + 2]
        assert growing.news() == []
        time.sleep(0.03)
    (plane,) = gather(growing, 1)
    np.testing.assert_array_equal(plane.data, PIXELS[0])


def test_a_blank_plane_with_others_beyond_it_is_empty() -> None:
    pixels = PIXELS.copy()
    pixels[3] = 0
    came = gather(follow(pixels)[1], 9)
    assert sorted(plane.index for plane in came) == list(range(9))
    assert came[-1].index == 3
    assert came[-1].validity.reason


def test_planes_that_come_later_than_those_beyond_are_not_taken_for_empty(monkeypatch) -> None:
    monkeypatch.setattr(settled, "_HOLE_S", 0.3)
    pixels = np.zeros_like(PIXELS)
    _, growing = follow(pixels)
    came = []
    for index in (8, 7):
        pixels[index] = PIXELS[index]
        came += gather(growing, 1)
    time.sleep(0.4)
    assert growing.news() == []
    pixels[:7] = PIXELS[:7]
    came += gather(growing, 7)
    assert all(np.array_equal(plane.data, PIXELS[plane.index]) for plane in came)
    assert growing.state is State.COMPLETE


def test_a_layer_that_does_not_grow_any_more_has_stopped() -> None:
    _, growing = follow(PIXELS, stopped_after_s=0.3)
    gather(growing, 9)
    assert growing.state is State.GROWING
    time.sleep(0.35)
    assert growing.news() == []
    assert growing.state is State.STOPPED


@pytest.mark.parametrize("kind", ["dask", "zarr"])
def test_arrays_behind_a_file_are_read_plane_by_plane(kind: str) -> None:
    behind = zarr.create_array(
        zarr.storage.MemoryStore(), shape=PIXELS.shape, chunks=(1, 32, 24), dtype=PIXELS.dtype
    )
    _, growing = follow(da.from_zarr(behind) if kind == "dask" else behind)
    behind[:4] = PIXELS[:4]
    assert [plane.index for plane in gather(growing, 4)] == [0, 1, 2, 3]
    behind[4:] = PIXELS[4:]
    late = gather(growing, 5)
    assert all(np.array_equal(plane.data, PIXELS[plane.index]) for plane in late)
    np.testing.assert_array_equal(growing.stack().plane(8).data, PIXELS[8])


def test_another_stack_in_the_same_layer_is_refused() -> None:
    array, growing = follow(PIXELS)
    gather(growing, 9)
    array.put(PIXELS[:, :20])
    with pytest.raises(InputError, match="another stack"):  # as what was put off is read
        array.stack()
    for other in (PIXELS[:, :20], PIXELS[:8]):
        array.put(other)
        with pytest.raises(InputError, match="another stack"):
            growing.news()
