"""The setting whose change lowers a noise most, within the values that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.cohort.attribution import RESAMPLES
from cop_core.cohort.surrogate import Design, Floats, fit, one_thread
from cop_core.records import Turn

if TYPE_CHECKING:
    from cop_core.cohort.variables import Variable
    from cop_core.recipes import SettingValue

GIVEN: Final = ("depth_um", "temperature_c", "brightness", "brightness_ev")
"""Settings that cannot be chosen."""
_SHOT: Final = "poisson"
_WITH_LIGHT: Final = ("power", "dwell", "exposure", "shutter", "average", "frames", "samples")
"""Prefixes of settings that can only increase photons, and so only lower shot noise."""
_AGAINST_LIGHT: Final = ("depth", "iso", "gain")
_MOST_VALUES: Final = 9


@one_thread()
def turn_of(
    component: str,
    design: Design,
    y: Floats,
    given: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Turn | None:
    """Return the setting to change; None where no change is shown to lower the noise.

    The surrogate predicts every row with one setting at each value that was tried, from the 5th to
    the 95th percentile; the mean over rows is reported. If physics gives the direction in which a
    setting acts on shot noise, the surrogate is constrained to it.

    Parameters
    ----------
    component : str
        The noise.
    y : ndarray of shape (rows,)
        Its strength.
    given : sequence of str
        Settings that cannot be chosen, besides `GIVEN`.
    """
    settings = [each for factor in design.factors for each in factor]
    monotonic = [_direction(component, each) for each in settings for _ in each.columns()]
    whole = fit(design, y, monotonic=monotonic)
    tried = [
        _Tried(i, factor[0])
        for i, factor in enumerate(design.factors)
        if len(factor) == 1 and factor[0].name not in (*GIVEN, *given)
    ]
    changes = [(each, each.strengths(design, whole)) for each in tried]
    changes = [(each, at) for each, at in changes if at.min() < at[each.usual]]
    if not changes:
        return None
    chosen, at = min(changes, key=lambda pair: pair[1].min() - pair[1][pair[0].usual])
    best = int(at.argmin())
    rng = np.random.default_rng((seed, 3))
    drawn = np.empty(resamples)
    for i in range(resamples):
        model = fit(design, y, design.resampled(rng), monotonic)
        again = chosen.strengths(design, model, (chosen.usual, best))
        drawn[i] = again[1] - again[0]
    low, high = np.percentile(drawn, (2.5, 97.5)).tolist()
    if high >= 0:
        return None
    return Turn(
        component=component,
        setting=chosen.variable.name,
        usual=chosen.value(chosen.usual),
        best=chosen.value(best),
        strength_usual=float(at[chosen.usual]),
        strength_best=float(at[best]),
        change=float(at[best] - at[chosen.usual]),
        change_ci95=(low, high),
    )


@dataclass(frozen=True)
class _Tried:
    """A setting and its values that are compared."""

    factor: int
    variable: Variable

    @property
    def codes(self) -> Floats:
        """All words, or numbers, ascending; of many numbers, some spread evenly over the rows."""
        if self.variable.words:
            return np.arange(float(len(self.variable.words)))
        known = self.variable.codes[np.isfinite(self.variable.codes)]
        low, high = np.percentile(known, (5, 95), method="closest_observation")
        known = known[(known >= low) & (known <= high)]
        values = np.unique(known)
        if len(values) <= _MOST_VALUES:
            return np.asarray(values)
        spread = np.linspace(0, 1, _MOST_VALUES)
        return np.unique(np.quantile(known, spread, method="closest_observation"))

    @property
    def usual(self) -> int:
        """Position of the median, or of the most frequent word."""
        known = self.variable.codes[np.isfinite(self.variable.codes)]
        if self.variable.words:
            return int(np.bincount(known.astype(int)).argmax())
        return int(np.abs(self.codes - np.median(known)).argmin())

    def value(self, number: int) -> SettingValue:
        code = self.codes[number]
        return self.variable.words[int(code)] if self.variable.words else float(code)

    def strengths(self, design: Design, model: Any, numbers: Sequence[int] | None = None) -> Floats:
        """Return the strength at values: the mean over rows, with all else as it was."""
        shown = range(len(self.codes)) if numbers is None else numbers
        return np.array([model.predict(self._at(design, self.codes[i])).mean() for i in shown])

    def _at(self, design: Design, code: float) -> Floats:
        x = design.matrix.copy()
        own = [i for i, (number, _, _) in enumerate(design.columns) if number == self.factor]
        words = self.variable.words
        if not words:
            x[:, own] = code
        else:  # as `Variable.columns` lays them out
            x[:, own] = [code == 1] if len(words) == 2 else np.arange(len(words)) == code
        return x


def _direction(component: str, setting: Variable) -> int:
    """Return 1 where a noise can only rise with a setting, -1 where it can only fall, else 0.

    Words have no direction: their order is alphabetical.
    """
    if component != _SHOT or setting.words:
        return 0
    if setting.name.startswith(_WITH_LIGHT):
        return -1
    return 1 if setting.name.startswith(_AGAINST_LIGHT) else 0
