"""`cop watch`: JSON lines, exit codes, the report at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np
import pytest
import tifffile
import zarr

from cop_core.cli.live_view import WatchedStack, live_table
from cop_core.pipeline import Opened, Stepped
from cop_core.records import NO_SIGNAL, PlaneEstimate, ReadingStep, State

# a parent in the background may have had the process ignore Ctrl-C
_START = "import signal as s; s.signal(s.SIGINT, s.default_int_handler)"
COMMAND = [sys.executable, "-c", f"{_START}; from cop_core.cli import main; main()", "watch"]


@pytest.fixture
def stopped(tmp_path, counts):
    """Four planes out of six; one is black."""
    data = counts(4, 96)
    data[1] = 0
    path = tmp_path / "a.zarr"
    array = zarr.create_array(path, shape=(6, 96, 96), chunks=(1, 96, 96), dtype="u2")
    array[:4] = data
    return path


def test_json_lines_and_the_report_of_cop_profile(
    run, stopped, tmp_path, tiny_weights, quick_figures
):
    options = ["--z-step-um", 2, "--power", "gained:5,300,60", "--weights", tiny_weights]
    report = ["-o", tmp_path / "live"]
    code, out, err = run("watch", stopped, "--json", "--stop-after", 2.5, *options, *report)
    assert code == 0
    assert "stopped growing: 4 of 6 planes arrived, none for 2.5 s" in " ".join(err.split())
    rows = {row["plane"]: row for row in map(json.loads, out.splitlines())}
    assert sorted(rows) == list(range(6))
    assert out.count("\n") == 6
    assert run("profile", stopped, *options, "-o", tmp_path / "offline")[0] == 0
    names = ("live", "offline")
    tables = [(tmp_path / name / "planes.csv").read_text() for name in names]
    assert tables[0] == tables[1]
    documents = [json.loads((tmp_path / name / "report.json").read_text()) for name in names]
    assert documents[0]["protocols"] == documents[1]["protocols"]
    strengths = [rows[2][c] for c in documents[0]["protocols"]["a"]["components"]]
    assert sum(strengths) == pytest.approx(1)
    assert (rows[2]["depth_um"], rows[2]["excluded"], rows[2]["reason"]) == (4.0, False, "")
    assert rows[2]["power_mw"] == pytest.approx(5 * np.exp(4 / 300))
    assert rows[2]["latency_s"] > 0
    assert (rows[1]["excluded"], rows[1]["clean"]) == (True, None)
    assert rows[1]["reason"].startswith("unwritten or empty")


def test_a_table_by_default(run, stopped, tiny_weights):
    code, out, _ = run(
        "watch", stopped, "--stop-after", 2.5, "--z-step-um", 2, "--weights", tiny_weights
    )
    assert code == 0
    assert "stopped growing, 6 of 6 planes, 3 left out" in " ".join(out.split())
    assert "Poisson" in out


def test_the_table_says_that_planes_are_without_signal():
    dark, kept = (
        PlaneEstimate(i, 2.0 * i, 1.0, np.full(2, 0.5), np.zeros(2), 1, 400.0, why)
        for i, why in enumerate((NO_SIGNAL, ""))
    )
    seen = WatchedStack()
    seen.see(Opened(("a",), ("poisson", "clean"), ()))
    for plane in (dark, kept):
        seen.see(step := Stepped(0, "a", ReadingStep(State.GROWING, plane), 4))
    table = live_table(seen, step)
    assert table.title == "a: growing, 2 of 4 planes, 1 without signal left out"


def test_a_report_says_which_planes_never_came(run, tmp_path, counts, tiny_weights, quick_figures):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, counts(4, 96), photometric="minisblack")
    options = ["--z-step-um", 2, "--weights", tiny_weights, "-o", tmp_path / "live"]
    done = run("watch", path, "--planes", 6, "--stop-after", 2.5, *options)
    assert done[0] == 0, done
    told = "4 of 6 planes are there: the acquisition was aborted or is still running"
    caveats = json.loads((tmp_path / "live" / "report.json").read_text())["caveats"]
    assert [text for text in caveats if "aborted" in text] == [f"a: {told}"]
    page = (tmp_path / "live" / "report.html").read_text(encoding="utf-8")
    assert told in " ".join(page.split())
    assert run("watch", path, "--planes", 4, "--stop-after", 2.5, *options)[0] == 0
    assert "aborted" not in (tmp_path / "live" / "report.json").read_text()


def test_nothing_to_watch_and_bad_options(run, tmp_path, tiny_weights):
    weights = ["--weights", tiny_weights]
    code, out, err = run("watch", tmp_path / "no", "--json", "--stop-after", 0.2, *weights)
    assert (code, out) == (2, "")
    assert "no plane arrived within 0.2 s" in " ".join(err.split())
    assert run("watch", tmp_path / "no", "--stop-after", -1, *weights)[0] == 2
    assert run("watch", tmp_path / "no", "--power", "nan", *weights)[0] == 2


WRITER = """
import sys, time
import numpy as np
from pathlib import Path
from scanimage_files import ScanImageWriter, slow_stack
from vendor_files import write_ndtiff
from vendor_sets import pixels, write_prairie, write_prairie_files

