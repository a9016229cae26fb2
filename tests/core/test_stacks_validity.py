from __future__ import annotations

import numpy as np
import pytest

from cop_core.stacks import check_plane, open_stack

RNG = np.random.default_rng(0)


def noisy(dtype="u2", high=200, shape=(200, 200)):
    return RNG.integers(1, high, shape).astype(dtype)


def test_a_good_plane():
    found = check_plane(noisy())
    assert (found.ok, found.flags, found.saturated_fraction) == (True, (), 0.0)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "f2", "f8"])
def test_zero_and_constant(dtype):
    assert check_plane(np.zeros((200, 200), dtype)).reason == "unwritten or empty (all zero)"
    assert check_plane(np.full((200, 200), 7, dtype)).reason == "constant"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value):
    plane = noisy("f4")
    plane[3, 4] = value
    assert check_plane(plane).reason == "not finite"


CEILINGS = [
    ("u1", 255),
    ("u2", 255),
    ("u2", 4095),
    ("u2", 16383),
    ("u2", 65535),
    ("u2", 65520),
    ("i2", 2047),
    ("i2", 32767),
    ("u4", 2**32 - 1),
]


@pytest.mark.parametrize(("dtype", "ceiling"), CEILINGS)
def test_saturation_at_a_ceiling(dtype, ceiling):
    plane = noisy(dtype)
    plane[75:125] = ceiling
    found = check_plane(plane)
    assert (found.reason, found.saturated_fraction) == ("saturated", 0.25)
    plane[75:125], plane[75:95] = 1, ceiling
    found = check_plane(plane)
    assert (found.reason, found.saturated_fraction) == ("", 0.1)


def test_a_maximum_that_no_pixels_pile_up_at_is_no_ceiling():
    assert check_plane(noisy()).saturated_fraction == 0.0
    assert check_plane(noisy("f4")).saturated_fraction == 0.0


def test_fully_saturated():
    found = check_plane(np.full((200, 200), 65535, np.uint16))
    assert (found.reason, found.saturated_fraction) == ("saturated", 1.0)


def test_a_plane_that_is_saturated_throughout_is_not_called_constant():
    found = check_plane(np.full((200, 200), 4095, np.uint16))
    assert (found.reason, found.saturated_fraction) == ("saturated", 1.0)
    assert check_plane(np.full((200, 200), 4000, np.uint16)).reason == "constant"


@pytest.mark.parametrize(
    ("shape", "small"), [((191, 300), True), ((300, 191), True), ((192, 192), False)]
)
def test_smaller_than_a_crop(shape, small):
    assert check_plane(noisy(shape=shape)).flags == (("smaller than a crop",) if small else ())


def test_one_bad_plane_leaves_the_others_alone():
    clean = noisy("f4", shape=(6, 30, 30))
    broken = clean.copy()
    broken[2, 5, 5] = np.nan
    for before, after in zip(
        open_stack(clean, z_step_um=1), open_stack(broken, z_step_um=1), strict=True
    ):
        assert after.validity.ok == (after.index != 2)
        if after.index != 2:
            assert np.array_equal(before.data, after.data)
