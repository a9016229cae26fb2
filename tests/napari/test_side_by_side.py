"""Both stacks side by side at equal depth, and the ring around the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_cop.focus_ring import RING, FocusRing
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIXELS = np.random.default_rng(0).poisson(60, (8, 200, 200)).astype(np.uint16)


@pytest.fixture
def window(make_viewer: Callable[..., Any]) -> Any:
    """Return a visible window with two stacks of equal depths and another layer."""
    viewer = make_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    scale = {"axis_labels": ("z", "y", "x"), "scale": (20, 1, 1), "units": ("um",) * 3}
    viewer.add_image(np.zeros((8, 10, 10)), name="something else", visible=False, **scale)
    viewer.add_image(PIXELS, name="fixed", **scale)
    viewer.add_image(PIXELS[:, ::-1] * 2, name="gained", **scale)
    return viewer


def run(qtbot: Any, dock: Any) -> None:
    qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.runner.state is State.IDLE)
    qtbot.waitUntil(lambda: not dock._turns.isActive() and not dock._steps)


@pytest.fixture
def compared(window: Any, qtbot: Any) -> Iterator[Any]:
    _, dock = window.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    run(qtbot, dock)
    return dock


def cells(viewer: Any) -> dict[tuple[int, int], list[str]]:
    """Return the names of the visible layers by cell of the grid."""
    found: dict[tuple[int, int], list[str]] = {}
    for index, layer in enumerate(viewer.layers):
        if layer.visible:
            found.setdefault(viewer.grid.position(index, viewer.layers), []).append(layer.name)
    return found


def halves(viewer: Any) -> tuple[float, float]:
    """Return the mean brightness of the left and the right half of the canvas."""
    picture = viewer.screenshot(flash=False)[..., :3].astype(float)
    middle = picture.shape[1] // 2
    return picture[:, :middle].mean(), picture[:, middle:].mean()


def test_both_stacks_side_by_side_and_back(compared: Any, window: Any, qtbot: Any) -> None:
    window.layers["something else"].visible = True
    window.layers["fixed"].visible = False
    button = compared.answer.side_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.grid.enabled
    assert button.isChecked()
    assert cells(window) == {(0, 0): ["fixed"], (0, 1): ["gained"]}
    assert min(halves(window)) > 10
    compared.answer.plots.plane_clicked.emit(1, 5)
    assert window.dims.point[0] == pytest.approx(100)
    for name in ("fixed", "gained"):
        layer = window.layers[name]
        plane = np.asarray(layer.data)[5]
        assert plane.min() <= layer.contrast_limits[0] < layer.contrast_limits[1] <= plane.max()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not window.grid.enabled
    assert not button.isChecked()
    assert window.layers["something else"].visible


def test_noise_maps_lie_over_their_stacks(compared: Any, window: Any, qtbot: Any) -> None:
    compared.results.show_noise_maps("poisson")
    shown = [layer.name for layer in window.layers if layer.visible]
    assert sum(":" in name for name in shown) == 1  # that of the stack in front
    qtbot.mouseClick(compared.answer.side_button, Qt.MouseButton.LeftButton)
    found = cells(window)
    assert [name.split(":")[0] for name in found[0, 0]] == ["fixed", "fixed"]
    assert [name.split(":")[0] for name in found[0, 1]] == ["gained", "gained"]
    assert len(found) == 2
    qtbot.mouseClick(compared.answer.side_button, Qt.MouseButton.LeftButton)
    assert sorted(x.name for x in window.layers if x.visible) == sorted(shown)


def test_another_noise_is_shown_in_the_grid(compared: Any, window: Any, qtbot: Any) -> None:
    qtbot.mouseClick(compared.answer.side_button, Qt.MouseButton.LeftButton)
    for component, said in (("poisson", "Shot noise (Poisson)"), ("gaussian", "Gaussian")):
        compared.results.show_noise_maps(component)
        assert cells(window) == {
            (0, 0): ["fixed", f"fixed: {said}, %"],
            (0, 1): ["gained", f"gained: {said}, %"],
        }
    qtbot.mouseClick(compared.answer.side_button, Qt.MouseButton.LeftButton)
    assert not window.grid.enabled
    assert sum(layer.visible for layer in window.layers if ":" in layer.name) == 1


def test_napari_own_grid_button_is_followed(compared: Any, window: Any) -> None:
    window.grid.enabled = True
    assert compared.answer.side_button.isChecked()
    window.grid.enabled = False
    assert not compared.answer.side_button.isChecked()


def test_the_focus_is_seen_where_the_keyboard_moves_it(window: Any, qtbot: Any) -> None:
    _, dock = window.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    (ring,) = dock.findChildren(FocusRing)
    window.window._qt_window.activateWindow()
    button = dock.bar.run_button
    button.setFocus()  # as a click does
    qtbot.waitUntil(lambda: QApplication.focusWidget() is button)
    assert ring.widget() is None
    qtbot.keyClick(button, Qt.Key.Key_Backtab)
    before = QApplication.focusWidget()
    assert before is not button
    assert ring.widget() is before
    qtbot.keyClick(before, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is button
    qtbot.waitUntil(ring.isVisible)
    picture = dock.grab().toImage()
    corner, ratio = button.mapTo(dock, QPoint(0, 0)), picture.devicePixelRatio()
    column = round((corner.x() + button.width() / 2) * ratio)
    rows = range(round((corner.y() - 4) * ratio), round((corner.y() + 4) * ratio))
    shown = [picture.pixelColor(column, row) for row in rows]
    assert any(abs(c.hue() - RING.hue()) < 10 and c.saturation() > 100 for c in shown)
    window.window._qt_window.setFocus()
    assert ring.widget() is None


@pytest.mark.parametrize("leave", ["setDisabled", "setHidden"])
def test_no_ring_where_what_was_clicked_goes(window: Any, qtbot: Any, leave: str) -> None:
    _, dock = window.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    (ring,) = dock.findChildren(FocusRing)
    window.window._qt_window.activateWindow()
    before, after = dock.tabs.tabBar(), dock.bar.run_button
    dock.setTabOrder(before, after)
    before.setFocus()  # as a click does
    qtbot.waitUntil(lambda: QApplication.focusWidget() is before)
    getattr(before, leave)(True)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is after)
    assert ring.widget() is None


def test_no_ring_where_the_window_comes_up(make_viewer: Any, qtbot: Any) -> None:
    window = make_viewer(show=True)
    _, dock = window.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    (ring,) = dock.findChildren(FocusRing)
    qtbot.waitUntil(dock.isVisible)
    assert not ring.isVisible()
    QApplication.instance().setActiveWindow(None)
    assert QApplication.focusWidget() is None
    dock.focusNextPrevChild(True)  # as Qt does
    assert ring.widget() is None
