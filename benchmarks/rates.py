"""Rates over replicates, with their binomial intervals and limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scipy.stats import binomtest

Limits = Mapping[str, tuple[float, float]]


class Rates:
    """How often each finding was true, among the replicates in which it could be."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._tried: Counter[str] = Counter()

    def add(self, name: str, hit: bool | None) -> None:
        """Count a replicate; None if it is not informative."""
        if hit is not None:
            self._hits[name] += bool(hit)
            self._tried[name] += 1

    def document(self, limits: Limits) -> dict[str, dict[str, Any]]:
        """Return each rate with its interval; it fails only if that is outside the limits."""
        return {name: self._one(name, limits.get(name)) for name in self._tried}

    def _one(self, name: str, limit: tuple[float, float] | None) -> dict[str, Any]:
        n = self._tried[name]
        low, high = binomtest(self._hits[name], n).proportion_ci()
        held = (
            {} if limit is None else {"limit": limit, "holds": low <= limit[1] and high >= limit[0]}
        )
        return {"rate": self._hits[name] / n, "n": n, "ci95": (low, high), **held}


def show(name: str, found: dict[str, Any]) -> None:
    """Print the rates of a case, with failures marked."""
    print(name)
    for what, r in found["rates"].items():
        low, high = r["ci95"]
        mark = "" if r.get("holds", True) else "  FAILS"
        print(f"  {what:28s} {r['rate']:6.3f} [{low:.3f}, {high:.3f}] of {r['n']}{mark}")
    print(
        "  ", {k: v if v is None else round(v, 6) for k, v in found["figures"].items()}, flush=True
    )
