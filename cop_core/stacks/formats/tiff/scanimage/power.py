"""Power at each slice as set by ScanImage, in per cent of the calibrated maximum.

It is constant, or P(z) = P0 exp((z - z0) / L) up to a limit, or interpolates a table. The powers at
the start and the end of a stack, if stated, give P0, z0 and L.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from cop_core.stacks.dataset import StatedPower
from cop_core.stacks.formats.tiff.scanimage.frames import is_fast
from cop_core.stacks.power import PER_CENT

if TYPE_CHECKING:
    from cop_core.stacks.formats.tiff.scanimage.header import Header
    from cop_core.stacks.formats.tiff.scanimage.slices import Slices

Floats = npt.NDArray[np.float64]

UNREAD: Final = "the power that the file states is not read"
_LEAST_PERCENT: Final = 0.1
"""Minimum that ScanImage uses at an end of the stack, as 0 has no logarithm."""
_MOST: Final = 700.0
"""Largest exponent of e for a float: 0 times infinity would be NaN."""
_POWERS: Final = ("hBeams.powers", "beamPowers", "init.eom.maxPower")
_LENGTHS: Final = ("hBeams.lengthConstants", "beamLengthConstants", "init.eom.powerLzArray")
_ADJUSTS: Final = ("hBeams.pzAdjust", "beamPzAdjust", "init.eom.powerVsZEnable")
_ENDS: Final = ("Start", "End")
_TABLE: Final = re.compile(r"\{?\s*\[([^\[\]{}@]+)\]\s*\}?")


class _UnreadError(Exception):
    """Power is stated in a way that is not supported; the message states which."""


def read_power(header: Header, slices: Slices) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Read the power at each slice.

    Returns
    -------
    StatedPower or None
        In the order of acquisition; None if not stated.
    remarks : tuple of str
        Why a stated power is not read.
    """
    try:
        percent = _percent(header, slices)
    except _UnreadError as error:
        return None, (f"{UNREAD}: {error}",)
    if percent is None:
        return None, ()
    stated_by = "SI.hBeams" if header.states("hBeams.powers", "hBeams.powerFractions") else ""
    return StatedPower(tuple(percent.tolist()), PER_CENT, stated_by or "ScanImage's header"), ()


def _percent(header: Header, slices: Slices) -> Floats | None:
    fractions = header.numbers("hBeams.powerFractions")
    powers = [f and 100 * f for f in fractions] or header.numbers(*_POWERS)
    on = [i for i, power in enumerate(powers) if power]
    if len(on) > 1:
        raise _UnreadError(f"{len(on)} beams are on")
    unit = header.text("hBeams.powerUnits", "beamPowerUnits").strip("'")
    if unit not in ("", "percent"):
        raise _UnreadError(f"it is in {unit}")
    beam = _Beam(header, on[0] if on else 0)
    nominal = powers[beam.index] if powers else None
    if nominal is None:
        return None
    return np.clip(_along(beam, slices, nominal), 0, beam.limit)


@dataclass(frozen=True)
class _Beam:
    """Settings of the one beam that is on, by its position in lists."""

    header: Header
    index: int

    def number(self, *names: str) -> float | None:
        found = self.header.numbers(*names)
        return found[self.index] if len(found) > self.index else self.header.number(*names)

    @property
    def limit(self) -> float:
        """Largest power in per cent."""
        fraction = self.number("hBeams.powerFractionLimits")
        percent = self.number("hBeams.powerLimits", "beamPowerLimits")
        return min(100.0, 100 * fraction if fraction else percent or 100.0)

    @property
    def adjusted(self) -> bool:
        """Whether power follows z."""
        words = self.header.words(*_ADJUSTS) or ["false"]
        stated = words[self.index if len(words) > self.index else 0]
        how = stated.rpartition(".")[2].lower()
        if how not in ("0", "1", "false", "true", "none", "exponential"):
            raise _UnreadError(f"it depends on z through a {how} that is not in the file")
        return how in ("1", "true", "exponential")


