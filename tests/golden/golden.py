"""All results computed from the committed readings, as leaves of the documents."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from cop_core.recipes import StackOptions
from cop_core.records import (
    DepthProfile,
    PixelFacts,
    PlaneEstimate,
    Provenance,
    StoredImage,
    WeightsUsed,
)
from cop_core.report import document_of, planes_csv
from cop_core.report.protocols import arms_results
from cop_core.stacks import open_stack
from cop_core.statistics import compare, compare_arms, within

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
OFFSETS = {"fixed": 100.0, "gained": None}
GENOME = ("anisotropic", "shot", "gaussian", "salt_pepper", "quantization")
MADE = Provenance(
    "readings",
    StackOptions(),
    StoredImage("", "", ()),
    WeightsUsed("default", "", "microscopy", GENOME),
)


def readings():
    """Return the committed readings as profiles, by name."""
    stored = json.loads((HERE / "readings.json").read_text())
    return {name: _profile(one) for name, one in stored.items()}


def results():
    """Return all numbers computed from the readings: value by place."""
    read = readings()
    fixed, gained = read["sample/fixed"], read["sample/gained"]
    both = compare(fixed, gained)
    arms = [[read[f"study/{arm}-{a}"] for a in "abc"] for arm in ("fixed", "gained")]
    found = {
        "comparison": _numbers(both),
        "window": _numbers(
            compare(fixed, gained, window_um=(100.0, 600.0), margin_per_100_um=0.02, seed=3)
        ),
        "paper": _numbers(compare(fixed, gained, rule="paper"))["comparison"],
        "other": _numbers(compare(fixed, gained, tissue="other"))["comparison"],
        "profile": _numbers(within(gained, (200.0, None))),
        "watch": _numbers(read["watch/watched"]),
        "planes": _table(planes_csv(both.analysed)),
        "animals": _arms(
            compare_arms(
                *arms,
                names=("fixed", "gained"),
                animals=(list("abc"), list("abc")),
                margin_per_100_um=0.01,
            )
        ),
    }
    return dict(sorted(_leaves("", found)))


def powers():
    """Return all numbers of recommendations from the readings: value by place."""
    from cop_core.power import recommend_power

    read, found = readings(), {}
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
            found[f"power/{name}/{hold}"] = _numbers(held)
    return dict(sorted(_leaves("", found)))


_LEFT_OUT = {"schema_version", "kind", "recipe", "provenance"}


def _numbers(record):
    tree = document_of(record).tree
    return {key: value for key, value in tree.items() if key not in _LEFT_OUT}


def _arms(result):
    return {e.component: arms_results(e).plain() for e in result.effects}


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
    return DepthProfile(
        stored["name"],
        tuple(stored["components"]),
        tuple(_plane(n, plane) for plane in stored["planes"]),
        provenance=MADE,
    )


def _plane(n, stored):
    arrays = {key: np.array(stored[key], np.float64) for key in ("mean", "sd", "uncertainty")}
    for key in ("strengths", "block_means"):
        stated = np.array(stored[key], np.float64)
        arrays[key] = stated if stated.size else np.empty((0, 0))
    told = {"flags": tuple(stored["flags"]), "pixels": PixelFacts(**stored["pixels"])}
    return PlaneEstimate(**{**stored, **told, **arrays})
