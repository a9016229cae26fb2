"""What was done to pixels before they were stored: blocks of lossy compression, interpolation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from cop_core.stacks.structure import about_mean

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

FEWEST_PIXELS: Final = 64
"""Height and width from which a plane tells."""

_JPEG: Final = 8
_STEP: Final = 0.08
"""By how much neighbours differ more across block edges, as a share of their difference."""
_TIMES: Final = 1.5
"""How many times more than at any other place in the blocks."""
_HIGHEST: Final = (0.45, 0.50)
"""A band of frequency, in cycles a pixel."""
_FALLS: Final = (((0.40, 0.45), 0.5), ((0.25, 0.35), 0.05))
"""Bands below it, and the least share of their power that the highest has in noise of pixels.

White noise has 1, an amplifier with a correlation of .8 between neighbours .95 and .66; a shift by
half a pixel has .11 and .02, and of what was upsampled little but rounding is left.
"""
_REPEATED: Final = 0.4
"""Share of the lines that are as the next one, from which on they were doubled."""
_ALIKE: Final = 0.12
"""Share of pixels that are as the next one, beyond that of pixels `_FAR` apart: a median filter of
3 x 3 pixels leaves 0.18 or more, images of noise 0.03, of large saturated areas 0.09."""
_FAR: Final = 4
_FEW_ALIKE: Final = 0.05
"""Share of pixels so far apart that are alike by chance, up to which that tells."""
_LINES: Final = 256
"""Lines of a plane that are looked at."""
_WAVES: Final = 128
"""Lines whose power is taken: enough for bands to 2 %."""


def shows_blocks(data: Pixels) -> bool:
    """Tell whether a plane (height, width) has the edges of the 8x8 blocks of JPEG."""
    return min(data.shape) >= FEWEST_PIXELS and all(map(_has_edges, (data, data.T)))


def _has_edges(lines: Pixels) -> bool:
    """Tell whether neighbours along the lines differ more at every eighth place."""
    some = lines[:: max(1, len(lines) // _LINES)].astype(np.float64)
    differences = np.abs(np.diff(some, axis=1)).mean(axis=0)
    if not differences.any():
        return False
    excess = differences[1:-1] - (differences[:-2] + differences[2:]) / 2
    steps = np.array([excess[k::_JPEG].mean() for k in range(_JPEG)]) / differences.mean()
    edge = int(steps.argmax())
    beside = [(edge + k) % _JPEG for k in (-1, 0, 1)]  # lower by half of what the edge has more
    return bool(steps[edge] > max(_STEP, _TIMES * np.abs(np.delete(steps, beside)).max()))


def is_smoothed(data: Pixels) -> bool:
    """Tell whether a plane (height, width) lacks the finest detail that its noise must have.

    Noise that arises pixel by pixel reaches the highest frequency; interpolation by half a pixel,
    upsampling and smoothing take it away there, or repeat it; a median filter repeats values.
    """
    both = data, data.T
    return min(data.shape) >= FEWEST_PIXELS and (
        any(_falls(lines) or _repeats(lines) for lines in both) or all(map(_shares_values, both))
    )


def _falls(lines: Pixels) -> bool:
    """Tell whether the power along the lines falls off at the highest frequency."""
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
    """Tell whether lines are stored several times, those of a single value aside."""
    start = (len(lines) - _LINES) // 2
    some = lines[start : start + _LINES]
    varied = (some != some[:, :1]).any(axis=1)
    some = some[varied]
    same = (some[1:] == some[:-1]).all(axis=1)
    return bool(len(same) and same.mean() > _REPEATED)
