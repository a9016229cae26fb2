"""Damaged files of every format: an error, a flagged plane or the same result, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
GROUPS = {
    "tiff": ["TIFF", "TIFF, tiled", "BigTIFF", "OME-TIFF, zlib, tiled", "ImageJ TIFF"],
    "zarr": ["zarr v2", "zarr v3, sharded", "OME-Zarr 0.5"],
    "other": ["power table", "weights", "weights, card re-made"],
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits a process by its /proc")
@pytest.mark.parametrize("group", GROUPS)
def test_damaged_files(group):
    done = subprocess.run(
        [sys.executable, "fuzz.py", "--json", "--files", "100", *GROUPS[group]],
        cwd=BENCHMARKS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    for name, found in json.loads(done.stdout).items():
        assert found["files"] == 100
        assert not found["bad"], name
