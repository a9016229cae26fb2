from __future__ import annotations

import math
import os

import numpy as np
import pytest

from cop_core.errors import InputError
from cop_core.recipes import GainedPower
from cop_core.stacks import read_power_table, resolve_power
from cop_core.stacks.power_table import interpolate

DEPTH = np.arange(5) * 100.0


def table(tmp_path, text):
    path = tmp_path / "power.csv"
    path.write_text(text)
    return path


def test_gained_follows_its_law_up_to_the_cap():
    found = GainedPower(2.0, 150.0, 10.0).at(DEPTH)
    assert found == pytest.approx([min(2 * math.exp(z / 150), 10) for z in DEPTH])
    assert found[-1] == 10.0


def test_gained_does_not_overflow():
    assert GainedPower(1.0, 1e-3, 40.0).at([0.0, 1e300]).tolist() == [1.0, 40.0]


@pytest.mark.parametrize("name", ["p0_mw", "length_um", "max_mw"])
@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, "x", None, True])
def test_hostile_laws(name, bad):
    good = {"p0_mw": 1.0, "length_um": 100.0, "max_mw": 10.0}
    with pytest.raises(InputError, match=name):
        GainedPower(**{**good, name: bad})


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
def test_hostile_depths(bad):
    with pytest.raises(InputError, match="depth"):
        GainedPower(1, 100, 10).at([0.0, bad])


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf, True, "-3", "nan", "inf"])
def test_hostile_constants(bad):
    with pytest.raises(InputError):
        resolve_power(bad, DEPTH)


def test_every_way_to_say_it(tmp_path):
    path = table(tmp_path, "depth_um,power_mw\n400,50\n0,10\n")
    assert resolve_power(7, DEPTH).tolist() == [7.0] * 5
    assert resolve_power("7.5", DEPTH).tolist() == [7.5] * 5
    assert resolve_power(path, DEPTH).tolist() == [10, 20, 30, 40, 50]
    assert resolve_power(str(path), DEPTH).tolist() == [10, 20, 30, 40, 50]
    law = resolve_power("gained:2,150,10", DEPTH)
    assert law.tolist() == resolve_power(GainedPower(2, 150, 10), DEPTH).tolist()
    assert resolve_power([1, 2, 3, 4, 5], DEPTH).tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(resolve_power(None, DEPTH)).all()


def test_a_law_is_written_as_it_is_read():
    law = GainedPower(1 / 3, np.float64(1000 / 7), 60)
    assert str(law) == f"gained:{1 / 3!r},{1000 / 7!r},60.0"
    assert GainedPower.parse(str(law)) == law


@pytest.mark.parametrize("text", ["gained:", "gained:1,2", "gained:1,2,3,4", "gained:a,b,c"])
def test_bad_gained_text(text):
    with pytest.raises(InputError, match="Use gained:P0,l,Pmax"):
        resolve_power(text, DEPTH)


@pytest.mark.parametrize("values", [[1, 2], [1, 2, 3, 4, -5], [1, 2, 3, 4, math.nan], ["a"] * 5])
def test_bad_lists(values):
    with pytest.raises(InputError, match="power"):
        resolve_power(values, DEPTH)


def test_table_outside_its_range_names_the_range(tmp_path):
    path = table(tmp_path, "depth_um,power_mw\n0,10\n300,40\n")
    with pytest.raises(InputError, match=r"covers 0 to 300 µm, the stack needs 400 µm"):
        interpolate(DEPTH, path, "depth_um")


def test_tables_of_spreadsheets_with_decimal_commas(tmp_path):
    path = table(tmp_path, "Depth_um;Power mW;note\n0;2,5;a,b\n20,5;3;\n")
    depth_um, power_mw = read_power_table(path)
    assert (depth_um.tolist(), power_mw.tolist()) == ([0, 20.5], [2.5, 3])


def test_table_is_sorted_and_other_columns_ignored(tmp_path):
    path = table(tmp_path, "\ufeffnote, depth_um ,power_mw\nb,20,2\n\na,10,1\n")
    depth_um, power_mw = read_power_table(path)
    assert (depth_um.tolist(), power_mw.tolist()) == ([10, 20], [1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header lacks"),
        ("z,p\n1,2\n", "header lacks"),
        ("depth_um,power_mw\n", "no rows"),
        ("depth_um,power_mw\n1,2\n1,3\n", "depth 1 µm occurs more than once"),
        ("depth_um,power_mw\n1\n", "line 2: 1 cells for 2 columns"),
        ("depth_um,power_mw,depth_um\n1,2,3\n", "has twice 'depth_um'"),
        ('depth_um,power_mw,note\n1,2,"\n2,3,b\n', "not a CSV table"),
        ("depth_um,power_mw\n1,x\n", "line 2 lacks"),
        ("depth_um,power_mw\n1,nan\n", "line 2 has a value that is negative or not finite"),
        ("depth_um,power_mw\n1,2\n2,-1\n", "line 3 has a value that is negative"),
        ("depth_um,power_mw\n-1,2\n", "line 2 has a value that is negative"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_power_table(table(tmp_path, text))
    assert "power.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_table_that_cannot_be_read(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(2**40)
    said = {
        "missing.csv": "No such file",
        "binary.csv": "not UTF-8",
        ".": "not a regular file",
        "large.csv": "over 16 MB",
        f"{'long' * 99}.csv": "File name too long",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        said["pipe.csv"] = "not a regular file"
    for name, problem in said.items():
        with pytest.raises(InputError, match=rf"cannot be read \({problem}"):
            resolve_power(str(tmp_path / name), DEPTH)
