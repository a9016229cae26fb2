"""The answer in a real napari: sentence, depths, next step, and display of a clicked plane."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QDockWidget, QPushButton, QScrollArea
from superqt import QCollapsible

from cop_core.records import DepthLimit
from cop_core.report import parts_of
from napari_cop.answer_page import down_to
from napari_cop.noise_map import is_map
from napari_cop.runner import State
from napari_cop.words import unbroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LABELLED: dict[str, Any] = {
    "axis_labels": ("z", "y", "x"), "units": ("um",) * 3, "scale": (5, 1, 1)
}  # fmt: skip


@pytest.fixture
def window(make_viewer: Callable[..., Any], counts: Callable[..., Any]) -> Any:
    """Give a visible window with two stacks, the second one far brighter."""
    viewer = make_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    viewer.add_image(counts(12, 192, 0), name="monday", **LABELLED)
    viewer.add_image(20 * counts(12, 192, 1), name="tuesday", **LABELLED)
    return viewer


@pytest.fixture
def open_dock(window: Any, tiny_weights: Path, qtbot: Any) -> Iterator[Callable[..., Any]]:
    """Dock a widget by its name, with a small network."""
    docked: list[Any] = []

    def dock(name: str = "Compare protocols") -> Any:
        _, widget = window.window.add_plugin_dock_widget("napari-cop", name)
        widget.options.weights.choice.value = "file"
        widget.options.weights.file.value = tiny_weights
        docked.append(widget)
        return widget

    yield dock
    for widget in docked:
        widget.options.weights.choice.value = "default"
        widget.options.crops.value = ""
        widget.runner.stop()
        qtbot.waitUntil(lambda w=widget: w.runner.state is State.IDLE)


def finish(qtbot: Any, dock: Any) -> Any:
    with qtbot.waitSignal(dock.runner.finished):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.bar.status.text().startswith("Done"))
    return dock.results.result


def drawn(qtbot: Any, plots: Any) -> None:
    qtbot.waitUntil(lambda: not plots.canvas.drawing)


def click_plane(qtbot: Any, plots: Any, protocol: int, plane: int) -> None:
    """Click with the mouse on the point of a plane."""
    drawn(qtbot, plots)
    ((ax, x, y), *_) = plots._sheet.rings(protocol, plane)
    at = ax.transData.transform((x, y)) / plots.canvas.device_pixel_ratio
    point = QPoint(round(at[0]), round(plots.canvas.height() - at[1]))
    qtbot.mouseClick(plots.canvas, Qt.MouseButton.LeftButton, pos=point)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (DepthLimit(depth_um=145.2), "to 145 µm"),
        (DepthLimit(deeper_than_um=600.0), "> 600 µm"),
        (DepthLimit(shallower_than_um=20.0), "< 20 µm"),
        (DepthLimit(), "unknown"),
    ],
)
def test_depths_read_as_words(limit: DepthLimit, said: str) -> None:
    assert down_to(limit) == said


# --- the answer ----------------------------------------------------------------------------------


def test_the_page_that_comes_up_begins_with_the_verdict(open_dock: Any, qtbot: Any) -> None:
    dock = open_dock()
    result = finish(qtbot, dock)
    assert dock.tabs.tabText(dock.tabs.currentIndex()) == "Answer"
    page = dock.answer
    assert page.headline.text() == parts_of(unbroken(result.verdict)).headline
    assert page.headline.isVisible()
    assert [each.name for each in result.analysed] == ["monday", "tuesday"]
    assert "monday" in page.depths.text()
    assert "signal" in page.depths.text()
    assert "monday, from layer 'monday': 12 planes\n" in page.settings.text()
    assert "Crops per plane: every pixel" in page.settings.text()
    assert page.power_button.isVisible()
    assert page.study_button.isVisible()
    assert not page.other_button.isVisible()


def test_a_stack_alone_leads_to_the_other_protocol(open_dock: Any, qtbot: Any, window: Any) -> None:
    dock = open_dock("Noise profile")
    dock.forms[0].choose_layer(window.layers["tuesday"])
    finish(qtbot, dock)
    qtbot.mouseClick(dock.answer.other_button, Qt.MouseButton.LeftButton)
    docks = {d.name: d for d in window.window._qt_window.findChildren(QDockWidget)}
    compare = docks["Compare protocols (napari-cop)"]
    assert compare.inner_widget().forms[0].layer.name == "tuesday"
    qtbot.waitUntil(
        lambda: (
            docks["Noise profile (napari-cop)"]
            in window.window._qt_window.tabifiedDockWidgets(compare)
        )
    )


def test_a_sentence_grows_while_planes_are_read(open_dock: Any, qtbot: Any) -> None:
    dock = open_dock("Noise profile")
    said: list[str] = []
    dock.runner.said.connect(lambda _: said.append(dock.answer.headline.text()))
    ends = []
    dock.runner.stepped.connect(
        lambda news, _: ends.append(dock.answer.headline.text()) if news.step.ended else None
    )
    finish(qtbot, dock)
    assert all(re.match(r"After \d+ planes: ", text) for text in said)
    assert not dock.answer.headline.text().startswith("After")
    assert ends == [""]  # nothing of some planes beside the curve of all


def test_numbers_stay_on_one_line_with_their_units() -> None:
    assert unbroken("down to 833 µm: 20 % (µm)") == "down to 833\xa0µm: 20\xa0% (µm)"
    assert unbroken("from 5 to 60 mW (mW)") == "from 5 to 60\xa0mW (mW)"


def test_a_result_of_other_settings_is_marked(open_dock: Any, qtbot: Any, window: Any) -> None:
    dock = open_dock()
    finish(qtbot, dock)
    assert not dock.answer.stale.isVisible()
    dock.options.crops.value = "3"
    assert dock.answer.stale.isVisible()
    dock.options.crops.value = ""
    assert not dock.answer.stale.isVisible()
    dock.forms[0].z_step_um.value = "7"
    assert dock.answer.stale.isVisible()
    dock.forms[0].z_step_um.value = "5"
    assert not dock.answer.stale.isVisible()
    window.layers["monday"].name = "Monday"
    assert not dock.answer.stale.isVisible()  # a name changes no number
    window.layers["Monday"].name = "monday"
    window.layers["monday"].data = window.layers["monday"].data + 1
    assert dock.answer.stale.isVisible()
    assert "have changed" in dock.answer.stale.text()
    window.layers.remove("monday")
    assert "is no longer chosen" in dock.answer.stale.text()


def test_a_result_that_stays_after_a_failed_run_is_marked(
    open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = open_dock()
    finish(qtbot, dock)
    first = dock.answer.headline.text()
    with monkeypatch.context() as patched, qtbot.waitSignal(dock.runner.failed):
        patched.setattr("napari_cop.dock.opened_in_memory", lambda _: 1 / 0)
        dock.run()
    qtbot.waitUntil(lambda: not dock._steps)
    assert dock.answer.headline.text() == first
    assert dock.answer.stale.isVisible()
    assert "The last run failed" in dock.answer.stale.text()
    finish(qtbot, dock)
    assert not dock.answer.stale.isVisible()


# --- what is clicked is shown --------------------------------------------------------------------


def test_the_plane_of_the_clicked_stack_comes_to_the_front(
    open_dock: Any, qtbot: Any, window: Any
) -> None:
    dock = open_dock()
    finish(qtbot, dock)
    monday, tuesday = window.layers
    curves = [each.profile.of("poisson") for each in dock.results.result.analysed]
    chosen = int(np.argmax(np.abs(curves[0] - curves[1])))
    for protocol, layer, other in ((0, monday, tuesday), (1, tuesday, monday)):
        click_plane(qtbot, dock.answer.plots, protocol, chosen)
        assert window.layers[-1] == layer
        assert layer.visible
        assert not other.visible
        assert window.dims.current_step[0] == chosen
        plane = np.asarray(layer.data[chosen])
        np.testing.assert_allclose(layer.contrast_limits, np.percentile(plane, (0.1, 99.9)))
        ring = next(iter(dock.answer.plots._overlay._rings.values()))
        value = 100 * curves[protocol][chosen]
        assert ring.get_visible()
        assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((5.0 * chosen, value))


def test_one_noise_map_a_stack_on_one_scale(open_dock: Any, qtbot: Any, window: Any) -> None:
    dock = open_dock()
    finish(qtbot, dock)
    chosen = window.layers.selection.active
    for component in ("gaussian", "poisson", "poisson"):
        dock.bar.map.emit(component)
        assert window.layers.selection.active == chosen
    maps = [layer for layer in window.layers if is_map(layer)]
    assert [layer.name for layer in maps] == [
        "monday: Shot noise (Poisson), %",
        "tuesday: Shot noise (Poisson), %",
    ]
    assert maps[0].contrast_limits == maps[1].contrast_limits
    for form in dock.forms:
        assert not {*maps} & {*form.chosen.choices}
    click_plane(qtbot, dock.answer.plots, 0, 3)
    assert [layer.name for layer in window.layers if layer.visible] == ["monday", maps[0].name]


# --- nothing hidden acts -------------------------------------------------------------------------


def test_folded_settings_take_no_focus(open_dock: Any, qtbot: Any) -> None:
    dock = open_dock()
    folded = [section.content() for section in dock.findChildren(QCollapsible)]
    assert len(folded) >= 3
    before = dock.options.normalisation.value
    dock.bar.run_button.setFocus()
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget() or dock, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        assert not any(content.isAncestorOf(focus) for content in folded if focus is not None)
    assert dock.options.normalisation.value == before


@pytest.mark.parametrize("page", ["Input", "Power"])
def test_the_wheel_scrolls_past_fields(open_dock: Any, qtbot: Any, page: str, window: Any) -> None:
    window.window._qt_window.resize(1040, 420)
    dock = open_dock()
    dock._show_page(page)
    qtbot.wait(50)
    area = dock.tabs.currentWidget()
    area = area if isinstance(area, QScrollArea) else area.findChild(QScrollArea)
    box = next(b for b in area.widget().findChildren(QComboBox) if b.isVisible() and b.count() > 1)
    dock.bar.run_button.setFocus()
    chosen, bar = box.currentIndex(), area.verticalScrollBar()
    assert bar.maximum() > 0
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(box.mapToGlobal(QPoint(5, 5))), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.currentIndex() == chosen
    assert not turn.isAccepted()  # so that Qt hands it on to the page


def test_an_error_is_shown_once_and_goes_with_the_next_run(
    open_dock: Any, qtbot: Any, window: Any
) -> None:
    from napari._qt.dialogs.qt_notification import NapariQtNotification

    dock = open_dock("Noise profile")
    dock.options.crops.value = "many"
    notification_manager.records.clear()
    shown = NapariQtNotification._instances
    dock.run()
    assert len(notification_manager.records) == 1
    for each in [*shown]:
        each.close()
    dock.options.crops.value = ""
    NapariQtNotification.show_notification(notification_manager.records[0])
    assert len(shown) == 1
    finish(qtbot, dock)
    assert not shown


# --- power ---------------------------------------------------------------------------------------


def test_a_remembered_limit_says_so_and_a_high_one_is_asked_about(
    open_dock: Any, qtbot: Any, window: Any
) -> None:
    from napari_cop.memory import remember

    remember(max_power_mw=40.0)
    dock = open_dock("Noise profile")
    dock.forms[0].power.mode.value = "constant"
    dock.forms[0].power.constant_mw.value = 10
    finish(qtbot, dock)
    page = dock.power
    assert page.limit_note.text() == "40 mW: from last time."
    page.form.max_power_mw.value = "900"
    assert page.limit_note.text() == ""
    page.recommend()
    assert page.runner.state is State.IDLE
    assert page.button.text() == "Use 900 mW anyway"
    assert "more than living tissue tolerates" in page.limit_note.text()
    page.form.max_power_mw.value = "800"
    assert page.button.text() == "Recommend a power"
    page.recommend()
    assert page.runner.state is State.IDLE
    page.recommend()
    assert page.runner.state is State.RUNNING
    qtbot.waitUntil(lambda: page.runner.state is State.IDLE)


def test_the_next_step_keeps_to_the_power_that_was_used(open_dock: Any, qtbot: Any) -> None:
    dock = open_dock()
    for form, mw in zip(dock.forms, (10, 20), strict=True):
        form.power.mode.value = "constant"
        form.power.constant_mw.value = mw
    finish(qtbot, dock)
    qtbot.mouseClick(dock.answer.power_button, Qt.MouseButton.LeftButton)
    assert dock.tabs.currentWidget() is dock.power
    assert dock.power.form.max_power_mw.given == 20
    assert dock.power.limit_note.text() == "20 mW: the highest power used."
    # as the sentence beside the button says
    assert (dock.power.form.hold.value, dock.power.more.level.given) == ("poisson", 0.2)
    qtbot.waitUntil(lambda: dock.power.runner.state is State.IDLE)


def test_no_power_to_use_next_is_no_error(open_dock: Any, qtbot: Any) -> None:
    dock = open_dock()
    for form, mw in zip(dock.forms, (10, 20), strict=True):
        form.power.mode.value = "constant"
        form.power.constant_mw.value = mw
    notification_manager.records.clear()
    finish(qtbot, dock)
    qtbot.waitUntil(lambda: not dock._steps and dock.power.runner.state is State.IDLE)
    assert not dock.answer.next_power.isVisible()
    assert not notification_manager.records
    assert dock.power.found is None
    with qtbot.waitSignal(dock.power.failed):  # asked for, it says why
        dock.power.recommend()
    assert len(notification_manager.records) == 1
    dock.power.form.max_power_mw.value = ""


# --- any size ------------------------------------------------------------------------------------


def sideways(page: Any) -> int:
    """Return by how many pixels a page of a dock can be scrolled sideways."""
    areas = [*page.findChildren(QScrollArea), page]
    return sum(x.horizontalScrollBar().maximum() for x in areas if isinstance(x, QScrollArea))


@pytest.mark.parametrize("name", ["Live noise", "Plan a study", "What drives the noise"])
def test_a_widget_without_a_result_fits_a_narrow_dock(window: Any, qtbot: Any, name: str) -> None:
    dock, widget = window.window.add_plugin_dock_widget("napari-cop", name)
    dock.setFloating(True)
    dock.resize(320, 800)
    first = widget.tabs.widget(0)
    for section in first.findChildren(QCollapsible):
        section.expand(animate=False)
    qtbot.waitUntil(lambda: sideways(first) == 0)  # a section folds others away in its time
    assert dock.width() == 320
    for button in first.findChildren(QPushButton):
        right = button.mapTo(first, button.rect().bottomRight()).x()
        assert right < first.width() or not button.isVisible(), button.text()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Compare protocols", (1040, 560)),
        ("Compare protocols", (1280, 800)),
        ("Noise profile", (1280, 800)),
    ],
)
def test_every_button_is_inside_a_narrow_dock(
    open_dock: Any, qtbot: Any, window: Any, name: str, size: tuple[int, int]
) -> None:
    window.window._qt_window.resize(*size)
    dock = open_dock(name)
    docked = next(d for d in window.window._qt_window.findChildren(QDockWidget)
                  if d.isAncestorOf(dock))  # fmt: skip
    window.window._qt_window.resizeDocks([docked], [320], Qt.Orientation.Horizontal)
    finish(qtbot, dock)
    assert docked.width() <= 340
    for page in range(dock.tabs.count()):
        dock.tabs.setCurrentIndex(page)
        qtbot.wait(50)
        assert sideways(dock.tabs.currentWidget()) == 0, dock.tabs.tabText(page)
    for button in dock.bar.findChildren(QPushButton):
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())
        assert dock.rect().contains(button.mapTo(dock, button.rect().bottomRight()))
    plots = dock.plots
    drawn(qtbot, plots)
    assert plots.canvas.height() >= 100 * len(plots.figure().axes)
