"""Noise along the principal directions in which the patches of a crop vary least.

White noise has the same variance in every direction of the space of patches, structure only in
some. The variance along the last principal directions is therefore that of the noise, even in
texture, where every fixed high-pass filter passes structure too (S. Pyatykh et al., IEEE Trans.
Image Process. 22, 687, 2013). Binned by local brightness it is a photon transfer curve of the crop,
which separates shot noise from amplifier noise.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cop_core.network import histograms

SIDE = 7
"""Side of the patches in pixels."""
DIRECTIONS = SIDE**2
PCA_BINS = 32
STEP = 3
"""Pixels between patches."""
QUIETEST = 4
"""Number of directions of least variance used."""
_LEAST_VARIANCE = 1e-10  # far below one step of 16 bits


class PatchPca(NamedTuple):
    """Patches of crops along their principal directions.

    Attributes
    ----------
    spread : Tensor of shape (n, DIRECTIONS)
        SD along each direction, the least first.
    residual : Tensor of shape (n, 4, rows, columns)
        Parts of the patches along the four directions of least variance.
    """

    spread: Tensor
    residual: Tensor

    def shares(self, place: Tensor, places: int) -> Tensor:
        """Return histograms of magnitudes by place, (n, places, PCA_BINS).

        Parameters
        ----------
        place : Tensor of shape (n, rows, columns)
            Place of each patch, int64.
        places : int
            Number of places.
        """
        magnitude = histograms.log_bin(self.residual.abs(), 2 * PCA_BINS) - PCA_BINS
        alike = place.unsqueeze(1).expand_as(magnitude)
        return histograms.shares(histograms.counts(alike, places, magnitude, PCA_BINS))

    def sd(self, place: Tensor, places: int) -> Tensor:
        """Return the logarithmic magnitude of the SD by place, (n, places, 1); 0 where empty."""
        variance = self.residual.square().mean(1, keepdim=True)
        return histograms.log_magnitude(histograms.means(place, places, variance).sqrt())


def patch_pca(x: Tensor) -> PatchPca:
    """Return the least-varying parts of patches of crops (n, h, w), one patch every third pixel."""
    patches = F.unfold(x.unsqueeze(1), SIDE, stride=STEP)  # (n, SIDE**2, places)
    patches -= patches.mean(-1, keepdim=True)
    spread, directions = principal_directions(patches)
    rows, columns = ((side - SIDE) // STEP + 1 for side in x.shape[-2:])
    residual = directions[:, :, :QUIETEST].mT @ patches
    return PatchPca(spread, residual.reshape(len(x), QUIETEST, rows, columns))


def principal_directions(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Return ascending SDs, and directions of patches (n, DIRECTIONS, places) of mean 0."""
    covariance = patches @ patches.mT / patches.shape[-1]
    variance, directions = _principal(covariance)
    return variance.clamp_min(0).sqrt(), directions


def _principal(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return ascending variances, and directions of covariances (n, d, d).

    In double precision and with a little added to the diagonal: for patches that are black except
    for a few pixels, LAPACK fails or returns NaN in single precision. On the CPU, since MPS has no
    double precision and CUDA decomposes matrices of more than 32 rows one after the other, 1.8 ms
    each (https://github.com/pytorch/pytorch/issues/174674).
    """
    exact = covariance.cpu().double()
    least = torch.full((exact.shape[-1],), _LEAST_VARIANCE, dtype=exact.dtype)
    variance, directions = decompose(exact + torch.diag(least))
    return variance.to(covariance), directions.to(covariance)


def decompose(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return ascending eigenvalues, and eigenvectors, of symmetric (n, d, d), on all cores.

    PyTorch by itself would use one core.
    """
    cores = min(os.cpu_count() or 1, len(matrices))
    if cores <= 1:
        return tuple(torch.linalg.eigh(matrices))
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        parts = list(pool.map(torch.linalg.eigh, matrices.chunk(cores)))
    values, vectors = zip(*parts, strict=True)
    return torch.cat(values), torch.cat(vectors)


def at_patches(places: Tensor) -> Tensor:
    """Return a map (n, h, w) at the centres of the patches, (n, rows, columns)."""
    edge = SIDE // 2
    return places[..., edge:-edge:STEP, edge:-edge:STEP]
