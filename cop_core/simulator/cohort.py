"""Cohorts with known causes: a camera and a multiphoton microscope whose settings drive the noise.

The effects are invented in the spirit of each instrument; what matters is that they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from cop_core.components import DEFAULT_COMPONENTS

CohortModel = Literal["camera", "multiphoton"]
MODELS: Final = get_args(CohortModel)

_Floats = npt.NDArray[np.float64]
Settings = Mapping[str, npt.NDArray[Any]]
"""Values by the setting's name, each of shape (images,)."""

_SCATTER: Final = 0.15
"""SD of the logarithm of each noise from scenes and readings."""
_CAMERAS: Final = ("A", "B", "C")
_BACKGROUND: Final = 60


@dataclass(frozen=True)
class SimulatedCohort:
    """Images with settings, and the strengths of the noise in each.

    Attributes
    ----------
    settings : mapping of str to ndarray of shape (images,)
        Numbers, or words.
    strengths : ndarray of shape (images, 6)
        In the order of `DEFAULT_COMPONENTS`; rows sum to 1.
    """

    model: CohortModel
    settings: Settings
    strengths: _Floats

    def expected(self, settings: Settings | None = None) -> _Floats:
        """Return the strengths in an average scene for some settings, by default its own."""
        return _on_simplex(_RAW[self.model](self.settings if settings is None else settings))

    def shapley_shares(self, component: str) -> dict[str, float]:
        """Return the share of each setting in a noise, by mean absolute Shapley values.

        They are exact for `expected`; settings that are left out are averaged over up to 60 of the
        images.

        References
        ----------
        .. [1] L. S. Shapley, Contributions to the Theory of Games II, 307 (1953).
        """
        names = [*self.settings]
        column, n = DEFAULT_COMPONENTS.index(component), len(names)
        known = {
            subset: self._value(subset, column)
            for size in range(n + 1)
            for subset in combinations(names, size)
        }
        sizes = {}
        for name in names:
            others = [other for other in names if other != name]
            gains = [
                (known[_with(subset, name, names)] - known[subset]) / (n * comb(n - 1, size))
                for size in range(n)
                for subset in combinations(others, size)
            ]
            sizes[name] = float(np.abs(np.sum(gains, axis=0)).mean())
        return {name: size / sum(sizes.values()) for name, size in sizes.items()}

    def _value(self, kept: tuple[str, ...], column: int) -> _Floats:
        """Return the mean strength of every image if only some settings are its own."""
        n = len(self.strengths)
        drawn = np.unique(np.linspace(0, n - 1, min(n, _BACKGROUND)).round().astype(int))
        mixed = {
            name: np.repeat(values, len(drawn)) if name in kept else np.tile(values[drawn], n)
            for name, values in self.settings.items()
        }
        found = self.expected(mixed)[:, column].reshape(n, len(drawn)).mean(axis=1)
        return np.asarray(found)


def simulate_cohort(
    model: CohortModel, n: int, seed: int, settings: Settings | None = None
) -> SimulatedCohort:
    """Return a cohort with known causes.

    Parameters
    ----------
    n : int
        Images.
    settings : mapping, optional
        Used in place of random settings, which are independent of each other.
    """
    rng = np.random.default_rng((seed, MODELS.index(model)))
    chosen = _DRAWN[model](rng, n)
    if settings is not None:
        chosen = {**chosen, **settings}
    raw = _RAW[model](chosen)
    raw = raw * np.exp(rng.normal(0, _SCATTER, raw.shape))
    return SimulatedCohort(model, chosen, _on_simplex(raw))


def without_causes(cohort: SimulatedCohort, seed: int) -> SimulatedCohort:
    """Return a cohort whose settings have no effect: they are those of other images."""
    order = np.random.default_rng((seed, 9)).permutation(len(cohort.strengths))
    return replace(cohort, strengths=cohort.strengths[order])


def _with(subset: tuple[str, ...], name: str, names: list[str]) -> tuple[str, ...]:
    return tuple(one for one in names if one in subset or one == name)


def _on_simplex(raw: _Floats) -> _Floats:
    """Return strengths, clean last, from noises relative to clean."""
    every = np.column_stack([raw, np.ones(len(raw))])
    return np.asarray(every / every.sum(axis=1, keepdims=True))


# --- a camera ------------------------------------------------------------------------------------


def _draw_camera(rng: np.random.Generator, n: int) -> Settings:
    return {
        "iso": rng.choice([100.0, 200, 400, 800, 1600, 3200, 6400], n),
        "shutter_s": rng.choice([1 / 500, 1 / 250, 1 / 125, 1 / 60, 1 / 30, 1 / 15], n),
        "brightness": rng.uniform(0.2, 1, n).round(3),
        "temperature_c": rng.uniform(5, 40, n).round(1),
        "camera": rng.choice(_CAMERAS, n),
    }


def _raw_camera(settings: Settings) -> _Floats:
    """Return noises relative to clean: gain drives shot noise, heat impulses, and motion smear."""
    gain, shutter = settings["iso"] / 6400, settings["shutter_s"] * 15
    light, model = settings["brightness"], settings["camera"]
    heat = 2 ** ((settings["temperature_c"] - 30) / 6)
    coarse = np.select([model == "A", model == "B"], [0.02, 0.16], 0.06)
    return np.column_stack(
        [
            0.02 + 0.22 * gain * np.where(model == "C", 1.3, 1.0),
            0.01 + 0.06 * heat * (0.4 + 0.6 * shutter),
            0.03 + 0.35 * np.sqrt(gain) * (1.2 - 0.4 * light),
            coarse * (1.2 - 0.4 * light),
            0.02 + 0.25 * shutter * (1.4 - light),
        ]
    )


# --- a multiphoton microscope --------------------------------------------------------------------


def _draw_multiphoton(rng: np.random.Generator, n: int) -> Settings:
    return {
        "power_mw": rng.uniform(8, 50, n).round(1),
        "gain": rng.choice([0.5, 0.6, 0.7, 0.8, 0.9], n),
        "dwell_us": rng.choice([0.5, 1.0, 2.0, 4.0], n),
        "averages": rng.choice([1.0, 2, 4, 8], n),
        "depth_um": rng.uniform(0, 600, n).round(0),
    }


def _raw_multiphoton(settings: Settings) -> _Floats:
    """Return noises relative to clean: few photons drive shot noise, and depth scatter."""
    averages, depth = settings["averages"], settings["depth_um"] / 600
    light = (settings["power_mw"] / 25) ** 2 * settings["dwell_us"] * np.exp(-2 * depth)
    return np.column_stack(
        [
            0.02 + 0.12 / averages / settings["gain"],
            0.01 + 0.10 * settings["gain"] ** 3,
            0.9 / np.sqrt(1 + 3 * light * averages),
            0.01 + 0.10 / averages,
            0.02 + 0.25 * depth**1.5,
        ]
    )


_DRAWN: Final[dict[str, Callable[[np.random.Generator, int], Settings]]] = {
    "camera": _draw_camera,
    "multiphoton": _draw_multiphoton,
}
_RAW: Final[dict[str, Callable[[Settings], _Floats]]] = {
    "camera": _raw_camera,
    "multiphoton": _raw_multiphoton,
}
