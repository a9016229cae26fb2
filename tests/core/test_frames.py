"""Results as frames of pandas, data dictionaries and figures of matplotlib."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import cop_core as cop
from cop_core.report.schema import document_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def both(pair, tiny_estimator):
    profiles = (
        cop.profile(path, estimator=tiny_estimator, name=name, power=power)
        for path, name, power in zip(pair, ("fixed", "gained"), (5, "gained:5,300,60"), strict=True)
    )
    return cop.compare(*profiles, n_bootstrap=50)


@pytest.fixture(scope="module")
def folder(both, tmp_path_factory):
    return cop.write_report(both, tmp_path_factory.mktemp("report"))


def test_a_frame_is_what_planes_csv_holds(both, folder) -> None:
    written = pd.read_csv(folder / "planes.csv", float_precision="round_trip")
    frame = both.to_frame()
    assert list(frame.columns) == list(written.columns)
    assert len(frame) == sum(len(each.profile) for each in both.analysed)
    for name in ("depth_um", "power_mw", "poisson", "poisson_uncertainty", "signal"):
        np.testing.assert_array_equal(frame[name], written[name])
    assert frame["excluded"].dtype == bool


def test_frames_of_one_stack(both) -> None:
    profile = both.first.profile
    frame, analysed = profile.to_frame(), both.first.to_frame()
    assert frame["protocol"].unique().tolist() == ["fixed"]
    np.testing.assert_array_equal(frame["poisson"], profile.of("poisson"))
    pd.testing.assert_frame_equal(frame.drop(columns=list(frame.filter(like="_counts"))),
                                  analysed.drop(columns=list(frame.filter(like="_counts"))),
                                  check_like=True)  # fmt: skip


def test_every_column_is_in_the_dictionary(folder) -> None:
    with (folder / "planes-columns.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    header = next(csv.reader(io.StringIO((folder / "planes.csv").read_text("utf-8"))))
    assert [row["column"] for row in rows] == header
    assert all(row["meaning"] for row in rows)
    assert {row["column"]: row["unit"] for row in rows}["depth_um"] == "µm"


def test_figures_are_those_of_the_report(both, folder, tmp_path: Path) -> None:
    drawn = cop.figures_of(both)
    assert set(drawn) == {path.stem for path in (folder / "figures").glob("*.svg")}
    assert all(isinstance(figure, Figure) for figure in drawn.values())
    drawn["profile"].savefig(tmp_path / "mine.png")
    assert (tmp_path / "mine.png").stat().st_size > 10_000


def test_a_report_fits_its_schema(folder) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    referencing = pytest.importorskip("referencing", reason="referencing is not installed")
    recipe = json.loads((ROOT / "docs" / "recipe.schema.json").read_text("utf-8"))
    known = referencing.Registry().with_resource(
        "recipe.schema.json", referencing.Resource.from_contents(recipe)
    )
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, registry=known)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    validator.validate(report)
    report["comparison"]["components"]["poisson"]["p_holm"] = "small"
    assert not validator.is_valid(report)
