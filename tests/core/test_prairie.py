"""Sets of Prairie View: opened by any of their files, with the power of each frame."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest
from vendor_sets import NAME, SHARED, come, pixels, write_prairie, write_prairie_files

from cop_core.errors import InputError
from cop_core.stacks import open_stack
from cop_core.stacks.files import file_state, source_files
from cop_core.stacks.growing import State, files, open_growing, settled

N = 5
Z_UM = [63.45 - 2 * i for i in range(N)]
POWERS = [(0, 80.0), (0, 82.5), None, (0, 85.0), (0, 90.0)]
BRUKER = SHARED / "data" / "vendor" / "bruker" / "ZSeries-09092022-1241-1659"


@pytest.fixture
def planes():
    return pixels(N)


@pytest.fixture
def folder(tmp_path, planes):
    write_prairie(tmp_path / "set", planes, z_um=Z_UM, powers=POWERS)
    return tmp_path / "set"


def test_folder_xml_and_every_file_open_the_set(folder, planes):
    paths = [folder, *folder.iterdir()]
    assert len(paths) == 1 + 1 + 2 * N
    for path in paths:
        stack = open_stack(path, channel="Ch2")
        assert (stack.source, stack.name, len(stack)) == (str(folder), NAME, N)
        assert (stack.image.format, stack.image.channel_name) == ("prairie-view", "Ch2")
    assert stack.depth_um == pytest.approx([0, 2, 4, 6, 8])
    assert stack.pixel_size_um == (0.5, 0.5)
    assert np.array_equal([plane.data for plane in stack], planes[:, 1])
    assert np.array_equal(open_stack(folder, channel=0).plane(3).data, planes[3, 0])
    with pytest.raises(InputError, match=r"2 channels: 0 \(Ch1\), 1 \(Ch2\)"):
        open_stack(folder)


def test_a_frame_that_states_no_power_has_that_of_the_set(folder):
    stack = open_stack(folder, channel=0)
    assert stack.power.tolist() == [80, 82.5, 80, 85, 90]
    assert (stack.power_unit, stack.image.power_from) == ("set-point", "laserPower of on")
    assert np.isnan(stack.power_mw).all()


def test_the_surface_is_where_power_is_least_whatever_the_sign_of_z(tmp_path, folder, planes):
    assert open_stack(folder, channel=0).image.surface == "first"
    up = tmp_path / "up"
    write_prairie(up, planes, z_um=Z_UM[::-1], powers=[(0, p) for p in (90, 80, 70, 60, 50)])
    stack = open_stack(up, channel=0)
    assert (stack.image.surface, stack.depth_um.tolist()) == ("last", [8, 6, 4, 2, 0])
    assert np.array_equal(stack.plane(0).data, planes[0, 0])
    assert open_stack(up, channel=0, surface="first").depth_um[-1] == 8


def test_keys_of_2014(tmp_path, planes):
    xml = write_prairie(
        tmp_path / "old", planes, z_um=Z_UM, powers=[(10,)], lasers=("Pockels",), modern=False
    )
    stack = open_stack(xml, channel=1)
    assert (stack.power.tolist(), stack.depth_um[-1]) == ([10] * N, pytest.approx(8))
    assert (stack.image.power_from, stack.pixel_size_um) == ("laserPower of Pockels", (0.5, 0.5))
    assert np.array_equal([plane.data for plane in stack], planes[:, 1])


def test_of_several_lasers_the_one_that_was_changed_counts(tmp_path, planes):
    both = [(30, p) for p in (40, 45, 50, 55, 60)]
    stack = open_stack(write_prairie(tmp_path / "a", planes, z_um=Z_UM, powers=both), channel=0)
    assert stack.power.tolist() == [40, 45, 50, 55, 60]
    assert stack.image.remarks == ("off stayed at one power, which is not in the one stated",)
    still = write_prairie(tmp_path / "b", planes, z_um=Z_UM, powers=[(30, 40)])
    stack = open_stack(still, channel=0)
    assert np.isnan(stack.power).all()
    assert "several lasers were on (off, on)" in stack.image.remarks[0]


def test_cycles_are_times_and_one_that_runs_back_is_turned(folder, planes):
    again = pixels(N, seed=1)
    back = [(0, 90.0), (0, 85.0), (0, 80.0), (0, 82.5), (0, 80.0)]
    xml = write_prairie(folder, again[::-1], z_um=Z_UM[::-1], cycle=2, powers=[None, *back[1:]])
    xml.write_text(
        xml.read_text(encoding="utf-8-sig").replace(
            '<Sequence type="ZSeries" cycle="2">',
            '<Sequence type="ZSeries" cycle="2"><PVStateShard><PVStateValue key="laserPower">'
            '<IndexedValue index="0" value="0"/><IndexedValue index="1" value="90"/>'
            "</PVStateValue></PVStateShard>",
        ),
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="there are 2 time points"):
        open_stack(folder, channel=0)
    stack = open_stack(folder, channel=0, time=1)
    assert np.array_equal([plane.data for plane in stack], again[:, 0])
    assert stack.power.tolist() == [80, 82.5, 80, 85, 90]


def test_cycles_of_other_powers_state_none(folder):
    write_prairie(folder, pixels(N), z_um=Z_UM, cycle=2, powers=[None, (0, 99)])
    stack = open_stack(folder, channel=0, time=0)
    assert np.isnan(stack.power).all()
    assert "differ in power" in stack.image.remarks[0]


def test_planes_may_be_pages_of_one_file(tmp_path, planes):
    xml = write_prairie(tmp_path / "p", planes, z_um=Z_UM, powers=POWERS, pages=True)
    assert len(list(xml.parent.glob("*.tif"))) == 2
    stack = open_stack(xml, channel="Ch1")
    assert np.array_equal([plane.data for plane in stack], planes[:, 0])


def test_a_file_that_lacks_is_a_plane_that_is_missing(folder, planes):
    next(folder.glob("*Ch1_000002*")).unlink()
    stack = open_stack(folder, channel=0)
    assert stack.plane(1).validity.reason == "file missing"
    cut = next(folder.glob("*Ch1_000004*"))
    cut.write_bytes(cut.read_bytes()[:-900])
    assert stack.plane(3).validity.reason == "truncated"
    assert [plane.validity.ok for plane in stack] == [True, False, True, False, True]


def test_a_movie_is_no_stack_until_somebody_says_so(tmp_path, planes):
    xml = write_prairie(
        tmp_path / "t", planes, z_um=[5] * N, powers=[(0, 9)], kind="TSeries Timed Element"
    )
    with pytest.raises(InputError, match="nothing says what its 5 planes are"):
        open_stack(xml, channel=0)
    assert open_stack(xml, channel=0, z_step_um=2).depth_um[-1] == 8


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f"{NAME}_Cycle00001_Ch1_000002", "../other", "names a file outside its folder"),
        ("<PVScan", "<!DOCTYPE PVScan [<!ENTITY a 'b'>]><PVScan", "declares a document type"),
        ("</PVScan>", "", "cannot be read"),
        ('channel="2"', 'channel="two"', "has a channel 'two'"),
    ],
)
def test_xml_that_cannot_be_used_is_refused(folder, old, new, said):
    xml = folder / f"{NAME}.xml"
    xml.write_text(xml.read_text(encoding="utf-8-sig").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        open_stack(folder, channel=0)


def test_what_is_no_single_set_is_refused_in_words(folder, tmp_path, planes):
    shutil.copy(next(folder.glob("*Ch1_000001*")), folder / f"{NAME}_Cycle00001_Ch1_MIP.tif")
    with pytest.raises(InputError, match=r"is not one of its planes\. Open the set's folder"):
        open_stack(folder / f"{NAME}_Cycle00001_Ch1_MIP.tif")
    shutil.copy(folder / f"{NAME}.xml", folder / "other.xml")
    with pytest.raises(InputError, match=r"holds 2 sets .*Open one by its XML"):
        open_stack(folder)
    assert open_stack(folder / f"{NAME}.xml", channel=0).source == str(folder / f"{NAME}.xml")
    alone = write_prairie(tmp_path / "alone", planes, z_um=Z_UM, files=False)
    with pytest.raises(InputError, match="the image files that its XML names are missing"):
        open_stack(alone, channel=0)


def test_the_state_of_a_set_is_that_of_all_its_files(folder):
    (folder / "notes.txt").write_text("mine")
    assert len(source_files(folder)) == 1 + 2 * N
    assert source_files(folder) == source_files(next(folder.glob("*Ch2_000003*")))
    before = file_state(folder)
    (folder / "notes.txt").unlink()
    assert file_state(folder) == before
    next(folder.glob("*Ch2_000003*")).unlink()
    assert file_state(folder) != before


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(settled, "_SETTLE_S", 0.03)
    monkeypatch.setattr(settled, "_POLL_S", 0.01)
    monkeypatch.setattr(files, "_PATIENCE_S", 0.3)


def test_a_set_is_watched_with_what_its_header_says(tmp_path, planes, short_waits):
    folder = tmp_path / "live"
    write_prairie(folder, planes, z_um=Z_UM, powers=POWERS, files=False)
    source = open_growing(folder, channel="Ch2", stopped_after_s=1.0)
    assert source.news() == []
    assert source.planned == N
    got = []
    for number in range(N):
        write_prairie_files(folder, planes, only=[number])
        got += come(source, 1)
    assert [plane.depth_um for plane in got] == pytest.approx([0, 2, 4, 6, 8])
    assert [plane.power for plane in got] == [80, 82.5, 80, 85, 90]
    assert np.array_equal([plane.data for plane in got], planes[:, 1])
    end = time.monotonic() + 20
    while source.state is not State.COMPLETE and time.monotonic() < end:
        source.news()
    assert source.state is State.COMPLETE
    assert np.array_equal(source.stack().plane(4).data, planes[4, 1])


@pytest.mark.parametrize(
    ("z_um", "options", "said"),
    [
        (Z_UM, {}, r"2 channels: 0 \(Ch1\), 1 \(Ch2\)"),
        ([7] * N, {"channel": 0}, "the z step is not known"),
    ],
)
def test_what_is_missing_is_asked_for_before_the_first_plane(
    tmp_path, planes, short_waits, z_um, options, said
):
    write_prairie(tmp_path / "live", planes, z_um=z_um, files=False, modern=False)
    source = open_growing(tmp_path / "live", **options, stopped_after_s=60)
    with pytest.raises(InputError, match=said):
        come(source, 1)


@pytest.mark.skipif(not BRUKER.is_dir(), reason="the real set is not on this machine")
def test_a_real_set():
    tiffs = sorted(BRUKER.glob("*.tif"))
    assert len(tiffs) == 78
    for path in (BRUKER, next(BRUKER.glob("*.xml")), *tiffs):
        stack = open_stack(path, channel=1)
        assert (len(stack), stack.source) == (39, str(BRUKER))
    assert stack.depth_um == pytest.approx(2.0 * np.arange(39))
    assert (stack.power[0], stack.power[-1]) == pytest.approx((79.5, 141.0), abs=0.05)
    assert (stack.power_unit, stack.image.surface) == ("set-point", "first")
    assert all(plane.validity.ok for plane in stack)
