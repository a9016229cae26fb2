"""Physical statistics of a crop, in tensor operations: tokens of the ``statistics`` stem.

Nothing here is learnt and no gradient passes. There are three families (crops are (n, 1, h, w)):

* by local brightness and activity: histograms of residuals at two scales, and the residual's
  autocorrelation. They give noise level and impulse rate as functions of the signal, which separate
  shot noise from impulses and amplifier noise.
* by place: the same residuals in patches, which let the network attend to flat areas.
* of the whole crop: the histogram, and its spectrum. Values on a lattice of step l give a peak at
  k = 1 / l in the characteristic function of the pixels and of neighbour differences.

Each includes the noise along the directions in which patches vary least (`PatchPca`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cop_core.network import histograms
from cop_core.network.patch_pca import DIRECTIONS, PCA_BINS, PatchPca, at_patches, patch_pca

BRIGHTNESS_BINS = 12
GROUPS = 2 * BRIGHTNESS_BINS
"""Brightness bins (square-root spaced) times calm or busy surroundings."""
FULL_SHARE = 1 / 144
"""Share of a crop's pixels, 256 of 192 x 192, from which on a group counts in full."""
FINE_BINS = 48
COARSE_BINS = 24
LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 3), (3, 0))
SPECTRUM_BINS = 96
HISTOGRAM_BINS = 4096
MAX_CYCLES = 512
LEAST_LEVEL = 1e-6
"""Mean magnitude of residuals above which they are normalised by it."""


class CropStatistics(NamedTuple):
    """Statistics of n crops.

    Attributes
    ----------
    groups : Tensor of shape (n, GROUPS, GROUP_FEATURES)
    patches : Tensor of shape (n, patches, PATCH_FEATURES)
    crop : Tensor of shape (n, CROP_FEATURES)
        Of the whole crop.
    """

    groups: Tensor
    patches: Tensor
    crop: Tensor


_SHARE = 2 * (FINE_BINS + 2) + FINE_BINS + len(LAGS)
GROUP_FEATURES = _SHARE + 2 + PCA_BINS + 1
PATCH_FEATURES = (COARSE_BINS + 2) + COARSE_BINS + len(LAGS) + 4 + 1
SHAPE_BINS = 32
SHAPE_FEATURES = SHAPE_BINS + 2
"""Features of the whole crop before its spectra: bins of the histogram, shares at both ends."""
CROP_FEATURES = SHAPE_FEATURES + 6 * SPECTRUM_BINS + DIRECTIONS


def without_small_groups(groups: Tensor) -> Tensor:
    """Return statistics of groups, faded to those of an empty group below `FULL_SHARE` of a crop.

    Histograms of a few pixels are chance, and a network may take one for another noise.

    Parameters
    ----------
    groups : Tensor of shape (n, GROUPS, GROUP_FEATURES)
    """
    share = groups[..., _SHARE : _SHARE + 1].square()
    return groups * (share / FULL_SHARE).clamp(max=1)


@dataclass(frozen=True)
class _Scale:
    """Residuals at one scale, each (n, h, w): against a trimmed ring mean, and directional."""

    ring: Tensor
    residual: Tensor
    directional: Tensor


@torch.no_grad()
def tensor_statistics(x: Tensor, patch: int) -> CropStatistics:
    """Return the statistics of crops (n, h, w) in tensor operations; see `noise_statistics`."""
    fine = _residuals(x)
    coarse = _residuals(F.avg_pool2d(x.unsqueeze(1), 2).squeeze(1))
    lags = _lag_products(fine.residual)
    group = _groups(fine)
    ends = torch.where(x <= 0, 1, torch.where(x >= 1, 2, 0))
    pca = patch_pca(x)
    return CropStatistics(
        _group_features(fine, coarse, lags, pca, group, ends),
        _patch_features(x, fine, coarse, lags, pca, ends, patch),
        _crop_features(x, pca, ends),
    )


