"""The statistics of `tensor_statistics` in one compiled pass over a crop that stays in the cache.

The same numbers as those of the tensors, to the rounding of single precision, at a fraction of
the time: small tensor operations go through memory once each, and hold Python's lock. A crop's
numbers depend on nothing but the crop, to the last bit: sums run in one order on one thread.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.fft import rfft
from torch import Tensor

from cop_core.compiled import compiled, mirrored
from cop_core.network import histograms
from cop_core.network import tensor_statistics as tensors
from cop_core.network.patch_pca import (
    DIRECTIONS,
    PCA_BINS,
    QUIETEST,
    SIDE,
    STEP,
    principal_directions,
)

Floats = npt.NDArray[np.float32]

_BRIGHTNESS: Final = tensors.BRIGHTNESS_BINS
_GROUPS: Final = tensors.GROUPS
_FINE: Final = tensors.FINE_BINS
_HALF: Final = tensors.FINE_BINS // 2
_LAGS: Final = np.array(tensors.LAGS)
_REACH: Final = 3
"""Largest lag."""
_LEVELS: Final = tensors.HISTOGRAM_BINS
_LEAST: Final = tensors.LEAST_LEVEL
_BAND: Final = tensors.band_of_cycles().numpy()
_BANDS, _BAND_STARTS, _BAND_SIZES = np.unique(_BAND, return_index=True, return_counts=True)
"""Bands that hold a half cycle: where each begins, and how many it holds."""

# Bins of magnitude are looked up by the leading bits of a float: of each cell of the table the bin
# at its lower end is known, and an edge lies in it at most once.
_PER_SCALE: Final = 96
"""Bins from 0 to full scale, a multiple of those of every histogram."""
_PER_HALF: Final = _PER_SCALE // _HALF
_PER_PCA: Final = _PER_SCALE // PCA_BINS
_SHIFT: Final = 15
_EDGES: Final = np.append(
    np.float32(
        histograms.KNEE
        * np.expm1(np.arange(_PER_SCALE) / _PER_SCALE * np.log1p(1 / histograms.KNEE))
    ),
    np.float32(np.inf),
)
_FIRST: Final = int(np.float32(2.0**-14).view(np.int32)) >> _SHIFT
_TOP: Final = int(np.float32(1).view(np.int32)) >> _SHIFT
_LOWEST: Final = (np.arange(_FIRST, _TOP + 1, dtype=np.int32) << _SHIFT).view(np.float32)
_CELLS: Final = np.searchsorted(_EDGES, _LOWEST, side="right") - 1


@compiled
def _scale_bin(bits: int, value: float) -> int:
    """Return the bin of the magnitude of a value from -1 to 1, of `_PER_SCALE`."""
    cell = min(max(((bits & 0x7FFFFFFF) >> _SHIFT) - _FIRST, 0), len(_CELLS) - 1)
    found: int = _CELLS[cell]
    return found + 1 if abs(value) >= _EDGES[found + 1] else found


@compiled
def _residuals(p: Any) -> Any:
    """Return ring means, residuals against them, and directional residuals, each (h, w).

    Of pixels p with one mirrored around.
    """
    h, w = p.shape[0] - 2, p.shape[1] - 2
    ring, residual, directional = np.empty((3, h, w), np.float32)
    two, six = np.float32(2), np.float32(6)
    for y in range(h):
        above, here, below = p[y], p[y + 1], p[y + 2]
        for c in range(w):
            value = here[c + 1]
            e, o = here[c + 2], here[c]
            s, n = below[c + 1], above[c + 1]
            se, nw = below[c + 2], above[c]
            sw, ne = below[c], above[c + 2]
            across, down, falling, rising = e + o, s + n, se + nw, sw + ne
            total = across + down + falling + rising
            high = max(e, o, s, n, se, nw, sw, ne)
            low = min(e, o, s, n, se, nw, sw, ne)
            least = value - across / two
            second = value - down / two
            least = second if abs(second) < abs(least) else least
            second = value - falling / two
            least = second if abs(second) < abs(least) else least
            second = value - rising / two
            least = second if abs(second) < abs(least) else least
            mean = (total - high - low) / six
            ring[y, c], residual[y, c], directional[y, c] = mean, value - mean, least
    return ring, residual, directional


@compiled
def _smooth(p: Any, side: int) -> Any:
    """Return the mean over side x side neighbours, (h, w), of pixels p with side // 2 around."""
    h, w = p.shape[0] - side + 1, p.shape[1] - side + 1
    rows, out = np.empty(p.shape[1], np.float32), np.empty((h, w), np.float32)
    area = np.float32(side * side)
    for y in range(h):
        rows[:] = 0
        for i in range(side):
            for c in range(len(rows)):
                rows[c] += p[y + i, c]
        line = out[y]
        line[:] = 0
        for i in range(side):
            for c in range(w):
                line[c] += rows[c + i]
        for c in range(w):
            line[c] /= area
    return out


