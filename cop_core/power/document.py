"""A recommendation as JSON and as the table that ``--power`` reads back."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.report.document import plain_json

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation

SCHEMA_VERSION: Final = "1.1"

_PACKAGES: Final = ("napari-cop", "numpy", "scipy")


def power_csv(found: Recommendation) -> str:
    """Return the curve as CSV with the columns ``depth_um,power_mw``.

    Parameters
    ----------
    found : Recommendation
        What is written; every power passes its limit once more.
    """
    power_mw = found.limit.require_all(found.power_mw)
    rows = zip(found.depth_um.tolist(), power_mw.tolist(), strict=True)
    return "depth_um,power_mw\n" + "".join(f"{depth!r},{power!r}\n" for depth, power in rows)


def recommendation_document(
    found: Recommendation,
    *,
    command: str | None = None,
    inputs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return everything a recommendation states, in JSON types.

    Parameters
    ----------
    found : Recommendation
        What is stated.
    command : str, optional
        The command line that repeats it.
    inputs : dict, optional
        What identifies the stack's files, from `identified`.

    Returns
    -------
    dict
        ``schema_version, kind, stack, attenuation, held, limit, cap_depth_um, planes, measured,
        energy, notes, settings, provenance``. What is undefined is None.
    """
    name = found.attenuation.signal.name
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": "recommendation",
        "stack": name,
        "attenuation": _attenuation(found),
        "held": {
            "quantity": found.held.name,
            "level": found.level,
            "exponent_of_power": found.held.exponent,
            "follow_um": found.held.tissue.over_um if found.held.tissue else 0.0,
        },
        "limit": {"max_mw": found.limit.max_mw, "max_rise_mw": found.limit.max_rise_mw},
        "cap_depth_um": found.cap_depth_um,
        "planes": _planes(found),
        "measured": _measured(found),
        "energy": {
            **vars(found.energy),
            "unit": "sum of mW over the planes that reach the level",
            "recommended_mj": found.energy.recommended_mj,
            "saving_on_fixed": found.energy.saving_on_fixed,
            "saving_on_exponential": found.energy.saving_on_exponential,
        },
        "notes": found.notes,
        "settings": found.settings,
        "provenance": {
            "command": command,
            "versions": {package: version(package) for package in _PACKAGES},
            "inputs": inputs or {},
            "protocols": {name: found.provenance},
        },
    }
    plain: dict[str, Any] = plain_json(document)
    return plain


def _attenuation(found: Recommendation) -> dict[str, Any]:
    attenuation = found.attenuation
    return {
        "excitation_order": attenuation.order,
        "layers": [vars(layer) for layer in attenuation.layers],
        "breaks_um": attenuation.fit.breaks_um,
        "breaks_ci95_um": attenuation.fit.breaks_ci95_um,
        "rho": attenuation.fit.rho,
        "offset_counts": attenuation.offset.counts,
        "offset_error_counts": attenuation.offset.error_counts,
        "offset_estimated": attenuation.offset.estimated,
        "n_planes": int(attenuation.used.sum()),
        "n_excluded": int((~attenuation.used).sum()),
    }


def _planes(found: Recommendation) -> list[dict[str, Any]]:
    tissue = found.held.tissue
    columns = {
        "depth_um": found.depth_um,
        "power_mw": found.power_mw,
        "wanted_mw": found.wanted_mw,
        "wanted_low_mw": found.low_mw,
        "wanted_high_mw": found.high_mw,
        "expected": found.expected,
        "tissue": np.exp(tissue.at(found.depth_um) if tissue else 0 * found.depth_um),
        "capped": found.capped,
        "extrapolated": found.extrapolated,
    }
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _measured(found: Recommendation) -> list[dict[str, Any]]:
    signal = found.attenuation.signal
    rows = zip(
        signal.depth_um, signal.power_mw, found.attenuation.counts, found.held.measured,
        found.attenuation.reasons, strict=True,
    )  # fmt: skip
    keys = ("depth_um", "power_mw", "signal_counts", "held", "reason")
    return [dict(zip(keys, row, strict=True)) for row in rows]
