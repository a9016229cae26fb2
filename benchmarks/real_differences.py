"""Do readings of real planes differ if their noise does, and how does noise run in a gained stack?

    python benchmarks/real_differences.py MOVIE BRUKER

MOVIE holds frames of one plane. Its halves, averaged, have equal noise; one frame has four times
the shot noise of the mean of 16. Each is read as a plane by itself, and differences are taken crop
by crop: the interval is over crops, the reading limit from the stated uncertainty of both planes.
BRUKER is a z-series of two channels, over which the laser's set-point rises.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from record import record
from scipy import stats

from cop_core.reading import Estimator, load_estimator, profile
from cop_core.records import PlaneEstimate
from cop_core.stacks import open_stack
from cop_core.statistics import analyse

AVERAGED = 16
CHANNELS = (0, 1)


def plane_of(pixels: np.ndarray, estimator: Estimator) -> PlaneEstimate:
    """Return the reading of one plane."""
    return profile(pixels[None].astype(np.float32), estimator=estimator, z_step_um=1.0).planes[0]


def difference(first: PlaneEstimate, second: PlaneEstimate, index: int) -> dict[str, Any]:
    """Return the difference of one strength, first minus second, paired by crops."""
    apart = first.strengths[:, index] - second.strengths[:, index]
    se = apart.std(ddof=1) / len(apart) ** 0.5
    half = float(stats.t.ppf(0.975, len(apart) - 1) * se)
    limit = float(np.hypot(first.uncertainty[index], second.uncertainty[index]))
    value = float(apart.mean())
    return {
        "strengths": [round(float(p.mean[index]), 4) for p in (first, second)],
        "difference": round(value, 4),
        "ci95": [round(value - half, 4), round(value + half, 4)],
        "reading limit": round(limit, 4),
        "differs": bool(abs(value) > max(half, limit)),
    }


def frames(path: Path, estimator: Estimator) -> dict[str, Any]:
    """Return differences between planes made of a movie's frames, by component."""
    movie = tifffile.imread(path).astype(np.float32)
    half = len(movie) // 2
    pairs = {
        "first half of the frames averaged, second half": (movie[:half], movie[half : 2 * half]),
        f"1 frame, {AVERAGED} averaged": (movie[:1], movie[:AVERAGED]),
    }
    found: dict[str, Any] = {}
    for name, some in pairs.items():
        first, second = (plane_of(one.mean(axis=0), estimator) for one in some)
        found[name] = {
            component: difference(first, second, index)
            for index, component in enumerate(estimator.components[:-1])
        }
        print(name, found[name]["poisson"])
    return found


def channel(path: Path, number: int, estimator: Estimator) -> dict[str, Any]:
    """Return noise against depth in one channel of a stack, with the power."""
    read = analyse(profile(open_stack(path, channel=number), estimator=estimator))
    kept, line = read.profile.kept, read.lines["poisson"]
    power = read.profile.power
    return {
        "planes": int(kept.sum()),
        "depth um": [float(read.profile.depth_um[kept].min()), float(read.profile.depth_um.max())],
        "power": [float(np.nanmin(power)), float(np.nanmax(power))],
        "unit": read.profile.power_unit,
        "slope per 100 um": round(100 * line.slope_per_um, 4),
        "ci95 per 100 um": [round(100 * end, 4) for end in line.slope_ci95],
        "reading limit per 100 um": round(100 * line.reading_limit_per_um, 4),
        "r2": round(line.r2, 3),
        "correlation of errors": line.error_correlation,
        "poisson": [round(float(v), 4) for v in read.profile.of("poisson")],
        "verdict": read.verdict,
    }


def main(movie: Path, bruker: Path) -> None:
    estimator = load_estimator("default")
    measured = {
        "movie": frames(movie, estimator),
        "bruker": {f"channel {c + 1}": channel(bruker, c, estimator) for c in CHANNELS},
    }
    print(measured["bruker"])
    print(record("real_differences", measured, estimator, averaged=AVERAGED))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
