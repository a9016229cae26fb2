"""Formats are modules in a list; pipes and devices are refused before any of them is tried."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from cop_core.errors import InputError
from cop_core.stacks import formats, open_stack
from cop_core.stacks.dataset import Dataset, Scale
from cop_core.stacks.growing import open_growing

ZYX = np.random.default_rng(0).integers(1, 99, (4, 20, 24)).astype(np.uint16)


def raw_recognises(path):
    return path.suffix == ".raw"


def raw_describe(path, opening):
    def read(position):
        return np.fromfile(path, np.uint16).reshape(ZYX.shape)[position["Z"]]

    return Dataset(str(path), path.stem, "raw", "ZYX", ZYX.shape, ZYX.dtype, read, Scale(2.0))


def test_a_format_is_two_functions_and_an_entry(tmp_path, monkeypatch):
    path = tmp_path / "mine.raw"
    ZYX.tofile(path)
    with pytest.raises(
        InputError, match=r"format is not recognised\. Open .* Supported: .*zarr.*TIFF"
    ):
        open_stack(path)
    added = SimpleNamespace(KIND="a raw file", recognises=raw_recognises, describe=raw_describe)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, added))
    stack = open_stack(path)
    assert (stack.name, stack.image.format, stack.depth_um[-1]) == ("mine", "raw", 6.0)
    assert np.array_equal([plane.data for plane in stack], ZYX)
    source = open_growing(path, stopped_after_s=10)
    seen = []
    while len(seen) < len(ZYX):
        seen += source.news()
    assert np.array_equal([plane.data for plane in seen], ZYX)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_and_devices_are_refused(tmp_path):
    pipe = tmp_path / "a.tif"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(InputError, match="not a regular file"):
            open_stack(path, z_step_um=1)
    with pytest.raises(InputError, match="none of its contents is a stack"):
        open_stack(tmp_path, z_step_um=1)
    for i in range(2):
        tifffile.imwrite(tmp_path / f"z{i}.tif", ZYX[i])
    assert len(open_stack(tmp_path, z_step_um=1)) == 2
    (tmp_path / "b.zarr").mkdir()
    os.mkfifo(tmp_path / "b.zarr" / "zarr.json")
    with pytest.raises(InputError, match=r"zarr.json: .*not a regular file"):
        open_stack(tmp_path / "b.zarr")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("figure.png", "it is a single image, not a z-stack"),
        ("notes.txt", "it is a text file, not a z-stack"),
        ("cells.mp4", "it is a video, not a z-stack"),
        ("report.json", "it is a JSON file, not a z-stack; cop replay repeats a report"),
        ("header.xml", "it is an XML file, not a z-stack"),
        ("mystery", "its format is not recognised"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, name, said):
    path = tmp_path / name
    path.write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match=f"{said}. Open the file or folder that your microscope"):
        open_stack(path)


def test_a_folder_says_what_it_holds(tmp_path):
    with pytest.raises(InputError, match="the folder is empty"):
        open_stack(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"none of its contents is a stack \(1 .txt\)"):
        open_stack(tmp_path)
    (tmp_path / "a day").mkdir()
    (tmp_path / "a day" / "cut.tif").write_bytes(b"II*\0")
    (tmp_path / "day 1").mkdir()
    tifffile.imwrite(tmp_path / "day 1" / "z0.tif", ZYX[0])
    with pytest.raises(InputError, match=r"folder of folders\. Open .* for example 'day 1'"):
        open_stack(tmp_path)


@pytest.mark.parametrize("name", ["stack.tif", "stack.nd2"])
def test_a_folder_around_one_file_names_it(tmp_path, name):
    (tmp_path / "notes.txt").touch()
    tifffile.imwrite(tmp_path / name, ZYX, photometric="minisblack")
    with pytest.raises(InputError, match=rf"it is a folder around one file\. Open '{name}' in it"):
        open_stack(tmp_path)


@pytest.mark.parametrize("names", [["a1.tif", "a2.tif"], ["control.tif", "treated.tif"]])
def test_a_folder_of_whole_stacks_names_one_and_how_to_read_all(tmp_path, names):
    for name in names:
        tifffile.imwrite(tmp_path / name, ZYX, photometric="minisblack")
    said = rf"several separate stacks\. Open one of them, for example '{names[0]}'; .*cop batch"
    with pytest.raises(InputError, match=said):
        open_stack(tmp_path)
