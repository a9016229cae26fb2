"""The statistics of `tensor_statistics`, compiled: one pass over a crop that stays in the cache.

The results equal those in tensor operations to single precision, in a fraction of the time: small
tensor operations each go through memory, and hold Python's lock. To the last bit, the numbers of a
crop depend on the crop alone: sums run in one order on one thread.
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
_SHAPE: Final = tensors.SHAPE_BINS
_SPECTRUM: Final = tensors.SPECTRUM_BINS
_KNEE: Final = histograms.KNEE
_LOG_SCALE: Final = math.log1p(1 / histograms.KNEE)
_BAND: Final = tensors.band_of_cycles().numpy()
_BANDS, _BAND_STARTS, _BAND_SIZES = np.unique(_BAND, return_index=True, return_counts=True)
"""Bands that contain a half cycle: the start of each, and its number of half cycles."""

# Bins of magnitude are looked up by the leading bits of a float: the table holds the bin at the
# lower end of each cell, and a cell contains one edge at most.
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

    From pixels p, padded by one mirrored pixel on every side.
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
    """Return the mean over side x side neighbours, (h, w), of pixels p padded by side // 2."""
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
    """Return the bins of residuals; the last two where x is at an end of the range, uint8."""
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
            for k in range(n):  # all at once: a single sum would wait for its own previous step
                sums[at, k] += values[k, y, c]
    return sums


