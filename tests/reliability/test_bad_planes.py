"""Rows 2 to 5 and 7, from file to report: bad planes are named, left out and counted."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile
import zarr

import cop_core as cop
from cop_core.recipes import NORMALISATIONS, ReadingOptions
from cop_core.report import write_report

SIDE, PLANES = 96, 9


def reported(stack, estimator, folder, **settings):
    """Read a stack and write its report: the profile, report.json, rows of planes.csv."""
    found = cop.profile(stack, estimator=estimator, reading=ReadingOptions(**settings))
    write_report(found, folder)

    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads((folder / "report.json").read_text(), parse_constant=refuse)
    text = (folder / "planes.csv").read_text()
    assert not {"nan", "inf", "-inf"} & {
        cell.lower() for cell in text.replace("\n", ",").split(",")
    }
    (protocol,) = document["protocols"].values()
    return found, protocol, list(csv.DictReader(text.splitlines()))


def same_where_kept(found, clean):
    """Return whether every plane that was kept has the same numbers as in the clean run."""
    pairs = zip(found.planes, clean.planes, strict=True)
    return all(a.mean.tobytes() == b.mean.tobytes() for a, b in pairs if not a.reason)


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_row_2_and_3_damaged_chunks_stay_out_of_the_report(
    zarr_format, counts, tiny_estimator, tmp_path
):
    data = counts(PLANES, SIDE)
    data[6] = 0
    path = tmp_path / "a.zarr"
    made = zarr.create_array(
        store=str(path), data=data, chunks=(1, SIDE, SIDE // 2), zarr_format=zarr_format,
        config={"write_empty_chunks": True},
    )  # fmt: skip
    key = made.metadata.encode_chunk_key
    clean = reported(cop.open_stack(data, z_step_um=2.0), tiny_estimator, tmp_path / "clean")[0]
    for half in (0, 1):
        (path / key((1, 0, half))).unlink()
    (path / key((2, 0, 1))).unlink()
    (path / key((3, 0, 0))).write_bytes(b"")
    cut = path / key((4, 0, 0))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    stack = cop.open_stack(path, z_step_um=2.0)
    found, protocol, rows = reported(stack, tiny_estimator, tmp_path / "report")
    reasons = {one["plane"]: one["reason"] for one in protocol["excluded"]}
    assert sorted(reasons) == [1, 2, 3, 4, 6]
    assert reasons[1] == "unwritten or empty (chunk absent)"
    assert reasons[2] == "chunk missing (1 of 2)"
    assert reasons[3].startswith("damaged: ")
    assert reasons[4].startswith("damaged: ")
    assert reasons[6] == "unwritten or empty (all zero)"
    component = protocol["components"]["gaussian"]
    assert (component["n_planes"], component["n_excluded"]) == (4, 5)
    assert [row["excluded"] for row in rows].count("true") == 5
    assert same_where_kept(found, clean)


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize(("k", "value"), [(0, np.nan), (4, np.inf), (PLANES - 1, -np.inf)])
def test_row_4_not_finite_in_plane_k(k, value, normalisation, counts, tiny_estimator, tmp_path):
    data = counts(PLANES, SIDE).astype(np.float32)
    whole = np.delete(data, k, axis=0)
    broken = data.copy()
    broken[k, 5, 7] = value
    read = [
        reported(
            cop.open_stack(each, z_step_um=2.0),
            tiny_estimator,
            tmp_path / str(len(each)),
            normalisation=normalisation,
        )
        for each in (whole, broken)
    ]
    (clean, _, _), (found, protocol, _) = read
    assert [(one["plane"], one["reason"]) for one in protocol["excluded"]] == [(k, "not finite")]
    np.testing.assert_array_equal(found.mean[found.kept], clean.mean)


@pytest.mark.usefixtures("quick_figures")
def test_row_5_constant_and_saturated_planes_leave_no_nan(counts, tiny_estimator, tmp_path):
    data = counts(PLANES, SIDE)
    data[1], data[2], data[3] = 7, 65535, np.where(data[3] > np.median(data[3]), 4095, data[3])
    stack = cop.open_stack(data, z_step_um=2.0)
    found, protocol, rows = reported(stack, tiny_estimator, tmp_path / "some")
    assert [one["reason"] for one in protocol["excluded"]] == ["constant", "saturated", "saturated"]
    assert float(rows[2]["saturated_fraction"]) == 1.0
    assert 0.4 < float(rows[3]["saturated_fraction"]) < 0.6
    clean = cop.profile(
        cop.open_stack(counts(PLANES, SIDE), z_step_um=2.0),
        estimator=tiny_estimator,
    )
    assert same_where_kept(found, clean)
    every = cop.open_stack(np.full_like(data, 7), z_step_um=2.0)
    _, protocol, _ = reported(every, tiny_estimator, tmp_path / "all")
    component = protocol["components"]["gaussian"]
    assert (component["n_planes"], component["slope_per_um"], component["mean"]) == (0, None, None)


@pytest.mark.parametrize("n", [1, 2])
def test_row_7_too_few_planes_for_a_slope(n, counts, run, tiny_weights, tmp_path, quick_figures):
    path, output = tmp_path / "a.tif", tmp_path / "report"
    tifffile.imwrite(path, counts(n, SIDE), photometric="minisblack", metadata={"axes": "ZYX"})
    options = ["--z-step-um", 2, "--estimator", tiny_weights, "-o", output]
    code, out, err = run("profile", path, *options)
    assert code == 0, err
    assert "needs 3 planes" in " ".join(out.replace("│", " ").replace("┃", " ").split())
    document = json.loads((output / "report.json").read_text())
    component = document["protocols"]["a"]["components"]["poisson"]
    assert (component["n_planes"], component["slope_per_um"]) == (n, None)
    assert component["mean"] is not None
