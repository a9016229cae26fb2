"""Vendors' files: one stack from each with scale, names and power, or a clear refusal."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from vendor_files import write_czi, write_ims, write_lif, write_mmstack, write_ndtiff, write_oif
from vendor_sets import SHARED

from cop_core.errors import InputError
from cop_core.stacks import open_stack
from cop_core.stacks.aborted import ABORTED
from cop_core.stacks.dataset import Opening
from cop_core.stacks.files import source_files
from cop_core.stacks.formats import library
from cop_core.stacks.listing import list_stacks
from cop_core.stacks.open import open_dataset

REAL = SHARED / "data" / "vendor"
PIXELS = np.random.default_rng(0).integers(0, 4095, (2, 6, 11, 14)).astype(np.uint16)
"""Channels, planes, height, width."""


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fail if a test leaves a file open."""
    handles = Path("/proc/self/fd")
    before = set(handles.iterdir()) if handles.is_dir() else set()
    yield
    assert (set(handles.iterdir()) if handles.is_dir() else set()) <= before


def real(name: str, module: str) -> Path:
    """Return a file written by a vendor's program, or skip the test."""
    pytest.importorskip(module, reason="the extra formats is not installed")
    if not (REAL / name).exists():
        pytest.skip("the vendors' files are not at hand")
    return REAL / name


def require_stack(path: Path, expected: np.ndarray, **chosen) -> None:
    """Compare planes read one by one, and from several threads, with the written ones."""
    stack = open_stack(path, **chosen)
    assert np.array_equal([plane.data for plane in stack], expected)
    with ThreadPoolExecutor(4) as pool:
        planes = list(pool.map(stack.plane, [*range(len(stack))] * 3))
    assert all(np.array_equal(plane.data, expected[plane.index]) for plane in planes)


def described(path: Path, **opening):
    return open_dataset(path, Opening(**opening))


class TestHdf5:
    @pytest.fixture
    def h5py(self):
        return pytest.importorskip("h5py", reason="the extra formats is not installed")

    @pytest.mark.parametrize("chunks", [None, (4, 5, 7), (1, 11, 14)])
    def test_axes_scale_and_power(self, h5py, tmp_path, chunks):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            data = file.create_dataset("exported/data", data=PIXELS[0], chunks=chunks)
            data.attrs["axes"] = "zyx"
            data.attrs["element_size_um"] = (3.0, 0.5, 0.25)
            data.attrs["power_mw"] = np.arange(1.0, 7.0)
        require_stack(path, PIXELS[0])
        stack = open_stack(path)
        assert (stack.depth_um[-1], stack.pixel_size_um) == (15.0, (0.5, 0.25))
        assert stack.power_mw.tolist() == [1, 2, 3, 4, 5, 6]

    def test_ilastik_and_labels_name_axes_and_a_user_goes_first(self, h5py, tmp_path):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            data = file.create_dataset("data", data=PIXELS)
            data.attrs["axistags"] = (
                '{"axes": [{"key": "c"}, {"key": "z"}, {"key": "y"}, {"key": "x"}]}'
            )
        require_stack(path, PIXELS[1], channel=1, z_step_um=2)
        require_stack(path, PIXELS[:, 3], axes="ZTYX", time=3, z_step_um=2)
        with h5py.File(path, "w") as file:
            file["data"] = PIXELS[0].T
            for i, label in enumerate("xyz"):
                file["data"].dims[i].label = label
        require_stack(path, PIXELS[0], z_step_um=2)
        with pytest.raises(InputError, match="name 4 dimensions, but there are 3"):
            open_stack(path, axes="CZYX")

    def test_one_of_several_datasets_is_chosen(self, h5py, tmp_path):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            file["first"], file["second/inner"], file["table"] = PIXELS[0], PIXELS[1], np.arange(9)
        with pytest.raises(InputError, match=r"2 positions: 0 \(first\), 1 \(second/inner\)"):
            open_stack(path, z_step_um=1)
        require_stack(path, PIXELS[1], z_step_um=1, position=1)
        assert open_stack(path, z_step_um=1, position=1).name == "a second/inner"

    def test_pixels_in_other_files_are_refused(self, h5py, tmp_path):
        (tmp_path / "raw").write_bytes(PIXELS[0].tobytes())
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset(
                "data", PIXELS[0].shape, "u2", external=[(tmp_path / "raw", 0, PIXELS[0].nbytes)]
            )
        with h5py.File(tmp_path / "b.h5", "w") as file:
            file["data"] = h5py.ExternalLink(str(tmp_path / "a.h5"), "data")
        with pytest.raises(InputError, match="lie in other files"):
            open_stack(tmp_path / "a.h5", z_step_um=1)
        with pytest.raises(InputError, match="no dataset of numeric planes"):
            open_stack(tmp_path / "b.h5", z_step_um=1)

    def test_chunks_over_the_budget_are_refused(self, h5py, tmp_path):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("data", (600, 1024, 1024), "u2", chunks=(600, 1024, 1024))
        with pytest.raises(InputError, match=r"one chunk of 600 x 1,024 x 1,024 takes 1\.2 GiB"):
            open_stack(path, z_step_um=1)

    def test_what_is_no_hdf5_is_said(self, h5py, tmp_path):
        (tmp_path / "a.h5").write_bytes(b"no HDF5")
        with pytest.raises(InputError, match="cannot be opened"):
            open_stack(tmp_path / "a.h5")


