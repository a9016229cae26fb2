"""A Micro-Manager acquisition as a source: real DemoCamera, real threads, real files."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cop_core.errors import CopError, InputError
from cop_core.records import State

pytest.importorskip("pymmcore_plus", reason="the extra 'live' is not installed")

import useq
from pymmcore_plus import CMMCorePlus, find_micromanager

from cop_core.recipes import GainedPower
from cop_core.stacks.growing.micromanager import MicroManagerSource

if not find_micromanager():
    pytest.skip("no Micro-Manager devices: install mm-test-adapters", allow_module_level=True)

SIDE = 64
DOWN = {"top": 40, "bottom": 0, "step": 4, "go_up": False}
WITH_QT = f"""
from qtpy.QtCore import QCoreApplication
app = QCoreApplication([])
import useq
from pymmcore_plus import CMMCorePlus
from cop_core.stacks.growing.micromanager import MicroManagerSource
core = CMMCorePlus()
core.loadSystemConfiguration()
source = MicroManagerSource(core)
core.run_mda(useq.MDASequence(z_plan={DOWN})).join()
print(type(core.mda.events).__name__, len(source.news()), source.state.name)
source.close()
"""
ENDED = (State.COMPLETE, State.STOPPED)


@pytest.fixture
def core(monkeypatch):
    """The demo microscope with a small field and short exposures."""
    monkeypatch.setenv("PYMM_SIGNALS_BACKEND", "psygnal")  # whatever other tests have opened
    core = CMMCorePlus()
    core.loadSystemConfiguration()
    core.setROI(0, 0, SIDE, SIDE)
    core.setExposure(1)
    yield core
    core.mda.cancel()
    core.unloadAllDevices()


@pytest.fixture
def watch(core):
    """Make sources that are closed at the end."""
    made = []

    def make(**options):
        made.append(MicroManagerSource(core, **options))
        return made[-1]

    yield make
    for source in made:
        source.close()


def drain(source, seconds=600.0, limit=None):
    """Collect planes until the source has ended."""
    planes, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        planes += source.news(limit)
        if source.state in ENDED:
            return planes
        time.sleep(0.002)
    raise TimeoutError("the acquisition did not end")


def open_files():
    """Count this process's open files, if the system reports them."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.is_dir() else 0


def kept_frames(core):
    """Collect the frames that the core itself reports."""
    seen = []
    core.mda.events.frameReady.connect(lambda image, event, _: seen.append((image.copy(), event)))
    return seen


@pytest.mark.parametrize("limit", [None, 1])
def test_every_plane_comes_once_as_acquired(core, watch, limit):
    seen, source = kept_frames(core), watch()
    assert source.state is State.WAITING
    assert source.planned is None
    before = time.time()
    thread = core.run_mda(useq.MDASequence(z_plan=DOWN))
    planes = drain(source, limit=limit)
    thread.join()
    assert source.state is State.COMPLETE
    assert source.planned == 11
    assert [plane.index for plane in planes] == list(range(11))
    assert [plane.depth_um for plane in planes] == [4.0 * k for k in range(11)]
    for plane, (image, event) in zip(planes, seen, strict=True):
        assert np.array_equal(plane.data, image)
        assert plane.depth_um == 40 - event.z_pos
        assert np.isnan(plane.power)
    assert source.news() == []
    times = [source.completed_at(k) for k in range(11)]
    assert before <= times[0] <= times[-1] <= time.time()
    assert times == sorted(times)


def test_what_waits_is_told(core, watch):
    source = watch()
    core.run_mda(useq.MDASequence(z_plan=DOWN), block=True)
    assert len(source.news(3)) == 3
    assert (source.waiting, source.state) == (8, State.GROWING)
    assert len(source.news()) == 8
    assert (source.waiting, source.state) == (0, State.COMPLETE)


def test_the_stack_is_what_was_handed_out(core, watch):
    source = watch(name="demo")
    core.run_mda(useq.MDASequence(z_plan=DOWN), block=True)
    planes, stack = source.news(), source.stack()
    assert stack.name == "demo"
    assert stack.shape == (11, SIDE, SIDE)
    assert stack.pixel_size_um == (1.0, 1.0)
    assert "Camera" in stack.source
    for plane in planes:
        again = stack.plane(plane.index)
        assert np.array_equal(plane.data, again.data)
        assert (plane.depth_um, plane.validity) == (again.depth_um, again.validity)


def test_the_live_profile_is_the_profile_of_the_written_file(core, watch, tmp_path, tiny_estimator):
    from cop_core.reading import profile

    path, source = tmp_path / "demo.ome.zarr", watch()
    core.run_mda(useq.MDASequence(z_plan=DOWN), output=path, block=True)
    source.news()
    live = profile(source.stack(), estimator=tiny_estimator)
    file = profile(path, estimator=tiny_estimator)
    assert np.array_equal(live.mean, file.mean)
    assert np.array_equal(live.depth_um, file.depth_um)


