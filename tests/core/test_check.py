"""`cop check`: what a file is, what it lacks and what to type."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest
import tifffile

import cop_core as cop
from cop_core.recipes import CheckRecipe, StackOptions
from cop_core.stacks.check import PLANES, check_file


@pytest.fixture
def written(tmp_path, counts):
    """Write a TIFF: (name, data, axes, **metadata) -> path."""

    def write(name, data, axes="ZYX", **more):
        path = tmp_path / f"{name}.tif"
        metadata = {"axes": axes, **more.pop("metadata", {})}
        tifffile.imwrite(path, data, photometric="minisblack", metadata=metadata, **more)
        return path

    return write


def of(out):
    return [json.loads(line) for line in out.splitlines()]


def test_a_file_that_lacks_nothing(run, pair):
    code, out, err = run("check", pair[0])
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == f"Ready: {shlex.join(['cop', 'profile', str(pair[0]), '-o', 'report'])}"
    assert len(lines) < 10
    assert any("6 planes, 0 to 20 um" in line for line in lines)
    assert lines[-1].endswith("all 6 planes looked at: nothing to note")


def test_what_is_missing_is_named_with_what_to_type(run, written, counts):
    two = np.stack([counts(3, 96), counts(3, 96, 1)], axis=1)
    path = written("two", two, "ZCYX")
    code, out, _ = run("check", path)
    assert code == 1
    assert out.startswith("Needs a channel and a z step: type cop profile ")
    assert out.splitlines()[0].endswith("--channel CHANNEL --z-step-um UM")
    assert len(out.splitlines()) < 10
    code, out, _ = run("check", path, "--json")
    (found,) = of(out)
    assert code == 1
    assert [each["option"] for each in found["missing"]] == ["channel", "z_step_um"]
    assert (found["n_planes"], found["depth_um"], found["answer"]) == (3, None, "needs")
    code, out, _ = run("check", path, "--channel", 1, "--z-step-um", 2, "--json")
    (found,) = of(out)
    assert (code, found["answer"], found["channel"]) == (0, "ready", 1)
    assert found["depth_um"] == [0, 2, 4]


def test_a_movie_is_told_from_a_stack(run, written, counts):
    code, out, _ = run("check", written("movie", counts(3, 96), "TYX"))
    assert code == 1
    assert out.startswith("A movie, not a z-stack: type cop detector ")
    assert "--z-step-um UM" in out.splitlines()[0]
    assert "time movie of 3 frames" in out


def test_what_the_pixels_hold(run, written, counts):
    data = counts(6, 200) + np.uint16(100)
    data[:, :5], data[:, 50, 60] = 0, 4000
    code, out, _ = run("check", written("a", data), "--z-step-um", 2, "--json")
    (found,) = of(out)
    pixels = found["pixels"]
    assert code == 0
    assert (pixels["fill_rows"], pixels["fill_columns"], pixels["hot_or_dead"]) == (5, 0, 1)
    assert pixels["left_out"] == {}
    _, text, _ = run("check", written("b", data), "--z-step-um", 2)
    assert all(told in text for told in pixels["told"])


def test_lossy_compression_is_said_first(run, written, counts):
    data = counts(3, 96).astype(np.uint8)
    path = written("jpeg", data, compression="jpeg", compressionargs={"level": 90})
    _, out, _ = run("check", path, "--z-step-um", 2)
    assert out.startswith("Ready, but compressed with loss: cop profile ")
    (note,) = {flag for one in cop.open_stack(path, z_step_um=2) for flag in [one.validity.lossy]}
    assert note


def test_nothing_that_can_be_read(run, written):
    path = written("nan", np.full((3, 96, 96), np.nan, np.float32))
    code, out, _ = run("check", path, "--z-step-um", 2)
    assert code == 2
    assert out.startswith("Cannot be read: ")
    assert "3 left out: not finite" in out


def test_what_cannot_be_opened_is_told_as_everywhere(run, pair, tmp_path):
    gone = tmp_path / "gone.tif"
    code, out, err = run("check", gone, pair[0])
    assert code == 2
    assert err == f"cop: {gone}: no such file or folder. Check the path.\n"
    assert "Ready: " in out  # the others are checked all the same
    code, out, _ = run("check", gone, pair[0], "--json")
    assert [one["answer"] for one in of(out)] == ["error", "ready"]
    assert code == 2


def test_a_dozen_planes_or_all_are_looked_at(written, counts):
    options = StackOptions(source=str(written("long", counts(30, 32))), z_step_um=1.0)
    some = check_file(options)
    assert len(some.pixels.planes) == PLANES
    assert (some.pixels.planes[0], some.pixels.planes[-1]) == (0, 29)
    every = cop.run(CheckRecipe(stack=options, every=True))
    assert every.pixels.planes == tuple(range(30))


def test_it_does_not_load_the_network(pair):
    code = (
        "import sys; from cop_core.cli import main\n"
        f"sys.argv = ['cop', 'check', {str(pair[0])!r}]\n"
        "try: main()\n"
        "except SystemExit as leave: print(leave.code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "0 False"


def test_a_stack_that_nothing_can_be_read_of_is_refused(run, written, tmp_path, tiny_weights):
    path = written("nan", np.full((3, 96, 96), np.nan, np.float32))
    output = tmp_path / "report"
    arguments = (path, "--z-step-um", 2, "--weights", tiny_weights, "-o", output)
    code, _, err = run("profile", *arguments)
    assert code == 2
    assert "none of its 3 planes can be read (3 not finite)" in err
    assert not output.exists()
