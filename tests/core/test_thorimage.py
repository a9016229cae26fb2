"""Folders of ThorImage: TIFF sets and raw files, their power, and inconsistencies."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tifffile
from vendor_sets import SHAPE, SHARED, come, pixels, write_thor

from cop_core.errors import InputError
from cop_core.stacks import open_stack
from cop_core.stacks.aborted import ABORTED
from cop_core.stacks.files import source_files
from cop_core.stacks.formats.thorimage.experiment import read_experiment
from cop_core.stacks.growing import open_growing

N = 4
REAL = SHARED / "data" / "vendor" / "thorlabs_xml" / "Experiment.xml"


def write_tiffs(folder, planes, names=("ChanA",), site="0001_0001", time=1):
    for z, channels in enumerate(planes, 1):
        for name, plane in zip(names, channels, strict=True):
            tifffile.imwrite(folder / f"{name}_{site}_{z:04d}_{time:04d}.tif", plane)


def write_raw(folder, frames):
    frames.astype("<u2").tofile(folder / "Image_0001_0001.raw")


def test_folder_xml_and_every_file_of_a_tiff_set(tmp_path):
    folder = write_thor(tmp_path / "t", n_planes=N, channels=("ChanA", "ChanC"))
    planes = pixels(N)
    write_tiffs(folder, planes, ("ChanA", "ChanC"))
    for path in (folder, *folder.iterdir()):
        stack = open_stack(path, channel="ChanC")
        assert (stack.source, stack.name, stack.image.format) == (str(folder), "t", "thorimage")
    assert (stack.depth_um.tolist(), stack.pixel_size_um) == ([0, 5, 10, 15], (0.5, 0.5))
    assert (stack.power.tolist(), stack.power_unit) == ([20] * N, "%")
    assert np.array_equal([plane.data for plane in stack], planes[:, 1])
    assert len(source_files(folder)) == 1 + 2 * N
    assert open_stack(folder, channel=0, power_scale=60).power_mw.tolist() == [12] * N


def test_raw_files_with_channels_times_and_all_channels_saved(tmp_path):
    folder = write_thor(tmp_path / "r", n_planes=N, n_times=2, channels=("ChanB", "ChanD"))
    planes = pixels(2 * N)
    write_raw(folder, planes)
    stack = open_stack(folder, channel="ChanD", time=1)
    assert np.array_equal([plane.data for plane in stack], planes[N:, 1])
    everything = pixels(2 * N, n_channels=4)
    write_raw(folder, everything)
    stack = open_stack(folder, channel="ChanD", time=0)
    assert np.array_equal([plane.data for plane in stack], everything[:N, 3])


def test_flyback_frames_of_fast_volumes_are_left_out(tmp_path):
    folder = write_thor(tmp_path / "f", n_planes=N, n_times=3, mode=1, fast=True, n_flyback=2)
    frames = pixels(3 * (N + 2), n_channels=1)
    write_raw(folder, frames)
    stack = open_stack(folder, time=2)
    assert np.array_equal([plane.data for plane in stack], frames[2 * (N + 2) :][:N, 0])
    assert stack.image.remarks == ("2 flyback frames after each volume are left out",)


def test_an_acquisition_that_was_ended_early_is_told(tmp_path):
    folder = write_thor(tmp_path / "e", n_planes=N)
    write_raw(folder, pixels(3, n_channels=1))
    stack = open_stack(folder)
    assert [plane.validity.reason for plane in stack] == ["", "", "", "truncated"]
    assert stack.image.remarks == (f"3 of 4 frames are there: {ABORTED}",)


@pytest.mark.parametrize("extra", [1, 5])
def test_more_frames_than_stated_or_parts_of_one_are_refused(tmp_path, extra):
    folder = write_thor(tmp_path / "m", n_planes=N)
    write_raw(folder, pixels(N + extra, n_channels=1))
    with pytest.raises(InputError, match=f"holds {N + extra} frames of 32 x 24 .* states {N}"):
        open_stack(folder)
    raw = folder / "Image_0001_0001.raw"
    raw.write_bytes(raw.read_bytes()[: 2 * SHAPE[0] * SHAPE[1] * 2 + 7])
    with pytest.raises(InputError, match=r"holds 2\.0"):
        open_stack(folder)


def test_tiles_are_positions(tmp_path):
    folder = write_thor(tmp_path / "p", n_planes=N)
    for seed, site in enumerate(("0001_0001", "0001_0002")):
        write_tiffs(folder, pixels(N, 1, seed), site=site)
    with pytest.raises(InputError, match=r"2 positions: 0 \(0001_0001\), 1 \(0001_0002\)"):
        open_stack(folder)
    stack = open_stack(folder, position=1)
    assert (stack.image.position, stack.options.position) == (1, 1)
    assert np.array_equal(stack.plane(2).data, pixels(N, 1, 1)[2, 0])
    with pytest.raises(InputError, match="there is no position 2"):
        open_stack(folder, position=2)


def test_power_by_a_table_beside_the_planes(tmp_path):
    power = '<Pockels type="1" start="0" stop="0" path="C:\\ramps\\Exp.txt"/>'
    folder = write_thor(tmp_path / "w", n_planes=N, power=power)
    write_tiffs(folder, pixels(N, 1))
    stack = open_stack(folder)
    assert np.isnan(stack.power).all()
    assert "the table 'Exp.txt', which is missing" in stack.image.remarks[0]
    (folder / "Exp.txt").write_text("0,10\n50,20\n100,70\n")
    stack = open_stack(folder)
    assert stack.power == pytest.approx([10, 10 + 20 / 3, 20 + 50 / 3, 70])
    assert (stack.power_unit, stack.image.power_from) == ("%", "Pockels, by Exp.txt")


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ('<Pockels type="0" start="9" stop="30"/>', "in a way that is not known"),
        ('<Pockels type="0" start="9"/><Pockels type="0" start="5"/>', "several modulators"),
        ('<Pockels type="0" start="0" stop="0"/><PowerRegulator enable="0" start="5"/>', ""),
    ],
)
def test_power_that_is_not_certain_is_not_taken(tmp_path, power, said):
    folder = write_thor(tmp_path / "n", n_planes=N, power=power)
    write_tiffs(folder, pixels(N, 1))
    stack = open_stack(folder)
    assert np.isnan(stack.power).all()
    assert [said in remark for remark in stack.image.remarks] == ([True] if said else [])


def test_what_is_no_stack_is_refused_in_words(tmp_path):
    folder = write_thor(tmp_path / "x", n_planes=N)
    with pytest.raises(InputError, match=r"no planes lie beside its Experiment\.xml"):
        open_stack(folder)
    write_thor(folder, n_planes=N, mode=3)
    with pytest.raises(InputError, match="capture mode '3', which is not a z-stack"):
        open_stack(folder)
    write_thor(folder, n_planes=N, n_times=5, mode=1)
    write_raw(folder, pixels(5, n_channels=1))
    with pytest.raises(InputError, match="time movie of 5 frames"):
        open_stack(folder)


def test_a_raw_file_is_watched(tmp_path):
    folder = write_thor(tmp_path / "l", n_planes=N)
    source = open_growing(folder, stopped_after_s=60)
    assert source.news() == []
    planes, got = pixels(N, n_channels=1), []
    with (folder / "Image_0001_0001.raw").open("ab") as raw:
        for plane in planes:
            raw.write(plane.tobytes())
            raw.flush()
            got += come(source, 1)
    assert source.planned == N
    assert np.array_equal([plane.data for plane in got], planes[:, 0])


@pytest.mark.skipif(not REAL.is_file(), reason="the real header is not on this machine")
def test_a_real_header(tmp_path):
    shutil.copy(REAL, tmp_path / "Experiment.xml")
    found = read_experiment(tmp_path / "Experiment.xml")
    assert (found.plane_shape, found.channels) == ((352, 1024), ("ChanC",))
    assert (found.n_times, found.n_planes, found.pixel_size_um) == (30000, 1, 0.138)
    assert found.power is not None
    assert (found.power.values, found.power.unit) == ((20.0,), "%")
