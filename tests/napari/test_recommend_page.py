"""The Power page: a recommendation for the stack that was read, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager

import cop_core as cop
from napari_cop.runner import State
from napari_cop.words import unbroken

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def read(viewer: Any, qtbot: Any) -> Any:
    """Return a Profile widget that has read the gained stack."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    dock.options.crops.value = "1"
    dock.forms[0].choose_file(SAMPLES / "gained.ome.zarr" / "zarr.json")
    dock.forms[0].power.mode.value = "table (CSV)"
    dock.forms[0].power.table.value = SAMPLES / "gained.csv"
    assert not dock.power.button.isEnabled()
    dock.run()
    qtbot.waitUntil(dock.power.button.isEnabled)
    yield dock
    dock.options.crops.value = ""
    dock.power.form.max_power_mw.value = ""
    assert dock.runner.state is State.IDLE


def test_the_limit_is_asked_for_and_kept(read: Any, qtbot: Any, tmp_path: Path) -> None:
    page = read.power
    page.form.max_power_mw.value = ""
    notification_manager.records.clear()
    page.recommend()
    said = "Limit (mW): no limit is set. Enter the highest power allowed."
    assert notification_manager.records[-1].message == said
    assert not page.export_button.isEnabled()
    page.form.max_power_mw.value = "40"
    page.form.surface_power.value = "5"
    with qtbot.waitSignal(page.recommended):
        page.recommend()
    found = page.found
    stack = cop.open_stack(SAMPLES / "gained.ome.zarr", power=SAMPLES / "gained.csv")
    alone = cop.recommend_power(stack, max_power_mw=40.0, surface_power=5.0)
    np.testing.assert_array_equal(found.power_mw, alone.power_mw)
    assert found.power_mw.max() == 40
    assert "deeper, the limit of 40\xa0mW applies" in page.status.text()
    assert "limit of 40 mW" in page.notes.toPlainText()
    assert page.notes.toPlainText().startswith("• three-photon excitation is assumed: ")
    assert "choose two-photon excitation.\n" in page.notes.toPlainText()
    assert "--" not in page.notes.toPlainText()
    lengths = "; ".join(
        f"{layer.length_text} to {layer.bottom_um:.0f} µm" for layer in alone.attenuation.layers
    )
    assert page.status.text().endswith(unbroken(f" Attenuation length [95 % CI]: {lengths}."))
    assert len(page.plot.figure().axes) == 3
    page.form.follow_um.value = "0"
    with qtbot.waitSignal(page.recommended):
        page.recommend()
    law = cop.recommend_power(stack, max_power_mw=40.0, surface_power=5.0, follow_um=0)
    np.testing.assert_array_equal(page.found.power_mw, law.power_mw)
    assert "only the exponential law is followed" in page.notes.toPlainText()
    assert not np.array_equal(law.power_mw, alone.power_mw)
    recommended = page.status.text()
    page.export.write(page.found, str(tmp_path / "power"))
    qtbot.waitUntil(lambda: not page.export.writing)
    folder = tmp_path / "power"
    assert page.status.text() == f"{recommended}\nPower written to {folder}"
    names = {p.name for p in (tmp_path / "power").rglob("*.*")}
    assert {"recommendation.json", "power.csv", "plan.json", "power.svg"} <= names
    again = cop.open_stack(SAMPLES / "gained.ome.zarr", power=tmp_path / "power" / "power.csv")
    np.testing.assert_allclose(again.power_mw, law.power_mw, rtol=1e-6)


def test_the_power_to_use_next_is_part_of_the_answer(viewer: Any, qtbot: Any) -> None:
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    files = SAMPLES / "fixed.ome.tif", SAMPLES / "gained.ome.zarr" / "zarr.json"
    for form, file, table in zip(dock.forms, files, ("fixed", "gained"), strict=True):
        form.choose_file(file)
        form.power.mode.value = "table (CSV)"
        form.power.table.value = SAMPLES / f"{table}.csv"
    dock.options.crops.value = "1"
    dock.power.form.max_power_mw.value = ""  # not one from last time
    notification_manager.records.clear()
    with qtbot.waitSignal(dock.power.recommended):
        dock.run()
    said = dock.answer.next_power.text()
    assert said.startswith(unbroken("To hold shot noise at 20 % (three-photon excitation assumed)"))
    assert unbroken("to 60 mW at ") in said
    assert said == unbroken(dock.power.found.verdict)
    assert dock.tabs.currentWidget() is dock.answer
    assert not notification_manager.records
    dock.options.crops.value = ""
    dock.power.form.max_power_mw.value = ""


