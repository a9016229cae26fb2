"""Processing of pixels before storage: blocks of lossy compression, interpolation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from cop_core.stacks.structure import about_mean

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

FEWEST_PIXELS: Final = 64
"""Minimum height and width of a plane for these tests."""

_JPEG: Final = 8
_STEP: Final = 0.08
"""Minimum excess of the difference of neighbours across block edges, as a share of it."""
_TIMES: Final = 1.5
"""Minimum ratio to that at any other place in the blocks."""
_HIGHEST: Final = (0.45, 0.50)
"""A frequency band, in cycles per pixel."""
_FALLS: Final = (((0.40, 0.45), 0.5), ((0.25, 0.35), 0.05))
"""Lower bands, and the minimum share of their power that the highest has for pixel noise.

The shares are 1 for white noise, .95 and .66 for an amplifier with a correlation of .8 between
neighbours, .11 and .02 after a shift by half a pixel; after upsampling little but rounding is left.
"""
_REPEATED: Final = 0.4
"""Share of lines equal to the next one above which lines were doubled."""
_ALIKE: Final = 0.12
"""Minimum share of pixels equal to the next one, beyond that of pixels `_FAR` apart, after a median
filter: one of 3 x 3 pixels leaves 0.18 or more; noise 0.03, large saturated areas 0.09."""
_FAR: Final = 4
_FEW_ALIKE: Final = 0.05
"""Largest share of pixels so far apart that are equal by chance at which this is decided."""
_LINES: Final = 256
"""Number of lines examined in a plane."""
_WAVES: Final = 128
"""Number of lines for the spectrum: enough for 2 % in a band."""


def shows_blocks(data: Pixels) -> bool:
    """Return whether a plane (height, width) has the edges of the 8x8 blocks of JPEG."""
    return min(data.shape) >= FEWEST_PIXELS and all(map(_has_edges, (data, data.T)))


def _has_edges(lines: Pixels) -> bool:
    """Return whether neighbours along the lines differ more at every eighth place."""
    some = lines[:: max(1, len(lines) // _LINES)].astype(np.float64)
    differences = np.abs(np.diff(some, axis=1)).mean(axis=0)
    if not differences.any():
        return False
    excess = differences[1:-1] - (differences[:-2] + differences[2:]) / 2
    steps = np.array([excess[k::_JPEG].mean() for k in range(_JPEG)]) / differences.mean()
    edge = int(steps.argmax())
    beside = [(edge + k) % _JPEG for k in (-1, 0, 1)]  # lower by half of the excess at the edge
    return bool(steps[edge] > max(_STEP, _TIMES * np.abs(np.delete(steps, beside)).max()))


def is_smoothed(data: Pixels) -> bool:
    """Return whether a plane (height, width) lacks the finest detail that its noise must have.

    Noise that arises pixel by pixel extends to the highest frequency; interpolation by half a
    pixel, upsampling and smoothing remove it there, or repeat it; a median filter repeats values.
    """
    both = data, data.T
    return min(data.shape) >= FEWEST_PIXELS and (
        any(_falls(lines) or _repeats(lines) for lines in both) or all(map(_shares_values, both))
    )


def _falls(lines: Pixels) -> bool:
    """Return whether the power along the lines falls off at the highest frequency."""
    some = about_mean(lines[:: max(1, len(lines) // _WAVES)])
    some -= some.mean(axis=1, keepdims=True)
    some *= np.hanning(some.shape[1]).astype(np.float32)
    waves = rfft(some, axis=1, overwrite_x=True)
    power = (np.square(waves.real) + np.square(waves.imag)).mean(axis=0, dtype=np.float64)
    frequency = np.fft.rfftfreq(some.shape[1])

    def power_in(band: tuple[float, float]) -> float:
        return float(power[(frequency >= band[0]) & (frequency < band[1])].mean())

    return any(power_in(_HIGHEST) < least * power_in(band) for band, least in _FALLS)


def _shares_values(lines: Pixels) -> bool:
    """Tell whether neighbours along the lines are the same pixel, as a median filter makes them."""
    some = lines[:: max(1, len(lines) // _LINES)]
    near, far = (float((some[:, n:] == some[:, :-n]).mean()) for n in (1, _FAR))
    return far < _FEW_ALIKE and near > far + _ALIKE


def _repeats(lines: Pixels) -> bool:
    """Return whether lines are stored several times, ignoring those of a single value."""
    start = (len(lines) - _LINES) // 2
    some = lines[start : start + _LINES]
    varied = (some != some[:, :1]).any(axis=1)
    some = some if varied.all() else some[varied]  # copying columns takes longer than the rest
    same = (some[1:] == some[:-1]).all(axis=1)
    return bool(len(same) and same.mean() > _REPEATED)
