"""Rows 27 and 33: the environment of matplotlib, and names that cannot be drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

from made_profiles import profile, strengths

from cop_core.report import write_report
from cop_core.report.plot_style import shown_name


def written(stack, weights, folder, **environment):
    """Profile a stack with `cop` and return the figures, exit code and messages."""
    words = [
        "profile",
        stack,
        "-o",
        "report",
        "--weights",
        weights,
        "--crops",
        1,
        "--device",
        "cpu",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "from cop_core.cli import main; main()", *map(str, words)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    figures = sorted((folder / "report").glob("figures/*"))
    return {path.name: path.read_bytes() for path in figures}, done.returncode, done.stderr


@pytest.mark.slow
def test_row_27_figures_do_not_depend_on_the_surroundings(pair, tiny_weights, tmp_path):
    usual, strange = tmp_path / "usual", tmp_path / "strange"
    for folder in (usual, strange):
        folder.mkdir()
    expected, code, said = written(pair[0], tiny_weights, usual)
    assert (len(expected), code) == (3, 0), said
    # matplotlib looks for its style where it is started, and where it is told to
    (strange / "matplotlibrc").write_text("axes.facecolor: red\ntext.usetex: True\nbackend: none\n")
    (strange / "binary").write_bytes(b"\xff\xfe")
    figures, code, said = written(
        *(pair[0], tiny_weights, strange),
        MPLBACKEND="nonsense",
        MATPLOTLIBRC=str(strange / "binary"),
        SOURCE_DATE_EPOCH="yesterday",
    )
    assert (figures, code) == (expected, 0), said
    assert "SOURCE_DATE_EPOCH is not a time; it is ignored" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a\udcffb", "\ufeffx", "\ud800", "a\x00\x1b"])
def test_row_33_names_that_cannot_be_drawn_are_replaced(name, tmp_path):
    assert "�" in shown_name(name)
    folder = write_report(replace(profile(strengths(0, 12)), name=name), tmp_path)
    assert "�" in (folder / "figures" / "profile.svg").read_text(encoding="utf-8")
