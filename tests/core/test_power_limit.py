from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cop_core.errors import InputError
from cop_core.power import PowerLimit
from cop_core.recipes.power_options import HIGHEST_LIMIT_MW

MAX_MW = 60.0
LIMIT = PowerLimit(MAX_MW)

relaxed = settings(max_examples=60)
floats = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
numpy_numbers = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
    st.integers(0, 2**64 - 1).map(np.uint64),
    floats.map(np.float64),
    st.floats(width=32).map(np.float32),
    st.floats(width=16).map(np.float16),
    floats.map(np.longdouble),
)
no_numbers = st.one_of(
    st.none(),
    st.booleans(),
    st.booleans().map(np.bool_),
    st.text(),
    floats.map(str),
    floats.map(lambda x: f"{x} mW"),
    st.binary(),
    st.complex_numbers(),
    st.lists(floats),
    floats.map(np.array),
    floats.map(lambda x: np.array([x])),
    st.decimals(),
    st.fractions(),
    st.dictionaries(st.text(), floats),
)
anything = st.one_of(floats, st.integers(), numpy_numbers, no_numbers)


class TwoFaced(float):
    """A float that appears small in every comparison."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return False


class Liar(float):
    """A float that becomes another number when it is read."""

    def __float__(self) -> float:
        return 1e9


@relaxed
@given(anything)
@example(10**400)
@example(-(10**400))
@example(5e-324)
@example(-5e-324)
@example(-0.0)
@example(np.nextafter(MAX_MW, np.inf))
@example(np.longdouble(MAX_MW) * (1 + np.finfo(np.longdouble).eps))
@example(TwoFaced(1e9))
@example(TwoFaced(-5.0))
@example(Liar(1.0))
@example(np.datetime64("2020-01-01"))
@example(np.timedelta64(5, "s"))
@example(Decimal("5"))
@example(Fraction(5))
def test_whatever_comes_is_refused_or_within_the_limit(value):
    try:
        power = LIMIT.require(value)
    except InputError:
        return
    assert type(power) is float
    assert 0 <= power <= MAX_MW
    assert math.copysign(1, power) == 1
    assert power == float(value)


@relaxed
@given(no_numbers)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InputError, match="must be a number, not a"):
        LIMIT.require(value)


@relaxed
@given(st.floats(0, MAX_MW))
def test_powers_within_the_limit_pass_unchanged(value):
    assert LIMIT.require(value) == value
    assert LIMIT.require(np.float64(value)) == value


@relaxed
@given(st.one_of(st.floats(max_value=-5e-324), st.floats(min_value=np.nextafter(MAX_MW, 99))))
def test_powers_outside_are_refused_never_moved(value):
    with pytest.raises(InputError, match=r"negative|above the limit|finite"):
        LIMIT.require(value)


@relaxed
@given(anything)
@example(0.0)
@example(-1)
@example(60_000)
@example("60")
@example(True)
@example(HIGHEST_LIMIT_MW)
def test_a_limit_is_a_plausible_power_in_milliwatts(value):
    try:
        limit = PowerLimit(value)
    except InputError:
        return
    assert type(limit.max_power) is float
    assert 0 < limit.max_power <= HIGHEST_LIMIT_MW


def test_a_limit_given_in_watts_or_microwatts_lets_nothing_dangerous_through():
    with pytest.raises(InputError, match="Set the limit in mW"):
        PowerLimit(60_000)  # uW
    with pytest.raises(InputError, match=r"above the limit of 0\.06 mW"):
        PowerLimit(0.06).require(5.0)  # W


@relaxed
@given(st.lists(anything, max_size=8), st.one_of(st.none(), st.floats(0.01, 10)))
def test_curves_pass_whole_or_not_at_all(values, rise):
    limit = PowerLimit(MAX_MW, rise)
    try:
        curve = limit.require_all(values)
    except InputError:
        return
    assert curve.dtype == np.float64
    assert len(curve) == len(values)
    assert ((curve >= 0) & (curve <= MAX_MW)).all()
    if rise is not None:
        assert (curve[1:] <= curve[:-1] + rise).all()


@relaxed
@given(st.lists(st.floats(0), max_size=8), st.one_of(st.none(), st.floats(0.01, 10)))
@example([math.inf, 1.0], 0.5)
def test_cut_curves_keep_the_limit_and_say_where(values, rise):
    limit = PowerLimit(MAX_MW, rise)
    curve, capped = limit.cap(values)
    assert limit.require_all(curve).tolist() == curve.tolist()
    for wanted, power, cut in zip(values, curve, capped, strict=True):
        assert power < wanted if cut else power == wanted


@relaxed
@given(st.lists(anything, min_size=1, max_size=8))
def test_cutting_refuses_what_is_no_power(values):
    try:
        curve, _ = LIMIT.cap(values)
    except InputError:
        return
    assert ((curve >= 0) & (curve <= MAX_MW)).all()


def test_cutting_refuses_negative_and_undefined_powers():
    for bad in (math.nan, -1.0, -math.inf, -(10**400), 10**400):
        with pytest.raises(InputError):
            LIMIT.cap([1.0, bad])


@pytest.mark.parametrize("bad", ["5", 5.0, None, np.zeros((2, 2)), {1.0: 2.0}, iter([1.0])])
def test_a_curve_is_a_row_of_numbers(bad):
    for judge in (LIMIT.require_all, LIMIT.cap):
        with pytest.raises(InputError, match="not a sequence of numbers"):
            judge(bad)


def test_power_may_fall_at_once_but_not_rise():
    limit = PowerLimit(60, max_rise=2)
    assert limit.require(1, previous=50) == 1
    assert limit.require(52, previous=50) == 52
    with pytest.raises(InputError, match=r"from 50 to 52\.5 mW is more than 2 mW in one step"):
        limit.require(52.5, previous=50)
    with pytest.raises(InputError, match="finite"):
        limit.require(1, previous=math.nan)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, "2", True])
def test_bad_rises(bad):
    with pytest.raises(InputError, match="increase"):
        PowerLimit(60, max_rise=bad)


def test_the_limit_cannot_be_changed():
    with pytest.raises(AttributeError):
        LIMIT.max_power = 1e9
