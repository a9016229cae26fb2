"""The state of a stack that is still being acquired, and where its signal will be lost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.recipes import USABLE_STRENGTH
from cop_core.records import DepthLimit, DepthProfile, power_text
from cop_core.records.block_grid import block_side
from cop_core.statistics.usable_depth import HELD, level_depth, signal_depth

if TYPE_CHECKING:
    from cop_core.records import PlaneEstimate

Array = npt.NDArray[np.float64]

_PLANES: Final = 8
_LEAST: Final = 6
"""Largest and smallest number of last planes used for a forecast."""
_SAME_POWER: Final = 0.02
"""Relative difference up to which powers count as the same."""
_SURE: Final = 4.0
"""Number of standard errors by which structure must fall with depth."""
_DRAWS: Final = 200
_STRAY_SHARE: Final = 0.02
_SIGNIFICANCE: Final = 4.0
_BLOCK: Final = 8
"""The criterion of `cop_core.reading.survey` for no signal, for blocks of `block_side`."""


@dataclass(frozen=True)
class Forecast:
    """The state of a growing stack.

    Attributes
    ----------
    level : DepthLimit
        Where shot noise passed the level, `strength`.
    signal : DepthLimit
        Where the signal was lost.
    lost_um : float
        Depth at which it will be lost, at the power of the last planes; NaN if not foreseeable.
    at_most : str
        Power of the last planes if it rose before and then stayed, as at a limit; else empty.
    """

    name: str
    strength: float
    level: DepthLimit
    signal: DepthLimit
    lost_um: float
    at_most: str = ""


def forecast(profile: DepthProfile, strength: float = USABLE_STRENGTH) -> Forecast:
    """Return the state of a stack that is still being acquired.

    The structure of the last planes at one power, SD of the means of blocks, falls by a constant
    share with every µm; the signal is lost where white noise of the pixels would spread the means
    as much, or where 2 % of the median plane's structure is left: the rules by which planes are
    found to hold no signal. Shot noise follows the root of the structure.
    """
    level = level_depth(profile, strength, samples=_DRAWS, seed=0)
    signal = signal_depth(profile)
    ended = np.isfinite(signal.depth_um)
    lost_um = float("nan") if ended else _lost_um(profile)
    return Forecast(profile.name, strength, level, signal, lost_um, _at_most(profile))


def _at_most(profile: DepthProfile) -> str:
    power = profile.power
    last = _at_one_power(list(profile.planes))
    if len(last) < _LEAST or not np.isfinite(power).all():
        return ""
    top = power.max()
    rose = power[0] < (1 - _SAME_POWER) * top <= power[-1]
    return power_text(power[-1], profile.power_unit) if rose else ""


def _lost_um(profile: DepthProfile) -> float:
    planes = [plane for plane in profile.planes if _tells(plane)]
    last = _at_one_power(planes)
    if len(last) < _LEAST or HELD not in profile.components:
        return float("nan")
    depth = np.array([plane.depth_um for plane in last])
    if depth[-1] < depth[0]:  # acquired upwards: the signal comes, and is not lost
        return float("nan")
    sd = np.array([_structure(plane) for plane in last])
    (slope, at_surface), cov = np.polyfit(depth, np.log(sd), 1, cov=True)
    if not slope < -_SURE * math.sqrt(cov[0, 0]):
        return float("nan")
    stray = _STRAY_SHARE * float(np.median([_structure(plane) for plane in planes]))
    darkest = min(float(np.nanmin(plane.block_means)) for plane in planes)
    at = profile.components.index(HELD)
    hidden = float(np.median([_hidden(p, s, at, darkest) for p, s in zip(last, sd, strict=True)]))
    lost_um = (math.log(max(stray, hidden)) - at_surface) / slope
    return float(lost_um) if lost_um > depth.max() else float("nan")


def _tells(plane: PlaneEstimate) -> bool:
    """Return whether a plane was kept and has a depth and blocks; tiny ones have none."""
    blocks = np.isfinite(plane.block_means)
    return not plane.reason and math.isfinite(plane.depth_um) and bool(blocks.any())


def _at_one_power(planes: list[PlaneEstimate]) -> list[PlaneEstimate]:
    """Return the last planes with the power of the very last; an unknown power matches another."""
    found: list[PlaneEstimate] = []
    for plane in reversed(planes[-_PLANES:]):
        power, now = plane.power, planes[-1].power
        if not (np.isnan([power, now]).all() or abs(power - now) <= _SAME_POWER * now):
            break
        found.insert(0, plane)
    return found


def _structure(plane: PlaneEstimate) -> float:
    """Return the SD in counts of the means of a plane's blocks."""
    return max(float(np.nanstd(plane.block_means)), float(np.finfo(np.float64).tiny))


def _hidden(plane: PlaneEstimate, sd: float, held: int, darkest: float) -> float:
    """Return the structure in counts below which noise hides it, estimated from one plane.

    The variance of shot noise is s^2 x / 4 of the squared span at brightness x, and falls with
    the structure; block means of white noise of variance v spread by v over the pixels of a
    block, and by `_SIGNIFICANCE` errors more where structure is told from it.
    """
    above = max(plane.signal - darkest, sd)
    variance = plane.mean[held] ** 2 * plane.span_counts * above / 4
    height, width = (side * block_side(plane.block_means.shape) for side in plane.block_means.shape)
    n_blocks = height * width / _BLOCK**2
    spread = _SIGNIFICANCE * math.sqrt(2 / n_blocks) / _BLOCK**2
    return float(variance / sd * (1 / block_side((height, width)) ** 2 + spread))