def _residuals(x: Tensor) -> _Scale:
    """Return residuals against the 8 neighbours without their extremes, and directional residuals.

    The directional residual is the second difference of least magnitude among the four through
    a pixel: edges pass through it, isolated impulses do not.
    """
    h, w = x.shape[-2:]
    p = F.pad(x.unsqueeze(1), (1, 1, 1, 1), mode="reflect").squeeze(1)

    def at(dy: int, dx: int) -> Tensor:
        return p[:, 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]

    total = torch.zeros_like(x)
    high = torch.zeros_like(x)
    low = torch.ones_like(x)
    directional = torch.full_like(x, torch.inf)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a, b = at(dy, dx), at(-dy, -dx)
        both = a + b
        total += both
        high = torch.maximum(high, torch.maximum(a, b))
        low = torch.minimum(low, torch.minimum(a, b))
        second = x - both / 2
        directional = torch.where(second.abs() < directional.abs(), second, directional)
    ring = (total - high - low) / 6
    return _Scale(ring, x - ring, directional)


def _smooth(x: Tensor, side: int) -> Tensor:
    """Return the mean over side x side neighbours of (n, h, w), borders reflected."""
    h, w = x.shape[-2:]
    r = side // 2
    p = F.pad(x.unsqueeze(1), (r, r, r, r), mode="reflect").squeeze(1)
    rows = p[:, :h].clone()
    for i in range(1, side):
        rows += p[:, i : i + h]
    total = rows[..., :w].clone()
    for i in range(1, side):
        total += rows[..., i : i + w]
    return total / side**2


def _groups(scale: _Scale) -> Tensor:
    """Return each pixel's group: brightness bin times calm (0) or busy (1), (n, h, w) int64."""
    brightness = (_smooth(scale.ring, 5).clamp(0, 1).sqrt() * BRIGHTNESS_BINS).long()
    brightness.clamp_max_(BRIGHTNESS_BINS - 1)
    activity = _smooth(scale.directional.abs(), 7)
    sample = activity[:, ::4, ::4].flatten(1)
    median = sample.median(dim=1).values[:, None, None]
    return 2 * brightness + (activity > median)


def _lag_products(residual: Tensor) -> Tensor:
    """Return normalised products with shifted neighbours, (n, lags, h, w), means near [-1, 1].

    The residual is clipped at three mean magnitudes to limit the effect of impulses.
    """
    h, w = residual.shape[-2:]
    scale = _level(residual.abs())
    clipped = (residual / scale).clamp(-3, 3)
    clipped = clipped / _level(clipped.square()).sqrt()
    p = F.pad(clipped.unsqueeze(1), (3, 3, 3, 3), mode="reflect").squeeze(1)
    return torch.stack(
        [clipped * p[:, 3 + dy : 3 + dy + h, 3 + dx : 3 + dx + w] for dy, dx in LAGS], dim=1
    )


def _level(x: Tensor) -> Tensor:
    """Return the means of (n, h, w), at least `LEAST_LEVEL`, (n, 1, 1).

    Row by row, since PyTorch sums the pixels of a single crop in another order than those of
    several, and a crop's numbers must not depend on the others.
    """
    return x.mean(2, keepdim=True).mean(1, keepdim=True).clamp_min(LEAST_LEVEL)


def _binned(residual: Tensor, ends: Tensor, bins: int) -> Tensor:
    """Return bin numbers; pixels at exactly 0 and exactly 1 have the last two bins."""
    return torch.where(ends > 0, bins - 1 + ends, histograms.log_bin(residual, bins))


def _group_features(
    fine: _Scale, coarse: _Scale, lags: Tensor, pca: PatchPca, group: Tensor, ends: Tensor
) -> Tensor:
    residual, directional = (
        histograms.counts(group, GROUPS, _binned(part, ends, FINE_BINS), FINE_BINS + 2)
        for part in (fine.residual, fine.directional)
    )
    low = histograms.counts(
        group[:, ::2, ::2], GROUPS, histograms.log_bin(coarse.residual, FINE_BINS), FINE_BINS
    )
    size = residual.sum(-1, keepdim=True)
    share = size / size.sum(1, keepdim=True)
    return torch.cat(
        [
            histograms.shares(residual),
            histograms.shares(directional),
            histograms.shares(low),
            histograms.means(group, GROUPS, lags),
            share.sqrt(),
            torch.log1p(size) / 10,
            pca.shares(at_patches(group), GROUPS),
            pca.sd(at_patches(group), GROUPS),
        ],
        dim=-1,
    )