def test_imaris_is_cut_to_the_image(tmp_path):
    pytest.importorskip("h5py", reason="the extra formats is not installed")
    movie = np.stack([PIXELS, PIXELS[::-1]])
    path = write_ims(tmp_path / "a.ims", movie)
    require_stack(path, movie[1, 0], time=1, channel="dye 0")
    stack = open_stack(path, time=0, channel=1)
    assert (stack.depth_um[-1], stack.pixel_size_um) == (10.0, (0.5, 0.25))
    with pytest.raises(InputError, match=r"no resolution level 3\. Choose one from 0 to 0"):
        open_stack(path, level=3)


class TestLeica:
    @pytest.fixture(autouse=True)
    def liffile(self):
        return pytest.importorskip("liffile", reason="the extra formats is not installed")

    def test_images_are_positions(self, tmp_path):
        path = write_lif(
            tmp_path / "a.lif", {"one": PIXELS, "two": PIXELS[::-1].copy()}, {920: 12.5}
        )
        with pytest.raises(InputError, match=r"2 positions: 0 \(.*one\), 1 \(.*two\)"):
            open_stack(path)
        require_stack(path, PIXELS[0], position=1, channel="dye 1")
        data = described(path, position=0)
        scale = (data.scale.z_step_um, *data.scale.pixel_size_um)
        assert scale == pytest.approx((2.0, 0.5, 0.5))
        assert (data.power.values, data.power.unit) == ((12.5,), "%")
        assert {detector.ceiling_counts for detector in data.detectors} == {4095.0}

    def test_power_that_is_not_one_is_not_taken(self, tmp_path):
        path = write_lif(tmp_path / "a.lif", {"one": PIXELS}, {488: 1.0, 920: 12.5})
        assert described(path).power is None
        assert "488 nm at 1 %, 920 nm at 12.5 %" in described(path).remarks[0]
        path = write_lif(tmp_path / "b.lif", {"one": PIXELS}, {920: 12.5}, compensated=1)
        assert described(path).power is None
        assert "along depth" in described(path).remarks[0]

    def test_a_cut_file_loses_planes_not_the_stack(self, tmp_path):
        path = write_lif(tmp_path / "a.lif", {"one": PIXELS}, {})
        whole = path.read_bytes()
        path.write_bytes(whole[: -PIXELS[0, 0].nbytes])
        planes = list(open_stack(path, channel=1))
        assert [bool(plane.validity.reason) for plane in planes] == [False] * 5 + [True]

    def test_a_description_is_refused_by_size(self, tmp_path):
        path = tmp_path / "a.lif"
        path.write_bytes(struct.pack("<IIBI", 0x70, 2**30, 0x2A, 2**29) + b"<\0")
        with pytest.raises(InputError, match="the XML takes 512 MB"):
            open_stack(path)

    def test_scans_along_z_are_refused(self):
        path = real("leica/leica_2channel_xz.lif", "liffile")
        for position in range(3):
            with pytest.raises(InputError, match="a scan along x and z, and noise"):
                open_stack(path, position=position, channel=0)


