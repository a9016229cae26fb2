"""Everything downstream of the committed readings, as leaves of what is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from cop_core.power import recommend_power, recommendation_document
from cop_core.report import planes_csv, protocols, report_document
from cop_core.stacks import open_stack
from cop_core.statistics import DepthProfile, PlaneEstimate, compare, compare_arms, within

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
OFFSETS = {"fixed": 100.0, "gained": None}
GENOME = ["anisotropic", "shot", "gaussian", "salt_pepper", "quantization"]


def readings():
    """Return the committed readings as profiles, by name."""
    stored = json.loads((HERE / "readings.json").read_text())
    return {name: _profile(one) for name, one in stored.items()}


def results():
    """Return all numbers made from the readings: place to value."""
    read = readings()
    fixed, gained = read["sample/fixed"], read["sample/gained"]
    both = compare(fixed, gained)
    arms = [[read[f"study/{arm}-{a}"] for a in "abc"] for arm in ("fixed", "gained")]
    found = {
        "comparison": _numbers(report_document(both)),
        "window": _numbers(
            report_document(
                compare(fixed, gained, window_um=(100.0, 600.0), margin_per_100_um=0.02, seed=3)
            )
        ),
        "paper": _numbers(report_document(compare(fixed, gained, rule="paper"))["comparison"]),
        "paired": _numbers(report_document(compare(fixed, gained, errors="paired"))["comparison"]),
        "bootstrap": _numbers(
            report_document(compare(fixed, gained, errors="bootstrap"))["comparison"]
        ),
        "profile": _numbers(report_document(within(gained, (200.0, None)))),
        "watch": _numbers(report_document(read["watch/watched"])),
        "planes": _table(planes_csv(protocols(both))),
        # without animals statsmodels searches several variances and ends elsewhere by processor
        "animals": _arms(
            compare_arms(*arms, animals=(list("abc"), list("abc")), margin_per_100_um=0.01)
        ),
    }
    for name in ("fixed", "gained"):
        path = SAMPLE / ("fixed.ome.tif" if name == "fixed" else "gained.ome.zarr")
        stack = open_stack(path, power=SAMPLE / f"{name}.csv", name=name)
        for hold in ("signal", "poisson"):
            held = recommend_power(
                stack,
                max_power_mw=60,
                hold=hold,
                profile=read[f"sample/{name}"],
                offset_counts=OFFSETS[name],
            )
            found[f"power/{name}/{hold}"] = _numbers(recommendation_document(held))
    return dict(sorted(_leaves("", found)))


_LEFT_OUT = {"provenance", "settings", "schema_version", "kind"}


def _numbers(document):
    return {key: value for key, value in document.items() if key not in _LEFT_OUT}


def _arms(result):
    from cop_core.report.document import plain_json
    from cop_core.study.document import _arms_effect

    return plain_json({e.component: _arms_effect(e) for e in result.effects})


def _table(text):
    header, *rows = csv.reader(io.StringIO(text))
    return {f"{row[0]}/{row[1]}": dict(zip(header, map(_cell, row), strict=True)) for row in rows}


def _cell(text):
    try:
        return float(text)
    except ValueError:
        return text


def _leaves(where, value):
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(f"{where}/{key}", one)
    else:
        yield where, value


def _profile(stored):
    n = len(stored["components"])
    made = {"weights": {"name": "default", "sha256": "", "genome": {"order": GENOME}}}
    return DepthProfile(
        stored["name"],
        tuple(stored["components"]),
        tuple(_plane(n, plane) for plane in stored["planes"]),
        {"normalisation": "plane-percentile", "crops": None, "seed": 0, "offset_counts": None},
        made,
    )


def _plane(n, stored):
    arrays = {key: np.array(stored[key], np.float64) for key in ("mean", "sd", "uncertainty")}
    crops = np.array(stored["strengths"], np.float64)
    arrays["strengths"] = crops if crops.size else np.empty((0, 0))
    return PlaneEstimate(**{**stored, "flags": tuple(stored["flags"]), **arrays})
