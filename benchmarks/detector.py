"""Does photon transfer measure the detector, and do its intervals contain the truth?

    python benchmarks/detector.py MOVIE.tif      (needs anscombe-transform, scikit-learn)

A real two-photon movie, unchanged and with every frame shifted by up to 2 pixels, is compared with
the package anscombe-transform in the same run. Simulated movies of a known detector are measured
unchanged, with dark frames, with few frames, moving by 2 pixels, bleaching by 10 %, and moving and
bleaching; and, three times as bright, of a detector with one count per photon whose amplifier noise
is cut off at 0. Movies that cannot be used must be refused.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile
from anscombe_transform.estimate import compute_conversion_gain
from record import record
from scipy.ndimage import gaussian_filter, shift

import cop_core as cop
from cop_core.detector import measure_detector, read_movie
from cop_core.recipes import MovieOptions
from cop_core.records import Estimate, PhotonTransfer
from cop_core.simulator import Detector
from cop_core.stacks import open_movie

MOVIES = 60
FRAMES = 20
FEW = 8
SIDE = 96
MOTION_PIXELS = 2.0
BLEACHED = 0.1
DETECTOR = Detector()
PHOTON = DETECTOR.gain_counts * DETECTOR.excess_factor
CROSSING = DETECTOR.offset_counts - (DETECTOR.amplifier_counts**2 + 1 / 12) / PHOTON
DARK = DETECTOR.offset_counts + DETECTOR.gain_counts * DETECTOR.dark_photons
DARK_SD = float(DETECTOR.noise_counts(0.0))

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def measure(counts: np.ndarray, dark: np.ndarray | None = None) -> PhotonTransfer:
    movies = [
        None if frames is None else read_movie(open_movie(frames, MovieOptions()))
        for frames in (counts, dark)
    ]
    return measure_detector(*movies)


def image(rng: np.random.Generator) -> np.ndarray:
    """Return photons per pixel, 0.2 to 11, of a smooth scene."""
    field = gaussian_filter(rng.standard_normal((SIDE, SIDE)), 2.0, mode="wrap")
    return np.exp(0.4 + 0.8 * np.clip(field / field.std(), -2.5, 2.5)).astype(np.float32)


def still(photons: np.ndarray, _time: float, _rng: np.random.Generator) -> np.ndarray:
    return photons


def moving(photons: np.ndarray, _time: float, rng: np.random.Generator) -> np.ndarray:
    by = rng.uniform(-MOTION_PIXELS, MOTION_PIXELS, 2)
    return np.clip(shift(photons, by, order=3, mode="grid-wrap"), 0, None)


def bleaching(photons: np.ndarray, time: float, _rng: np.random.Generator) -> np.ndarray:
    return photons * (1 - BLEACHED * time)


def both(photons: np.ndarray, time: float, rng: np.random.Generator) -> np.ndarray:
    return bleaching(moving(photons, time, rng), time, rng)


CHANGES: dict[str, tuple[Change, int]] = {
    "still": (still, FRAMES),
    "of few frames": (still, FEW),
    "moving": (moving, FRAMES),
    "bleaching": (bleaching, FRAMES),
    "moving and bleaching": (both, FRAMES),
}


CUT_OFF_SD = (1.0, 1.5, 2.0)


def frames(
    change: Change,
    n: int,
    photons: np.ndarray,
    rng: np.random.Generator,
    detector: Detector = DETECTOR,
) -> np.ndarray:
    times = np.linspace(0, 1, n)
    return np.stack([detector.read(change(photons, t, rng), rng) for t in times])


def simulated() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for name, (change, n) in CHANGES.items():
        alone, with_dark = [], []
        for seed in range(MOVIES):
            rng = np.random.default_rng(seed)
            photons = image(rng)
            counts = frames(change, n, photons, rng)
            alone.append(measure(counts).detector)
            if change is still:
                dark = frames(still, n, 0 * photons, rng)
                with_dark.append(measure(counts, dark).detector)
        found[name] = {
            "counts per photon": summary([d.counts_per_photon for d in alone], PHOTON),
            "line's zero": summary([d.zero_counts for d in alone], CROSSING),
        }
        if with_dark:
            found[f"{name}, with dark frames"] = {
                "counts per photon": summary([d.counts_per_photon for d in with_dark], PHOTON),
                "zero": summary([d.zero_counts for d in with_dark], DARK),
                "amplifier": summary([d.amplifier_counts for d in with_dark], DARK_SD),
            }
        print(name, found[name], flush=True)
    return found | {
        f"one count per photon, SD {sd:g} cut off at 0": cut_off(sd) for sd in CUT_OFF_SD
    }


def low(amplifier: float) -> Detector:
    """Return a detector of one count per photon with its zero level at 0 counts."""
    return Detector(
        gain_counts=1,
        excess_factor=1,
        offset_counts=0,
        amplifier_counts=amplifier,
        dark_photons=0,
    )


def cut_off(amplifier: float) -> dict[str, object]:
    found = []
    for seed in range(MOVIES):
        rng = np.random.default_rng(seed)
        counts = frames(still, FRAMES, 3 * image(rng), rng, low(amplifier))
        found.append(measure(counts).detector)
    return {
        "counts per photon": summary([d.counts_per_photon for d in found], 1.0),
        "line's zero": summary([d.zero_counts for d in found], -(amplifier**2 + 1 / 12)),
    }


def summary(estimates: list[Estimate], true: float) -> dict[str, float]:
    values = np.array([each.value for each in estimates])
    return {
        "true": true,
        "mean": float(values.mean()),
        "largest error": float(np.abs(values - true).max()),
        "covered": float(np.mean([each.within(true) for each in estimates])),
        "half width": float(np.mean([np.ptp(each.ci95) / 2 for each in estimates])),
    }


def real(movie: np.ndarray) -> dict[str, object]:
    peer = compute_conversion_gain(movie)
    rng = np.random.default_rng(0)
    by = rng.integers(-2, 3, (len(movie), 2))
    moved = np.stack([np.roll(f, tuple(s), (0, 1)) for f, s in zip(movie, by, strict=True)])
    makes = {"as it is": movie, "moved by up to 2 pixels": moved}
    makes |= {f"its first {n} frames": movie[:n] for n in (50, 20)}
    found = {}
    for name, counts in makes.items():
        detector = measure(counts).detector
        found[name] = {
            "counts per photon": vars(detector.counts_per_photon),
            "zero": vars(detector.zero_counts),
            "along a line": vars(detector.along_line),
            "across lines": vars(detector.across_lines),
            "whole photon": vars(detector.whole_photon_counts),
        }
        print(name, found[name], flush=True)
    return {
        "anscombe-transform": {
            "counts per photon": float(peer["conversion_gain"]),
            "zero": float(peer["zero_level"]),
        },
        "measured": found,
    }


def cannot_tell() -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    rng = np.random.default_rng(0)
    photons = image(rng)
    taken = frames(still, FRAMES, photons, rng)
    expected = DETECTOR.expected(photons)
    yield "one frame again and again", np.repeat(taken[:1], FRAMES, axis=0), None
    yield (
        "without noise, bleaching",
        np.stack([expected * (1 - 0.005 * i) for i in range(FRAMES)]),
        None,
    )
    yield "without noise, moving", np.stack([moving(expected, 0, rng) for _ in range(FRAMES)]), None
    yield "saturated", frames(still, FRAMES, 1000 * (1 + photons), rng), None
    yield "of one brightness", frames(still, FRAMES, np.full_like(photons, 5), rng), None
    yield "running average", running_average(taken), None
    dark = frames(still, FRAMES, 0 * photons, rng)
    yield "dark frames of a running average", taken, running_average(dark)
    cut = [frames(still, FRAMES, k * photons, rng, low(1.0)) for k in (1, 0)]
    yield "dark frames of one count per photon, SD 1 cut off at 0", *cut
    yield "smoothed", gaussian_filter(taken.astype(np.float32), (0, 1.5, 1.5)), None


def running_average(taken: np.ndarray) -> np.ndarray:
    return (taken[1:].astype(np.float32) + taken[:-1]) / 2


def refused() -> dict[str, str]:
    said = {}
    for name, *movies in cannot_tell():
        try:
            said[name] = f"measured: {measure(*movies).detector.counts_per_photon}"
        except cop.InputError as error:
            said[name] = error.what
    return said


def main(path: Path) -> None:
    movie = tifffile.imread(path)
    measured = {"real": real(movie), "refused": refused(), "simulated": simulated()}
    settings = {
        "movie": path.name,
        "movie_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "movies": MOVIES,
        "frames": FRAMES,
        "side": SIDE,
    }
    print(record("detector", measured, **settings))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