@compiled
def _lattice_counts(x: Any) -> Any:
    """Return histograms of levels within the range and of steps between neighbours, (2, n)."""
    h, w = x.shape
    counts = np.zeros((2, _LEVELS), np.int32)
    levels, steps = counts
    deep, whole = np.float32(_LEVELS), np.float32(2**23)  # adding and subtracting it rounds
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
def _enter_patch_means(values: Any, patch: int, out: Any, at: int) -> None:
    """Write the means of maps (n, h, w) over patches, (patches, n), starting at a column."""
    n, h, w = values.shape
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
                out[row * (w // patch) + i, at + k] = total / area


@compiled
def _levelled(residual: Any) -> Any:
    """Return residuals in units of their level, clipped to limit the effect of impulses."""
    clipped, least, three = np.empty_like(residual), np.float32(_LEAST), np.float32(3)
    total, square = 0.0, 0.0
    for y in range(residual.shape[0]):
        for c in range(residual.shape[1]):
            total += np.float64(abs(residual[y, c]))
    level = max(np.float32(total / residual.size), least)
    for y in range(residual.shape[0]):
        for c in range(residual.shape[1]):
            value = min(max(residual[y, c] / level, -three), three)
            clipped[y, c] = value
            square += np.float64(value * value)
    level = np.sqrt(max(np.float32(square / residual.size), least))
    for y in range(residual.shape[0]):
        for c in range(residual.shape[1]):
            clipped[y, c] /= level
    return clipped


@compiled
def _coarse_bins(x: Any) -> Any:
    """Return the bins of residuals at half the scale."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    halved, middle = np.empty((h, w), np.float32), np.empty((h, w), np.float32)
    for y in range(h):
        above, below = x[2 * y], x[2 * y + 1]
        for c in range(w):
            total = above[2 * c] + above[2 * c + 1] + below[2 * c] + below[2 * c + 1]
            halved[y, c], middle[y, c] = total / np.float32(4), np.float32(0.5)
    _, residual, _ = _residuals(mirrored(halved, 1))
    return _bins(residual, middle)


@compiled
def _enter_shares(counts: Any, out: Any, at: int) -> None:
    """Write the square roots of the shares of each row of counts, starting at a column."""
    for i in range(counts.shape[0]):
        total = 0
        for j in range(counts.shape[1]):
            total += counts[i, j]
        for j in range(counts.shape[1]):
            out[i, at + j] = np.sqrt(counts[i, j] / max(total, 1))


@compiled
def _in_pairs(counts: Any, ends: int) -> Any:
    """Return fine counts merged in pairs; those of the two ends, which come last, are unchanged."""
    n = (counts.shape[1] - ends) // 2
    pairs = np.zeros((counts.shape[0], n + ends), counts.dtype)
    for i in range(counts.shape[0]):
        for j in range(2 * n):
            pairs[i, j // 2] += counts[i, j]
        for j in range(ends):
            pairs[i, n + j] = counts[i, 2 * n + j]
    return pairs


@compiled
def _maps(x: Any) -> Any:
    """Return smooth brightness and activity, residuals and directional ones, each (h, w)."""
    ring, residual, directional = _residuals(mirrored(x, 1))
    activity = _smooth(mirrored(np.abs(directional), 3), 7)
    return _smooth(mirrored(ring, 2), 5), activity, residual, directional


@compiled
def _of_groups(
    x: Any, group: Any, bins: Any, directional: Any, low: Any, products: Any, out: Any
) -> Any:
    """Enter the statistics of each group; return the number of pixels at each end of the range."""
    n, lags = _FINE + 2, len(_LAGS)
    fine = _joint(group, _GROUPS, bins, n)
    _enter_shares(fine, out, 0)
    _enter_shares(_joint(group, _GROUPS, _bins(directional, x), n), out, n)
    _enter_shares(_joint(group[::2, ::2], _GROUPS, low, _FINE), out, 2 * n)
    at, sums, ends = 2 * n + _FINE, _sums(group, _GROUPS, products), np.zeros(2)
    for g in range(_GROUPS):
        size = 0
        for k in range(n):
            size += fine[g, k]
        for k in range(lags):
            out[g, at + k] = sums[g, k] / max(size, 1)
        out[g, at + lags] = np.sqrt(size / x.size)
        out[g, at + lags + 1] = np.log1p(size) / 10
        for end in range(2):
            ends[end] += fine[g, _FINE + end]
    return ends


@compiled
def _of_patches(
    x: Any,
    place: Any,
    patch: int,
    bins: Any,
    residual: Any,
    directional: Any,
    low: Any,
    products: Any,
    out: Any,
) -> None:
    """Enter the statistics of each patch."""
    places, lags = out.shape[0], len(_LAGS)
    part = _in_pairs(_joint(place, places, bins, _FINE + 2), 2)
    _enter_shares(part, out, 0)
    at = part.shape[1]
    part = _in_pairs(_joint(place[::2, ::2], places, low, _FINE), 0)
    _enter_shares(part, out, at)
    at += part.shape[1]
    _enter_patch_means(products, patch, out, at)
    maps, ten = np.empty((4, *x.shape), np.float32), np.float32(10)
    for y in range(x.shape[0]):
        for c in range(x.shape[1]):
            maps[0, y, c], maps[1, y, c] = x[y, c], x[y, c] * x[y, c]
            maps[2, y, c] = ten * abs(residual[y, c])
            maps[3, y, c] = ten * abs(directional[y, c])
    _enter_patch_means(maps, patch, out, at + lags)


@compiled
def _of_lattice(x: Any, ends: Any, out: Any) -> Any:
    """Enter the histogram of levels; return the shares of levels and of steps, (2, levels)."""
    counts = _lattice_counts(x)
    coarse, wide = np.zeros((1, _SHAPE), np.int32), _LEVELS // _SHAPE
    shares = np.zeros((2, _LEVELS), np.float32)
    for k in range(2):
        total = 0
        for i in range(_LEVELS):
            total += counts[k, i]
        for i in range(_LEVELS):
            shares[k, i] = counts[k, i] / max(total, 1)
    for i in range(_LEVELS):
        coarse[0, i // wide] += counts[0, i]
    _enter_shares(coarse, out, 0)
    for end in range(2):
        out[0, _SHAPE + end] = np.sqrt(ends[end] / x.size)
    return shares


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
def _log_magnitude(value: float) -> float:
    scaled: float = np.log1p(value / _KNEE) / _LOG_SCALE
    return scaled


@compiled
def _enter_sd(place: Any, variance: Any, out: Any) -> None:
    """Write, as the last column, the SD along the quietest directions by place, logarithmic."""
    sums, sizes = np.zeros(len(out)), np.zeros(len(out))
    for i in range(place.shape[0]):
        for j in range(place.shape[1]):
            sums[place[i, j]] += variance[i, j]
            sizes[place[i, j]] += 1
    for k in range(len(out)):
        out[k, -1] = _log_magnitude(np.sqrt(sums[k] / max(sizes[k], 1)))


@compiled
def _of_quiet(quiet: Any, group: Any, place: Any, groups: Any, patches: Any) -> None:
    """Enter the noise of the patches, (QUIETEST, rows, columns)."""
    edge, rows, columns = SIDE // 2, quiet.shape[1], quiet.shape[2]
    at_group = group[edge:-edge:STEP, edge:-edge:STEP]
    at_place = place[edge:-edge:STEP, edge:-edge:STEP]
    counts, variance = np.zeros((_GROUPS, PCA_BINS), np.int32), np.zeros((rows, columns))
    bits = quiet.view(np.int32)
    for k in range(QUIETEST):
        for i in range(rows):
            for j in range(columns):
                value = quiet[k, i, j]
                found = min(_scale_bin(bits[k, i, j], value) // _PER_PCA, PCA_BINS - 1)
                counts[at_group[i, j], found] += 1
                variance[i, j] += np.float64(value) * value / QUIETEST
    last = groups.shape[1] - 1
    _enter_shares(counts, groups, last - PCA_BINS)
    _enter_sd(at_group, variance, groups)
    _enter_sd(at_place, variance, patches)


@compiled
def _of_spectra(transform: Any, spread: Any, whole: Any) -> None:
    """Enter largest cosine parts, largest moduli and mean moduli by band, and the SDs of patches.

    From the transforms (2, half cycles) of both histograms.
    """
    at, bands = _SHAPE + 2, _SPECTRUM
    for k in range(2):
        for i in range(len(_BANDS)):
            start, size, cosine, modulus, total = _BAND_STARTS[i], _BAND_SIZES[i], -np.inf, 0.0, 0.0
            for j in range(start, start + size):
                value = transform[k, j]
                cosine = max(cosine, value.real)
                modulus = max(modulus, abs(value))
                total += abs(value)
            whole[at + _BANDS[i]] = cosine
            whole[at + bands + _BANDS[i]] = modulus
            whole[at + 2 * bands + _BANDS[i]] = total / size
        at += 3 * bands
    for k in range(len(spread)):
        whole[at + k] = _log_magnitude(spread[k])


def is_new() -> bool:
    """Return whether the kernels must still be compiled on this machine, which takes seconds."""
    kernel: Any = _residuals
    folder = kernel.stats.cache_path
    return folder is None or not any(Path(folder).glob(f"{Path(__file__).stem}.*.nbi"))


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Compile the kernels, or load compiled ones from the cache."""
    compiled_statistics(torch.zeros(1, 64, 64), 32)


def compiled_statistics(x: Tensor, patch: int) -> tensors.CropStatistics:
    """Return the statistics of crops on the CPU; see `noise_statistics`.

    Parameters
    ----------
    x : Tensor of shape (n, h, w)
        Crops in [0, 1], float32.
    patch : int
        Side of a patch in pixels.
    """
    pixels = x.contiguous().numpy()
    place = _places(x.shape[1], x.shape[2], patch)
    n, places = len(pixels), int(place[-1, -1]) + 1
    groups = np.empty((n, _GROUPS, tensors.GROUP_FEATURES), np.float32)
    patches = np.empty((n, places, tensors.PATCH_FEATURES), np.float32)
    whole = np.zeros((n, tensors.CROP_FEATURES), np.float32)
    for each, *own in zip(pixels, groups, patches, whole, strict=True):
        _enter(each, place, patch, *own)
    return tensors.CropStatistics(*map(torch.from_numpy, (groups, patches, whole)))


@lru_cache(maxsize=4)
def _places(height: int, width: int, patch: int) -> npt.NDArray[np.uint8]:
    """Return the number of the patch of every pixel."""
    row, column = (np.arange(side, dtype=np.uint8) // patch for side in (height, width))
    return np.asarray(row[:, None] * (width // patch) + column, np.uint8)


def _enter(
    x: Floats,
    place: npt.NDArray[np.uint8],
    patch: int,
    groups: Floats,
    patches: Floats,
    whole: Floats,
) -> None:
    """Write the features of groups, of patches and of the whole of one crop (h, w)."""
    brightness, activity, residual, directional = _maps(x)
    sample = activity[::4, ::4].ravel()
    middle = (sample.size - 1) // 2
    group = _groups(brightness, activity, np.partition(sample, middle)[middle])
    bins, low = _bins(residual, x), _coarse_bins(x)
    products = _products(mirrored(_levelled(residual), _REACH))
    ends = _of_groups(x, group, bins, directional, low, products, groups)
    _of_patches(x, place, patch, bins, residual, directional, low, products, patches)
    shares = _of_lattice(x, ends, whole[None])
    spread, quiet = _quietest(x)
    _of_quiet(quiet, group, place, groups, patches)
    transform = rfft(shares, 2 * _LEVELS)[:, 1 : len(_BAND) + 1]
    _of_spectra(transform, spread, whole)


def _quietest(x: Floats) -> tuple[Floats, Floats]:
    """Return SDs along all directions, and the parts of patches (rows, columns) along the quietest.

    In memory aligned by PyTorch: the rounding of products depends on where a matrix begins.
    """
    rows, columns = ((side - SIDE) // STEP + 1 for side in x.shape)
    patches = torch.empty(1, DIRECTIONS, rows * columns)
    _unfold(x, patches[0].numpy())
    patches -= patches.mean(-1, keepdim=True)
    spread, directions = principal_directions(patches)
    quiet = directions[0, :, :QUIETEST].T @ patches[0]
    return spread[0].numpy(), quiet.numpy().reshape(QUIETEST, rows, columns)
