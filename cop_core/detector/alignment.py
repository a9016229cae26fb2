"""Alignment of a movie's frames by whole pixels, which leaves their noise unchanged."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, rfft2
from scipy.ndimage import fourier_gaussian

Array = npt.NDArray[np.float64]
Shifts = npt.NDArray[np.int64]

_ROUNDS: Final = 2
"""The first reference is blurred by the very shifts to be found."""
_SMOOTH_PIXELS: Final = 1.5
_SHARE: Final = 8
"""Largest shift of a frame, as a fraction of a side."""


def find_shifts(frames: npt.NDArray[Any]) -> Shifts:
    """Return the shift of every frame from the mean of all, by cross-correlation.

    Parameters
    ----------
    frames : ndarray of shape (n, height, width)
        In counts.

    Returns
    -------
    ndarray of shape (n, 2)
        Rows and columns, whole pixels.
    """
    shifts = np.zeros((len(frames), 2), np.int64)
    for _ in range(_ROUNDS):
        total = np.zeros(frames[0].shape)
        for frame, shift in zip(frames, shifts, strict=True):
            total += at_rest(frame, shift)
        reference = _spectrum(total).conj()
        shifts = np.array([_peak(_spectrum(frame) * reference, frame.shape) for frame in frames])
    return np.asarray(shifts - np.rint(np.median(shifts, axis=0)).astype(np.int64))


def at_rest(frame: npt.NDArray[Any], shift: Shifts) -> Array:
    """Return a frame moved onto the others; pixels that leave at one edge enter at the other."""
    return np.roll(frame, (-shift[0], -shift[1]), axis=(0, 1)).astype(np.float64)


def inside(shape: tuple[int, ...], shifts: Shifts) -> tuple[slice, slice]:
    """Return the rows and columns common to all frames."""
    (top, left), (bottom, right) = (-shifts).max(0).clip(0), shifts.max(0).clip(0)
    return slice(top, shape[-2] - bottom), slice(left, shape[-1] - right)


def _spectrum(image: npt.NDArray[Any]) -> npt.NDArray[np.complex128]:
    centred = image.astype(np.float64) - image.mean(dtype=np.float64)
    return np.asarray(fourier_gaussian(rfft2(centred), _SMOOTH_PIXELS, n=image.shape[1]))


def _peak(product: npt.NDArray[np.complex128], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the maximum of a cross-correlation near zero shift."""
    most = [side // _SHARE for side in shape]
    correlation = np.roll(irfft2(product, s=shape), most, axis=(0, 1))
    near = correlation[: 2 * most[0] + 1, : 2 * most[1] + 1]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return int(row) - most[0], int(column) - most[1]
