"""The Live widget in a real napari, on real acquisitions in progress."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtGui import QShortcut

from cop_core.errors import InputError
from cop_core.reading import profile
from cop_core.records import AnalysedProfile, Comparison, PlaneEstimate
from cop_core.simulator import PRESETS, Phantom
from napari_cop.commands import three_photon_demo
from napari_cop.exporting import repeating
from napari_cop.live import watch_form
from napari_cop.live.widget import LivePlots, LiveWidget
from napari_cop.plots.growing import PlanesSoFar
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PIXELS = np.random.default_rng(0).poisson(60, (12, 200, 200)).astype(np.uint16)
PIXELS[:, 40:150, 60:140] += 300
NAME = "Live noise"

WRITER = """
import sys, time
import numpy as np, zarr
pixels = np.load(sys.argv[1])
array = zarr.create_array(
    sys.argv[2], shape=pixels.shape, chunks=(1, *pixels.shape[1:]), dtype=pixels.dtype
)
for index, plane in enumerate(pixels):
    array[index] = plane
    time.sleep(0.05)
"""


@pytest.fixture
def add(qtbot: Any) -> Iterator[Callable[..., LiveWidget]]:
    """Dock the widget, which must release every thread."""
    docked: list[LiveWidget] = []

    def dock(viewer: Any) -> LiveWidget:
        _, widget = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
        docked.append(widget)
        return widget

    yield dock
    for widget in docked:
        widget.runner.stop()
        qtbot.waitUntil(lambda w=widget: w.runner.state is State.IDLE)
        widget.taken_out()


def ended(qtbot: Any, dock: LiveWidget) -> Any:
    """Wait until a run has ended and its result is shown."""
    qtbot.waitUntil(lambda: dock.runner.state is State.IDLE)
    shown = ("Done", "Stopped", "Failed")
    qtbot.waitUntil(lambda: dock.bar.status.text().startswith(shown))
    return dock.results.result


def start(qtbot: Any, dock: LiveWidget) -> None:
    qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    assert dock.runner.state is State.RUNNING


def grown(pixels: Any, count: int, viewer: Any, name: str) -> Any:
    return viewer.add_image(
        pixels[:count],
        name=name,
        axis_labels=("z", "y", "x"),
        scale=(5, 1, 1),
        units=("um",) * 3,
    )


def test_a_zarr_written_by_another_process(
    viewer: Any, add: Any, qtbot: Any, tmp_path: Path
) -> None:
    np.save(tmp_path / "pixels.npy", PIXELS)
    path = tmp_path / "live.zarr"
    dock = add(viewer)
    form = dock.forms[0]
    form.choose_folder(path)
    form.z_step_um.value = "5"
    form.stopped_after_s.value = "20"
    states: list[str] = []
    dock.runner.stepped.connect(lambda news, _: states.append(news.step.state.value))
    start(qtbot, dock)
    qtbot.waitUntil(lambda: "waiting for the first plane" in states)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "pixels.npy"), str(path)]):
        result = ended(qtbot, dock)
    assert "growing" in states
    assert dock.panel.text("state") == "complete"
    assert dock.panel.text("planes") == "12 of 12"
    assert dock.panel.text("waiting") == dock.panel.text("put_off") == "none"
    assert dock.panel.latency_s is not None
    assert dock.panel.latency_s > 0
    offline = profile(path, z_step_um=5.0)
    np.testing.assert_array_equal(result.profile.mean, offline.mean)
    np.testing.assert_array_equal(result.profile.depth_um, offline.depth_um)
    assert "--z-step-um 5" in repeating(result, "report")
    form.stopped_after_s.value = ""


def test_a_real_camera_through_micromanager(viewer: Any, add: Any, qtbot: Any) -> None:
    pytest.importorskip("mm_test_adapters", reason="mm-test-adapters is not installed")
    useq = pytest.importorskip("useq")
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus.instance()
    core.loadSystemConfiguration()
    frames: list[Any] = []
    core.mda.events.frameReady.connect(lambda image, *_: frames.append(image.copy()))
    dock = add(viewer)
    form = dock.forms[0]
    form.chosen.value = watch_form.CORE
    form.power.mode.value = "increases with depth"
    form.power_property.value = "Camera-Gain"
    with pytest.raises(InputError, match="set twice"):
        form.feeds()
    form.power_property.value = ""
    start(qtbot, dock)
    qtbot.waitUntil(lambda: bool(dock.plots.figure().axes))
    core.run_mda(useq.MDASequence(z_plan={"bottom": 0, "top": 21, "step": 3, "go_up": True}))
    result = ended(qtbot, dock)
    assert dock.panel.text("planes") == "8 of 8"
    qtbot.waitUntil(lambda: len(frames) == 8)
    offline = profile(np.stack(frames), z_step_um=3.0, power="gained:5,300,60")
    np.testing.assert_array_equal(result.profile.power_mw, offline.power_mw)
    np.testing.assert_array_equal(result.profile.mean, offline.mean)
    np.testing.assert_allclose(result.profile.depth_um, offline.depth_um)
    dock.plots.plane_clicked.emit(0, 5)
    (layer,) = viewer.layers
    assert viewer.dims.point[0] == pytest.approx(15)
    np.testing.assert_array_equal(np.asarray(layer.data), np.stack(frames))
    core.mda.events.frameReady.disconnect()
    core.unloadAllDevices()


def test_the_demo_compares_two_stacks(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymmcore_plus", reason="pymmcore-plus is not installed")
    sample = PRESETS["sample"]
    phantom = Phantom(shape=(192, 192), field_um=300.0, depth_um=400.0)
    small = replace(sample, microscope=replace(sample.microscope, phantom=phantom), planes=8)
    monkeypatch.setitem(PRESETS, "sample", small)
    three_photon_demo(viewer)
    dock = viewer.window.dock_widgets["Live noise (napari-cop)"]
    tabs = dock.tabs
    effects = tabs.indexOf(dock.effects_page)
    assert not tabs.isTabVisible(effects)
    result = ended(qtbot, dock)
    assert isinstance(result, Comparison)
    np.testing.assert_array_equal(result.second.profile.power_mw, small.powers_mw["gained"])
    assert tabs.isTabVisible(effects)
    assert dock.bar.status.text() == "Done: 16 planes"
    fixed, gained = viewer.layers
    assert (fixed.name, gained.name) == ("fixed", "gained")
    dock.plots.plane_clicked.emit(0, 3)
    assert viewer.layers.selection.active == fixed
    offline = profile(np.asarray(gained.data), z_step_um=20.0)
    np.testing.assert_array_equal(result.second.profile.mean, offline.mean)
    dock.taken_out()
    assert np.asarray(gained.data)[7].any()  # layers outlive the widget


def test_a_demo_that_is_stopped_acquires_no_second_stack(
    viewer: Any, add: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymmcore_plus", reason="pymmcore-plus is not installed")
    sample = PRESETS["sample"]
    phantom = Phantom(shape=(192, 192), field_um=300.0, depth_um=600.0)
    microscope = replace(sample.microscope, phantom=phantom)
    # more planes than a busy machine can acquire until it stops
    small = replace(sample, microscope=microscope, planes=300, z_step_um=2.0)
    monkeypatch.setitem(PRESETS, "sample", small)
    dock = add(viewer)
    dock.runner.stepped.connect(lambda *_: len(dock._begun[0]) >= 3 and dock.runner.stop())
    # a busy machine has not drawn the beginning when the end comes
    dock.runner.opened.connect(lambda _: dock._turns.stop())
    dock.watch_demo()
    result = ended(qtbot, dock)
    assert isinstance(result, AnalysedProfile)
    assert result.name == "fixed"
    assert [shown.planes for shown in dock.link._shown] == [len(result.profile)]
    assert 3 <= len(result.profile) < 300
    assert not dock.tabs.isTabVisible(dock.tabs.indexOf(dock.effects_page))
    assert [layer.name for layer in viewer.layers] == ["fixed"]
    assert dock.bar.status.text().startswith("Stopped: ")
    assert dock.panel.text("state") == "stopped"


def test_a_layer_that_grows(viewer: Any, add: Any, qtbot: Any) -> None:
    layer = grown(PIXELS, 2, viewer, "stack")
    dock = add(viewer)
    form = dock.forms[0]
    form.choose_layer(layer)
    form.power.mode.value = "constant"
    dock.runner.stepped.connect(
        lambda *_: (
            len(dock._begun[0]) == len(layer.data) < 12
            and setattr(layer, "data", PIXELS[: len(layer.data) + 5])
        )
    )
    form.stopped_after_s.value = "1"
    start(qtbot, dock)
    result = ended(qtbot, dock)
    form.stopped_after_s.value = ""
    assert dock.panel.text("state") == "stopped growing"
    assert dock.bar.status.text().endswith("12 planes; the acquisition stopped growing")
    offline = profile(PIXELS, z_step_um=5.0, power=10.0)
    np.testing.assert_array_equal(result.profile.mean, offline.mean)
    np.testing.assert_array_equal(result.profile.power_mw, offline.power_mw)


def test_it_says_where_signal_will_be_lost(viewer: Any, add: Any, qtbot: Any) -> None:
    rng = np.random.default_rng(0)
    cells = np.kron(rng.gamma(1.0, 1.0, (12, 12)), np.ones((16, 16)))
    fall = np.exp(-np.arange(24) / 8)[:, None, None]
    dock = add(viewer)
    layer = grown(rng.poisson(20 + 900 * fall * cells).astype(np.uint16), 24, viewer, "stack")
    dock.forms[0].choose_layer(layer)
    said: list[str] = []

    def note(_: object) -> None:
        said.append(dock.answer.headline.text())
        dock.runner.stop()

    dock.runner.said.connect(note)
    start(qtbot, dock)
    ended(qtbot, dock)
    assert said
    assert re.match(r"After \d+ planes: stack: ", said[0])
    assert "signal will be lost near" in said[0]


def test_stopping_says_what_was_cut_short(viewer: Any, add: Any, qtbot: Any) -> None:
    dock = add(viewer)
    dock.forms[0].choose_layer(grown(PIXELS, 12, viewer, "stack"))
    dock.runner.stepped.connect(
        lambda news, _: len(dock._begun[0]) >= 4 and news.step.crops_put_off and dock.runner.stop()
    )
    start(qtbot, dock)
    result = ended(qtbot, dock)
    assert 4 <= len(result.profile) <= 12
    assert min(plane.n_crops for plane in result.profile.planes) < 4
    assert dock.bar.status.text().startswith("Stopped: ")
    assert "crops not yet read" in dock.remarks.toPlainText()
    assert dock.bar.export_button.isEnabled()


def test_a_removed_layer_is_let_go(viewer: Any, add: Any, qtbot: Any) -> None:
    layer = grown(PIXELS, 4, viewer, "stack")
    alive = weakref.ref(layer)
    dock = add(viewer)
    dock.forms[0].choose_layer(layer)

    def remove(*_: object) -> None:
        if len(dock._begun[0]) == 4 and len(viewer.layers):
            viewer.layers.clear()

    dock.runner.stepped.connect(remove)
    start(qtbot, dock)
    del layer
    result = ended(qtbot, dock)
    assert len(result.profile) == 4
    notification_manager.records.clear()
    dock.plots.plane_clicked.emit(0, 1)
    assert "the layer was removed" in notification_manager.records[-1].message
    assert dock.results.sources[0].pixels is None
    qtbot.waitUntil(lambda: gc.collect() is not None and alive() is None)


def test_waiting_stops_at_once_and_the_next_run_works(
    viewer: Any, add: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock = add(viewer)
    dock.forms[0].choose_folder(tmp_path / "nothing.zarr")
    keys = {s.key().toString(): s for s in dock.findChildren(QShortcut)}
    for _ in range(2):
        keys["Ctrl+Return"].activated.emit()
        qtbot.waitUntil(lambda: dock.panel.text("state") == "waiting for the first plane")
        keys["Esc"].activated.emit()
        qtbot.waitUntil(lambda: dock.runner.state is State.IDLE)
        assert dock.bar.status.text() == "Stopped: no plane was read"
    assert dock.results.result is None


def test_what_cannot_be_watched_is_told(viewer: Any, add: Any, qtbot: Any, tmp_path: Path) -> None:
    dock = add(viewer)
    notification_manager.records.clear()
    dock.forms[0].chosen.value = watch_form.FOLDER
    dock.forms[0].folder.line_edit.value = ""
    dock.run()
    assert "no folder is chosen" in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE
    text = tmp_path / "notes.tif"
    text.write_text("this is no image")
    dock.forms[0].choose_file(text)
    dock.forms[0].stopped_after_s.value = "0.5"
    with qtbot.waitSignal(dock.runner.finished):
        dock.run()
    dock.forms[0].stopped_after_s.value = ""
    assert "notes.tif" in notification_manager.records[-1].message
    assert dock.bar.run_button.isEnabled()


def test_closing_the_dock_lets_go_of_core_and_threads(viewer: Any, qtbot: Any) -> None:
    pytest.importorskip("pymmcore_plus", reason="pymmcore-plus is not installed")
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus.instance()  # kept: the widget must let go all the same
    threads = threading.active_count()
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
    dock.forms[0].chosen.value = watch_form.CORE
    dock.run()
    qtbot.waitUntil(lambda: bool(dock.plots.figure().axes))
    source = weakref.ref(dock._feeds[0].acquired)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: gc.collect() is not None and source() is None)
    assert threading.active_count() <= threads + 1  # Qt's pool keeps an idle one for a while
    assert not core.mda.is_running()


def test_without_micromanager_its_choices_are_grey(
    viewer: Any, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_cop.live.feeds.find_spec", lambda _name: None)
    box = add(viewer).forms[0].chosen.native
    for row in range(box.count()):
        named = box.itemText(row) in (watch_form.CORE, watch_form.DEMO)
        assert box.model().item(row).isEnabled() is not named
        tip = box.itemData(row, Qt.ItemDataRole.ToolTipRole)
        assert bool(tip and 'pip install "napari-cop[live]"' in tip) is named
    notification_manager.records.clear()
    three_photon_demo(viewer)
    assert "pip install" in notification_manager.records[-1].message


def test_choices_are_remembered(viewer: Any, add: Any) -> None:
    form = add(viewer).forms[0]
    form.chosen.value = watch_form.FILE
    form.stopped_after_s.value = "45"
    try:
        again = add(viewer).forms[0]
        assert again.chosen.value == watch_form.FILE
        assert float(again.stopped_after_s.given) == 45
    finally:
        form.chosen.value = watch_form.FOLDER
        form.stopped_after_s.value = ""


def planes(depths_um: list[float]) -> dict[int, PlaneEstimate]:
    nothing = np.zeros(1)
    return {
        i: PlaneEstimate(i, depth_um, np.nan, nothing, nothing, 1, 1.0)
        for i, depth_um in enumerate(depths_um)
    }


def test_the_depth_axis_has_room_for_planes_to_come() -> None:
    reading = PlanesSoFar(("a",), ("clean",), (np.empty(0),))
    assert reading.x_range() is None
    reading.planes[0].update(planes([0.0, 4.0, 8.0]))
    first = reading.x_range()
    assert first is not None
    assert first[0] < 0
    assert 8 < first[1] < 16
    reading.planes[0].update(planes([0.0, 4.0, 8.0, 12.0]))
    assert reading.x_range() == first  # there was room
    reading.planned[0] = 26
    assert reading.x_range() == pytest.approx((-2, 102))
    reading.planes[0].update(planes([0.0, 4.0, 8.0, 12.1]))
    assert reading.x_range() == pytest.approx((-2, 102))  # a stage that is not exact


def test_curves_are_drawn_ten_times_a_second_at_most(qtbot: Any) -> None:
    plots = LivePlots()
    qtbot.addWidget(plots)
    plots.show()
    for step in plots.begin(["a"], ["clean"], [4.0 * np.arange(400)]):
        step()
    qtbot.wait(500)
    drawings: list[float] = []
    plots.drawn.connect(drawings.append)
    for plane in planes([4.0 * i for i in range(200)]).values():
        plots.add(0, plane)
        qtbot.wait(5)
    qtbot.wait(300)
    assert len(drawings) >= 2
    gaps = np.diff(sorted(set(drawings)))
    assert gaps.min() > 0.09
