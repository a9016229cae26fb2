"""Stacks that grow on disk: each plane once, when complete; unwritten planes are not black ones."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import scanimage_files as scanimage
import tifffile
import zarr

import cop_core as cop
from cop_core.stacks.growing import State, files, open_growing, settled

SIDE = 32
OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="32"'
    ' SizeY="32" SizeZ="{}" SizeC="1" SizeT="1" PhysicalSizeZ="2.0">'
    '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(settled, "_SETTLE_S", 0.03)
    monkeypatch.setattr(settled, "_HOLE_S", 0.3)
    monkeypatch.setattr(settled, "_POLL_S", 0.01)
    monkeypatch.setattr(files, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(files, "_SURE_S", 0.3)


def pixels(n, seed=0):
    return np.random.default_rng(seed).integers(1, 4000, (n, SIDE, SIDE)).astype(np.uint16)


def until(source, done, limit_s=600.0):
    """Return the planes, by number, that arrive until `done(planes)`; none may arrive twice."""
    got, end = {}, time.monotonic() + limit_s
    while not done(got):
        assert time.monotonic() < end, (sorted(got), source.state)
        for plane in source.news():
            assert plane.index not in got
            got[plane.index] = plane
        time.sleep(0.002)
    return got


def come(source, n):
    return until(source, lambda got: len(got) >= n)


def quiet(source, seconds=0.25):
    """Return the planes that arrive within a while."""
    end = time.monotonic() + seconds
    return until(source, lambda _: time.monotonic() > end)


def ended(source):
    return until(source, lambda _: source.state in (State.COMPLETE, State.STOPPED))


def equal(got, data):
    return all(np.array_equal(plane.data, data[i]) for i, plane in got.items())


def reasons(got):
    return {i: plane.validity.reason for i, plane in sorted(got.items()) if plane.validity.reason}


def zarr_array(path, n, **options):
    chunks = options.pop("chunks", (1, SIDE, SIDE))
    return zarr.create_array(path, shape=(n, SIDE, SIDE), chunks=chunks, dtype="u2", **options)


def test_a_path_that_is_not_there_yet_is_waited_for(tmp_path):
    data = pixels(3)
    source = open_growing(tmp_path / "mine.zarr", z_step_um=2.0, power="gained:5,300,60")
    assert quiet(source) == {}
    assert (source.state, source.planned, source.name) == (State.WAITING, None, "mine")
    array = zarr_array(tmp_path / "mine.zarr", 3)
    assert quiet(source) == {}
    assert (source.state, source.planned) == (State.WAITING, 3)
    array[0] = data[0]
    first = come(source, 1)[0]
    assert (first.index, first.depth_um, first.power) == (0, 0.0, 5.0)
    assert source.state is State.GROWING
    before = time.time()
    array[1], array[2] = data[1], data[2]
    got = ended(source)
    assert equal(got, data)
    assert [plane.depth_um for plane in got.values()] == [2.0, 4.0]
    assert before - 0.1 <= source.completed_at(2) <= time.time()
    assert source.state is State.COMPLETE


@pytest.mark.parametrize(
    "options",
    [
        {"zarr_format": 2},
        {"zarr_format": 3},
        {"shards": (4, SIDE, SIDE)},
        {"chunks": (1, 16, 16), "shards": (4, SIDE, SIDE)},
        {"chunks": (4, SIDE, SIDE)},
        {"chunks": (1, 16, 8)},
    ],
    ids=str,
)
def test_zarr_plane_by_plane(tmp_path, options):
    data = pixels(10)
    data[6] = 0  # black, and written on purpose
    array = zarr_array(tmp_path / "a.zarr", 10, **options)
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0, stopped_after_s=1.5)
    got = {}
    for i in range(5):
        array[i] = data[i]
        got |= come(source, 1)
        assert sorted(got) == list(range(i + 1))
    for i in range(5, 10):
        array[i] = data[i]
    got |= come(source, 5)
    assert equal(got, data)
    assert list(reasons(got)) == [6]
    assert reasons(got)[6].startswith("unwritten or empty")
    assert quiet(source, 0.5) == {}
    assert source.state is State.COMPLETE


def test_planes_may_come_out_of_order(tmp_path):
    data = pixels(12)
    array = zarr_array(tmp_path / "a.zarr", 12)
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0, stopped_after_s=1.0)
    got = {}
    for i in np.random.default_rng(1).permutation(12).tolist():
        array[i] = data[i]
        got |= quiet(source, 0.06)
    got |= ended(source)
    assert sorted(got) == list(range(12))
    assert equal(got, data)
    assert source.state is State.COMPLETE


def test_a_chunk_that_is_written_in_pieces_is_waited_for(tmp_path):
    data = pixels(2)
    zarr_array(tmp_path / "whole.zarr", 2)[:] = data
    zarr_array(tmp_path / "a.zarr", 2)
    whole = (tmp_path / "whole.zarr" / "c" / "0" / "0" / "0").read_bytes()
    target = tmp_path / "a.zarr" / "c" / "0" / "0" / "0"
    target.parent.mkdir(parents=True)
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0)
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        target.write_bytes(whole[:size])
        assert quiet(source, 0.15) == {}
    target.write_bytes(whole)
    assert equal(come(source, 1), data)


def test_a_damaged_chunk_is_said_once_the_writer_has_gone_on(tmp_path):
    data = pixels(5)
    array = zarr_array(tmp_path / "a.zarr", 5)
    array[:4] = data[:4]
    chunk = tmp_path / "a.zarr" / "c" / "1" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0)
    got = come(source, 4)
    assert list(reasons(got)) == [1]
    assert "damaged" in reasons(got)[1]
    assert source.state is State.GROWING


def test_an_array_that_is_enlarged_says_nothing_of_its_end(tmp_path):
    data = pixels(6)
    array = zarr_array(tmp_path / "a.zarr", 1)
    array[0] = data[0]
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0, stopped_after_s=0.5)
    got = come(source, 1)
    for i in range(1, 6):
        array.resize((i + 1, SIDE, SIDE))
        array[i] = data[i]
        got |= quiet(source, 0.05)
    got |= ended(source)
    assert sorted(got) == list(range(6))
    assert equal(got, data)
    assert (source.state, source.planned) == (State.STOPPED, None)
    array.resize((7, SIDE, SIDE))
    array[6] = data[0]
    assert list(come(source, 1)) == [6]  # a source that stopped may go on
    assert source.state is State.GROWING


def tiff_bytes(data, n_declared=None, **options):
    """Return an OME-TIFF with consecutive pages, each with its directory."""
    target = io.BytesIO()
    with tifffile.TiffWriter(target, ome=False, bigtiff=options.pop("bigtiff", False)) as writer:
        for i, plane in enumerate(data):
            header = OME.format(n_declared) if n_declared and i == 0 else None
            writer.write(plane, description=header, metadata=None, contiguous=False, **options)
    return target.getvalue()


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("declared", [None, 8])
def test_a_tiff_that_grows_by_any_number_of_bytes(tmp_path, bigtiff, compression, declared):
    data = pixels(8)
    data[5] = 0
    whole = tiff_bytes(data, declared, compression=compression, bigtiff=bigtiff, rowsperstrip=8)
    path = tmp_path / "a.tif"
    source = open_growing(path, z_step_um=2.0, stopped_after_s=0.6)
    cuts = np.sort(np.random.default_rng(3).integers(0, len(whole), 25)).tolist()
    got = {}
    for size in [*cuts, len(whole)]:
        path.write_bytes(whole[:size])
        got |= quiet(source, 0.02)
        assert equal(got, data)
        assert sorted(got) == list(range(len(got)))
    got |= ended(source)
    assert sorted(got) == list(range(8))
    assert equal(got, data)
    assert reasons(got) == {5: "unwritten or empty (all zero)"}
    expected = (State.COMPLETE, 8) if declared else (State.STOPPED, None)
    assert (source.state, source.planned) == expected


@pytest.mark.parametrize("ahead", ["pixels", "file"])
def test_a_tiff_whose_directories_come_last_or_whose_pixels_are_mapped(tmp_path, ahead):
    data, path = pixels(8), tmp_path / "a.ome.tif"
    source = open_growing(path, stopped_after_s=1.0)
    if ahead == "file":
        metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0, "PhysicalSizeZUnit": "µm"}
        mapped = tifffile.memmap(path, shape=data.shape, dtype="u2", metadata=metadata, ome=True)
    else:
        writer = tifffile.TiffWriter(path, ome=False)
    got = {}
    for i in range(8):
        if ahead == "file":
            mapped[i] = data[i]
        else:
            header = OME.format(8) if i == 0 else None
            writer.write(data[i], description=header, metadata=None, contiguous=True)
            writer.filehandle.flush()
        got |= come(source, 1)
        assert sorted(got) == list(range(i + 1))
    if ahead == "pixels":
        writer.close()
    got |= ended(source)
    assert equal(got, data)
    assert (source.state, got[7].depth_um) == (State.COMPLETE, 14.0)


def test_a_tiff_whose_writer_died_before_it_filled_in_a_directory(tmp_path):
    data, path = pixels(4), tmp_path / "a.ome.tif"
    whole = tiff_bytes(data, 8)
    with tifffile.TiffFile(io.BytesIO(whole)) as tif:
        last = tif.pages[-1].offset
    path.write_bytes(whole[:last] + bytes(len(whole) - last))
    source = open_growing(path, z_step_um=2.0, stopped_after_s=0.6)
    got = ended(source)
    assert sorted(got) == [0, 1, 2]
    assert equal(got, data)
    assert (source.state, source.planned) == (State.STOPPED, 8)


def test_a_folder_in_which_planes_appear(tmp_path):
    data = pixels(12)
    data[4] = 0
    folder = tmp_path / "planes"
    source = open_growing(folder, z_step_um=2.0, planned=12)
    folder.mkdir()
    assert quiet(source) == {}
    got = {}
    for i in [0, 2, 1, *range(3, 12)]:
        whole = tiff_bytes(data[i : i + 1])
        (folder / f"z{i}.tif").write_bytes(whole[: len(whole) // 2])
        got |= quiet(source, 0.04)
        assert i not in got
        (folder / f"z{i}.tif").write_bytes(whole)
    got |= ended(source)
    assert sorted(got) == list(range(12))
    assert equal(got, data)
    assert reasons(got) == {4: "unwritten or empty (all zero)"}
    assert source.state is State.COMPLETE
    offline = cop.open_stack(folder, z_step_um=2.0)
    assert np.array_equal([plane.data for plane in offline], data)


def test_a_folder_is_read_by_number_and_its_gaps_are_planes_too(tmp_path):
    data = pixels(13)
    for i in [1, 2, 3, 5, 9, 10, 11, 12]:
        tifffile.imwrite(tmp_path / f"run7_z{i}_20260101.tif", data[i])
    stack = cop.open_stack(tmp_path, z_step_um=2.0)
    assert len(stack) == 12
    found = [plane.validity.reason for plane in stack]
    assert [i for i, reason in enumerate(found) if reason == "file missing"] == [3, 5, 6, 7]
    assert np.array_equal(stack.plane(11).data, data[12])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["c0_z0.tif", "c0_z1.tif", "c1_z0.tif", "c1_z1.tif"], "distinguishes all of them"),
        (["a0.tif", "b1.tif"], "do not match"),
        (["z0.tif", "z1000.tif", "z2000.tif"], "numbered 0 to 2000"),
    ],
)
def test_names_that_do_not_count_planes_are_refused(tmp_path, names, message):
    for name in names:
        tifffile.imwrite(tmp_path / name, pixels(1)[0])
    with pytest.raises(cop.InputError, match=message):
        cop.open_stack(tmp_path, z_step_um=2.0)


def test_a_plane_before_the_first_is_no_silent_shift(tmp_path):
    for i in (5, 6, 7):
        tifffile.imwrite(tmp_path / f"z{i}.tif", pixels(1)[0])
    source = open_growing(tmp_path, z_step_um=2.0, stopped_after_s=0.3)
    assert sorted(come(source, 3)) == [0, 1, 2]
    tifffile.imwrite(tmp_path / "z4.tif", pixels(1)[0])
    with pytest.raises(cop.InputError, match="plane 4 came after plane 5"):
        quiet(source, 5.0)


def test_what_the_options_lack_is_said(tmp_path):
    zarr_array(tmp_path / "a.zarr", 3)[:] = pixels(3)
    source = open_growing(tmp_path / "a.zarr")
    with pytest.raises(cop.InputError, match="z step"):
        quiet(source, 5.0)
    with pytest.raises(cop.InputError, match="larger than 0"):
        open_growing(tmp_path, stopped_after_s=0)
    with pytest.raises(cop.InputError, match="0 planes"):
        open_growing(tmp_path, planned=0)


def test_what_is_lacking_is_said_while_planes_still_come(tmp_path):
    source = open_growing(tmp_path, stopped_after_s=600)

    def write_and_look():
        for i in range(100):
            tifffile.imwrite(tmp_path / f"z{i}.tif", pixels(1)[0])
            assert quiet(source, 0.05) == {}

    with pytest.raises(cop.InputError, match="no z step is known"):
        write_and_look()


def test_one_at_a_time_and_how_many_wait(tmp_path):
    zarr_array(tmp_path / "a.zarr", 5)[:4] = pixels(4)
    source = open_growing(tmp_path / "a.zarr", z_step_um=2.0, stopped_after_s=0.4)
    got = {}
    while not source.waiting:
        assert not source.news(limit=0)
    for left in range(source.waiting, 0, -1):
        assert source.state is State.GROWING
        got |= {plane.index: plane for plane in source.news(limit=1)}
        assert source.waiting >= left - 1
    got |= ended(source)
    assert (sorted(got), source.state) == ([0, 1, 2, 3], State.STOPPED)
    assert [plane.validity.ok for plane in source.stack()] == [True] * 4 + [False]
    source.close()


def test_scanimage_is_followed_with_what_its_header_states(tmp_path):
    data = scanimage.pages(12)
    values = scanimage.slow_stack(
        6, hChannels_channelSave="[1;2]", hBeams_powers=12, hStackManager_framesPerSlice=1
    )
    path = tmp_path / "si.tif"
    source = open_growing(path, channel="red")
    assert quiet(source) == {}
    writer = scanimage.ScanImageWriter(path, values)
    assert quiet(source) == {}
    for n in range(3):
        writer.append(data[2 * n])
        assert sorted(quiet(source, 0.1)) == []
        writer.append(data[2 * n + 1])
        (plane,) = come(source, 1).values()
        assert plane.index == n
        assert np.array_equal(plane.data, data[2 * n + 1])
        assert (plane.depth_um, plane.power, plane.power_unit) == (10.0 * n, 12.0, "%")
        assert source.planned == 6
    for page in data[6:]:
        writer.append(page)
    assert sorted(ended(source)) == [3, 4, 5]
    assert source.state is State.COMPLETE
    whole = source.stack()
    assert np.array_equal(np.stack([plane.data for plane in whole]), data[1::2])
    assert whole.image.remarks == ()


def test_scanimage_in_any_order_of_depth_is_followed(tmp_path):
    data = scanimage.pages(4)
    path = tmp_path / "si.tif"
    source = open_growing(path)
    writer = scanimage.ScanImageWriter(
        path, scanimage.slow_stack(4, hStackManager_zs="[0 20 10 30]")
    )
    for page, index in zip(data, (0, 2, 1, 3), strict=True):
        writer.append(page)
        (plane,) = come(source, 1).values()
        assert (plane.index, plane.depth_um) == (index, 10.0 * index)
        assert np.array_equal(plane.data, page)
    assert ended(source) == {}
    assert source.state is State.COMPLETE


def test_a_plane_of_which_scanimage_has_written_a_part_is_waited_for(tmp_path):
    data = scanimage.pages(3)
    path = tmp_path / "si.tif"
    writer = scanimage.ScanImageWriter(path, scanimage.slow_stack(3))
    source = open_growing(path, stopped_after_s=0.5)
    writer.append(data[0])
    writer.append(data[1], n_bytes=data[1].nbytes // 2)
    assert sorted(ended(source)) == [0]
    assert source.state is State.STOPPED
    assert reasons({plane.index: plane for plane in source.stack()}) == {
        1: "truncated",
        2: "truncated",
    }


def test_the_mean_of_a_slice_comes_with_its_last_frame(tmp_path):
    data = scanimage.pages(6)
    path = tmp_path / "si.tif"
    writer = scanimage.ScanImageWriter(
        path, scanimage.slow_stack(3, hStackManager_framesPerSlice=2)
    )
    source = open_growing(path, time="mean")
    for n in range(3):
        writer.append(data[2 * n])
        assert quiet(source, 0.1) == {}
        writer.append(data[2 * n + 1])
        (plane,) = come(source, 1).values()
        assert np.allclose(plane.data, data[2 * n : 2 * n + 2].mean(axis=0), rtol=1e-6)
