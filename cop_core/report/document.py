"""The report as one JSON document."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core._version import __version__
from cop_core.report.facts import facts_of
from cop_core.report.protocols import Protocol, Result, protocols, warnings_of
from cop_core.statistics.breaks import break_fits
from cop_core.statistics.compare import Comparison
from cop_core.statistics.log_ratios import log_ratio_slopes
from cop_core.statistics.power_cap import cap_depth_um
from cop_core.statistics.profile import DepthProfile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.statistics.slope import SlopeFit

SCHEMA_VERSION: Final = "1.3"
"""Raised in its first number when a key changes its meaning or goes away, else in its second."""

_PACKAGES = ("numpy", "scipy", "statsmodels", "tifffile", "zarr", "imagecodecs")


def report_document(
    result: Result,
    *,
    command: str | None = None,
    inputs: dict[str, Any] | None = None,
    others: Mapping[str, Sequence[DepthProfile]] | None = None,
) -> dict[str, Any]:
    """Return everything a report states, in JSON types.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What is reported.
    command : str, optional
        The command line that repeats it.
    inputs : dict, optional
        What identifies the files of every protocol, from `inputs_of`.
    others : mapping, optional
        The same stacks read with other normalisations, by their names.

    Returns
    -------
    dict
        ``schema_version, kind, protocols, comparison`` (for a comparison), ``sensitivity,
        settings, provenance, warnings``. Strengths are fractions of 1, slopes fractions per um;
        ``n_planes`` counts the planes in a fit and ``n_excluded`` those left out. What is
        undefined is None.
    """
    shown = protocols(result)
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "profile" if isinstance(result, DepthProfile) else "comparison",
        "protocols": {p.name: _protocol(p) for p in shown},
    }
    settings: dict[str, Any] = {"protocols": {p.name: p.profile.settings for p in shown}}
    if isinstance(result, Comparison):
        document["comparison"] = _comparison(result, shown)
        settings["comparison"] = {
            "rule": result.rule,
            "n_bootstrap": result.n_bootstrap,
            "seed": result.seed,
            "errors": result.errors,
            "margin_per_100_um": result.margin_per_100_um,
        }
    document["sensitivity"] = {
        normalisation: {p.name: slopes_of(profile) for p, profile in zip(shown, read, strict=True)}
        for normalisation, read in (others or {}).items()
    }
    document["settings"] = settings
    document["provenance"] = {
        "command": command,
        "versions": _versions(),
        "platform": platform.platform(),
        "inputs": inputs or {},
        "protocols": {p.name: p.profile.provenance for p in shown},
    }
    document["warnings"] = warnings_of(result)
    plain: dict[str, Any] = plain_json(document)
    return plain


def json_text(document: dict[str, Any]) -> str:
    """Return a document as strict JSON text that ends in a newline.

    Parameters
    ----------
    document : dict
        From `report_document`.
    """
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain_json(value: Any) -> Any:
    """Return a value in JSON types: not-finite numbers become None, unknown objects text.

    Parameters
    ----------
    value : object
        Nested dicts, sequences, arrays and scalars.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _protocol(protocol: Protocol) -> dict[str, Any]:
    profile = protocol.profile
    kept = profile.kept
    depth = profile.depth_um[np.isfinite(profile.depth_um)]
    ratios, breaks = log_ratio_slopes(profile), break_fits(profile)
    unsure = dict(zip(profile.components, profile.uncertainty[kept].T, strict=True))
    return {
        "n_planes_total": len(profile),
        "depth_range_um": [depth.min(), depth.max()] if len(depth) else None,
        "cap_depth_um": cap_depth_um(profile.depth_um, profile.power_mw),
        "excluded": excluded_of(profile),
        **facts_of(profile),
        "components": {
            component: {
                **_fit(fit),
                **_moments(profile.of(component)[kept]),
                "uncertainty": unsure[component].mean() if kept.any() else None,
                "log_ratio_slope_per_um": ratios[component],
                "break": asdict(breaks[component]),
                "n_planes": fit.n,
                "n_excluded": len(profile) - fit.n,
            }
            for component, fit in protocol.fits.items()
        },
    }


def excluded_of(profile: DepthProfile) -> list[dict[str, Any]]:
    """Return the planes that are left out; of some, crops were read before (`n_crops`)."""
    return [
        {"plane": p.index, "depth_um": p.depth_um, "reason": p.reason, "n_crops": p.n_crops}
        for p in profile.planes
        if p.reason
    ]


def slopes_of(profile: DepthProfile) -> dict[str, dict[str, Any]]:
    """Return the slopes alone of every component, with their intervals."""
    return {
        component: {"slope_per_um": fit.slope_per_um, "slope_ci95": fit.slope_ci95}
        for component, fit in profile.fits.items()
    }


def _fit(fit: SlopeFit) -> dict[str, Any]:
    values = asdict(fit)
    del values["n"]
    return values


def _moments(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    """Return mean and SD of plane means over the kept planes."""
    return {
        "mean": values.mean() if len(values) else None,
        "sd": values.std(ddof=1) if len(values) > 1 else None,
    }


def _comparison(result: Comparison, shown: tuple[Protocol, ...]) -> dict[str, Any]:
    components = {}
    for effect in result.effects:
        values = asdict(effect)
        for key in ("component", "fixed", "gained"):
            del values[key]
        components[effect.component] = values
    return {
        "difference": f"{shown[0].name} minus {shown[1].name}",
        "rule": result.rule,
        "components": components,
    }


def _versions() -> dict[str, str]:
    return {"napari-cop": __version__, **{package: version(package) for package in _PACKAGES}}
