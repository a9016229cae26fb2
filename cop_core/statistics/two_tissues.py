"""The difference between stacks of two tissues: each has its own curve and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.contrast import Contrast, welch
from cop_core.statistics.spline_contrast import SplineFit, fit_spline

Array = npt.NDArray[np.float64]

KNOTS_UM: Final = 120.0
"""Distance of the knots of each stack's curve."""


@dataclass(frozen=True)
class TwoTissues:
    """Stacks at shared depths, with errors that neighbouring planes share."""

    first: SplineFit
    second: SplineFit

    @classmethod
    def of(cls, depth_um: Array, first: Array, second: Array) -> TwoTissues:
        """Fit both stacks; depth ascending, no two equal."""
        one, other = (fit_spline(depth_um, y, knots_um=KNOTS_UM) for y in (first, second))
        return cls(one, other)

    def contrast(self, weights: Array) -> Contrast:
        """Return the sum of first minus second times weights, degrees of freedom after Welch."""
        return welch(self.first.contrast(weights), self.second.contrast(weights))
