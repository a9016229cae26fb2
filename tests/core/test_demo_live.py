"""`cop demo-live`: from a simulated microscope through Micro-Manager to the report."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pymmcore_plus", reason="the extra 'live' is not installed")

from cop_core.simulator import PRESETS, Detector, Microscope, Optics, Phantom, Preset, write_pair

TINY = Preset(
    "tiny",
    Microscope(
        Phantom(shape=(200, 200), field_um=300.0, depth_um=400.0),
        Optics(photons=680.0),
        Detector(gain_counts=5.0, amplifier_counts=2.0),
    ),
    planes=5,
    z_step_um=60.0,
)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(PRESETS, "sample", TINY)


def strengths(folder, protocol):
    """Read the mean strengths of a protocol's planes from a report."""
    with (folder / "planes.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["protocol"] == protocol]
    return np.array([[row["poisson"], row["clean"], row["power_mw"]] for row in rows], float)


def test_it_reads_what_the_same_stacks_on_disk_give(
    run, tiny, tmp_path, tiny_weights, quick_figures
):
    live, disk = tmp_path / "live", tmp_path / "disk"
    options = ("--estimator", tiny_weights, "--device", "cpu")
    code, out, err = run("demo-live", "-o", live, "--seed", 4, "--frame-ms", 1, *options)
    assert code == 0, err
    assert "fixed: complete, 5 of 5 planes" in out
    assert "gained: complete, 5 of 5 planes" in out
    report = json.loads((live / "report.json").read_text())
    assert report["kind"] == "comparison"
    assert report["provenance"]["protocols"]["fixed"]["source"] == "Micro-Manager: Camera"
    # the first stack's noise is that of the simulated file, the second's is drawn anew
    pair = write_pair(tmp_path / "pair", replace(TINY), seed=4)
    code, _, err = run("compare", pair.fixed, pair.gained, "--power", pair.fixed_power,
                       pair.gained_power, "-o", disk, *options)  # fmt: skip
    assert code == 0, err
    assert np.array_equal(strengths(live, "fixed"), strengths(disk, "fixed"))
    assert np.allclose(strengths(live, "gained")[:, 2], TINY.powers_mw["gained"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--preset", "mine"), "--preset: 'mine' cannot be used"),
        (("--max-power-mw", "4"), "above the limit of 4 mW"),
        (("--max-power-mw", "nan"), "--max-power-mw: 'nan' cannot be used"),
    ],
)
def test_what_cannot_be_acquired_is_refused(run, tiny, option, message):
    code, _, err = run("demo-live", *option)
    assert code == 2
    assert message in " ".join(err.split())
