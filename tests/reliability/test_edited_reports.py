"""Rows 23 and 24: any edit of a report gives an error with its place, or is another number."""

from __future__ import annotations

import copy
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from cop_core.cohort import analyse_cohort
from cop_core.detector import measure_detector, read_movie
from cop_core.errors import InputError
from cop_core.power import recommend_power
from cop_core.recipes import (
    CohortPicture,
    CohortRecipe,
    ComparisonOptions,
    DetectorRecipe,
    MovieOptions,
    ReadingOptions,
    StackOptions,
    StudyRecipe,
    StudyStack,
)
from cop_core.records import (
    DepthProfile,
    FileIdentity,
    PictureRecord,
    PlaneEstimate,
    Provenance,
    StoredImage,
    StudyRecord,
    StudyStackRecord,
    WeightsUsed,
)
from cop_core.report import agreement, document_of, find_inputs, read_document, with_found
from cop_core.report.kinds import KINDS
from cop_core.stacks import open_movie
from cop_core.statistics import analyse_stack, compare, compare_channels

EDITS = [
    None, True, 7, -0.5, 10**400, 1e308, "x", "\ud800", "a" * 5000, [], [1], ["x", None], {},
    {"a": 1}, [[[]]],
]  # fmt: skip


def profile(name):
    rng = np.random.default_rng(len(name))
    planes = tuple(
        PlaneEstimate(
            i, 20.0 * i, 5.0, np.array([0.3, 0.7]) + 0.001 * rng.normal(size=2), np.full(2, 0.01),
            4, 100.0 + 3e4 * np.exp(-i / 9), "" if i else "saturated", ("dim",) if i == 3 else (),
        )
        for i in range(24)
    )  # fmt: skip
    opened = StackOptions(source=f"/data/{name}.tif", power=Path("/data/power.csv"))
    image = StoredImage("tiff", "ZYX", (24, 64, 64), "uint16", (64, 64), (1.0, 1.0), "Z")
    weights = WeightsUsed("default", "f" * 64, "microscopy", ("shot",))
    made = Provenance(f"/data/{name}.tif", opened, image, weights, "cpu", "float32")
    reading = ReadingOptions(offset_counts=100.0)
    return DepthProfile(name, ("gaussian", "clean"), planes, reading, (0.0, 400.0), made)


def measured_detector():
    """Return the detector measured from a short movie of a smooth image."""
    rng = np.random.default_rng(0)
    y, x = np.indices((96, 96)) / 15
    photons = 3 + 2 * np.sin(y) * np.cos(x)
    counts = np.round(20 * rng.poisson(photons, (20, 96, 96)) + 100.0).astype(np.uint16)
    movie = read_movie(open_movie(counts, MovieOptions()))
    return measure_detector(movie, None, DetectorRecipe())


def cohort(*profiles):
    """Return the cohort of two stacks acquired at two gains."""
    rows = [
        CohortPicture(picture=one.provenance.opened.but(name=one.name), settings={"gain": float(i)})
        for i, one in enumerate(profiles)
    ]
    read = [PictureRecord(row, one) for row, one in zip(rows, profiles, strict=True)]
    return analyse_cohort(CohortRecipe(pictures=rows, correlation_only=True), read)


def documents():
    """One small document of every kind."""
    fixed, gained = profile("fixed"), profile("gained")
    hashed = {
        name: {"stack": FileIdentity(path=f"/data/{name}.tif", sha256="0" * 64, n_bytes=9)}
        for name in ("fixed", "gained")
    }
    rows = tuple(
        StudyStack(stack=one.provenance.opened.but(name=one.name), arm=one.name, line=i)
        for i, one in enumerate((fixed, gained), start=1)
    )
    stacks = tuple(
        analyse_stack(StudyStackRecord(row, one))
        for row, one in zip(rows, (fixed, gained), strict=True)
    )
    found = {
        "study": StudyRecord(
            StudyRecipe(stacks=rows), stacks, compare_channels(stacks, ComparisonOptions())
        ),
        "profile": fixed,
        "comparison": compare(fixed, gained, n_bootstrap=20, margin_per_100_um=0.1),
        "recommendation": recommend_power(fixed, max_power_mw=20),
        "detector": measured_detector(),
        "cohort": cohort(fixed, gained),
    }
    return {kind: document_of(one, command="cop", inputs=hashed) for kind, one in found.items()}