class TestOlympus:
    @pytest.fixture(autouse=True)
    def oiffile(self):
        return pytest.importorskip("oiffile", reason="the extra formats is not installed")

    @pytest.fixture
    def path(self, tmp_path):
        frames = {place: PIXELS[place] for place in np.ndindex(PIXELS.shape[:2])}
        return write_oif(
            tmp_path / "a.oif", frames, LaserWavelength01=920, LaserTransmissivity01=7.5
        )

    def test_file_and_folder_are_one_stack(self, path):
        for given in (path, Path(f"{path}.files"), path.parent):
            require_stack(given, PIXELS[1], channel="CH2")
        data = described(path)
        assert (data.scale.z_step_um, data.scale.pixel_size_um) == (1.5, (0.25, 0.25))
        assert (data.power.values, data.power.unit) == ((7.5,), "%")
        assert len(source_files(path)) == 13
        assert list_stacks(path.parent).stacks == (path,)

    def test_a_frame_without_its_file_is_a_plane_that_is_missing(self, path):
        Path(f"{path}.files", "s_C001Z003.tif").unlink()
        planes = list(open_stack(path, channel=0))
        assert [plane.validity.reason for plane in planes] == ["", "", "file missing", "", "", ""]

    def test_the_folder_has_to_be_there(self, path):
        Path(f"{path}.files").rename(path.with_name("elsewhere"))
        with pytest.raises(InputError, match=r"its folder 'a.oif.files' is missing"):
            open_stack(path, channel=0)

    def test_scans_along_z_and_newer_files_are_refused(self, tmp_path):
        frames = {(0, z): PIXELS[0, z] for z in range(6)}
        path = write_oif(tmp_path / "b.oif", frames, order="XZC")
        with pytest.raises(InputError, match="a scan along x and z"):
            open_stack(path)
        (tmp_path / "c.oir").touch()
        with pytest.raises(InputError, match=r"\.oir files cannot be read. Save it as OME-TIFF"):
            open_stack(tmp_path / "c.oir")

    def test_a_file_of_the_program(self):
        path = real("olympus/olympus_test.oib", "oiffile")
        data = described(path)
        assert (data.axes, data.channels) == ("CYX", ("CH1", "CH2", "TD1"))
        assert (data.power.values, data.power.unit) == ((0.3,), "%")
        assert (data.read({"C": 0})[95, 216], data.read({"C": 1})[95, 216]) == (820, 50)
        assert (len(stack := open_stack(path, channel=0)), stack.plane(0).data[95, 216]) == (1, 820)


def test_nikon():
    path = real("nikon/nikon_cluster.nd2", "nd2")
    import nd2

    whole = nd2.imread(path)
    require_stack(path, whole[2, :, 1], time=2, channel="FM 4-64/2% CHAPS")
    stack = open_stack(path, time=0, channel=0)
    assert (stack.depth_um[-1], round(stack.pixel_size_um[0], 4)) == (4.5, 0.1678)
    assert "488 nm at 0.5 %, 561 nm at 9 %" in stack.image.remarks[0]
    with pytest.raises(InputError, match="there are 3 time points"):
        open_stack(path, channel=0)


class TestZeiss:
    @pytest.fixture(autouse=True)
    def czi(self):
        return pytest.importorskip("pylibCZIrw", reason="the extra formats is not installed")

    def test_scenes_are_positions(self, tmp_path):
        scenes = [PIXELS, PIXELS[:, :, :9, :8]]
        path = write_czi(tmp_path / "a.czi", scenes, {0: "EGFP", 1: "mCherry"})
        with pytest.raises(InputError, match=r"there are 2 positions: 0 .*, 1 "):
            open_stack(path)
        require_stack(path, scenes[1][1], position=1, channel="mCherry")
        require_stack(path, scenes[0][0], position=0, channel=0)
        data = described(path, position=0)
        scale = (data.scale.z_step_um, *data.scale.pixel_size_um)
        assert scale == pytest.approx((2.0, 0.5, 0.5))

    def test_a_colour_picture_is_refused(self):
        path = real("zeiss/zeiss_test_image.czi", "pylibCZIrw")
        with pytest.raises(InputError, match=r"3 colour samples \(RGB\)"):
            open_stack(path)


def frames_of(positions: int = 2):
    """Frames as written by Micro-Manager, channels in turn at every z."""
    return [
        (
            {"position": p, "z": z, "channel": c, "time": 0},
            PIXELS[c, z] + np.uint16(p),
            {"ZPositionUm": 90 - 2.5 * z, "PixelSizeUm": 0.5, "power_mw": 3.0 + z,
             "PositionName": f"site {p}", "BitDepth": 12},
        )
        for p in range(positions) for z in range(6) for c in range(2)
    ]  # fmt: skip


SUMMARY = {"z-step_um": 2.5, "ChNames": ["DAPI", "FITC"], "Slices": 6, "Prefix": "cells"}