kind, path = sys.argv[1], Path(sys.argv[2])
planes = pixels(6, 1) // 4 + np.linspace(0, 8000, 32).astype("u2")
if kind.startswith("scanimage"):
    writer = ScanImageWriter(path, slow_stack(6))
    put = lambda i: writer.append(planes[i, 0].astype("i2"))
elif kind == "prairie":
    write_prairie(path, planes, z_um=range(6), files=False)
    put = lambda i: write_prairie_files(path, planes, only=[i])
else:
    summary = {"Slices": 6, "z-step_um": 2.0}
    frames = [({"z": i}, planes[i, 0], {}) for i in range(6)]
    put = lambda i: write_ndtiff(path, frames[: i + 1], summary)
print("begun", flush=True)
sys.stdin.readline()
for i in range(4):
    put(i)
    time.sleep(0.2)
if kind == "scanimage, cut":
    writer.append(planes[4, 0].astype("i2"), n_bytes=100)
"""


KINDS = ("scanimage", "scanimage, cut", "prairie", "ndtiff")


@pytest.mark.slow
def test_acquisitions_that_the_microscope_abandons(tmp_path, tiny_weights):
    """Processes write four of six planes and end; others read and report at the same time."""
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    wait = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": here}
    with ExitStack() as running:
        both = {}
        for i, kind in enumerate(KINDS):
            path = tmp_path / (f"{i}.tif" if kind.startswith("scanimage") else str(i))
            writer = [sys.executable, "-c", WRITER, kind, path]
            report = tmp_path / f"report {i}"
            options = ["--stop-after", "8", "--weights", tiny_weights, "-o", report, "--json"]
            both[kind] = (
                running.enter_context(subprocess.Popen(writer, stdin=subprocess.PIPE, **wait)),
                running.enter_context(subprocess.Popen([*COMMAND, path, *options], **wait)),
                report,
            )
        for microscope, _, _ in both.values():
            assert microscope.stdout.readline() == "begun\n"
        time.sleep(1)
        for microscope, _, _ in both.values():
            microscope.stdin.write("go\n")
            microscope.stdin.flush()
        for kind, (microscope, cop, report) in both.items():
            _, failed = microscope.communicate(timeout=120)
            out, err = cop.communicate(timeout=240)
            assert (microscope.returncode, cop.returncode) == (0, 0), (kind, failed, err)
            rows = {row["plane"]: row for row in map(json.loads, out.splitlines())}
            assert [rows[i]["excluded"] for i in range(4)] == [False] * 4, kind
            assert all(rows[i]["excluded"] for i in rows if i > 3), kind
            told = " ".join(err.split())
            stopped = (
                "stopped growing: 4 of 6 planes arrived, none for 8 s: the acquisition was "
                "aborted or is waiting"
            )
            assert stopped in told, kind
            caveats = " ".join(json.loads((report / "report.json").read_text())["caveats"])
            assert "4 of 6 " in caveats, kind
            assert ("aborted" in caveats) == (kind != "scanimage, cut"), kind


def test_what_is_wrong_with_what_is_there_is_told_where_no_plane_comes(run, tmp_path, tiny_weights):
    folder = tmp_path / "planes"
    folder.mkdir()
    for name in ("a0.tif", "b0.tif"):
        tifffile.imwrite(folder / name, np.ones((9, 9), np.uint16))
    options = ["--stop-after", 1, "--weights", tiny_weights]
    code, _, err = run("watch", folder, "--json", *options)
    assert code == 2
    assert "do not match: 'a#.tif', 'b#.tif'" in " ".join(err.split())


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process")
def test_ctrl_c_keeps_what_is_there(stopped, tmp_path, tiny_weights):
    options = ["--z-step-um", "2", "--weights", tiny_weights, "-o", tmp_path / "kept"]
    command = [*COMMAND, stopped, "--json", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as cop:
        for _ in range(3):
            json.loads(cop.stdout.readline())
        time.sleep(0.1)
        cop.send_signal(signal.SIGINT)
        _, err = cop.communicate(timeout=600)
    assert cop.returncode == 130
    assert "cancelled: " in " ".join(err.split())
    assert "Traceback" not in err
    assert (tmp_path / "kept" / "planes.csv").read_text().count("\n") >= 4
