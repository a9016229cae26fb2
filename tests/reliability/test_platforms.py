"""Differences between systems: line ends, code pages, start of processes, names, quotes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cop_core.errors import InputError
from cop_core.recipes import argv
from cop_core.recipes.plan import read_plan
from cop_core.recipes.values import folder_name
from cop_core.stacks import read_power_table
from cop_core.training.scene_bank import SceneBank

POWER = "depth_um,power_mw\n0,5\n100,12.5\n"
ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run code in a process of its own, with this package."""
    known = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **environment}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=known, capture_output=True, check=False, timeout=600)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_power_tables_of_any_line_end(tmp_path: Path, end: str, bom: bytes) -> None:
    table = tmp_path / "power.csv"
    table.write_bytes(bom + POWER.replace("\n", end).encode())
    depth_um, power_mw = read_power_table(table)
    assert list(depth_um) == [0, 100]
    assert list(power_mw) == [5, 12.5]


def test_plans_as_a_spreadsheet_of_windows_writes_them(tmp_path: Path, counts) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", counts())
    rows = "stack;arm;z_step_um;power\r\na.tif;fixed;4,5;5,5\r\nb.tif;gained;4,5;6\r\n"
    (tmp_path / "plan.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    recipe = read_plan(tmp_path / "plan.csv", read_power_table)
    assert [row.stack.z_step_um for row in recipe.stacks] == [4.5, 4.5]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_tables_of_another_code_page_are_refused(tmp_path: Path, encoding: str) -> None:
    table = tmp_path / "power.csv"
    table.write_bytes(("depth_um,power_mw,µ\n0,5,ä\n").encode(encoding))
    with pytest.raises(InputError, match="not UTF-8"):
        read_power_table(table)


@pytest.mark.parametrize(
    "name", ["CON", "nul.tif", "Com1", "a:b", "a?b*", "brain.", "tail ", "a" * 300, "µm/°"]
)
def test_names_that_other_systems_refuse(name: str, tmp_path: Path) -> None:
    made = folder_name(name)
    assert made.partition(".")[0].upper() not in {"CON", "NUL", "COM1"}
    assert not set(made) & set('<>:"/\\|?*')
    assert made == made.rstrip(". ")
    (tmp_path / made).mkdir()


def test_names_that_differ_in_case_alone(tmp_path: Path, counts) -> None:
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "s.tif", counts())
    rows = "stack,arm,name\n1/s.tif,fixed,Brain\n2/s.tif,fixed,brain\n"
    (tmp_path / "plan.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(InputError, match="the name 'brain' is used in line 2 too"):
        read_plan(tmp_path / "plan.csv", read_power_table)


def test_commands_are_quoted_for_the_shell_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["cop", "profile", "my stack.tif"]
    assert argv.command_line(words) == "cop profile 'my stack.tif'" or os.name == "nt"
    with monkeypatch.context() as windows:
        windows.setattr(argv.os, "name", "nt")
        said = argv.command_line(words)
    assert said == 'cop profile "my stack.tif"'


def test_processes_that_start_afresh_render_the_same_scenes(tmp_path: Path) -> None:
    """Windows and macOS spawn processes; they inherit nothing."""
    code = (
        "import multiprocessing, sys\n"
        "from pathlib import Path\n"
        "from cop_core.training.scene_bank import SceneBank\n"
        "multiprocessing.set_start_method('spawn')\n"
        "SceneBank.open(Path(sys.argv[1]), scenes=3, size=64, seed=7)\n"
    )
    done = python(code, tmp_path / "spawned.npy", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr.decode()
    here = SceneBank.open(tmp_path / "here.npy", scenes=3, size=64, seed=7)
    assert np.array_equal(np.load(tmp_path / "spawned.npy"), here.images)


def test_a_locale_without_utf8(tmp_path: Path, counts) -> None:
    folder = tmp_path / "größe µm"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", counts(6), photometric="minisblack")
    code = "from cop_core.cli import main; main()"
    plain = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    done = python(code, "check", folder / "a.tif", "--z-step-um", 4, **plain)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"Ready: cop profile")
