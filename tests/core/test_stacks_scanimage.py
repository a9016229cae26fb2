"""ScanImage's files: layout, depth, power and detectors, from 3.8 to 2023."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scanimage_files import (
    SIDE,
    ScanImageWriter,
    pages,
    settings,
    slow_stack,
    text_of,
    write_classic,
    write_scanimage,
    zs,
)
from vendor_sets import SHARED

from cop_core.errors import InputError
from cop_core.stacks import open_stack
from cop_core.stacks.files import source_files
from cop_core.stacks.listing import list_stacks

NOT_ACQUIRED = "not acquired"


def fast(n, volumes, flyback, **changed):
    """Return the settings of volumes of n slices 10 µm apart."""
    state = {
        "hFastZ_enable": "1",
        "hFastZ_numVolumes": volumes,
        "hFastZ_numFramesPerVolume": n + flyback,
        "hFastZ_discardFlybackFrames": "true" if flyback else "false",
        "hFastZ_numDiscardFlybackFrames": flyback,
    }
    return slow_stack(n, **{**state, **changed})


def volumes(n, of, flyback=0, per_slice=1):
    """Return volumes of planes, (volumes, slices, frames, y, x), and all pages of them."""
    found = pages(n * of * per_slice).reshape(n, of, per_slice, SIDE, SIDE)
    back = pages(n * flyback, seed=1).reshape(n, flyback, SIDE, SIDE)
    frames = np.concatenate([found.reshape(n, -1, SIDE, SIDE), back], axis=1)
    return found, frames.reshape(-1, SIDE, SIDE)


def opened(tmp_path, stack, values, rois=None, **options):
    return open_stack(write_scanimage(tmp_path / "si.tif", stack, values, rois), **options)


def planes(stack):
    return np.stack([plane.data for plane in stack])


def reasons(stack):
    return [plane.validity.reason for plane in stack]


def refused(said, tmp_path, *args, **options):
    with pytest.raises(InputError, match=said) as caught:
        opened(tmp_path, *args, **options)
    return str(caught.value)


# --- which page is what ----------------------------------------------------------------------


def test_a_stack(tmp_path):
    data = pages(6)
    stack = opened(tmp_path, data, slow_stack(6))
    assert np.array_equal(planes(stack), data)
    assert stack.depth_um.tolist() == [0, 10, 20, 30, 40, 50]
    assert stack.image.format == "scanimage-tiff"
    assert stack.image.remarks == ()


@pytest.mark.parametrize("repeats", [1, 4])
def test_averaged_slices_keep_their_planes(tmp_path, repeats):
    average = {"hStackManager_framesPerSlice": 4, "hScan2D_logAverageFactor": 4}
    listed = zs(np.repeat(10.0 * np.arange(6), repeats))
    stack = opened(tmp_path, pages(6), slow_stack(6, **average, hStackManager_zs=listed))
    assert np.array_equal(planes(stack), pages(6))
    assert stack.depth_um.tolist() == [0, 10, 20, 30, 40, 50]
    assert stack.image.remarks == (
        "each of its frames is the mean of 4: the noise is that of the mean",
    )


@pytest.mark.parametrize("repeats", [1, 4])
def test_frames_of_a_slice_are_time_points(tmp_path, repeats):
    data = pages(12).reshape(3, 4, SIDE, SIDE)
    listed = zs(np.repeat([0.0, 10, 20], repeats))
    values = slow_stack(3, hStackManager_framesPerSlice=4, hStackManager_zs=listed)
    path = write_scanimage(tmp_path / "si.tif", data.reshape(12, SIDE, SIDE), values)
    first, last = open_stack(path), open_stack(path, time=3)
    assert np.array_equal(planes(first), data[:, 0])
    assert first.image.remarks[-1].startswith(
        "time point 0 of 4 is read, as none was chosen: set the time"
    )
    assert np.array_equal(planes(last), data[:, 3])
    assert last.image.remarks == ("the 4 frames of each slice are time points",)
    mean = open_stack(path, time="mean")
    assert np.allclose(planes(mean), data.mean(axis=1), rtol=1e-6)
    assert mean.dtype == np.float32
    assert mean.image.time is None
    assert "each plane is the mean of its 4 time points" in mean.image.remarks


@pytest.mark.parametrize("saved", [True, False])
def test_flyback_frames_are_left_out_where_the_file_has_them(tmp_path, saved):
    data, all_pages = volumes(5, 4, flyback=2 if saved else 0)
    path = write_scanimage(tmp_path / "si.tif", all_pages, fast(4, 5, 2))
    with pytest.raises(InputError, match="there are 5 time points"):
        open_stack(path)
    for n in range(5):
        assert np.array_equal(planes(open_stack(path, time=n)), data[n, :, 0])
    left_out = "10 flyback frames (2 after each volume) are left out"
    assert open_stack(path, time=0).image.remarks == ((left_out,) if saved else ())
    assert np.allclose(planes(open_stack(path, time="mean")), data[:, :, 0].mean(0), rtol=1e-6)


def test_channels_flyback_and_volumes_together(tmp_path):
    data, all_pages = volumes(3, 4, flyback=1)
    both = np.stack([all_pages, all_pages // 3], 1).reshape(-1, SIDE, SIDE)
    values = fast(4, 3, 1, hChannels_channelSave="[1;2]")
    stack = opened(tmp_path, both, values, time=2, channel="red")
    assert np.array_equal(planes(stack), data[2, :, 0] // 3)


def test_frames_of_slices_in_volumes(tmp_path):
    """Since 2020 the header lists each position once for every frame."""
    data, all_pages = volumes(2, 3, flyback=2, per_slice=4)
    values = slow_stack(
        3,
        hStackManager_enable="true",
        hStackManager_stackMode="'fast'",
        hStackManager_framesPerSlice=4,
        hStackManager_zs=zs(np.repeat([0.0, 10, 20], 4)),
        hStackManager_actualNumVolumes=2,
        hStackManager_numFramesPerVolume=12,
        hStackManager_numFramesPerVolumeWithFlyback=14,
    )
    for time in range(8):
        stack = opened(tmp_path, all_pages, values, time=time)
        assert np.array_equal(planes(stack), data[time // 4, :, time % 4])


@pytest.mark.parametrize("acquired", [4, 1])
def test_averaged_volumes(tmp_path, acquired):
    data, all_pages = volumes(3, 4)
    values = fast(
        4, 3 if acquired == 4 else 12, 0,
        hStackManager_framesPerSlice=acquired, hScan2D_logAverageFactor=4,
    )  # fmt: skip
    stack = opened(tmp_path, all_pages, values, time=2)
    assert np.array_equal(planes(stack), data[2, :, 0])


def test_slow_volumes(tmp_path):
    data, all_pages = volumes(2, 4)
    values = slow_stack(
        4,
        hStackManager_enable="true",
        hStackManager_stackMode="'slow'",
        hStackManager_actualNumVolumes=2,
    )
    assert np.array_equal(planes(opened(tmp_path, all_pages, values, time=1)), data[1, :, 0])


def test_volumes_of_which_nothing_says_how_many(tmp_path):
    data, all_pages = volumes(2, 4)
    values = {name: v for name, v in slow_stack(4).items() if "hFastZ" not in name}
    assert np.array_equal(planes(opened(tmp_path, all_pages, values, time=1)), data[1, :, 0])
    refused("it holds 7 frames", tmp_path, all_pages[:7], values)


@pytest.mark.parametrize("saved", ["1", "[2]", "2", "[1;2]", "[2 1]"])
def test_saved_channels(tmp_path, saved):
    names = {"1": "green", "2": "red"}
    expected = [names[n] for n in saved.strip("[]").replace(";", " ").split()]
    data = pages(4 * len(expected))
    for index, name in enumerate(expected):
        stack = opened(tmp_path, data, slow_stack(4, hChannels_channelSave=saved), channel=name)
        assert stack.image.channel_name == name
        assert np.array_equal(planes(stack), data[index :: len(expected)])


def test_a_movie_is_no_stack(tmp_path):
    values = slow_stack(1, hStackManager_zs="0", hStackManager_framesPerSlice="Inf")
    refused("time movie of 6 frames", tmp_path, pages(6), values)
    assert np.array_equal(planes(opened(tmp_path, pages(6), values, z_step_um=2)), pages(6))


def test_a_stack_that_was_switched_off(tmp_path):
    values = slow_stack(
        12,
        hStackManager_enable="false",
        hStackManager_zs="3",
        hStackManager_framesPerSlice=6,
        hStackManager_numSlices=12,
    )
    refused("time movie of 6 frames", tmp_path, pages(6), values)


# --- pages that are too few or too many ------------------------------------------------------


def test_an_aborted_stack_says_what_was_not_acquired(tmp_path):
    stack = opened(tmp_path, pages(4), slow_stack(6))
    assert reasons(stack) == [""] * 4 + [NOT_ACQUIRED] * 2
    assert stack.depth_um.tolist() == [0, 10, 20, 30, 40, 50]
    assert stack.image.remarks == (
        "4 of 6 planes are there: the acquisition was aborted or is still running",
    )


def test_an_aborted_slice_has_no_mean(tmp_path):
    values = slow_stack(3, hStackManager_framesPerSlice=4)
    stack = opened(tmp_path, pages(6), values, time="mean")
    assert reasons(stack) == ["", "not acquired (time point 2)", "not acquired (time point 0)"]


def test_aborted_volumes(tmp_path):
    data, all_pages = volumes(5, 4, flyback=2)
    stack = opened(tmp_path, all_pages[:15], fast(4, 5, 2), time=2)
    assert np.array_equal(planes(stack)[:3], data[2, :3, 0])
    assert reasons(stack) == ["", "", "", NOT_ACQUIRED]
    refused("there is no time point 3", tmp_path, all_pages[:15], fast(4, 5, 2), time=3)


def test_volumes_until_it_was_stopped(tmp_path):
    data, all_pages = volumes(3, 4, flyback=1)
    stack = opened(tmp_path, all_pages[:-2], fast(4, "Inf", 1), time=2)
    assert np.array_equal(planes(stack)[:3], data[2, :3, 0])
    assert reasons(stack) == ["", "", "", NOT_ACQUIRED]


def test_an_aborted_stack_of_which_nothing_says_how_many_volumes(tmp_path):
    values = {name: v for name, v in slow_stack(6).items() if "hFastZ" not in name}
    assert reasons(opened(tmp_path, pages(4), values)) == [""] * 4 + [NOT_ACQUIRED] * 2


def test_a_stack_that_goes_on_in_another_file(tmp_path):
    stack = opened(tmp_path, pages(4), slow_stack(6, hScan2D_logFramesPerFile=4))
    assert reasons(stack)[4:] == ["in a missing file"] * 2
    path = tmp_path / "second.tif"
    writer = ScanImageWriter(path, slow_stack(6))
    for number, page in enumerate(pages(2), 5):
        writer.append(page, frame=number)
    with pytest.raises(InputError, match="begins with frame 5 of an acquisition"):
        open_stack(path)


def cut(folder, all_pages, values, sizes):
    """Write an acquisition into files of so many pages each."""
    paths, start = [], 0
    for number, n in enumerate(sizes, 1):
        path = folder / f"brain_00001_{number:05}.tif"
        writer = ScanImageWriter(path, values)
        for frame, page in enumerate(all_pages[start : start + n], start + 1):
            writer.append(page, frame=frame)
        paths.append(path)
        start += n
    return paths


def test_an_acquisition_cut_into_files_opens_by_any_of_them(tmp_path):
    data = pages(11)
    values = slow_stack(11, hScan2D_logFramesPerFile=4)
    paths = cut(tmp_path, data, values, [4, 4, 3])
    write_scanimage(tmp_path / "brain_00002_00001.tif", pages(4, seed=9), values)
    for path in paths:
        stack = open_stack(path)
        assert (stack.name, len(stack), stack.depth_um[-1]) == ("brain_00001", 11, 100)
        assert np.array_equal(planes(stack), data)
        assert reasons(stack) == [""] * 11
        assert source_files(path) == tuple(paths)
    listed = [path.name for path in list_stacks(tmp_path).stacks]
    assert listed == ["brain_00001_00001.tif", "brain_00002_00001.tif"]


def test_volumes_and_channels_go_on_over_files(tmp_path):
    _, all_pages = volumes(4, 3)
    both = np.repeat(all_pages, 2, axis=0)
    both[1::2] += 1
    values = fast(3, 4, 0, hChannels_channelSave="[1;2]", hScan2D_logFramesPerFile=5)
    paths = cut(tmp_path, both, values, [10, 10, 4])
    for volume in range(4):
        stack = open_stack(paths[1], channel=1, time=volume)
        assert np.array_equal(planes(stack), all_pages[3 * volume : 3 * volume + 3] + 1)


def test_the_last_file_of_a_cut_acquisition_may_lack(tmp_path):
    paths = cut(tmp_path, pages(11), slow_stack(11, hScan2D_logFramesPerFile=4), [4, 4, 3])
    paths[2].unlink()
    stack = open_stack(paths[1])
    assert reasons(stack) == [""] * 8 + ["in a missing file"] * 3
    assert "the next file is not beside this one" in stack.image.remarks[-1]


@pytest.mark.parametrize(
    ("sizes", "gone", "said"),
    [
        ([4, 4, 3], [1], r"split into 3 files or more, and 1 of them is missing: .*_00002.tif'"),
        ([4, 4, 3], [0], r"1 of them is missing: 'brain_00001_00001.tif'"),
        ([4, 4, 1, 1, 1], [1, 2], r"2 of them are missing: .*_00002.tif', .*_00003.tif'"),
        ([4, 3, 4], [], r"_00002.tif: it holds 3 pages, where the files before the last one"),
    ],
)
def test_a_cut_acquisition_with_a_hole_is_refused(tmp_path, sizes, gone, said):
    paths = cut(tmp_path, pages(11), slow_stack(11, hScan2D_logFramesPerFile=4), sizes)
    for number in gone:
        paths[number].unlink()
    with pytest.raises(InputError, match=said):
        open_stack(paths[-1])


def test_a_file_of_another_acquisition_is_not_taken_for_the_next(tmp_path):
    values = slow_stack(8, hScan2D_logFramesPerFile=4)
    first, second = cut(tmp_path, pages(8), values, [4, 4])
    write_scanimage(second, pages(4, shape=(SIDE, 2 * SIDE)), values)
    with pytest.raises(InputError, match="to another acquisition than 'brain"):
        open_stack(first)
    second.rename(tmp_path / f"brain_00001_{'9' * 30}.tif")
    assert len(open_stack(first)) == 8


def test_files_that_count_acquisitions_are_stacks_by_themselves(tmp_path):
    for number in (1, 2):
        path = tmp_path / f"brain_00001_{number:05}.tif"
        write_scanimage(path, pages(4), slow_stack(4, hScan2D_logFramesPerFile="Inf"))
    assert [len(open_stack(path)) for path in list_stacks(tmp_path).stacks] == [4, 4]


@pytest.mark.parametrize(
    ("n", "changed", "said"),
    [
        (7, {}, "it holds 7 frames of each channel, its header states 6 slices of 1 frames"),
        (24, {}, "it holds 24 frames"),
        (14, {"hChannels_channelSave": "[1;2]"}, "it holds 7 frames of each channel"),
        (13, {"hChannels_channelSave": "[1;2]"}, "13 pages do not divide into the 2 channels"),
        (
            12,
            {"hStackManager_framesPerSlice": 10, "hScan2D_logAverageFactor": 4},
            "6 slices of 10 frames, each the mean of 4",
        ),
        (12, {"hChannels_channelSave": "[1;x]"}, "does not say in numbers which channels"),
        (6, {"hStackManager_zs": "[0 10 20 10 0 30]"}, "lists 0 µm more often than other"),
        (6, {"hStackManager_zs": "[0 0 10 20 30 40]"}, "lists 0 µm more often than other"),
    ],
)
def test_pages_that_do_not_fit_are_refused_with_the_way_out(tmp_path, n, changed, said):
    message = refused(said, tmp_path, pages(n), slow_stack(6, **changed))
    assert 'axes="ZYX" and z_step_um' in message
    stack = open_stack(tmp_path / "si.tif", axes="ZYX", z_step_um=2)
    assert np.array_equal(planes(stack), pages(n))


def test_axes_tell_channels_apart_where_the_header_is_wrong(tmp_path):
    values = slow_stack(6, hChannels_channelSave="[1;2]")
    stack = opened(tmp_path, pages(16), values, axes="ZCYX", z_step_um=2, channel=1)
    assert np.array_equal(planes(stack), pages(16)[1::2])


def test_a_file_that_is_cut(tmp_path):
    path = write_scanimage(tmp_path / "si.tif", pages(6), slow_stack(6))
    path.write_bytes(path.read_bytes()[:-SIDE])
    said = "5 of 6 planes are there: the file is truncated or still being written"
    with pytest.raises(InputError, match=f"{said}. Copy .* again, or .* with allow_partial=True"):
        open_stack(path)
    stack = open_stack(path, allow_partial=True)
    assert reasons(stack) == [""] * 5 + ["truncated"]
    assert stack.image.remarks == (said,)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("lost", ["pixels", "directory", "rest of a frame"])
def test_what_is_there_of_a_cut_file_is_counted_once(tmp_path, n_channels, lost):
    """The header states 8 planes; 6 were begun, and the last is incomplete."""
    values = slow_stack(8, hChannels_channelSave=f"[{';'.join('123'[:n_channels])}]")
    path = tmp_path / "si.tif"
    n_pages = 6 * n_channels - (lost == "rest of a frame")
    write_scanimage(path, pages(n_pages), values)
    left = {"pixels": -SIDE, "directory": -2 * SIDE * SIDE - 300, "rest of a frame": -SIDE}[lost]
    path.write_bytes(path.read_bytes()[:left])
    n_there = 5 if n_channels == 1 and lost != "rest of a frame" else (n_pages - 1) // n_channels
    said = f"{n_there} of 8 planes are there: the file is truncated or still being written"
    with pytest.raises(InputError, match=said):
        open_stack(path, channel=0)
    stack = open_stack(path, allow_partial=True, channel=0)
    assert stack.image.remarks == (said,)
    assert reasons(stack) == [""] * n_there + ["truncated"] * (8 - n_there)


def test_no_resolution_levels(tmp_path):
    refused("no resolution level 1", tmp_path, pages(6), slow_stack(6), level=1)


def test_more_slices_than_can_be(tmp_path):
    values = slow_stack(6, hStackManager_zs="0", hStackManager_numSlices=10**12)
    said = "1,000,000,000,000 planes are declared"
    refused(said, tmp_path, pages(6), {**values, **settings(hStackManager_stackZStepSize=1)})


def test_a_header_that_is_too_long(tmp_path, monkeypatch):
    from cop_core.stacks.formats.tiff.scanimage import header

    monkeypatch.setattr(header, "MAX_XML_BYTES", 2000)
    values = slow_stack(6, hScan2D_mask=zs(range(1000)))
    refused("more than the .* MB allowed", tmp_path, pages(6), values)


# --- depth -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "order"),
    [
        ([0, 50, 100, 25, 75, 125], [0, 3, 1, 4, 2, 5]),
        ([125, 0, 100, 25, 75, 50], [0, 2, 4, 5, 3, 1]),
        ([50, 40, 30, 20, 10, 0], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_planes_are_sorted_by_depth_from_where_the_acquisition_began(tmp_path, listed, order):
    stack = opened(tmp_path, pages(6), slow_stack(6, hStackManager_zs=zs(listed)))
    assert np.array_equal(planes(stack), pages(6)[order])
    expected = np.abs(np.array(listed, float)[order] - listed[order[0]])
    assert stack.depth_um.tolist() == expected.tolist()
    sorted_by = "its planes are sorted by depth: they were acquired in another order"
    assert (sorted_by in stack.image.remarks) == (order != sorted(order))


@pytest.mark.parametrize("key", ["actualStackZStepSize", "stackZStepSize"])
def test_the_step_where_positions_are_not_listed(tmp_path, key):
    values = slow_stack(6, hStackManager_zs="0", **{f"hStackManager_{key}": -5})
    assert opened(tmp_path, pages(6), values).depth_um.tolist() == [0, 5, 10, 15, 20, 25]


def test_positions_that_are_no_numbers_are_not_guessed(tmp_path):
    listed = {"hStackManager_zs": "[0 10 Inf 30 nonsense 50]", "hStackManager_stackZStepSize": 10}
    refused("the z step is not known", tmp_path, pages(6), slow_stack(6, **listed))
    stack = opened(tmp_path, pages(6), slow_stack(6, **listed), z_step_um=10)
    assert np.array_equal(planes(stack), pages(6))


def test_pixel_size(tmp_path):
    corners = "[-8 -4;8 -4;8 4;-8 4]"
    stack = opened(tmp_path, pages(6), slow_stack(6, hRoiManager_imagingFovUm=corners))
    assert stack.pixel_size_um == (8 / SIDE, 16 / SIDE)
    degrees = {"hRoiManager_imagingFovDeg": "[-4 -4;4 -4;4 4;-4 4]", "objectiveResolution": 10}
    assert opened(tmp_path, pages(6), slow_stack(6, **degrees)).pixel_size_um == (5.0, 5.0)
    assert opened(tmp_path, pages(6), slow_stack(6)).pixel_size_um is None


# --- power -----------------------------------------------------------------------------------

EXPONENTIAL = {"hBeams_powers": 12, "hBeams_pzAdjust": "true", "hBeams_lengthConstants": 60}
Z = 10.0 * np.arange(6)


def grown(start, reference, length, z=Z):
    return start * np.exp((z - reference) / length)


POWERS = {
    "constant": ({"hBeams_powers": 12, "hBeams_lengthConstants": 60}, [12] * 6),
    "by length": (EXPONENTIAL, grown(12, 0, 60)),
    "by length from a reference": (
        {**EXPONENTIAL, "hStackManager_zPowerReference": 20}, grown(12, 20, 60)
    ),
    "infinite length": ({**EXPONENTIAL, "hBeams_lengthConstants": "Inf"}, [12] * 6),
    "limit": (
        {**EXPONENTIAL, "hBeams_powers": 30, "hBeams_powerLimits": 50},
        np.minimum(grown(30, 0, 60), 50),
    ),
    "beyond all limits": ({**EXPONENTIAL, "hBeams_lengthConstants": 1e-3}, [12] + [100] * 5),
    "no power": ({**EXPONENTIAL, "hBeams_powers": 0, "hBeams_lengthConstants": 1e-3}, [0] * 6),
    "fractions": (
        {
            "hBeams_powerFractions": 0.3,
            "hBeams_pzAdjust": "scanimage.types.BeamAdjustTypes.Exponential",
            "hBeams_lengthConstants": 30,
            "hBeams_powerFractionLimits": 0.8,
        },
        np.minimum(grown(30, 0, 30), 80),
    ),
    "not adjusted": (
        {**EXPONENTIAL, "hBeams_pzAdjust": "scanimage.types.BeamAdjustTypes.None"}, [12] * 6
    ),
    "one of two beams": (
        {
            "hBeams_powers": "[0 12]",
            "hBeams_pzAdjust": "[false true]",
            "hBeams_lengthConstants": "[100 60]",
            "hBeams_powerLimits": "[5 100]",
        },
        grown(12, 0, 60),
    ),
    "table": ({**EXPONENTIAL, "hBeams_pzCustom": "{[0 10;50 20]}"}, 10 + Z / 5),
    "start power": (
        {
            **EXPONENTIAL,
            "hBeams_stackUseStartPower": "true",
            "hBeams_stackStartPower": 8,
            "hBeams_stackEndPower": "NaN",
            "hStackManager_zPowerReference": 20,
        },
        grown(8, 0, 60),
    ),
    "length from both ends": (
        {
            **EXPONENTIAL,
            "hBeams_stackUseStartPower": "true",
            "hBeams_stackUserOverrideLz": "true",
            "hBeams_stackStartPower": 10,
            "hBeams_stackEndPower": 40,
            "hStackManager_stackZStartPos": 0,
            "hStackManager_stackZEndPos": 50,
        },
        grown(10, 0, 50 / math.log(4)),
    ),
    "between ends": (
        {
            **EXPONENTIAL,
            "hStackManager_stackDefinition": "'bounded'",
            "hStackManager_useStartEndPowers": 1,
            "hStackManager_stackStartPowerFraction": 0.1,
            "hStackManager_stackEndPowerFraction": 0.4,
            "hStackManager_stackZStartPos": 0,
            "hStackManager_stackZEndPos": 50,
        },
        grown(10, 0, 50 / math.log(4)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", POWERS)
def test_power(tmp_path, case):
    stated, expected = POWERS[case]
    stack = opened(tmp_path, pages(6), slow_stack(6, **stated))
    assert stack.power_unit == "%"
    assert stack.image.power_from == "SI.hBeams"
    assert np.allclose(stack.power, expected, rtol=1e-9)
    in_mw = open_stack(tmp_path / "si.tif", power_scale=50.0)
    assert np.allclose(in_mw.power_mw, np.asarray(expected) / 2, rtol=1e-9)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"hBeams_powers": "[5 12]"}, "2 beams are on"),
        ({**EXPONENTIAL, "hBeams_pzCustom": "{@myPower}"}, "through a function"),
        ({**EXPONENTIAL, "hBeams_pzCustom": "{[0 10;20 20]}"}, "its table only covers 0 to 20 µm"),
        (
            {**EXPONENTIAL, "hBeams_pzAdjust": "scanimage.types.BeamAdjustTypes.LUT"},
            "through a lut",
        ),
        ({"hBeams_powers": 12, "hBeams_pzAdjust": "true"}, "by an unstated length constant"),
        (
            {**EXPONENTIAL, "hStackManager_zPowerReference": 5, "hStackManager_zs": "[]"},
            "the positions of its slices are not stated",
        ),
        ({"hBeams_powers": 12, "hBeams_powerUnits": "'milliwatts'"}, "it is in milliwatts"),
    ],
)
def test_power_that_is_not_read_is_told(tmp_path, stated, why):
    stack = opened(tmp_path, pages(6), slow_stack(6, **stated, hStackManager_stackZStepSize=10))
    assert np.isnan(stack.power).all()
    (remark,) = stack.image.remarks
    assert remark.startswith("the power that the file states is not read")
    assert why in remark


def test_without_beams_no_power_is_stated(tmp_path):
    stack = opened(tmp_path, pages(6), slow_stack(6))
    assert np.isnan(stack.power).all()
    assert stack.image.remarks == ()


def test_power_is_sorted_with_the_planes_and_says_where_the_surface_is(tmp_path):
    listed = {
        "hStackManager_zs": zs([50, 40, 30, 20, 10, 0]), "hStackManager_zPowerReference": 0
    }  # fmt: skip
    stack = opened(tmp_path, pages(6), slow_stack(6, **EXPONENTIAL, **listed))
    assert np.allclose(stack.power, grown(12, 0, 60)[::-1])
    assert stack.image.surface == "last"
    assert stack.depth_um.tolist() == [50, 40, 30, 20, 10, 0]
    first = open_stack(tmp_path / "si.tif", surface="first")
    assert first.depth_um.tolist() == [0, 10, 20, 30, 40, 50]
    listed = {"hStackManager_zs": zs([0, 30, 10, 40, 20, 50])}
    stack = opened(tmp_path, pages(6), slow_stack(6, **EXPONENTIAL, **listed))
    assert np.allclose(stack.power, grown(12, 0, 60))


# --- detectors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saved", "subtracted", "more", "zero", "ceiling"),
    [
        ("1", "[true true]", {}, 0, 2**13 - 1 - 22),
        ("2", "[true true]", {}, 0, 2**13 - 1 + 38),
        ("2", "[true false]", {}, -38, 2**13 - 1),
        ("1", "false", {}, 22, 2**13 - 1),
        ("2", "[true true]", {"hChannels_channelAdcResolution": "{16 16}"}, 0, 2**15 - 1),
        (
            "1",
            "[true true]",
            {"hScan2D_logAverageDisableDivide": "true", "hScan2D_logAverageFactor": 2},
            0,
            2 * (2**13 - 1 - 22),
        ),
    ],
)
def test_detector_of_the_saved_channel(tmp_path, saved, subtracted, more, zero, ceiling):
    stated = {
        "hChannels_channelOffset": "[22 -38]",
        "hChannels_channelAdcResolution": "{14 14}",
        "hChannels_channelSubtractOffset": subtracted,
        "hChannels_channelSave": saved,
        "hStackManager_framesPerSlice": 2 if more.get("hScan2D_logAverageFactor") else 1,
    }
    stack = opened(tmp_path, pages(6), slow_stack(6, **{**stated, **more}))
    assert stack.detector is not None
    assert (stack.detector.zero_counts, stack.detector.ceiling_counts) == (zero, ceiling)


def test_a_detector_that_is_not_stated(tmp_path):
    assert opened(tmp_path, pages(6), slow_stack(6)).detector is None
    stated = slow_stack(6, hChannels_channelOffset="[22]", hChannels_channelSubtractOffset="true")
    stack = opened(tmp_path, pages(6).astype(np.uint16), stated)
    assert stack.detector is None  # counts of another program


# --- regions of interest ---------------------------------------------------------------------


def roi(name, shape, at, **changed):
    field = {"pixelResolutionXY": list(shape[::-1]), "sizeXY": [2.0, 1.0], "centerXY": [0, 0]}
    return {"name": name, "zs": at, "scanfields": field, "enable": 1, **changed}


def mroi(*rois):
    return {"imagingRoiGroup": {"rois": list(rois) if len(rois) > 1 else rois[0]}}


MROI = {"hRoiManager_mroiEnable": "true", "objectiveResolution": 100}


def test_regions_are_stacks_of_their_own(tmp_path):
    data = pages(6, shape=(6 + 2 + 8 + 2 + 6, SIDE))
    rois = mroi(roi("left", (6, SIDE), 0), roi("right", (8, 10), 0), roi("below", (6, 12), 0))
    path = write_scanimage(tmp_path / "si.tif", data, slow_stack(6, **MROI), rois)
    with pytest.raises(InputError, match=r"0 \(left\), 1 \(right\), 2 \(below\)"):
        open_stack(path)
    with pytest.raises(InputError, match="there is no position 3"):
        open_stack(path, position=3)
    assert np.array_equal(planes(open_stack(path, position=0)), data[:, :6])
    right = open_stack(path, position=1)
    assert np.array_equal(planes(right), data[:, 8:16, :10])
    assert right.pixel_size_um == (100 / 8, 200 / 10)
    assert np.array_equal(planes(open_stack(path, position=2)), data[:, 18:, :12])


def test_regions_that_are_not_in_every_slice(tmp_path):
    rois = mroi(
        roi("all", (6, SIDE), 0),
        roi("deep", (8, SIDE), [30, 50], scanfields=[roi("", (8, SIDE), 0)["scanfields"]] * 2),
        roi("one", (4, SIDE), 10, discretePlaneMode=1),
    )
    data = pages(6, shape=(6 + 2 + 8, SIDE))
    values = slow_stack(6, **MROI, **EXPONENTIAL)
    path = write_scanimage(tmp_path / "si.tif", data, values, rois)
    deep = open_stack(path, position=1)
    assert np.array_equal(planes(deep), data[3:, 8:])
    assert deep.depth_um.tolist() == [0, 10, 20]
    assert np.allclose(deep.power, grown(12, 0, 60)[3:])
    one = open_stack(path, position=2, z_step_um=1)
    assert np.array_equal(planes(one), data[1:2, 8:12])


def test_one_region_needs_no_choice(tmp_path):
    data = pages(6)
    rois = mroi(roi("only", (SIDE, SIDE), 0), roi("off", (4, 4), 0, enable=0))
    assert np.array_equal(planes(opened(tmp_path, data, slow_stack(6, **MROI), rois)), data)


def test_regions_with_power_of_their_own(tmp_path):
    rois = mroi(roi("only", (SIDE, SIDE), 0, powers=30))
    stack = opened(tmp_path, pages(6), slow_stack(6, **MROI, **EXPONENTIAL), rois)
    assert np.isnan(stack.power).all()
    assert "the region has settings of its own" in stack.image.remarks[0]


@pytest.mark.parametrize(
    ("rois", "said"),
    [
        ({}, "its header does not say which"),
        (mroi(roi("a", (9, SIDE), 0), roi("b", (9, SIDE), 0)), "do not fill its pages of 16 x 16"),
        (mroi(roi("a", (4, 20), 0), roi("b", (8, SIDE), 0)), "do not fill its pages"),
        (mroi(roi("a", (4, 4), 0, scanfields={})), "region of interest 'a' cannot be read"),
        (mroi(roi("a", (4, 4), "_NaN_")), "region of interest 'a' cannot be read"),
        (
            mroi(roi("a", (3, 4), 0), roi("b", (3, 4), 0), roi("c", (3, 4), 0)),
            "do not fill its pages",
        ),
    ],
)
def test_regions_that_cannot_be_told_apart_are_refused(tmp_path, rois, said):
    refused(said, tmp_path, pages(6), slow_stack(6, **MROI), rois)


def test_regions_that_are_not_json(tmp_path):
    path = write_scanimage(tmp_path / "si.tif", pages(6), slow_stack(6))
    path.write_bytes(path.read_bytes().replace(b'{"RoiGroups": {}}', b'{"RoiGroups": {{}'))
    with pytest.raises(InputError, match="its regions of interest cannot be read"):
        open_stack(path)


# --- before 2016 -----------------------------------------------------------------------------


def before_2016(tmp_path, stack, prefix, values, **options):
    text = "Frame Tag = 1\n" + text_of({prefix + name: value for name, value in values.items()})
    if prefix == "state.":
        text = text_of({prefix + name: value for name, value in values.items()}).replace("\n", "\r")
    path = tmp_path / "old.tif"
    return open_stack(write_classic(path, stack, text.replace(" = ", "=")), **options)


def test_scanimage_5(tmp_path):
    data, all_pages = volumes(4, 3, flyback=1)
    values = {
        "hChannels.channelSave": "1",
        "hChannels.channelOffset": "[7 9]",
        "hChannels.channelSubtractOffset": "[true true]",
        "hFastZ.enable": "true",
        "hFastZ.numVolumes": "4",
        "hFastZ.numDiscardFlybackFrames": "1",
        "hStackManager.slicesPerAcq": "3",
        "hStackManager.zs": "[-5 10 25]",
        "hBeams.powers": "20",
    }
    stack = before_2016(tmp_path, all_pages, "scanimage.SI.", values, time=3)
    assert np.array_equal(planes(stack), data[3, :, 0])
    assert stack.depth_um.tolist() == [0, 15, 30]
    assert stack.power.tolist() == [20] * 3
    assert stack.detector.zero_counts == 0


@pytest.mark.parametrize("prefix", ["scanimage.SI4.", "scanimage.SI5."])
def test_scanimage_4(tmp_path, prefix):
    data = pages(12).reshape(3, 2, 2, SIDE, SIDE)
    values = {
        "acqNumFrames": "4",
        "acqNumAveragedFrames": "2",
        "beamPowers": "10",
        "beamPzAdjust": "1",
        "beamLengthConstants": "100",
        "channelsSave": "[1;3]",
        "channelOffsets": "[19 243 5 0]",
        "channelsSubtractOffset": "[true true false true]",
        "fastZEnable": "false",
        "stackNumSlices": "3",
        "stackZStepSize": "-20",
    }
    stack = before_2016(
        tmp_path, data.reshape(-1, SIDE, SIDE), prefix, values, time=1, channel="Channel 3"
    )
    assert np.array_equal(planes(stack), data[:, 1, 1])
    assert stack.depth_um.tolist() == [40, 20, 0]
    assert np.allclose(stack.power, grown(10, 0, 100, np.array([0.0, -20, -40])))
    assert stack.detector.zero_counts == 5


def test_scanimage_3(tmp_path):
    values = {
        "configName": "'mine'",
        "acq.numberOfZSlices": "4",
        "acq.zStepSize": "3",
        "acq.numberOfFrames": "6",
        "acq.averaging": "1",
        "acq.numAvgFramesSave": "6",
        "acq.savingChannel1": "0",
        "acq.savingChannel2": "1",
        "acq.savingChannel3": "0",
        "init.eom.maxPower": "[25]",
        "init.eom.powerVsZEnable": "1",
        "init.eom.powerLzArray": "[30]",
    }
    stack = before_2016(tmp_path, pages(4), "state.", values)
    assert np.array_equal(planes(stack), pages(4))
    assert stack.image.channel_name == "Channel 2"
    assert stack.depth_um.tolist() == [0, 3, 6, 9]
    assert np.allclose(stack.power, grown(25, 0, 30, np.array([0.0, 3, 6, 9])))


def test_a_header_that_says_next_to_nothing(tmp_path):
    stack = opened(tmp_path, pages(6), settings(VERSION_MAJOR="2020"), z_step_um=2)
    assert np.array_equal(planes(stack), pages(6))
    assert stack.image.format == "scanimage-tiff"


# --- a header of ScanImage's own -------------------------------------------------------------


@pytest.fixture
def real_header():
    path = SHARED / "data" / "vendor" / "scanimage_header" / "si2016_software.txt"
    if not path.is_file():
        pytest.skip("the header of a real file is not at hand")
    return dict(line.split(" = ", 1) for line in path.read_text().splitlines())


def test_a_real_header(tmp_path, real_header):
    refused("time movie of 6 frames", tmp_path, pages(6), real_header)
    stack = settings(hStackManager_framesPerSlice=1, hStackManager_zs=zs(Z))
    found = opened(tmp_path, pages(6), {**real_header, **stack})
    assert np.array_equal(planes(found), pages(6))
    assert found.depth_um.tolist() == Z.tolist()
    assert found.image.channel_name == "Channel 2"
    assert np.allclose(found.power, grown(24.4, 0, 250))
    assert (found.detector.zero_counts, found.detector.ceiling_counts) == (0, 2**13 - 1 + 38)
    assert found.pixel_size_um == pytest.approx((61.31255 / SIDE, 61.31255 / SIDE))
    assert found.image.remarks == ()