@pytest.fixture(scope="module")
def stated():
    return documents()


def places(value, at=()):
    """Yield the paths to all values in a tree; in long lists only to the ends."""
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*at, key))
    elif isinstance(value, list):
        for i in {0, len(value) - 1} if value else ():
            yield from places(value[i], (*at, i))


def edited(tree, place, change):
    tree = copy.deepcopy(tree)
    within = tree
    for key in place[:-1]:
        within = within[key]
    change(within, place[-1])
    return tree


def use(path, document, folder):
    """Use a document in all ways in which a document is used."""
    again = read_document(path)
    agreement(again, document)
    agreement(document, again)
    json.loads(again.to_json())
    with_found(again.recipe, find_inputs(again, folder))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_row_23_every_place_of_every_kind(kind, stated, tmp_path):
    document = stated[kind]
    path = tmp_path / "report.json"
    changes = [lambda within, key, value=value: within.__setitem__(key, value) for value in EDITS]
    changes.append(lambda within, key: within.__delitem__(key))
    for name in ("fixed.tif", "gained.tif", "power.csv"):
        (tmp_path / name).write_text(name)
    refused: list[InputError] = []
    n_used = 0
    for i, place in enumerate(places(document.tree)):
        for change in changes[i % 4 :: 4] if place else ():
            text = json.dumps(edited(document.tree, place, change))
            path.write_text(text, errors="surrogatepass")
            try:
                use(path, document, tmp_path)
                n_used += 1
            except InputError as error:
                refused.append(error)
    assert all(error.where or error.advice for error in refused)
    assert min(n_used, len(refused)) > 50


def test_row_23_the_place_is_named(stated, tmp_path):
    path = tmp_path / "report.json"
    tree = stated["comparison"].tree
    for place, value, said in (
        (("protocols", "fixed", "components", "clean", "r2"), "high", "'high' cannot be used"),
        (("provenance", "protocols", "gained", "image", "shape"), 5, "5 cannot be used"),
        (("recipe", "reading", "crops"), 0, "0 cannot be used"),
        (("recipe", "stacks", 1, "power"), -3, "is negative"),
        (("caveats",), "none", "'none' cannot be used"),
    ):
        change = edited(
            tree, place, lambda within, key, value=value: within.__setitem__(key, value)
        )
        path.write_text(json.dumps(change))
        with pytest.raises(InputError, match=said) as caught:
            read_document(path)
        assert ".".join(map(str, place)) in str(caught.value)


def test_a_document_reads_back_as_it_was(stated, tmp_path):
    assert stated.keys() == KINDS.keys()
    for kind, document in stated.items():
        path = tmp_path / f"{kind}.json"
        path.write_text(document.to_json())
        again = read_document(path)
        assert again == document
        assert agreement(document, again, tolerance=0).differences == ()


@pytest.mark.parametrize("tolerance", [math.inf, math.nan, -1.0])
def test_row_24_a_tolerance_that_says_nothing_is_refused(stated, tolerance):
    document = stated["profile"]
    with pytest.raises(InputError, match="tolerance"):
        agreement(document, document, tolerance=tolerance)


def test_row_19_what_is_not_a_file_is_not_read(tmp_path):
    pipe = tmp_path / "report.json"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path / ("x" * 300), tmp_path):
        with pytest.raises(InputError):
            read_document(path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"kind": ["profile"]}', "1" * 9999]
)
def test_what_is_no_report_is_refused(text, tmp_path):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(InputError, match="report"):
        read_document(tmp_path)
