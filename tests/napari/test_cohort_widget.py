"""The widget of a cohort, in a real napari: a folder, a table, a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("napari", reason="napari is not installed")

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from cop_core.errors import InputError
from cop_core.recipes import CohortPicture, CohortRecipe, StackOptions
from cop_core.records import CohortRecord, PictureRecord
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "What drives the noise"
pytestmark = pytest.mark.usefixtures("quick_figures")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images, and a file that is not an image."""
    rng = np.random.default_rng(0)
    root = tmp_path / "images"
    root.mkdir()
    clean = 120 + 60 * np.sin(np.arange(96) / 6)[:, None] * np.ones(96)
    for i in range(6):
        noisy = np.clip(clean + rng.normal(0, 2 + 3 * i, clean.shape), 0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(root / f"iso{100 * 2**i}_{i}.png")
    (root / "iso9_9.png").write_bytes(b"nothing")
    return root


@pytest.fixture
def dock(viewer: Any, qtbot: Any, tiny_weights: Path) -> Iterator[Any]:
    """Return the widget, with a small network, one crop per image and only correlation."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
    options = widget.page.options
    options.crops.value = "1"
    options.weights.choice.value = "file"
    options.weights.file.value = tiny_weights
    options.correlation_only.value = True
    yield widget
    options.crops.value = ""
    options.weights.choice.value = "default"
    widget.runner.stop()
    qtbot.waitUntil(lambda: widget.runner.state is State.IDLE)


def collected(qtbot: Any, dock: Any, folder: Path) -> None:
    dock.page.names.pattern.value = "iso{iso}_{number}"
    with qtbot.waitSignal(dock.model.edited):
        dock.take(folder)


def test_a_folder_becomes_a_table_and_a_report(
    dock: Any, folder: Path, qtbot: Any, tmp_path: Path
) -> None:
    assert not dock.bar.run_button.isEnabled()
    collected(qtbot, dock, folder)
    assert dock.model.settings == ["iso", "number"]
    assert dock.bar.status.text() == "7 images, 2 settings"
    cell = dock.model.index(0, 2)
    assert dock.model.setData(cell, "125")
    dock.model.add_setting("Dwell us")
    assert dock.model.setData(dock.model.index(0, 4), "0,5")
    assert dock.model.pictures[0].settings == {"iso": 125.0, "number": 0.0, "dwell_us": 0.5}
    with qtbot.waitSignal(dock.runner.finished):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    assert dock.bar.status.text() == "Done: 6 images, 1 failed"
    report = tmp_path / "images-cohort"
    found = json.loads((report / "cohort.json").read_text("utf-8"))
    assert found["rows"][0]["settings"]["iso"] == 125.0
    assert dock.outcome.headline.text()
    assert "Not read: iso9_9" in dock.outcome.remarks.text()
    assert len(dock.outcome.figures) == 1
    header = (report / "table.csv").read_text("utf-8-sig").partition("\n")[0].split(",")
    assert {*header} == {"file", "reference", "channel", "iso", "number", "dwell_us"}
    assert dock.bar.export_button.isEnabled()
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().startswith("cop cohort ")


def test_a_setting_that_no_table_can_hold_is_refused_when_it_is_added(dock: Any) -> None:
    with pytest.raises(InputError, match="'channel' cannot be a setting"):
        dock.model.add_setting("Channel")
    assert dock.model.settings == []


def test_what_has_no_usable_reference_is_told(dock: Any) -> None:
    picture = CohortPicture(picture=StackOptions(source="a.png", name="a"))
    recipe = CohortRecipe(pictures=(picture,))
    found = CohortRecord(recipe, (PictureRecord(picture, reference_error="b.png: missing"),))
    assert [*dock.outcome.remarks_of(found)] == ["Not compared: a: b.png: missing"]


def test_what_to_choose_is_said_and_names_have_the_room_that_is_left(
    dock: Any, folder: Path, qtbot: Any
) -> None:
    assert dock.bar.status.text() == "Choose a folder of images, or a CSV"
    table = dock.page.table
    table.resize(900, 300)
    collected(qtbot, dock, folder)
    assert table.horizontalHeader().length() == table.viewport().width()


def test_a_cell_that_is_emptied_says_nothing(dock: Any, folder: Path, qtbot: Any) -> None:
    collected(qtbot, dock, folder)
    assert dock.model.setData(dock.model.index(1, 3), "")
    assert "number" not in dock.model.pictures[1].settings
    dock.model.remove([0])
    assert len(dock.model.pictures) == 6


def test_a_folder_without_pictures_is_told_and_leaves_the_widget_idle(
    dock: Any, qtbot: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    dock.take(tmp_path / "empty")
    qtbot.waitUntil(lambda: dock.bar.status.text().startswith("Failed: "))
    assert dock.page.collect.isEnabled()
    assert not dock.bar.run_button.isEnabled()
