"""Rows 19 to 21: pipes, devices, folders, loops of links and overlong names as every input."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cop_core.errors import InputError
from cop_core.network import load_network
from cop_core.pipeline.resume import read_kept
from cop_core.stacks import open_stack
from cop_core.text_file import read_text_file

HANGS_AFTER_S = 300
"""Far longer than any machine takes to refuse a file: a hang becomes a failure."""

INPUTS: dict[str, tuple[str, list[str]]] = {
    "stack": (".tif", ["profile", "ODD", "-o", "out"]),
    "second stack": (".tif", ["compare", "good.tif", "ODD", "-o", "out"]),
    "stack to recommend for": (".tif", ["recommend", "ODD", "-o", "out", "--max-power-mw", "9"]),
    "power table": (".csv", ["profile", "good.tif", "--power", "ODD", "-o", "out"]),
    "power scale": (".csv", ["profile", "good.tif", "--power-scale", "ODD", "-o", "out"]),
    "weights": (".safetensors", ["profile", "good.tif", "--weights", "ODD", "-o", "out"]),
    "weights to verify": (".safetensors", ["weights", "verify", "ODD"]),
    "weights to start from": (".safetensors", ["train", "--start", "ODD", "-o", "run"]),
    "plan": (".csv", ["batch", "ODD", "-o", "out"]),
    "report": (".json", ["replay", "ODD"]),
    "pictures": ("", ["evaluate", "ODD"]),
    **{
        f"{suffix} file": (suffix, ["profile", "ODD", "-o", "out"])
        for suffix in (".zarr", ".nd2", ".lif", ".czi", ".oif", ".oib", ".ims", ".h5")
    },
}


@pytest.fixture(autouse=True)
def a_hang_is_a_failure() -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def fail(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANGS_AFTER_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: Callable[..., Any]) -> Path:
    """Work in a folder with one good stack."""
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("good.tif", counts(3, 32), imagej=True, metadata={"axes": "ZYX"})
    return tmp_path


def odd(kind: str, suffix: str) -> str:
    """Make something other than a file, and return its name."""
    name = f"odd{suffix}"
    if kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("the system has no named pipes")
        os.mkfifo(name)
    elif kind == "device":
        if not Path("/dev/zero").exists():
            pytest.skip("the system has no endless device")
        Path(name).symlink_to("/dev/zero")
    elif kind == "loop of links":
        Path(name).symlink_to(name)
    elif kind == "folder":
        Path(name).mkdir()
    elif kind == "overlong name":
        return "n" * 300 + suffix
    elif kind == "overlong path":
        return "a/" * 3000 + name
    elif kind == "null character":
        return f"o\0dd{suffix}"
    else:  # a file as a folder
        return f"good.tif/{name}"
    return name


@pytest.mark.parametrize(
    "kind",
    ["pipe", "device", "loop of links", "folder", "overlong name", "overlong path",
     "null character", "file as a folder"],
)  # fmt: skip
@pytest.mark.parametrize("what", INPUTS)
def test_row_19_what_is_no_file_is_refused(what, kind, folder, run):
    suffix, words = INPUTS[what]
    name = odd(kind, suffix)
    code, _, said = run(*(name if word == "ODD" else word for word in words))
    assert (code, "Traceback" in said) == (2, False), said
    assert "cop: " in said or "Error: Invalid value" in said
    assert not (folder / "out").exists()


@pytest.mark.parametrize("column", ["stack", "power"])
@pytest.mark.parametrize(
    "kind", ["pipe", "device", "loop of links", "folder", "overlong name", "file as a folder"]
)
def test_rows_of_a_plan_that_lead_to_no_file(column, kind, folder, run):
    name = odd(kind, ".csv" if column == "power" else ".tif")
    row = {"stack": "good.tif", "power": "5", column: name}
    text = f"stack,arm,power,z_step_um\n{row['stack']},fixed,{row['power']},2\n"
    (folder / "plan.csv").write_text(text)
    code, out, said = run("batch", "plan.csv", "-o", "out")
    assert code in (1, 2), said
    assert "Traceback" not in said
    assert Path(name).name[:20] in "".join((out + said).split())


@pytest.mark.parametrize("kind", ["overlong name", "overlong path", "file as a folder"])
@pytest.mark.parametrize(
    "words",
    [
        ["profile", "good.tif", "--z-step-um", "2", "--crops", "1", "--weights", "WEIGHTS", "-o"],
        ["weights", "export", "default", "-o"],
        ["plan", ".", "-o"],
        ["train", "-o"],
    ],
    ids=lambda words: words[0],
)
def test_row_20_no_output_can_have_such_a_name(words, kind, folder, run, tiny_weights):
    given = [str(tiny_weights) if word == "WEIGHTS" else word for word in words]
    code, _, said = run(*given, odd(kind, ""))
    assert (code, "Traceback" in said) == (2, False), said
    assert "cop: " in said


def test_parts_of_what_is_given_are_looked_at_too(folder, own_weights):
    card, report = own_weights.with_suffix(".json"), folder / "done" / "report.json"
    report.parent.mkdir()
    for path in (card, report):
        path.unlink(missing_ok=True)
        odd_name = odd("device", path.suffix)
        Path(odd_name).rename(path)
    with pytest.raises(InputError, match=r"the card cannot be read.*not a regular file"):
        load_network(own_weights)
    assert read_kept(report.parent) is None


def test_sparse_files_are_refused_by_size(folder, own_weights):
    with own_weights.open("r+b") as file:
        file.truncate(2**36)
    with pytest.raises(InputError, match=r"the weights cannot be read.*over 2048 MB"):
        load_network(own_weights)
    with (folder / "large.txt").open("wb") as file:
        file.truncate(2**36)
    with pytest.raises(InputError, match=r"the note cannot be read.*over 16 MB"):
        read_text_file(folder / "large.txt", "note")


def test_pipes_among_the_frames_of_a_set_are_no_frames(folder):
    if not hasattr(os, "mkfifo"):
        pytest.skip("the system has no named pipes")
    for i in range(3):
        tifffile.imwrite(folder / f"z{i}.tif", np.full((8, 8), i, np.uint16))
    (folder / "good.tif").unlink()
    os.mkfifo(folder / "z3.tif")
    os.mkfifo(folder / "NDTiff.index")
    os.mkfifo(folder / "a_MMStack.ome.tif")
    os.mkfifo(folder / "a.oif")
    assert len(open_stack(folder, z_step_um=1)) == 3


def test_a_report_in_a_plan_of_links_is_read_once(folder, run):
    inside = folder / "a"
    inside.mkdir()
    (inside / "back").symlink_to(folder, target_is_directory=True)
    (inside / "itself").symlink_to(inside / "itself", target_is_directory=True)
    code, out, said = run("plan", ".", "-o", "plan.csv")
    assert code == 0, said
    assert (folder / "plan.csv").read_text().count("good.tif") == 1
    assert json.dumps("back")[1:-1] in out + said
