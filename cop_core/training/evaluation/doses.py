"""Dose response: one noise at increasing strength on clean images, or on noisy ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.components import CLEAN
from cop_core.noise import Genome
from cop_core.reading.estimator import Estimator

DOSES: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class DoseResponse:
    """Mean predictions for one noise added at increasing strength.

    Attributes
    ----------
    component : str
        The added noise.
    doses : tuple of float
        Strengths added; the rest is clean.
    components : tuple of str
    predicted : ndarray of shape (doses, components)
        Means over crops.
    """

    component: str
    doses: tuple[float, ...]
    components: tuple[str, ...]
    predicted: npt.NDArray[np.float64]

    @property
    def own(self) -> npt.NDArray[np.float64]:
        """Prediction of the added noise, by dose."""
        return np.asarray(self.predicted[:, self.components.index(self.component)])

    @property
    def rises(self) -> bool:
        """True if the prediction increases strictly with the dose."""
        return bool((np.diff(self.own) > 0).all())

    @property
    def slope(self) -> float:
        """Least-squares slope of prediction on dose; 1 is right."""
        return float(np.polyfit(self.doses, self.own, 1)[0])

    @property
    def cross_talk(self) -> float:
        """Largest rise, over doses, of any other noise's prediction above its value at dose 0.

        A strength; 0 if none rises. Clean is left out. NaN without dose 0.
        """
        if 0 not in self.doses:
            return math.nan
        others = [i for i, c in enumerate(self.components) if c not in (self.component, CLEAN)]
        rises = self.predicted[:, others] - self.predicted[self.doses.index(0), others]
        return float(rises.max(initial=0))

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON types."""
        return {
            "doses": list(self.doses),
            "predicted": {
                c: [round(float(v), 4) for v in self.predicted[:, i]]
                for i, c in enumerate(self.components)
            },
            "slope": self.slope,
            "rises": self.rises,
            "cross_talk": None if math.isnan(self.cross_talk) else self.cross_talk,
        }


def dose_response(
    clean: npt.NDArray[np.float32],
    estimator: Estimator,
    *,
    doses: Sequence[float] = DOSES,
    seed: int = 0,
    genome: Genome | None = None,
    only: Sequence[str] | None = None,
) -> dict[str, DoseResponse]:
    """Add each noise of the estimator's genome by itself at increasing strength.

    Parameters
    ----------
    clean : ndarray of shape (n, 192, 192)
        Crops in [0, 1]; noise of their own is left as it is.
    estimator : Estimator
    doses : sequence of float
        Strengths.
    seed : int
        Seed of the noise; the same for every dose: only the strength changes.
    genome : Genome, optional
        Used for the noise in place of the estimator's; must have the same components.
    only : sequence of str, optional
        Components to add; by default all noises.

    Returns
    -------
    dict
        Responses by component.
    """
    genome = genome or Genome.preset(estimator.card.genome.name)
    responses = {}
    for component in only or genome.components[:-1]:
        k = genome.components.index(component)
        rows = []
        for dose in doses:
            strengths = np.zeros((len(clean), len(genome)))
            strengths[:, k] = dose
            strengths[:, -1] = 1 - dose
            noisy = np.asarray(genome.corrupt(clean, strengths, seed=seed))
            rows.append(estimator.predict(noisy).mean(axis=0))
        responses[component] = DoseResponse(
            component, tuple(doses), genome.components, np.array(rows)
        )
    return responses
