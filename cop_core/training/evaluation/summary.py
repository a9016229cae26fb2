"""Summary of an evaluation: accuracy by domain and overall, compared with the paper's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.components import COMPONENT_NAMES
from cop_core.training.evaluation.mmd import DomainShift, domain_shift
from cop_core.training.evaluation.paper_domains import (
    PAPER_DOMAINS,
    PAPER_NUMBERS,
    by_paper_domain,
    paper_domain,
)
from cop_core.training.evaluation.scores import (
    Values,
    accuracy,
    dominant_accuracy,
    mean_of_known,
    or_none,
    sampling_errors,
)

Plain = dict[str, Any]
_PERMUTATIONS: Final = 99
"""Permutations in the test of each pair of domains: twelve domains have 66 pairs."""


@dataclass(frozen=True)
class DomainReading:
    """Noisy crops of one domain, as read by an estimator.

    Attributes
    ----------
    name : str
    truth, predicted : ndarray of shape (n, components)
        Strengths added and read.
    features : ndarray of shape (n, width)
        Features from which the head reads the strengths; (n, 0) if not requested.
    images : ndarray of shape (n,)
        Index of the image of each crop in the domain.
    """

    name: str
    truth: Values
    predicted: Values
    features: Values
    images: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Evaluation:
    """Readings of all domains, in order, and their settings.

    Attributes
    ----------
    left_out : dict of str to str
        Images and folders that could not be read, with the reason.
    """

    readings: tuple[DomainReading, ...]
    components: tuple[str, ...]
    settings: Plain
    left_out: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> Plain:
        """Return the accuracy by domain and over all, as JSON types.

        ``domains.<name>`` and ``overall`` have ``rmse, mae, r2, r2_by_component``, the standard
        errors ``rmse_se, r2_se`` of `sampling_errors` and, as shares, ``dominant_accuracy,
        threshold_accuracy``. The overall values are means over domains (``*_sd``: SD over domains;
        standard errors are for these domains only); shares are over all crops. ``paper_domains``
        has the same means over the paper's domains, and names those missing; ``paper`` has its own
        numbers; ``baseline`` always predicts the mean of the strengths; ``domain_shift`` is present
        if `shift` is; ``settings`` are those of the evaluation.
        """
        domains = {r.name: self._of_domain(r) for r in self.readings}
        names = by_paper_domain(domains)
        known = {name: row for name, row in domains.items() if paper_domain(name)}
        missing = [domain for domain, found in names.items() if not found]
        overall = self._overall(domains)
        of_paper = self._overall(known) if known else None
        n_read = len(PAPER_DOMAINS) - len(missing)
        found: Plain = {
            "verdict": _verdict(known or domains, of_paper or overall, n_read, self.settings),
            "domains": domains,
            "overall": overall,
            "paper_domains": {
                "folders": names,
                "missing": missing,
                "extra": [name for name in domains if name not in known],
                "overall": of_paper,
            },
            "paper": PAPER_NUMBERS,
            "baseline": {"rmse": self._baseline(), "predicts": "mean"},
            "left_out": self.left_out,
            "settings": self.settings,
        }
        if self.shift:
            found["domain_shift"] = self.shift.to_dict()
        return found

    @cached_property
    def shift(self) -> DomainShift | None:
        """Domain shift between the paper's domains; between all domains, if these are fewer than 2.

        None for a single domain, or if features were not requested.
        """
        features = {r.name: r.features for r in self.readings if r.features.size}
        known = {name: values for name, values in features.items() if paper_domain(name)}
        chosen = known if len(known) > 1 else features
        return domain_shift(chosen, permutations=_PERMUTATIONS) if len(chosen) > 1 else None

    def _of_domain(self, reading: DomainReading) -> Plain:
        read = reading.truth, reading.predicted, self.components
        return {
            **accuracy(*read).to_dict(),
            **sampling_errors(*read, reading.images),
            **dominant_accuracy(*read).to_dict(),
            "pictures": len(np.unique(reading.images)),
            "paper_domain": paper_domain(reading.name),
        }

    def _overall(self, domains: Mapping[str, Plain]) -> Plain:
        some = [r for r in self.readings if r.name in domains]
        shares = dominant_accuracy(
            np.concatenate([r.truth for r in some]),
            np.concatenate([r.predicted for r in some]),
            self.components,
        )
        return {
            "domains": len(some),
            **_means(list(domains.values()), self.components),
            **shares.to_dict(),
        }

    def _baseline(self) -> float:
        return float(np.mean([math.sqrt(r.truth.var(axis=0).mean()) for r in self.readings]))


def _means(rows: Sequence[Plain], components: Sequence[str]) -> Plain:
    """Return the means over domains, with SDs and standard errors."""
    found: Plain = {key: _mean(row[key] for row in rows) for key in ("rmse", "mae", "r2")}
    for key in ("rmse", "r2"):
        values = [row[key] for row in rows if row[key] is not None]
        errors = [row[f"{key}_se"] for row in rows]
        found[f"{key}_sd"] = float(np.std(values)) if values else None
        found[f"{key}_se"] = None if None in errors else float(np.linalg.norm(errors)) / len(errors)
    by_component = {c: _mean(row["r2_by_component"][c] for row in rows) for c in components}
    return found | {"r2_by_component": by_component}


def _mean(values: Iterable[float | None]) -> float | None:
    return or_none(mean_of_known(math.nan if v is None else v for v in values))


def _verdict(rows: Mapping[str, Plain], means: Plain, of_twelve: int, settings: Plain) -> str:
    """Return the result in a sentence: over the paper's domains, if any of them was read."""
    n = len(rows)
    over = f"{of_twelve} of the paper's 12 domains"
    if not of_twelve:
        over = f"{n} domain{'s' * (n > 1)}, none of the paper's 12"
    said = f"Over {over}, the RMSE of a strength is {means['rmse']:.4f}"
    if means["r2"] is not None:
        said += f" and the mean R2 {means['r2']:.3f}"
    by_domain = {name: row["r2"] for name, row in rows.items()}
    by_component = {COMPONENT_NAMES.get(c, c): r2 for c, r2 in means["r2_by_component"].items()}
    weakest = [*_weakest("domain", by_domain), *_weakest("component", by_component)]
    if weakest:
        said += f"; R2 is lowest for {' and '.join(weakest)}"
    return f"{said} ({settings['weights']['name']}, {settings['prior']} prior)."


def _weakest(what: str, r2: Mapping[str, float | None]) -> list[str]:
    """Return, in words, the lowest R2 and its name; empty if there is only one."""
    known = {name: value for name, value in r2.items() if value is not None}
    name = min(known, key=lambda one: known[one], default="")
    return [f"the {what} {name} ({known[name]:.3f})"] if len(known) > 1 else []
