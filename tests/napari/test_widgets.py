"""The Profile and Compare widgets in a real napari, with the shipped weights."""

from __future__ import annotations

import gc
import shlex
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

import pandas as pd
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QShortcut
from qtpy.QtWidgets import QApplication

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.reading import profile
from cop_core.records import NO_SIGNAL, NOT_READ, Comparison, DepthProfile, PlaneEstimate
from napari_cop.noise_map import is_map, noise_maps
from napari_cop.runner import State
from napari_cop.words import planes_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_cop.dock import NoiseDock

SAMPLES = Path(__file__).parents[2] / "sample_data"
SHOWN = (SAMPLES / "fixed.ome.tif", SAMPLES / "gained.ome.zarr")


@pytest.fixture
def window(viewer: Any) -> Any:
    """Return a viewer with the sample pair open."""
    viewer.open_sample("napari-cop", "three_photon_pair")
    return viewer


@pytest.fixture
def add(qtbot: Any) -> Iterator[Callable[..., Any]]:
    """Dock a widget by its name, with a single crop per plane to keep tests quick."""
    docked: list[NoiseDock] = []

    def dock(viewer: Any, name: str) -> Any:
        _, widget = viewer.window.add_plugin_dock_widget("napari-cop", name)
        widget.options.crops.value = "1"
        docked.append(widget)
        return widget

    yield dock
    for widget in docked:
        widget.options.crops.value = ""
        widget.runner.stop()
        qtbot.waitUntil(lambda w=widget: w.runner.state is State.IDLE)


def finish(qtbot: Any, dock: Any) -> Any:
    with qtbot.waitSignal(dock.runner.finished):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    return dock.results.result


def settle(qtbot: Any, dock: Any) -> None:
    """Wait until the result is shown, which takes a few turns of the event loop."""
    qtbot.waitUntil(lambda: dock.bar.status.text().startswith(("Done", "Stopped:")))


