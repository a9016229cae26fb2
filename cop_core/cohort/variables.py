"""Settings as variables: which vary, how they are coded as numbers, and which vary together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.records import Confounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.recipes import SettingValue
    from cop_core.records import CohortRow

TOGETHER: Final = 0.9
"""Association at which two settings count as changed together."""
TOGETHER_MARK: Final = " & "
"""Stands between the names of settings that were changed together."""
MOST_WORDS: Final = 12
"""Number of different words above which a column is a name rather than a setting."""
LEAST_KNOWN: Final = 0.5
"""Share of rows in which a setting has to be known."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """One setting over the rows.

    Attributes
    ----------
    name : str
    words : tuple of str
        Its different words, sorted; empty for a number.
    codes : ndarray of shape (rows,)
        Its numbers, or positions in `words`; NaN where not known.
    """

    name: str
    words: tuple[str, ...]
    codes: _Floats

    def columns(self) -> Iterator[tuple[str, _Floats]]:
        """Yield name and numbers of its columns; for two words, only that of the second."""
        if not self.words:
            yield self.name, self.codes
            return
        known = np.isfinite(self.codes)
        for i, word in enumerate(self.words):
            if len(self.words) > 2 or i == 1:
                yield f"{self.name} = {word}", np.where(known, self.codes == i, np.nan)


def variables_of(rows: Sequence[CohortRow]) -> tuple[tuple[Variable, ...], dict[str, str]]:
    """Return the settings that vary, and why others are left out."""
    names = dict.fromkeys(name for row in rows for name in row.settings)
    found, left_out = [], {}
    for name in names:
        values = [row.settings.get(name) for row in rows]
        if why := _why_not(values):
            left_out[name] = why
        else:
            found.append(_variable(name, values))
    return tuple(found), left_out


def _why_not(values: Sequence[SettingValue | None]) -> str:
    known = [value for value in values if value is not None]
    different = Counter(map(str, known))
    if len(different) < 2:
        return "the same in all images"
    if len(known) < LEAST_KNOWN * len(values):
        return f"known in {len(known)} of {len(values)} rows"
    words = any(isinstance(value, str) for value in known)
    if words and (len(different) > MOST_WORDS or 2 * len(different) > len(known)):
        return f"{len(different)} different words in {len(known)} rows, so a name, not a setting"
    return ""


def _variable(name: str, values: Sequence[SettingValue | None]) -> Variable:
    if all(value is None or not isinstance(value, str) for value in values):
        numbers = [np.nan if value is None else float(value) for value in values]
        return Variable(name, (), np.array(numbers))
    words = sorted({str(value) for value in values if value is not None})
    codes = [np.nan if value is None else words.index(str(value)) for value in values]
    return Variable(name, tuple(words), np.array(codes, np.float64))


def ranks_of(values: _Floats) -> _Floats:
    """Return ranks from 1, means of ranks for equal values."""
    from scipy.stats import rankdata  # takes a second to import

    return np.asarray(rankdata(values))


# --- what varies together -----------------------------------------------------------------------


def confounded_in(variables: Sequence[Variable]) -> tuple[Confounded, ...]:
    """Return the pairs of settings that were changed together, the closest first."""
    pairs = [Confounded(a.name, b.name, association(a, b)) for a, b in combinations(variables, 2)]
    close = [pair for pair in pairs if pair.association >= TOGETHER]
    return tuple(sorted(close, key=lambda pair: -pair.association))


def association(first: Variable, second: Variable) -> float:
    """Return the association of two settings, from 0 to 1.

    Two numbers: absolute rank correlation; a number and words: correlation ratio of ranks; words
    alone: Cramér's V. 0 where either stays the same among the rows in which both are known.
    """
    both = np.isfinite(first.codes) & np.isfinite(second.codes)
    a, b = first.codes[both], second.codes[both]
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return 0.0
    if first.words and second.words:
        return _cramer_v(a, b)
    if first.words or second.words:
        words, numbers = (a, b) if first.words else (b, a)
        return _correlation_ratio(words, ranks_of(numbers))
    return float(abs(np.corrcoef(ranks_of(a), ranks_of(b))[0, 1]))


def _correlation_ratio(words: _Floats, ranks: _Floats) -> float:
    expected = np.array([ranks[words == word].mean() for word in words])
    return float(np.sqrt(np.var(expected) / np.var(ranks)))


def _cramer_v(a: _Floats, b: _Floats) -> float:
    _, i = np.unique(a, return_inverse=True)
    _, j = np.unique(b, return_inverse=True)
    table = np.zeros((i.max() + 1, j.max() + 1))
    np.add.at(table, (i, j), 1)
    expected = np.outer(table.sum(1), table.sum(0)) / len(a)
    chi2 = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / len(a) / (min(table.shape) - 1)))


def factors_of(
    variables: Sequence[Variable], confounded: Sequence[Confounded]
) -> tuple[tuple[Variable, ...], ...]:
    """Return the settings in sets that no attribution can separate, in their order."""
    sets = {each.name: {each.name} for each in variables}
    for pair in confounded:
        joined = sets[pair.first] | sets[pair.second]
        sets |= dict.fromkeys(joined, joined)
    distinct = dict.fromkeys(frozenset(names) for names in sets.values())
    return tuple(tuple(each for each in variables if each.name in names) for names in distinct)


def factor_name(factor: Sequence[Variable]) -> str:
    """Return the joint name of settings that were changed together."""
    return TOGETHER_MARK.join(each.name for each in factor)