@compiled
def _groups(brightness: Any, activity: Any, median: float) -> Any:
    """Return each pixel's group: brightness bin times calm (0) or busy (1), (h, w) uint8."""
    h, w = brightness.shape
    group, bins = np.empty((h, w), np.uint8), np.float32(_BRIGHTNESS)
    for y in range(h):
        for c in range(w):
            share = min(max(brightness[y, c], np.float32(0)), np.float32(1))
            found = min(int(np.sqrt(share) * bins), _BRIGHTNESS - 1)
            group[y, c] = 2 * found + (activity[y, c] > median)
    return group


@compiled
def _bins(values: Any, x: Any) -> Any:
    """Return the bins of residuals; where x is at an end of the range the last two, uint8."""
    h, w = values.shape
    out, bits = np.empty((h, w), np.uint8), values.view(np.int32)
    for y in range(h):
        for c in range(w):
            if x[y, c] <= 0:
                out[y, c] = _FINE
            elif x[y, c] >= 1:
                out[y, c] = _FINE + 1
            else:
                found = min(_scale_bin(bits[y, c], values[y, c]) // _PER_HALF, _HALF - 1)
                out[y, c] = _HALF - 1 - found if values[y, c] < 0 else _HALF + found
    return out


@compiled
def _joint(place: Any, places: int, bins: Any, n_bins: int) -> Any:
    """Return the joint histogram (places, n_bins) of two maps."""
    counts = np.zeros((places, n_bins), np.int32)
    for y in range(place.shape[0]):
        for c in range(place.shape[1]):
            counts[place[y, c], bins[y, c]] += 1
    return counts


@compiled
def _products(p: Any) -> Any:
    """Return the products of residuals with neighbours, (lags, h, w), from padded p."""
    h, w = p.shape[0] - 2 * _REACH, p.shape[1] - 2 * _REACH
    out = np.empty((len(_LAGS), h, w), np.float32)
    for k in range(len(_LAGS)):
        dy, dx = _LAGS[k]
        for y in range(h):
            here, there, line = p[y + _REACH], p[y + _REACH + dy], out[k, y]
            for c in range(w):
                line[c] = here[c + _REACH] * there[c + _REACH + dx]
    return out


@compiled
def _sums(place: Any, places: int, values: Any) -> Any:
    """Return the sums of maps (n, h, w) by place, (places, n)."""
    n, h, w = values.shape
    sums = np.zeros((places, n))
    for y in range(h):
        for c in range(w):
            at = place[y, c]
            for k in range(n):  # all at once: one alone would wait for its own last sum
                sums[at, k] += values[k, y, c]
    return sums


@compiled
def _lattice_counts(x: Any) -> Any:
    """Return histograms of levels within the range and of steps between neighbours, (2, n)."""
    h, w = x.shape
    counts = np.zeros((2, _LEVELS), np.int32)
    levels, steps = counts
    deep, whole = np.float32(_LEVELS), np.float32(2**23)  # added and taken away it rounds
    for y in range(h):
        for c in range(w):
            if x[y, c] > 0 and x[y, c] < 1:
                levels[int(x[y, c] * deep)] += 1
            if c + 1 < w:
                step = (abs(x[y, c + 1] - x[y, c]) * deep + whole) - whole
                steps[min(int(step), _LEVELS - 1)] += 1
            if y + 1 < h:
                step = (abs(x[y + 1, c] - x[y, c]) * deep + whole) - whole
                steps[min(int(step), _LEVELS - 1)] += 1
    return counts


@compiled
def _unfold(x: Any, out: Any) -> None:
    """Write every third patch as a column of `out`, (DIRECTIONS, places)."""
    rows, columns = (x.shape[0] - SIDE) // STEP + 1, (x.shape[1] - SIDE) // STEP + 1
    for dy in range(SIDE):
        for dx in range(SIDE):
            line = out[dy * SIDE + dx]
            for i in range(rows):
                for j in range(columns):
                    line[i * columns + j] = x[STEP * i + dy, STEP * j + dx]


@compiled
def _quiet_bins(residual: Any) -> Any:
    """Return the bins of magnitudes of residuals (n, m), uint8."""
    out, bits = np.empty(residual.shape, np.uint8), residual.view(np.int32)
    for i in range(residual.shape[0]):
        for j in range(residual.shape[1]):
            found = _scale_bin(bits[i, j], residual[i, j]) // _PER_PCA
            out[i, j] = min(found, PCA_BINS - 1)
    return out


@compiled
def _patch_means(values: Any, patch: int) -> Any:
    """Return the means of maps (n, h, w) over patches, (patches, n)."""
    n, h, w = values.shape
    out = np.empty((h // patch * (w // patch), n), np.float32)
    columns, area = np.empty(w, np.float32), np.float32(patch * patch)
    for k in range(n):
        for row in range(h // patch):
            columns[:] = 0
            for y in range(row * patch, (row + 1) * patch):
                for c in range(w):
                    columns[c] += values[k, y, c]
            for i in range(w // patch):
                total = np.float32(0)
                for c in range(i * patch, (i + 1) * patch):
                    total += columns[c]
                out[row * (w // patch) + i, k] = total / area
    return out


def is_new() -> bool:
    """Return whether the kernels were never compiled on this machine, which takes some seconds."""
    kernel: Any = _residuals
    folder = kernel.stats.cache_path
    return folder is None or not any(Path(folder).glob(f"{Path(__file__).stem}.*.nbi"))


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Compile the kernels, or load those that were compiled before."""
    _of_crop(np.zeros((64, 64), np.float32), 32)


def compiled_statistics(x: Tensor, patch: int) -> tensors.CropStatistics:
    """Return the statistics of crops on the CPU; see `noise_statistics`.

    Parameters
    ----------
    x : Tensor of shape (n, h, w)
        Crops in [0, 1], float32.
    patch : int
        Side of a patch in pixels.
    """
    parts = [_of_crop(crop.numpy(), patch) for crop in x.contiguous()]
    found = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
    return tensors.CropStatistics(*found)


def _of_crop(x: Floats, patch: int) -> tuple[Floats, Floats, Floats]:
    """Return the features of groups, of patches and of the whole of one crop (h, w)."""
    row, column = (np.arange(side, dtype=np.uint8) // patch for side in x.shape)
    place = row[:, None] * (x.shape[1] // patch) + column
    places, n = int(place[-1, -1]) + 1, _FINE + 2

    ring, residual, directional = _residuals(mirrored(x, 1))
    calm = np.abs(directional)
    group = _group_map(ring, calm)
    bins = _bins(residual, x)
    halved = (x[::2, ::2] + x[::2, 1::2] + x[1::2, ::2] + x[1::2, 1::2]) / np.float32(4)
    low = _bins(_residuals(mirrored(halved, 1))[1], np.full_like(halved, 0.5))
    products = _products(mirrored(_levelled(residual), _REACH))
    spread, quiet = _quietest(x)
    quiet_bins = _quiet_bins(quiet.reshape(-1, quiet.shape[-1])).reshape(quiet.shape)
    variance = np.square(quiet).mean(0, keepdims=True)

    fine = _joint(group, _GROUPS, bins, n)
    size = fine.sum(1, keepdims=True)
    inner = _at_patches(group)
    quiet_counts = sum(_joint(inner, _GROUPS, part, PCA_BINS) for part in quiet_bins)
    by_group = [
        _shares(fine),
        _shares(_joint(group, _GROUPS, _bins(directional, x), n)),
        _shares(_joint(group[::2, ::2], _GROUPS, low, _FINE)),
        _sums(group, _GROUPS, products) / np.maximum(size, 1),
        np.sqrt(size / x.size),
        np.log1p(size) / 10,
        _shares(quiet_counts),
        _quiet_sd(inner, _GROUPS, variance),
    ]
    maps = np.stack([x, np.square(x), 10 * np.abs(residual), 10 * calm])
    by_patch = [
        _shares(_in_pairs(_joint(place, places, bins, n))),
        _shares(_in_pairs(_joint(place[::2, ::2], places, low, _FINE))),
        _patch_means(products, patch),
        _patch_means(maps, patch),
        _quiet_sd(_at_patches(place), places, variance),
    ]
    counts = _lattice_counts(x)
    whole = [
        _shares(counts[0].reshape(1, tensors.SHAPE_BINS, -1).sum(-1))[0],
        np.sqrt(fine[:, _FINE:].sum(0) / x.size),
        *_spectra(counts),
        histograms.log_magnitude(spread).numpy(),
    ]
    return (
        np.concatenate(by_group, axis=1, dtype=np.float32),
        np.concatenate(by_patch, axis=1, dtype=np.float32),
        np.concatenate(whole, dtype=np.float32),
    )


def _group_map(ring: Floats, calm: Floats) -> npt.NDArray[np.uint8]:
    activity = _smooth(mirrored(calm, 3), 7)
    sample = activity[::4, ::4].ravel()
    middle = (sample.size - 1) // 2
    median = np.partition(sample, middle)[middle]
    group: npt.NDArray[np.uint8] = _groups(_smooth(mirrored(ring, 2), 5), activity, median)
    return group


def _levelled(residual: Floats) -> Floats:
    """Return residuals in units of their level, so clipped that impulses do not rule."""
    clipped = np.clip(residual / max(np.abs(residual).mean(), _LEAST), -3, 3)
    return np.asarray(clipped / np.sqrt(max(np.square(clipped).mean(), _LEAST)), np.float32)


def _quietest(x: Floats) -> tuple[Tensor, Floats]:
    """Return SDs along all directions, and what patches (rows, columns) have along the quietest.

    In memory that PyTorch aligns: products round by where a matrix begins.
    """
    rows, columns = ((side - SIDE) // STEP + 1 for side in x.shape)
    patches = torch.empty(1, DIRECTIONS, rows * columns)
    _unfold(x, patches[0].numpy())
    patches -= patches.mean(-1, keepdim=True)
    spread, directions = principal_directions(patches)
    quiet = directions[0, :, :QUIETEST].T @ patches[0]
    return spread[0], quiet.numpy().reshape(QUIETEST, rows, columns)


def _at_patches(places: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    edge = SIDE // 2
    return places[edge:-edge:STEP, edge:-edge:STEP]


def _quiet_sd(place: npt.NDArray[np.uint8], places: int, variance: Floats) -> npt.NDArray[Any]:
    """Return the SD along the quietest directions by place, on a logarithmic scale, (places, 1)."""
    sizes = np.bincount(place.ravel(), minlength=places)[:, None]
    sd = np.sqrt(_sums(place, places, variance) / np.maximum(sizes, 1))
    scaled: npt.NDArray[Any] = np.log1p(sd / histograms.KNEE) / math.log1p(1 / histograms.KNEE)
    return scaled


def _shares(counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the square roots of shares of each row of counts."""
    shares: npt.NDArray[Any] = np.sqrt(counts / np.maximum(counts.sum(-1, keepdims=True), 1))
    return shares


def _in_pairs(counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return fine counts as coarse ones; those of the ends stay as they are."""
    pairs = counts[:, :_FINE].reshape(len(counts), -1, 2).sum(-1)
    return np.hstack([pairs, counts[:, _FINE:]])


def _spectra(counts: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return largest cosine parts, largest moduli and mean moduli of each histogram, by band."""
    share = np.asarray(counts / np.maximum(counts.sum(-1, keepdims=True), 1), np.float32)
    transform = rfft(share, 2 * _LEVELS)[:, 1 : len(_BAND) + 1]
    modulus = np.abs(transform)
    largest = (np.maximum.reduceat(part, _BAND_STARTS, 1) for part in (transform.real, modulus))
    mean = np.add.reduceat(modulus, _BAND_STARTS, 1) / _BAND_SIZES
    bands = np.zeros((len(counts), 3, tensors.SPECTRUM_BINS), np.float32)
    for k, values in enumerate((*largest, mean)):
        bands[:, k, _BANDS] = values
    return list(bands.reshape(len(counts), -1))
