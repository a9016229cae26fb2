"""The verdict on a cohort, in a few sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cop_core.cohort.correlation import QUALITIES
from cop_core.cohort.variables import TOGETHER_MARK
from cop_core.components import spoken
from cop_core.statistics.calls import LEVEL
from cop_core.statistics.verdict_words import p_text
from cop_core.words import capital, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.records import Attribution, CohortRecord, Correlation, Turn


def verdict_of(record: CohortRecord) -> str:
    """Return the verdict: what drives which noise, and what to change, in full sentences."""
    if record.recipe.correlation_only:
        said = [_correlated(record)]
    elif drawn := sorted((a for a in record.attributions if a.drawn), key=lambda a: -a.mean):
        said = [
            _driven(drawn[0], record.settings),
            *_others(drawn[1:]),
            _turned(record.turn, drawn[0]),
        ]
    else:
        said = [_unexplained(record), _correlated(record)]
    said.append(_of_quality(record))
    said.append(f"Next: {record.next_experiment}" if record.next_experiment else "")
    return " ".join(f"{capital(text)}." for text in said if text)


def _driven(found: Attribution, settings: Sequence[str]) -> str:
    certain = f"(R² {found.r2:.2f} on unseen images, {p_text(found.p_value)} corrected)"
    if len(found.leaders) > 1:
        return (
            f"{spoken(found.component)} noise is driven by "
            f"{_by(found, of=' of what the settings explain')}, which these images cannot rank "
            f"{certain}"
        )
    first = found.shares[0]
    low, high = (100 * end for end in first.share_ci95)
    return (
        f"{spoken(found.component)} noise is driven most by {_named(first.factor, settings)}: "
        f"{100 * first.share:.0f} % "
        f"[{low:.0f}, {high:.0f}] of what the settings explain {certain}"
    )


def _by(found: Attribution, of: str = "") -> str:
    """Return what drives a noise most, with its share; several if they cannot be ranked."""
    factors = listed([each.factor for each in found.leaders])
    shares = listed([f"{100 * each.share:.0f}" for each in found.leaders])
    return f"{factors} ({shares} %{of})"


def _named(factor: str, settings: Sequence[str]) -> str:
    """Return the name of a factor in a sentence; a setting's own name may contain the mark."""
    if factor in settings or TOGETHER_MARK not in factor:
        return factor
    mark = TOGETHER_MARK
    parts = [each for each in settings if f"{mark}{each}{mark}" in f"{mark}{factor}{mark}"]
    return f"{listed(parts)}, which were changed together"


def _others(drawn: list[Attribution]) -> list[str]:
    if not drawn:
        return []
    first, *rest = drawn
    said = [f"{spoken(first.component)} noise is driven by {_by(first)}"]
    return ["; ".join([*said, *(f"{spoken(a.component)} noise by {_by(a)}" for a in rest)])]


def _turned(turn: Turn | None, found: Attribution) -> str:
    if turn is None:
        return f"no adjustable setting is shown to lower {spoken(found.component)} noise"
    least, most = sorted(-100 * end for end in turn.change_ci95)
    return (
        f"change {turn.setting} from its usual {_value(turn.usual)} to {_value(turn.best)}: of all "
        f"changes within the range tried, it is predicted to lower {spoken(turn.component)} noise "
        f"most, from {100 * turn.strength_usual:.1f} to {100 * turn.strength_best:.1f} %, by "
        f"{-100 * turn.change:.1f} points [{least:.1f}, {most:.1f}]"
    )


def _unexplained(record: CohortRecord) -> str:
    tested = [a for a in record.attributions if a.p_value == a.p_value]
    if not tested:
        notes = dict.fromkeys(a.note for a in record.attributions)
        return f"no noise can be attributed to a setting: {'; '.join(notes)}"
    best = min(tested, key=lambda a: a.p_value)
    return (
        "no setting is shown to drive a noise: unseen images are predicted no better than chance "
        f"(best R² {best.r2:.2f} for {spoken(best.component)} noise, {p_text(best.p_value)} "
        "corrected)"
    )


def _correlated(record: CohortRecord) -> str:
    settings = [
        c
        for c in _called(record)
        if c.what not in QUALITIES and c.component not in record.uncertain
    ]
    if not settings:
        return "no setting is shown to correlate with a strength"
    best = max(settings, key=lambda c: abs(c.spearman.value))
    return f"the strongest correlation is between {best.what} and {_strength(best)}: {_rank(best)}"


def _of_quality(record: CohortRecord) -> str:
    """Return how clean correlates with similarity to the references, if that is shown."""
    said: dict[str, list[str]] = {"follows": [], "falls with rising": []}
    for c in _called(record):
        if c.what in QUALITIES:
            goes = "follows" if c.spearman.value > 0 else "falls with rising"
            said[goes].append(f"{QUALITIES[c.what]} ({_rank(c)})")
    parts = [f"{goes} {' and '.join(found)}" for goes, found in said.items() if found]
    return f"the clean part {' and '.join(parts)}" if parts else ""


def _called(record: CohortRecord) -> list[Correlation]:
    return [c for c in record.correlations if c.spearman.p_holm < LEVEL]


def _rank(found: Correlation) -> str:
    value, (low, high) = found.spearman.value, found.spearman.ci95
    p_value = p_text(found.spearman.p_holm)
    return f"rank correlation {value:+.2f} [{low:+.2f}, {high:+.2f}], {p_value} corrected"


def _strength(found: Correlation) -> str:
    said = spoken(found.component)
    return "the clean part" if said == "clean" else f"{said} noise"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