def test_what_is_read_live_is_what_is_read_after(core, watch, tiny_estimator):
    from cop_core.reading import StackReader, profile

    source = watch()
    reading = StackReader(source, tiny_estimator)
    thread = core.run_mda(useq.MDASequence(z_plan=DOWN))
    until = time.monotonic() + 600
    while not reading.step().ended:
        assert time.monotonic() < until
    thread.join()
    after = profile(source.stack(), estimator=tiny_estimator)
    assert np.array_equal(reading.profile.mean, after.mean)
    assert reading.profile.provenance == after.provenance
    assert len(after) == 11


def test_depth_counts_from_the_plane_at_the_surface(core, watch):
    source = watch(surface="last")
    core.run_mda(useq.MDASequence(z_plan=DOWN | {"go_up": True}), block=True)
    first, *_, last = source.news()
    assert (first.depth_um, last.depth_um) == (40.0, 0.0)


def test_uneven_positions_keep_their_depths(core, watch):
    source = watch()
    core.run_mda(useq.MDASequence(z_plan={"absolute": [3, 5, 9, 20]}), block=True)
    assert [plane.depth_um for plane in source.news()] == [0, 2, 6, 17]
    assert source.stack().depth_um.tolist() == [0, 2, 6, 17]


def test_planes_come_while_the_acquisition_runs(core, watch):
    source = watch()
    thread = core.run_mda(useq.MDASequence(z_plan=DOWN))
    early = []
    while thread.is_alive() and not early:
        early = source.news()
    assert early
    assert source.state in (State.GROWING, State.COMPLETE)
    planes = early + drain(source)
    thread.join()
    assert [plane.index for plane in planes] == list(range(11))


def test_a_cancelled_acquisition_has_stopped_and_keeps_its_planes(core, watch):
    source = watch()
    core.setExposure(20)
    thread = core.run_mda(useq.MDASequence(z_plan=DOWN))
    planes = []
    while len(planes) < 3:
        planes += source.news()
    core.mda.cancel()
    planes += drain(source)
    thread.join()
    assert source.state is State.STOPPED
    assert 3 <= len(planes) < 11
    assert len(source.stack()) == len(planes)


def test_an_acquisition_that_fails_has_stopped(core, watch):
    source = watch()

    def events():
        yield useq.MDAEvent(index={"z": 0}, z_pos=0)
        raise RuntimeError("the laser tripped")

    with pytest.raises(RuntimeError, match="tripped"):
        core.mda.run(events())
    assert len(source.news()) == 1
    assert source.state is State.STOPPED


def test_one_channel_out_of_two(core, watch):
    seen, source = kept_frames(core), watch(channel="FITC")
    sequence = useq.MDASequence(z_plan=DOWN, channels=["DAPI", "FITC"])
    core.run_mda(sequence, block=True)
    wanted = [image for image, event in seen if event.channel.config == "FITC"]
    planes = source.news()
    assert source.planned == 11
    for plane, image in zip(planes, wanted, strict=True):
        assert np.array_equal(plane.data, image)


@pytest.mark.parametrize(
    ("plan", "advice"),
    [
        ({"channels": ["DAPI", "FITC"]}, "channel="),
        ({"time_plan": {"interval": 0, "loops": 2}}, "time="),
        ({"stage_positions": [(0, 0, 0), (1, 1, 1)]}, "position="),
        ({"grid_plan": {"rows": 1, "columns": 2}}, "one after the other"),
    ],
)
def test_several_stacks_are_not_mixed(core, watch, plan, advice):
    source = watch()
    core.run_mda(useq.MDASequence(z_plan=DOWN, **plan), block=True)
    with pytest.raises(InputError, match="more than one") as caught:
        drain(source)
    assert advice in str(caught.value)
    assert source.state is State.STOPPED


def test_time_and_position_are_chosen_by_index(core, watch):
    source = watch(time=1, position=0)
    plan = {"time_plan": {"interval": 0, "loops": 2}, "stage_positions": [(0, 0), (9, 9)]}
    core.run_mda(useq.MDASequence(z_plan=DOWN, **plan), block=True)
    assert len(drain(source)) == 11


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"z_plan": DOWN, "channels": ["DAPI"]}, "no plane of the plan matches channel FITC"),
        ({"channels": ["FITC"]}, "z plan"),
        ({"z_plan": {"absolute": [0, 5, 3]}, "channels": ["FITC"]}, "z goes from 5 to 3 µm"),
        ({"z_plan": {"absolute": [0, 0]}, "channels": ["FITC"]}, "z goes from 0 to 0 µm"),
    ],
)
def test_what_is_no_z_stack_is_refused(core, watch, plan, message):
    source = watch(channel="FITC")
    core.run_mda(useq.MDASequence(**plan), block=True)
    with pytest.raises(InputError, match=message):
        drain(source)


