"""Do strengths of shot noise agree with photon transfer on a real two-photon movie?

    python benchmarks/photon_transfer.py MOVIE.tif      (needs anscombe-transform)

Photon transfer: the variance of each pixel over time against its mean. The slope is the counts per
photon, the zero the mean without light. From a mean of k frames the network reads a Poisson
strength s, that is a variance of (s / 2)^2 of the squared range at full scale; k (s / 2)^2 times
the range is therefore the counts per photon. The package anscombe-transform estimates both from the
same movie in its own way.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile
from anscombe_transform.estimate import compute_conversion_gain
from record import record

from cop_core.reading import load_estimator
from cop_core.reading.crops import cut
from cop_core.reading.normalisation import normalise, plane_range

FRAMES = (1, 4, 16)
REPEATS = 5


def photon_transfer(movie: np.ndarray) -> dict[str, float]:
    """Return counts per photon and the zero level, from neighbouring frames (n, h, w)."""
    mean = movie.mean(0)
    variance = ((movie[1:] - movie[:-1]) ** 2).mean(0) / 2
    low, high = np.quantile(mean, (0.3, 0.999))
    lit = (mean > low) & (mean < high)
    slope, at_zero = np.polyfit(mean[lit], variance[lit], 1)
    return {"counts per photon": float(slope), "zero": float(-at_zero / slope)}


def neighbours(movie: np.ndarray) -> dict[str, float]:
    """Return the correlation of the noise of neighbouring pixels, from neighbouring frames."""
    noise = movie[1:] - movie[:-1]
    noise -= noise.mean((1, 2), keepdims=True)
    variance = (noise**2).mean()
    return {
        "along a line": float((noise[:, :, 1:] * noise[:, :, :-1]).mean() / variance),
        "across lines": float((noise[:, 1:] * noise[:, :-1]).mean() / variance),
    }


def main(path: Path) -> None:
    estimator = load_estimator("default")
    movie = tifffile.imread(path).astype(np.float64)
    reference = photon_transfer(movie)
    poisson = estimator.components.index("poisson")
    by_frames = {}
    for k in FRAMES:
        read = []
        for start in range(0, k * REPEATS, k):
            plane = movie[start : start + k].mean(0).astype(np.float32)
            low, high = plane_range(
                plane, "plane-percentile", (np.nan, np.nan), max(0.0, reference["zero"])
            )
            found = estimator.read(cut(normalise(plane, low, high), None, (0, 0)))
            s, doubt = (v[:, poisson].mean() for v in (found.strengths, found.uncertainty))
            true = 2 * np.sqrt(reference["counts per photon"] / k / (high - low))
            read.append([s, doubt, true, k * (s / 2) ** 2 * (high - low)])
        names = ("strength", "uncertainty", "strength by photon transfer", "counts per photon")
        by_frames[str(k)] = dict(zip(names, np.mean(read, axis=0).tolist(), strict=True))
    peer = compute_conversion_gain(movie)
    measured = {
        "photon transfer": reference,
        "correlation of neighbours": neighbours(movie),
        "anscombe-transform": {
            "counts per photon": float(peer["conversion_gain"]),
            "zero": float(peer["zero_level"]),
        },
        "mean of k frames": by_frames,
    }
    print(measured)
    print(record("photon_transfer", measured, estimator, frames=movie.shape[0], repeats=REPEATS))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