@dataclass(frozen=True)
class _Law:
    """Power at a position, and the length over which it grows by e; infinite if constant.

    Without a position, it is that of the first slice.
    """

    percent: float
    z_um: float | None
    length_um: float

    def at(self, slices: Slices) -> Floats:
        if math.isinf(self.length_um):
            return np.full(slices.number, self.percent)
        if not slices.z_um or (self.z_um is not None and not slices.absolute):
            raise _UnreadError("the positions of its slices are not stated")
        start = slices.z_um[0] if self.z_um is None else self.z_um
        with np.errstate(over="ignore"):  # larger values are cut to the limit
            exponent = np.minimum((np.array(slices.z_um) - start) / self.length_um, _MOST)
            return np.asarray(self.percent * np.exp(exponent))


def _along(beam: _Beam, slices: Slices, nominal: float) -> Floats:
    """Return the power at each slice, ignoring the limit."""
    ends = _between_ends(beam)
    if ends is not None:
        return (ends if beam.adjusted else replace(ends, length_um=math.inf)).at(slices)
    if not beam.adjusted:
        return np.full(slices.number, nominal)
    if beam.header.words("hBeams.pzCustom"):
        return _by_table(beam.header.text("hBeams.pzCustom"), slices)
    return _until_2019(beam, _by_length(beam, nominal)).at(slices)


def _by_length(beam: _Beam, nominal: float) -> _Law:
    if not beam.header.states(*_LENGTHS):
        raise _UnreadError("it changes exponentially with z, by an unstated length constant")
    length = beam.number(*_LENGTHS)
    if length == 0:
        raise _UnreadError("it changes exponentially with z, by a length constant of 0")
    reference = beam.number("hStackManager.zPowerReference")
    return _Law(nominal, reference, length or math.inf)


def _until_2019(beam: _Beam, law: _Law) -> _Law:
    """Use the power at the ends of the stack in place of the law's, if the user chose so."""
    header, span = beam.header, _span(beam.header)
    start, end = (beam.number(f"hBeams.stack{at}Power", f"stack{at}Power") for at in _ENDS)
    overridden = header.flag("hBeams.stackUserOverrideLz", "stackUserOverrideLz")
    if overridden and span and start and end and not is_fast(header):
        law = replace(law, length_um=_length(span, start, end))
    if start and header.flag("hBeams.stackUseStartPower", "stackUseStartPower"):
        law = replace(law, percent=start, z_um=span[0] if span else None)
    return law


def _between_ends(beam: _Beam) -> _Law | None:
    """Return the law between the ends of a bounded stack, as of 2020."""
    header, span = beam.header, _span(beam.header)
    bounded = "bounded" in header.text("hStackManager.stackDefinition")
    start, end = (beam.number(f"hStackManager.stack{at}PowerFraction") for at in _ENDS)
    if not bounded or not header.flag("hStackManager.useStartEndPowers"):
        return None
    if span is None or start is None or end is None:
        return None
    start, end = max(100 * start, _LEAST_PERCENT), max(100 * end, _LEAST_PERCENT)
    return _Law(start, span[0], _length(span, start, end))


def _span(header: Header) -> tuple[float, float] | None:
    """Return the planned start and end of the stack in µm."""
    start, end = (header.number(f"hStackManager.stackZ{at}Pos") for at in _ENDS)
    return None if start is None or end is None else (start, end)


def _length(span: tuple[float, float], start: float, end: float) -> float:
    """Return the length in µm over which power grows by e from one end to the other."""
    if start == end or span[0] == span[1]:
        return math.inf
    return (span[1] - span[0]) / math.log(end / start)


def _by_table(text: str, slices: Slices) -> Floats:
    """Return the power from a spline through (µm, per cent), with one row per point."""
    match = _TABLE.fullmatch(text)
    if match is None:
        raise _UnreadError("it depends on z through a function that is not in the file")
    try:
        rows = np.array([row.split() for row in match[1].replace(",", " ").split(";")], float)
        z_um, percent = rows[np.argsort(rows[:, 0])].T
        spline = CubicSpline(z_um, percent)
    except (ValueError, IndexError):
        raise _UnreadError("its table has no rows of position and power") from None
    if not slices.absolute:
        raise _UnreadError("the positions of its slices are not stated")
    wanted = np.array(slices.z_um)
    if wanted.min() < z_um[0] or wanted.max() > z_um[-1]:
        raise _UnreadError(f"its table only covers {z_um[0]:g} to {z_um[-1]:g} µm")
    return np.asarray(spline(wanted))