def test_a_field_that_changes_ends_the_stack(core, watch):
    source = watch()

    def events():
        yield useq.MDAEvent(index={"z": 0}, z_pos=0)
        core.setROI(0, 0, SIDE // 2, SIDE // 2)
        yield useq.MDAEvent(index={"z": 1}, z_pos=4)

    core.mda.run(events())
    assert len(source.news()) == 1
    with pytest.raises(CopError, match="Do not change the field"):
        source.news()


def test_power_comes_from_the_device_or_the_event(core, watch):
    by_device = watch(power=("Camera", "Gain"))
    by_event = watch()
    core.mda.run(
        useq.MDAEvent(
            index={"z": k},
            z_pos=k,
            properties=[("Camera", "Gain", str(k - 3))],
            metadata={"power_mw": 5.0 * k},
        )
        for k in range(3)
    )
    assert by_event.stack().power_mw.tolist() == [0, 5, 10]
    assert by_device.stack().power_mw.tolist() == [0, 5, 10]  # the event goes before
    core.mda.run(
        useq.MDAEvent(index={"z": k}, z_pos=k, properties=[("Camera", "Gain", str(k + 2))])
        for k in range(3)
    )
    assert len(by_device.stack()) == 3  # one acquisition, no more


def test_a_refused_power_is_not_taken_for_the_power(core, watch):
    source = watch(power=("Camera", "Gain"))
    core.setProperty("Camera", "Gain", 2)
    powers = ["3", "900", "4"]  # the demo camera takes -5 to 8
    core.mda.run(
        useq.MDAEvent(index={"z": k}, z_pos=k, properties=[("Camera", "Gain", power)])
        for k, power in enumerate(powers)
    )
    assert source.stack().power_mw.tolist() == [3, 3, 4]


def test_power_is_what_open_stack_takes(core, watch, tmp_path):
    table = tmp_path / "power.csv"
    table.write_text("depth_um,power_mw\n0,5\n40,25\n")
    law = GainedPower(5, 20, 30)
    depth = np.arange(11) * 4.0
    wanted = {7.5: np.full(11, 7.5), str(law): law.at(depth), law: law.at(depth)}
    wanted |= {table: 5 + depth / 2, str(table): 5 + depth / 2}
    sources = {power: watch(power=power) for power in wanted}
    core.mda.run(useq.MDASequence(z_plan=DOWN))
    for power, source in sources.items():
        assert source.stack().power_mw.tolist() == wanted[power].tolist()
        assert [plane.power for plane in drain(source)] == wanted[power].tolist()


def test_what_an_event_states_goes_before_a_law(core, watch):
    source = watch(power=3.0)
    core.mda.run(
        useq.MDAEvent(index={"z": k}, z_pos=k, metadata={"power_mw": 9.0} if k == 1 else {})
        for k in range(3)
    )
    assert source.stack().power_mw.tolist() == [3, 9, 3]


@pytest.mark.parametrize(
    ("power", "message"),
    [
        (-1.0, "negative"),
        ("gained:5,0,60", "length_um is not above 0"),
        ("no_such_table.csv", "no_such_table.csv"),
        ([5.0, 6.0], "2 powers for 0 planes"),
    ],
)
def test_a_power_that_is_none_is_told_before_the_planes_come(core, power, message):
    with pytest.raises(InputError, match=message):
        MicroManagerSource(core, power=power)


def test_frames_are_not_averaged_while_they_come(core):
    with pytest.raises(InputError, match="cannot be averaged while they are acquired"):
        MicroManagerSource(core, time="mean")


def test_an_unknown_property_is_refused(core):
    with pytest.raises(InputError, match="no property 'Power'"):
        MicroManagerSource(core, power=("Camera", "Power"))
    with pytest.raises(InputError, match="Devices are"):
        MicroManagerSource(core, power=("Laser", "Power"))


def test_watching_cannot_begin_in_the_middle(core):
    core.setExposure(20)
    thread = core.run_mda(useq.MDASequence(z_plan=DOWN))
    try:
        with pytest.raises(InputError, match="already"):
            MicroManagerSource(core)
    finally:
        core.mda.cancel()
        thread.join()


def test_frames_do_not_wait_for_a_busy_window():
    """With a QApplication, frames would be queued for its thread, which never runs here."""
    pytest.importorskip("qtpy.QtCore", reason="no Qt binding")
    done = subprocess.run(
        [sys.executable, "-c", WITH_QT], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.stdout.split() == ["QMDASignaler", "11", "COMPLETE"], done.stderr


def test_the_surface_may_be_last_only_in_a_plan(core, watch):
    source = watch(surface="last")
    core.mda.run(useq.MDAEvent(index={"z": k}, z_pos=k) for k in range(2))
    with pytest.raises(InputError, match="last plane is not known"):
        source.news()


def test_nothing_is_left_after_close(core, tmp_path):
    gc.collect()
    files = open_files()
    threads = threading.active_count()
    source = MicroManagerSource(core, folder=tmp_path)
    core.run_mda(useq.MDASequence(z_plan=DOWN), block=True)
    assert len(source.news()) == 11
    events = core.mda.events
    connected = [len(s) for s in (events.frameReady, events.sequenceStarted)]
    source.close()
    source.close()
    assert [len(s) for s in (events.frameReady, events.sequenceStarted)] == [
        n - 1 for n in connected
    ]
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads
    assert open_files() == files
    with pytest.raises(InputError, match="no planes"):
        source.stack()
    core.run_mda(useq.MDASequence(z_plan=DOWN), block=True)
    assert source.news() == []
