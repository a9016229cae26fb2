"""Depth profiles with known strengths, for the tests of the depth statistics."""

import numpy as np
from scipy.signal import lfilter

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.records import DepthProfile, PlaneEstimate


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


def strengths(seed, n, *, slope=0.0, rho=0.0, components=6):
    """Strengths that sum to 1, the noises rising by ``slope`` per plane."""
    rng = np.random.default_rng(seed)
    noise = lfilter([1], [1, -rho], rng.normal(size=(n + 100, components - 1)), axis=0)[100:]
    noises = 0.05 + slope * np.arange(n)[:, None] + 0.004 * noise * np.sqrt(1 - rho**2)
    return np.column_stack([noises, 1 - noises.sum(axis=1)])
