"""Depth profiles with known strengths, for the tests of the depth statistics."""

from dataclasses import replace

import numpy as np
from scipy.signal import lfilter

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.records import DepthProfile, PlaneEstimate, Provenance, StoredImage, WeightsUsed

SHOT = WeightsUsed("default", "", "microscopy", ("shot",))
"""Weights whose Poisson strength is that of shot noise."""


def profile(strengths, *, name="fixed", step=4.0, reasons=None, components=DEFAULT_COMPONENTS):
    reasons = reasons or {}
    nothing = np.full(len(components), np.nan)
    planes = tuple(
        PlaneEstimate(
            index=i,
            depth_um=i * step,
            power=10.0,
            mean=nothing if i in reasons else row,
            sd=nothing if i in reasons else np.full(len(components), 0.01),
            n_crops=0 if i in reasons else 9,
            signal=100.0,
            reason=reasons.get(i, ""),
        )
        for i, row in enumerate(strengths)
    )
    return DepthProfile(name, tuple(components), planes)


def poisson_profile(
    strength, power, depth_um, normalisation="plane-percentile", order=("shot",), unit="mW"
):
    """A profile with one Poisson strength per plane, of a genome with these primitives."""
    weights = WeightsUsed("made", "", "made", order)
    made = Provenance("array", StackOptions(), StoredImage("array", "ZYX", (1, 9, 9)), weights)
    planes = tuple(
        PlaneEstimate(i, z, p, np.array([s, 1 - s]), np.zeros(2), 1, 500.0, power_unit=unit)
        for i, (z, p, s) in enumerate(zip(depth_um, power, strength, strict=True))
    )
    reading = ReadingOptions(normalisation=normalisation)
    return DepthProfile("slab", ("poisson", "clean"), planes, reading, provenance=made)


def strengths(seed, n, *, slope=0.0, rho=0.0, components=6):
    """Strengths that sum to 1, with noises that rise by ``slope`` per plane."""
    rng = np.random.default_rng(seed)
    noise = lfilter([1], [1, -rho], rng.normal(size=(n + 100, components - 1)), axis=0)[100:]
    noises = 0.05 + slope * np.arange(n)[:, None] + 0.004 * noise * np.sqrt(1 - rho**2)
    return np.column_stack([noises, 1 - noises.sum(axis=1)])


def with_shot_noise(course, *, name="a", seed=0, step=20.0, n=51, doubt=0.002):
    """A stack whose Poisson strength is ``course(depth_um)``, with small errors."""
    depth = np.arange(n) * step
    rows = np.full((n, 6), 0.02)
    rows[:, 2] = np.clip(course(depth) + np.random.default_rng(seed).normal(0, 0.002, n), 0.01, 0.9)
    rows[:, -1] = 1 - rows[:, :-1].sum(axis=1)
    found = profile(rows, name=name, step=step)
    planes = tuple(replace(p, uncertainty=np.full(6, doubt)) for p in found.planes)
    origin = Provenance("array", StackOptions(), StoredImage("", "", ()), SHOT)
    return replace(found, planes=planes, provenance=origin)