def _patch_features(
    x: Tensor,
    fine: _Scale,
    coarse: _Scale,
    lags: Tensor,
    pca: PatchPca,
    ends: Tensor,
    patch: int,
) -> Tensor:
    n, h, w = x.shape
    columns = w // patch
    row, column = (torch.arange(side, device=x.device) // patch for side in (h, w))
    place = (row[:, None] * columns + column[None]).expand(n, h, w)
    places = h // patch * columns
    residual = histograms.counts(
        place, places, _binned(fine.residual, ends, COARSE_BINS), COARSE_BINS + 2
    )
    low = histograms.counts(
        place[:, ::2, ::2], places, histograms.log_bin(coarse.residual, COARSE_BINS), COARSE_BINS
    )
    maps = torch.stack(
        [x, x.square(), fine.residual.abs() * 10, fine.directional.abs() * 10], dim=1
    )
    pooled = F.avg_pool2d(torch.cat([lags, maps], dim=1), patch).flatten(2).transpose(1, 2)
    sd = pca.sd(at_patches(place), places)
    return torch.cat([histograms.shares(residual), histograms.shares(low), pooled, sd], dim=-1)


def _crop_features(x: Tensor, pca: PatchPca, ends: Tensor) -> Tensor:
    level = (x * HISTOGRAM_BINS).long().clamp_(0, HISTOGRAM_BINS - 1)
    level = torch.where(ends > 0, HISTOGRAM_BINS, level)  # pixels at the ends are apart
    inside = _histogram(level, HISTOGRAM_BINS + 1)[:, :HISTOGRAM_BINS]
    across = _step_histogram(x[:, :, 1:] - x[:, :, :-1])
    down = _step_histogram(x[:, 1:] - x[:, :-1])
    shape = histograms.shares(inside.reshape(len(x), SHAPE_BINS, -1).sum(-1))
    at_ends = torch.stack([(ends == 1).float().mean((1, 2)), (ends == 2).float().mean((1, 2))], 1)
    lattices = [
        _spectrum(counts / counts.sum(-1, keepdim=True).clamp_min(1))
        for counts in (inside, across + down)
    ]
    spread = histograms.log_magnitude(pca.spread)
    return torch.cat([shape, at_ends.sqrt(), *lattices, spread], dim=-1)


def _histogram(level: Tensor, levels: int) -> Tensor:
    return histograms.counts(torch.zeros_like(level), 1, level, levels)[:, 0]


def _step_histogram(step: Tensor) -> Tensor:
    """Return the histogram (n, HISTOGRAM_BINS) of magnitudes of differences."""
    level = (step.abs() * HISTOGRAM_BINS).round_().long().clamp_(0, HISTOGRAM_BINS - 1)
    return _histogram(level, HISTOGRAM_BINS)


def _spectrum(share: Tensor) -> Tensor:
    """Return the characteristic function of histograms, by logarithmic band of cycles.

    From shares (n, HISTOGRAM_BINS); shape (n, 3 SPECTRUM_BINS).

    Three numbers per band: the largest cosine part, the largest modulus and the mean modulus. Every
    half cycle of a band is evaluated: no lattice falls between two frequencies.
    """
    transform = torch.fft.rfft(share, n=2 * HISTOGRAM_BINS)[:, 1 : 2 * MAX_CYCLES + 1]
    band = band_of_cycles().to(share.device).expand(len(share), -1)
    cosine, modulus = transform.real, transform.abs()
    empty = share.new_zeros(len(share), SPECTRUM_BINS)
    return torch.cat(
        [
            empty.scatter_reduce(1, band, cosine, "amax", include_self=False),
            empty.scatter_reduce(1, band, modulus, "amax", include_self=False),
            empty.scatter_reduce(1, band, modulus, "mean", include_self=False),
        ],
        dim=-1,
    )


def band_of_cycles() -> Tensor:
    """Return the band of each half cycle from 0.5 to MAX_CYCLES, int64."""
    halves = torch.arange(1, 2 * MAX_CYCLES + 1, dtype=torch.float64)
    place = torch.log(halves) / math.log(2 * MAX_CYCLES) * (SPECTRUM_BINS - 1)
    # Odd powers of 2 lie between two bands. Their band is fixed here as in training, since a
    # logarithm may round either way: 128 is in the lower one.
    band = (place + 0.5 + 1e-9).floor().long()
    band[127] = 66
    return band