def test_a_recommendation_for_other_settings_is_neither_exported_nor_acquired(
    read: Any, qtbot: Any
) -> None:
    page = read.power
    page.form.max_power_mw.value = "40"
    with qtbot.waitSignal(page.recommended):
        page.recommend()
    assert "(three-photon excitation assumed)" in page.status.text()
    buttons = page.export_button, page.acquire_button
    for field, other in (
        ("max_power_mw", "30"), ("max_power_mw", ""), ("excitation_order", 2),
    ):  # fmt: skip
        before = page.form[field].value
        page.form[field].value = other
        assert page.stale
        assert page.status.text().startswith("The settings have changed since ")
        assert not any(button.isEnabled() for button in buttons)
        page.form[field].value = before
        assert not page.stale
        assert "have changed" not in page.status.text()
        assert all(button.isEnabled() for button in buttons)
    page.more.laser.value = "Laser-Power"  # of the acquisition, not of the power
    assert not page.stale
    page.form.excitation_order.value = 2
    page.recommend()
    page.runner.stop()  # what is shown stays that for the settings before
    qtbot.waitUntil(lambda: page.runner.state is State.IDLE)
    assert page.stale
    assert not any(button.isEnabled() for button in buttons)
    with qtbot.waitSignal(page.recommended):
        page.recommend()
    assert not page.stale
    assert "assumed" not in page.status.text()
    page.form.excitation_order.value = before


def test_a_recommended_power_is_acquired_and_watched(read: Any, qtbot: Any) -> None:
    pytest.importorskip("mm_test_adapters", reason="mm-test-adapters is not installed")
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus.instance()
    core.unloadAllDevices()
    page, form = read.power, read.forms[0]
    form.choose_file(SAMPLES / "fixed.ome.tif")
    form.power.mode.value = "constant"
    form.power.constant_mw.value = 5
    form.z_step_um.value = "5"  # the demo's stage goes to 300 µm
    with qtbot.waitSignal(read.runner.finished):
        read.run()
    qtbot.waitUntil(lambda: not read._turns.isActive())  # all is shown
    page.form.max_power_mw.value = "40"
    page.form.surface_power.value = "5"
    with qtbot.waitSignal(page.recommended):
        page.recommend()
    notification_manager.records.clear()
    page.acquire_button.click()
    assert "no Micro-Manager core with a camera" in notification_manager.records[-1].message
    core.loadSystemConfiguration()
    page.acquire_button.click()
    assert "no property 'Power_mW'" in notification_manager.records[-1].message
    # the demo has no laser: the camera's exposure takes the same numbers
    page.more.laser.value = "Camera-Exposure"
    frames: list[float] = []
    core.mda.events.frameReady.connect(
        lambda _image, event, _meta: frames.append(event.properties[-1].property_value)
    )
    page.acquire_button.click()
    assert "60 planes" in page.plan_note.text()
    assert "Camera-Exposure 5 to 40 mW" in page.plan_note.text()
    assert not core.mda.is_running()
    found = page.found
    page.acquire_button.click()
    live = read.viewer.window.add_plugin_dock_widget("napari-cop", "Live noise")[1]
    qtbot.waitUntil(lambda: len(frames) == 60)
    qtbot.waitUntil(lambda: live.runner.state is State.IDLE)
    np.testing.assert_allclose(frames, found.power_mw)
    result = live.results.result.profile
    assert len(result) == 60
    np.testing.assert_allclose(result.power_mw, found.power_mw, rtol=1e-3)
    page.more.laser.value = ""
    live.taken_out()
    core.mda.events.frameReady.disconnect()
    core.unloadAllDevices()


def test_a_power_that_is_missing_is_asked_for_on_its_page(read: Any, qtbot: Any) -> None:
    read.forms[0].power.mode.value = "as the file states"
    read.run()
    qtbot.waitUntil(lambda: read.bar.status.text().startswith("Done"))
    page = read.power
    page.form.max_power_mw.value = "40"
    with qtbot.waitSignal(page.failed):
        page.recommend()
    assert '"Power" (on Input): constant, as a table (CSV)' in page.status.text()
    assert '"Power" (on Input)' in notification_manager.records[-1].message


def test_a_limit_that_is_none_is_told(read: Any, qtbot: Any) -> None:
    page = read.power
    for limit in ("-3", "1e9"):
        page.form.max_power_mw.value = limit
        notification_manager.records.clear()
        with qtbot.waitSignal(page.failed):
            page.recommend()
        assert "Limit (mW)" in notification_manager.records[-1].message
        assert page.button.isEnabled()
        assert page.found is None