def turned(degrees: float) -> Any:
    """Return a rotation in the last two of four dimensions."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[2:, 2:] = [[c, -s], [s, c]]
    return matrix


def colours(widget: Any) -> int:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    step = range(0, image.width(), 3)
    return len({image.pixel(x, y) for x in step for y in range(0, image.height(), 3)})


def test_two_clicks_compare_the_sample_pair(
    make_viewer: Callable[..., Any], add: Any, qtbot: Any
) -> None:
    window = make_viewer(show=True)
    window.window._qt_window.resize(1280, 800)
    window.open_sample("napari-cop", "three_photon_pair")
    dock = add(window, "Compare protocols")
    assert [form.layer.name for form in dock.forms] == ["fixed [green]", "gained"]
    result = finish(qtbot, dock)
    assert isinstance(result, Comparison)
    assert result.second.profile.power_mw[-1] == 60
    assert dock.bar.status.text() == "Done: 120 planes, 37 without signal left out"
    remarks = [f"• {caveat}." for caveat in result.caveats]
    assert dock.remarks.toPlainText() == ("\n\n".join(remarks) or "None.")
    assert len(dock.table.text().splitlines()) == 1 + len(result.components)
    tabs = dock.tabs
    for index in range(tabs.count()):
        tabs.setCurrentIndex(index)
        page = tabs.widget(index)
        qtbot.waitUntil(lambda page=page: colours(page) > 20)
    picture = window.screenshot(canvas_only=True, flash=False)
    assert len(np.unique(picture[..., :3])) > 50


def test_layers_added_later_are_chosen_by_name(viewer: Any, add: Any) -> None:
    dock = add(viewer, "Compare protocols")
    assert [form.layer for form in dock.forms] == [None, None]
    viewer.open_sample("napari-cop", "three_photon_pair")
    assert [form.layer.name for form in dock.forms] == ["fixed [green]", "gained"]


def test_points_and_planes_are_linked(window: Any, add: Any, qtbot: Any) -> None:
    dock = add(window, "Compare protocols")
    finish(qtbot, dock)
    fixed, gained = window.layers
    dock.plots.plane_clicked.emit(1, 7)
    assert window.dims.current_step[0] == 7
    assert window.layers.selection.active is gained
    dock.plots.plane_clicked.emit(0, 11)
    assert window.layers.selection.active is fixed
    with qtbot.waitSignal(dock.link.plane_shown) as shown:
        window.dims.set_current_step(0, 23)
    assert shown.args == [0, 23]
    window.layers.selection.active = gained
    with qtbot.waitSignal(dock.link.plane_shown) as shown:
        window.dims.set_current_step(0, 24)
    assert shown.args == [1, 24]
    window.layers.remove(fixed)
    dock.plots.plane_clicked.emit(0, 5)  # its file is opened again
    assert window.dims.current_step[0] == 5
    assert window.layers.selection.active.name == "fixed [green]"


def test_a_translated_stack_is_still_found(window: Any, add: Any, qtbot: Any) -> None:
    window.layers.remove("fixed [green]")
    window.layers["gained"].translate = (200, 0, 0)
    dock = add(window, "Noise profile")
    finish(qtbot, dock)
    dock.plots.plane_clicked.emit(0, 9)
    assert window.dims.point[0] == pytest.approx(200 + 9 * 20)


def test_cancel_keeps_what_was_read_and_the_next_run_works(
    window: Any, add: Any, qtbot: Any
) -> None:
    dock = add(window, "Compare protocols")
    dock.runner.plane_read.connect(
        lambda protocol, plane: plane.index == 5 and dock.bar.cancel_button.click()
    )
    result = finish(qtbot, dock)
    reasons = Counter(
        p.reason for p in (*result.first.profile.planes, *result.second.profile.planes)
    )
    assert reasons[NOT_READ] >= 60
    n_read = 120 - reasons[NOT_READ]
    assert dock.bar.status.text().startswith(f"Stopped: {n_read} of 120 planes read")
    assert dock.bar.export_button.isEnabled()
    dock.runner.plane_read.disconnect()
    assert NOT_READ not in {p.reason for p in finish(qtbot, dock).second.profile.planes}


def test_a_bad_file_is_told_and_leaves_everything_idle(
    window: Any, add: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock = add(window, "Noise profile")
    text = tmp_path / "notes.tif"
    text.write_text("this is no image")
    dock.forms[0].choose_file(text)
    notification_manager.records.clear()
    with qtbot.waitSignal(dock.runner.failed):
        dock.run()
    (said,) = notification_manager.records
    assert "notes.tif" in said.message
    assert dock.bar.run_button.isEnabled()
    assert not dock.bar.cancel_button.isEnabled()
    assert not dock.bar.export_button.isEnabled()
    dock.forms[0].choose_file(SAMPLES / "gained.ome.zarr" / "zarr.json")
    assert len(finish(qtbot, dock).profile) == 60


def test_missing_input_is_asked_for(window: Any, add: Any) -> None:
    dock = add(window, "Noise profile")
    dock.forms[0].choose_layer(window.add_image(np.zeros((5, 64, 64)), name="bare"))
    notification_manager.records.clear()
    dock.run()
    assert dock.runner.state is State.IDLE
    assert "its z step is not known" in notification_manager.records[-1].message


def test_a_stack_that_is_not_chosen_is_named_until_it_is(viewer: Any, add: Any) -> None:
    dock = add(viewer, "Compare protocols")
    dock.forms[0].choose_file(SHOWN[0])
    dock.run()
    said = "Second stack: no file is chosen. Choose a file of the stack."
    assert dock.bar.status.text() == f"Failed: {said}"
    dock.forms[1].choose_file(SHOWN[1] / "zarr.json")
    assert dock.bar.status.text() == "Ready"


def test_an_error_names_the_stack_that_it_is_about(viewer: Any, add: Any) -> None:
    dock = add(viewer, "Compare protocols")
    for form, path in zip(dock.forms, (SHOWN[0], SHOWN[1] / "zarr.json"), strict=True):
        form.choose_file(path)
    dock.forms[1].z_step_um.value = "-2"
    dock.run()
    assert dock.bar.status.text().startswith("Failed: Second stack: ")


def test_an_error_of_reading_names_the_stack_as_it_was_chosen(
    viewer: Any, add: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock = add(viewer, "Compare protocols")
    copied, text = tmp_path / "copied.ome.tif", tmp_path / "notes.tif"
    copied.write_bytes(SHOWN[0].read_bytes())
    text.write_text("this is no image")
    (layer,) = viewer.open(copied, plugin="napari-cop")
    layer.name = "monday"
    dock.forms[0].choose_file(SHOWN[1] / "zarr.json")
    for choose, said in (
        (lambda: dock.forms[1].choose_file(text), f"Second stack: {text}: the file is not a TIFF"),
        (lambda: dock.forms[1].choose_layer(layer), f"Second stack: layer 'monday': {copied}: "),
    ):
        choose()
        copied.write_text("this is no image either")
        notification_manager.records.clear()
        with qtbot.waitSignal(dock.runner.failed):
            dock.run()
        (told,) = notification_manager.records
        assert told.message.startswith(said)
        assert dock.bar.status.text() == f"Failed: {told.message}"


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        (["", "", ""], "3 planes"),
        ([""], "1 plane"),
        (["", NO_SIGNAL, NO_SIGNAL], "3 planes, 2 without signal left out"),
        (["", "constant"], "2 planes, 1 left out"),
        (["", "constant", NO_SIGNAL], "3 planes, 2 left out (1 without signal)"),
        (["", NO_SIGNAL, NOT_READ], "2 of 3 planes read, 1 without signal left out"),
    ],
)
def test_planes_are_counted_by_what_became_of_them(reasons: list[str], text: str) -> None:
    none = np.full(6, np.nan)
    planes = tuple(
        PlaneEstimate(i, 5.0 * i, 1.0, none, none, 0, 400.0, reason)
        for i, reason in enumerate(reasons)
    )
    assert planes_text([DepthProfile("one", DEFAULT_COMPONENTS, planes)]) == text


@pytest.mark.slow
def test_exported_files_and_the_copied_command_agree(
    window: Any, add: Any, qtbot: Any, tmp_path: Path, run: Any, quick_figures: None
) -> None:
    dock = add(window, "Compare protocols")
    dock.options.rule.value = "paper"
    try:
        finish(qtbot, dock)
        dock.results.export.write(dock.results.result, str(tmp_path / "gui"))
        qtbot.waitUntil(lambda: "Report written" in dock.bar.status.text())
        dock.results.copy_command()
    finally:
        dock.options.rule.value = "default"
    names = {p.name for p in (tmp_path / "gui").rglob("*.*")}
    assert {"report.json", "planes.csv", "profile.svg", "effects.pdf", "effects.png"} <= names
    words = shlex.split(QApplication.clipboard().text())
    assert words[:2] == ["cop", "compare"]
    words[words.index("-o") + 1] = str(tmp_path / "cli")
    code, _, err = run(*words[1:])
    assert code == 0, err
    gui, cli = (pd.read_csv(tmp_path / side / "planes.csv") for side in ("gui", "cli"))
    pd.testing.assert_frame_equal(gui, cli, rtol=0, atol=1e-6)
    assert "paper" in (tmp_path / "cli" / "report.json").read_text()


def test_what_the_command_line_offers_is_there_too(
    viewer: Any, add: Any, qtbot: Any, tiny_weights: Path, counts: Any
) -> None:
    labels = {"axis_labels": ("z", "y", "x"), "units": ("um",) * 3, "scale": (5, 1, 1)}
    for seed, name in enumerate(("fixed", "gained")):
        viewer.add_image(counts(12, 96, seed), name=name, **labels)
    dock = add(viewer, "Compare protocols")
    options, told = dock.options, []
    dock.runner.opened.connect(told.append)
    options.weights.choice.value = "file"
    options.weights.file.value = tiny_weights
    options.window_um.value = "10:"
    options.margin_per_100_um.value = "0.01"
    options.tissue.value = "same"
    options.precision.value = "float32"
    options.sensitivity.value = True
    dock.forms[1].more["name"].value = "ramped"
    try:
        result = finish(qtbot, dock)
    finally:
        options.weights.choice.value = "default"
    assert len(told) == 1
    assert (result.options.tissue, result.options.margin_per_100_um) == ("same", 0.01)
    assert [each.name for each in result.analysed] == ["fixed", "ramped"]
    for each in result.analysed:
        assert each.profile.window_um == (10, None)
        assert each.profile.provenance.precision == "float32"
        assert {*each.sensitivity} == {"stack-percentile", "plane-minmax"}
    dock.options.window_um.value = "9000:"
    notification_manager.records.clear()
    with qtbot.waitSignal(dock.runner.failed):
        dock.run()
    assert "no plane lies" in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE


def test_layers_may_be_renamed_edited_and_removed_under_way(
    window: Any, add: Any, qtbot: Any
) -> None:
    dock = add(window, "Compare protocols")

    def meddle(protocol: int, plane: Any) -> None:
        if (protocol, plane.index) == (0, 3):
            window.layers["fixed [green]"].name = "other"
            window.layers["gained"].data = np.asarray(window.layers["gained"].data) + 1
            window.layers.remove("other")

    dock.runner.plane_read.connect(meddle)
    result = finish(qtbot, dock)
    assert len(result.first.profile) == len(result.second.profile) == 60
    assert "edited while it was being read" in dock.remarks.toPlainText()


def test_noise_maps_cover_the_stack(window: Any, add: Any, qtbot: Any) -> None:
    dock = add(window, "Noise profile")
    dock.forms[0].choose_layer(window.layers["gained"])
    finish(qtbot, dock)
    notification_manager.records.clear()
    dock.results.show_noise_maps("poisson")
    assert "a map cannot be made from random crops" in notification_manager.records[-1].message
    dock.options.crops.value = ""
    result = finish(qtbot, dock).profile
    gained = window.layers["gained"]
    actions = {action.text(): action for action in dock.bar.map_button.menu().actions()}
    actions["Gaussian"].trigger()
    actions["Shot noise (Poisson)"].trigger()
    (shown,) = [layer for layer in window.layers if is_map(layer)]
    assert shown.name == "gained: Shot noise (Poisson), %"
    assert shown.data.shape == (60, 2, 2)
    for cell, pixel in (((3, -0.5, -0.5), (3, -0.5, -0.5)), ((4, 1.5, 1.5), (4, 255.5, 255.5))):
        np.testing.assert_allclose(shown.data_to_world(cell), gained.data_to_world(pixel))
    np.testing.assert_allclose(
        shown.data.mean((1, 2))[result.kept], 100 * result.of("poisson")[result.kept], rtol=1e-5
    )
    assert shown.visible
    assert shown not in dock.forms[0].chosen.choices


def test_planes_read_in_part_make_no_map(counts: Any, tiny_estimator: Any) -> None:
    whole = profile(counts(3, 256), z_step_um=2.0, estimator=tiny_estimator)
    assert all(np.isfinite(values).all() for values in noise_maps(whole).values())
    parts = [replace(p, n_crops=n, strengths=p.strengths[:n]) for n, p in enumerate(whole.planes)]
    with pytest.raises(InputError, match="no plane was read in full"):
        noise_maps(replace(whole, planes=tuple(parts)))
    mixed = noise_maps(replace(whole, planes=(parts[1], parts[2], whole.planes[2])))
    for values in mixed.values():
        assert np.isnan(values[:2]).all()
        assert np.isfinite(values[2]).all()


def test_noise_maps_follow_a_turned_layer_and_its_time(viewer: Any, add: Any, qtbot: Any) -> None:
    pixels = np.random.default_rng(0).poisson(40, (3, 4, 256, 256)).astype(np.uint16)
    pixels[..., 60:200, 60:200] += 200
    layer = viewer.add_image(
        pixels,
        name="series",
        axis_labels=("t", "z", "y", "x"),
        scale=(1, 5, 2, 2),
        units=("s", "um", "um", "um"),
        rotate=turned(30),
        affine=np.diag([1.0, 1, 1.5, 1.5, 1]),
    )
    viewer.dims.set_current_step(0, 2)
    dock = add(viewer, "Noise profile")
    dock.options.crops.value = ""
    finish(qtbot, dock)
    dock.results.show_noise_maps("poisson")
    added = next(x for x in viewer.layers if is_map(x))
    assert added.data.shape == (1, 4, 2, 2)
    np.testing.assert_allclose(
        added.data_to_world((0, 1, 1.5, -0.5)), layer.data_to_world((2, 1, 255.5, -0.5))
    )
    viewer.dims.set_current_step(0, 0)
    dock.plots.plane_clicked.emit(0, 3)
    assert viewer.dims.current_step[:2] == (2, 3)


def test_one_plane_and_no_plane_are_results_too(viewer: Any, add: Any, qtbot: Any) -> None:
    dock = add(viewer, "Noise profile")
    labels = {"axis_labels": ("z", "y", "x"), "units": ("um",) * 3}
    dock.forms[0].choose_layer(viewer.add_image(np.zeros((3, 64, 64)), name="empty", **labels))
    result = finish(qtbot, dock).profile
    assert {p.reason for p in result.planes} == {"constant"} or not result.kept.any()
    assert dock.bar.export_button.isEnabled()


def test_the_same_stack_twice_is_refused(window: Any, add: Any) -> None:
    dock = add(window, "Compare protocols")
    dock.forms[1].choose_layer(dock.forms[0].layer)
    notification_manager.records.clear()
    dock.run()
    assert "the same stack is selected for both" in notification_manager.records[-1].message


def test_a_hidden_plot_may_be_redrawn_while_it_is_drawn(window: Any, add: Any, qtbot: Any) -> None:
    dock = add(window, "Noise profile")
    finish(qtbot, dock)
    dock.plots.canvas.draw_idle()
    qtbot.wait(15)
    dock.plots.rebuild()
    qtbot.wait(200)
    assert dock.plots.figure().axes


def test_the_theme_is_followed(window: Any, add: Any, qtbot: Any) -> None:
    dock = add(window, "Compare protocols")
    finish(qtbot, dock)
    dark = dock.plots.figure().get_facecolor()
    window.theme = "light"
    assert sum(dock.plots.figure().get_facecolor()[:3]) > sum(dark[:3]) + 1
    window.theme = "dark"


def test_keys_run_and_stop(window: Any, add: Any, qtbot: Any) -> None:
    dock = add(window, "Noise profile")
    # without a window manager no window is active, and keys do not reach shortcuts
    keys = {s.key().toString(): s for s in dock.findChildren(QShortcut)}
    assert {"Ctrl+Return", "Esc"} <= set(keys)
    dock.runner.opened.connect(lambda _: keys["Esc"].activated.emit())
    with qtbot.waitSignal(dock.runner.finished):
        keys["Ctrl+Return"].activated.emit()
    settle(qtbot, dock)
    assert dock.bar.status.text().startswith("Stopped")


def test_opening_and_closing_leaves_nothing(window: Any, qtbot: Any) -> None:
    from napari_cop.dock import NoiseDock

    def left() -> tuple[int, int, int]:
        gc.collect()
        docks = [w for w in QApplication.allWidgets() if isinstance(w, NoiseDock)]
        callbacks = len(window.dims.events.current_step.callbacks)
        return len(docks), callbacks, threading.active_count()

    before = left()
    for name in ("Noise profile", "Compare protocols") * 10:
        _, widget = window.window.add_plugin_dock_widget("napari-cop", name)
        qtbot.wait(20)
        window.window.remove_dock_widget(widget)
        del widget
        qtbot.wait(20)
    qtbot.waitUntil(lambda: left()[0] == before[0])
    assert left()[1:] == before[1:]


def test_closing_the_window_during_a_run_is_quiet(viewer: Any, qtbot: Any, capfd: Any) -> None:
    viewer.open_sample("napari-cop", "three_photon_pair")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    dock.options.crops.value = "1"
    with qtbot.waitSignal(dock.runner.plane_read):
        dock.run()
    dock.options.crops.value = ""
    viewer.close()
    qtbot.wait(1500)
    assert "Traceback" not in capfd.readouterr().err


def test_export_from_the_menu(
    window: Any, add: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cop.commands import export_report
    from napari_cop.results import Results

    dock = add(window, "Noise profile")
    notification_manager.records.clear()
    export_report(window)
    assert "There is no result yet" in notification_manager.records[-1].message
    finish(qtbot, dock)
    asked: list[Any] = []

    def note(results: Results) -> None:
        asked.append(results)

    monkeypatch.setattr(Results, "ask_and_export", note)
    export_report(window)
    assert asked == [dock.results]