class TestMicroManager:
    @pytest.fixture(params=["ndtiff", "mmstack"])
    def folder(self, request, tmp_path):
        folder = tmp_path / "cells"
        if request.param == "ndtiff":
            named = [
                ({**axes, "channel": SUMMARY["ChNames"][axes["channel"]]}, picture, note)
                for axes, picture, note in frames_of()
            ]
            return write_ndtiff(folder, named, SUMMARY)
        for p in range(2):
            frames = [frame for frame in frames_of() if frame[0]["position"] == p]
            write_mmstack(folder / f"cells_MMStack_site {p}.ome.tif", frames, SUMMARY)
        return folder

    def test_folder_and_any_file_open_the_set(self, folder):
        for given in (folder, *folder.iterdir()):
            with pytest.raises(InputError, match=r"2 positions: 0 \(site 0\), 1 \(site 1\)"):
                open_stack(given, channel=0)
            require_stack(given, PIXELS[1] + 1, channel="FITC", position=1)
        stack = open_stack(folder, channel=0, position=1)
        assert (stack.name, stack.pixel_size_um) == ("cells site 1", (0.5, 0.5))
        assert stack.depth_um.tolist() == [0, 2.5, 5, 7.5, 10, 12.5]
        assert stack.power_mw.tolist() == [3, 4, 5, 6, 7, 8]
        assert {d.ceiling_counts for d in described(folder, position=0).detectors} == {4095.0}

    def test_a_set_is_one_stack_of_a_plan(self, folder):
        assert list_stacks(folder.parent).stacks == (folder,)
        files = tuple(sorted(folder.iterdir(), key=os.fsencode))
        assert {source_files(file) for file in files} == {files}
        (folder / "MAX.csv").write_text("a")
        (folder / "another.lif").touch()
        found = list_stacks(folder.parent).stacks
        assert len(found) == 2
        assert folder / "another.lif" in found

    def test_frames_beyond_the_end_are_planes_that_are_missing(self, folder):
        file = sorted(folder.glob("*.tif"))[-1]
        at = file.read_bytes().index((PIXELS[1, 5] + np.uint16(1)).tobytes())
        kind = described(folder, position=1).kind
        if kind == "mmstack":  # its map, at the end, would be lost too
            with file.open("r+b") as opened:
                opened.truncate(at + 10)
            with pytest.raises(InputError, match="the map of its frames is missing"):
                open_stack(folder, channel=1, position=1)
            return
        with file.open("r+b") as opened:
            opened.truncate(at + 10)
        planes = list(open_stack(folder, channel=1, position=1))
        assert [bool(plane.validity.reason) for plane in planes] == [False] * 5 + [True]


def test_frames_that_were_not_acquired_are_told(tmp_path):
    frames = [f for f in frames_of(1) if f[0]["z"] < 4 and (f[0]["z"], f[0]["channel"]) != (2, 0)]
    path = write_mmstack(tmp_path / "a_MMStack.ome.tif", frames, SUMMARY)
    stack = open_stack(path, channel=0)
    reasons = [plane.validity.reason for plane in stack]
    assert reasons == ["", "", "not acquired, or its file is missing", ""]
    assert stack.image.remarks == (f"4 of 6 planes are there: {ABORTED}",)


def test_an_index_may_not_lead_elsewhere(tmp_path):
    folder = write_ndtiff(tmp_path / "set", frames_of(1), SUMMARY)
    index = folder / "NDTiff.index"
    index.write_bytes(index.read_bytes().replace(b"a_NDTiffStack.tif", b"../a_NDTiffSt.tif"))
    with pytest.raises(InputError, match="names a file outside its folder"):
        open_stack(folder)


def test_a_huge_summary_is_refused_by_size(tmp_path):
    path = write_mmstack(tmp_path / "a_MMStack.ome.tif", frames_of(1), SUMMARY)
    whole = bytearray(path.read_bytes())
    whole[36:40] = struct.pack("<I", 2**29)
    path.write_bytes(whole)
    with pytest.raises(InputError, match="the summary takes 512 MB"):
        open_stack(path)


@pytest.mark.parametrize(
    ("suffix", "module"),
    [("nd2", "nd2"), ("lif", "liffile"), ("oib", "oiffile"), ("czi", "pylibCZIrw.czi"),
     ("ims", "h5py"), ("h5", "h5py")],
)  # fmt: skip
def test_a_missing_library_is_named_with_the_command(tmp_path, monkeypatch, suffix, module):
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / f"a.{suffix}"
    path.touch()
    with pytest.raises(InputError) as caught:
        open_stack(path)
    assert module.partition(".")[0] in caught.value.what
    assert caught.value.advice == f"Install it: {library.INSTALL}"


def test_a_folder_of_stacks_names_one_of_them(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="none of its contents is a stack"):
        open_stack(tmp_path)
    (tmp_path / "b.lif").touch()
    (tmp_path / "c.lif").touch()
    with pytest.raises(InputError, match=r"separate stacks\. Open one of them, .* 'b.lif'"):
        open_stack(tmp_path)
