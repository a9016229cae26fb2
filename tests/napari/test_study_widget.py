"""The widget that plans a study, in a real napari: a folder, a plan, a report."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tifffile

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShortcut
from qtpy.QtWidgets import QApplication

from cop_core.recipes.plan import columns, read_plan
from cop_core.stacks import read_power_table
from napari_cop.runner import State
from napari_cop.study.animals import guess_animals
from napari_cop.study.model import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "Plan a study"
pytestmark = pytest.mark.usefixtures("quick_figures")


@pytest.fixture
def write(counts: Any) -> Callable[..., None]:
    """Write a small stack: (path, seed)."""

    def write(path: Path, seed: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        scale = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
        tifffile.imwrite(path, counts(4, 192, seed), photometric="minisblack", metadata=scale)

    return write


@pytest.fixture
def folder(write: Any, tmp_path: Path) -> Path:
    """Two good stacks and a broken one."""
    root = tmp_path / "data"
    write(root / "m1" / "fixed.ome.tif", 1)
    write(root / "m1" / "gained.ome.tif", 2)
    (root / "m2").mkdir()
    (root / "m2" / "fixed.tif").write_bytes((root / "m1" / "fixed.ome.tif").read_bytes()[:3000])
    return root


@pytest.fixture
def dock(viewer: Any, qtbot: Any, tiny_weights: Path) -> Iterator[Any]:
    """Return the widget, with a small network and one crop per plane."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
    options = widget.page.options
    options.crops.value = "1"
    options.weights.choice.value = "file"
    options.weights.file.value = tiny_weights
    yield widget
    options.crops.value = ""
    options.weights.choice.value = "default"
    options.device.value = "auto"
    widget.runner.stop()
    qtbot.waitUntil(lambda: widget.runner.state is State.IDLE)


def taken(qtbot: Any, dock: Any, path: Path, *, answered: bool = True) -> None:
    """Let the widget list a folder and examine its files; answer that animals are not known."""
    with qtbot.waitSignals([dock.planner.planned, dock.planner.looked]):
        dock.take(path)
    if answered and dock.page.question.open:
        dock.page.question.none.click()


def done(qtbot: Any, dock: Any) -> str:
    """Run, and return the final message."""
    with qtbot.waitSignal(dock.runner.finished):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    return str(dock.bar.status.text())


def enter(dock: Any, row: int, column: str, text: str) -> None:
    model = dock.model
    assert model.setData(model.index(row, KEYS.index(column)), text)


def shown(dock: Any, row: int, column: str, role: Any = Qt.ItemDataRole.DisplayRole) -> Any:
    return dock.model.data(dock.model.index(row, KEYS.index(column)), role)


def read_times(folder: Path) -> dict[str, int]:
    found = sorted((folder / "study").glob("*/*/report.json"))
    return {path.parent.name: path.stat().st_mtime_ns for path in found}


# --- from a folder to a report -----------------------------------------------------------------


def test_a_folder_becomes_a_plan_and_a_report(
    dock: Any, folder: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch, run: Any, tmp_path: Path
) -> None:
    assert not dock.bar.run_button.isEnabled()
    monkeypatch.setattr(
        "napari_cop.study.widget.QFileDialog.getExistingDirectory", lambda *_: str(folder)
    )
    with qtbot.waitSignals([dock.planner.planned, dock.planner.looked]):
        qtbot.mouseClick(dock.page.choose_folder, Qt.MouseButton.LeftButton)
    assert [shown(dock, i, "stack") for i in range(3)] == [
        *("m1/fixed.ome.tif", "m1/gained.ome.tif", "m2/fixed.tif"),
    ]
    assert [shown(dock, i, "arm") for i in range(3)] == ["fixed", "gained", "fixed"]
    assert shown(dock, 0, "z_step_um") == "4"
    assert shown(dock, 0, "z_step_um", Qt.ItemDataRole.EditRole) == ""
    assert shown(dock, 0, "state") == "4 planes, 192 × 192"
    assert shown(dock, 2, "state").startswith("the file is truncated")
    assert dock.bar.status.text() == "3 stacks, 1 that cannot be opened"
    assert not dock.bar.export_button.isEnabled()
    told: list[Any] = []
    dock.runner.told.connect(told.append)
    dock.page.question.use.click()
    dock.page.options.margin_per_100_um.value = "0.02"
    dock.page.options.window_um.value = ":9"
    dock.page.options.device.value = "cpu"
    assert done(qtbot, dock) == "Done: 2 read, 1 failed"
    assert told
    assert [shown(dock, i, "state") for i in range(2)] == ["read", "read"]
    assert shown(dock, 2, "state").startswith("the file is truncated")
    document = json.loads((folder / "study" / "study.json").read_text(encoding="utf-8"))
    assert [bool(stack["error"]) for stack in document["stacks"]] == [False, False, True]
    assert document["comparisons"][0]["pairs"][0]["kind"] == "pair"
    assert document["recipe"]["comparison"]["margin_per_100_um"] == 0.02
    assert document["recipe"]["window_um"] == [None, 9]
    the_result_is_inside(dock)
    opened: list[str] = []
    monkeypatch.setattr(
        "napari_cop.report_widget.QDesktopServices.openUrl",
        lambda url: opened.append(url.toLocalFile()),
    )
    qtbot.mouseClick(dock.bar.export_button, Qt.MouseButton.LeftButton)
    assert opened == [str(folder / "study" / "study.html")]
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    the_command_makes_it_again(QApplication.clipboard().text(), document, run, tmp_path / "again")


def the_result_is_inside(dock: Any) -> None:
    outcome = dock.outcome
    assert dock.tabs.currentWidget() is outcome
    assert outcome.headline.text()
    assert "Not read: " in outcome.remarks.text()
    assert "truncated" in outcome.remarks.text()
    endpoint, curves = outcome.figures
    assert endpoint.figure.axes
    assert len(curves.figure.axes) == 6


def the_command_makes_it_again(command: str, document: Any, run: Any, folder: Path) -> None:
    assert command == document["provenance"]["command"]
    words = shlex.split(command)
    assert words[:2] == ["cop", "batch"]
    words[words.index("-o") + 1] = str(folder)
    code, _, err = run(*words[1:])
    assert code == 1, err  # the broken one
    again = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert again["comparisons"] == document["comparisons"]


def test_what_is_cancelled_goes_on_where_it_was(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    dock.runner.told.connect(lambda news: news.profile is not None and dock.runner.stop())
    (folder / "m2" / "fixed.tif").unlink()  # so that the first thing told is a stack that was read
    dock.model.remove([2])
    assert "Stopped: finished stacks are kept" in done(qtbot, dock)
    assert not (folder / "study" / "study.json").exists()
    before = read_times(folder)
    assert len(before) == 1
    dock.runner.told.disconnect()
    dock.runner.told.connect(dock._told)
    assert done(qtbot, dock) == "Done: 1 read, 1 read before"
    assert shown(dock, 0, "state") == "read before"
    after = read_times(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == 2
    assert done(qtbot, dock) == "Done: 2 read before"
    assert read_times(folder) == after


# --- the table ---------------------------------------------------------------------------------


def test_rows_say_what_is_to_be_filled_in(dock: Any, folder: Path, qtbot: Any) -> None:
    (folder / "m1" / "gained.ome.tif").rename(folder / "m1" / "monday.ome.tif")
    taken(qtbot, dock, folder)
    assert "no arm; enter its protocol" in shown(dock, 1, "state")
    assert dock.bar.status.text() == "3 stacks, 1 to be filled in, 1 that cannot be opened"
    notification_manager.records.clear()
    dock.run()
    assert "1 to be filled in" in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE
    assert not (folder / "study").exists()
    enter(dock, 1, "arm", "gained")
    enter(dock, 1, "power", "five")
    assert shown(dock, 1, "state").startswith("power: ")
    assert "five" in shown(dock, 1, "state")
    enter(dock, 1, "power", "5")
    enter(dock, 0, "animal", "m1")
    assert "no animal" in shown(dock, 1, "state")
    with qtbot.waitSignal(dock.planner.looked):
        enter(dock, 0, "animal", "")
    assert shown(dock, 1, "state") == "4 planes, 192 × 192"
    dock.model.remove([2])
    assert dock.bar.status.text() == "2 stacks"
    name = KEYS.index("name")
    assert dock.table.isColumnHidden(name)
    enter(dock, 1, "arm", "fixed")
    enter(dock, 1, "name", shown(dock, 0, "name"))
    assert "is used in line 1 too" in shown(dock, 1, "state")
    assert not dock.table.isColumnHidden(name)


def test_an_arm_may_have_any_name_and_is_offered_again(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    enter(dock, 0, "arm", "AO on")
    assert dock.model.rows[0].arm == "AO on"
    at = dock.model.index(1, KEYS.index("arm"))
    delegate = dock.table.itemDelegateForColumn(KEYS.index("arm"))
    editor = delegate.createEditor(dock.table, None, at)
    offered = [editor.itemText(i) for i in range(editor.count())]
    assert offered == ["", "fixed", "gained", "AO on"]
    editor.setCurrentText("AO off")
    delegate.setModelData(editor, dock.model, at)
    assert dock.model.rows[1].arm == "AO off"


def test_an_arm_that_may_be_misspelt_is_asked_about(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    for row, arm in enumerate(("gained", "gained", "gaind")):
        enter(dock, row, "arm", arm)
    asked = "The arm gaind has one stack: did you mean gained, which has 2?"
    assert dock.bar.status.text().endswith(asked)
    enter(dock, 2, "arm", "gained")
    assert "did you mean" not in dock.bar.status.text()


def test_every_column_of_a_plan_is_there_and_shown_where_it_is_used(
    dock: Any, folder: Path, qtbot: Any
) -> None:
    assert {*KEYS} == {"state", *columns()}
    time = KEYS.index("time")
    assert dock.table.isColumnHidden(time)
    taken(qtbot, dock, folder)
    assert dock.table.isColumnHidden(time)
    enter(dock, 0, "time", "0")
    assert not dock.table.isColumnHidden(time)
    assert dock.model.rows[0].stack.time == 0


def test_stacks_are_opened_as_said_for_all_where_their_rows_do_not_say(
    dock: Any, folder: Path, qtbot: Any
) -> None:
    taken(qtbot, dock, folder)
    enter(dock, 1, "z_step_um", "7")
    with qtbot.waitSignal(dock.planner.looked):
        dock.page.defaults.z_step_um.value = "5"
    assert [row.stack.z_step_um for row in dock.model.rows[:2]] == [5, 7]
    dock.model.remove([2])
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    words = shlex.split(QApplication.clipboard().text())
    assert words[words.index("--z-step-um") + 1] == "5"
    dock.page.defaults.z_step_um.value = "five"
    notification_manager.records.clear()
    dock.run()
    assert "Z step" in notification_manager.records[-1].message


def test_an_entry_fills_all_selected_cells(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    table, column = dock.table, KEYS.index("animal")
    for row in range(3):
        table.selectionModel().select(
            dock.model.index(row, column), table.selectionModel().SelectionFlag.Select
        )
    QApplication.clipboard().setText("m7\n")
    qtbot.keyClick(table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert [shown(dock, i, "animal") for i in range(3)] == ["m7"] * 3
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert [shown(dock, i, "animal") for i in range(3)] == [""] * 3
    table.setCurrentIndex(dock.model.index(1, KEYS.index("arm")))
    table.paste("fixed\tm1\ngained\tm2\nfixed\tm3")
    assert [shown(dock, i, "arm") for i in range(3)] == ["fixed", "fixed", "gained"]
    assert [shown(dock, i, "animal") for i in range(3)] == ["", "m1", "m2"]
    index = dock.model.index(1, KEYS.index("arm"))
    table.setCurrentIndex(index)
    table.edit(index)
    (box,) = [w for w in table.viewport().children() if hasattr(w, "activated")]
    assert [box.itemText(i) for i in range(box.count())] == ["", "fixed", "gained"]
    box.setCurrentText("gained")
    box.activated.emit(2)
    assert shown(dock, 1, "arm") == "gained"
    assert not dock.model.setData(dock.model.index(0, KEYS.index("stack")), "other.tif")


def test_a_saved_plan_is_that_of_the_table_and_can_be_dropped_again(
    dock: Any, folder: Path, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(qtbot, dock, folder)
    (folder / "power.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    enter(dock, 0, "power", "power.csv")
    enter(dock, 1, "power", "gained:5,300,60")
    plan = tmp_path / "elsewhere" / "mine.csv"
    monkeypatch.setattr(
        "napari_cop.study.widget.QFileDialog.getSaveFileName", lambda *_: (str(plan), "")
    )
    qtbot.mouseClick(dock.page.save, Qt.MouseButton.LeftButton)
    rows = read_plan(plan, read_power_table).stacks
    assert sources(rows) == sources(dock.model.rows)
    assert rows[0].stack.power.resolve() == folder / "power.csv"
    cells = [dict(row) for row in dock.model.cells]
    drop(dock, plan)
    qtbot.waitUntil(lambda: dock.model.folder == plan.parent)
    assert dock.model.cells[1]["power"] == cells[1]["power"]
    assert sources(dock.model.rows) == sources(rows)


def sources(rows: Any) -> list[Path]:
    """Return the files of rows."""
    return [Path(row.stack.source).resolve() for row in rows]


def test_what_was_filled_in_is_there_again(dock: Any, folder: Path, qtbot: Any, write: Any) -> None:
    taken(qtbot, dock, folder)
    dock.model.remove([2])
    for row in range(2):
        enter(dock, row, "animal", f"m{row}")
    dock.table.selectRow(1)
    qtbot.mouseClick(dock.page.again, Qt.MouseButton.LeftButton)
    enter(dock, 2, "channel", "0")
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    assert (folder / "study" / "plan.csv").exists()
    write(folder / "m3" / "fixed.ome.tif", 5)
    (folder / "m2" / "fixed.tif").unlink()
    taken(qtbot, dock, folder)
    stacks = [shown(dock, i, "stack") for i in range(4)]
    assert stacks == ["m1/fixed.ome.tif", *["m1/gained.ome.tif"] * 2, "m3/fixed.ome.tif"]
    assert [shown(dock, i, "animal") for i in range(4)] == ["m0", "m1", "m1", ""]
    assert [shown(dock, i, "channel") for i in range(4)] == ["", "", "0", ""]


def drop(dock: Any, *paths: Path) -> bool:
    """Drop paths onto the widget; return whether they were accepted."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(20, 20), *how)
    entering.ignore()
    QApplication.sendEvent(dock, entering)
    if entering.isAccepted():
        QApplication.sendEvent(dock, QDropEvent(QPoint(20, 20), *how))
    return bool(entering.isAccepted())


def test_a_folder_can_be_dropped(dock: Any, folder: Path, qtbot: Any) -> None:
    assert not drop(dock, folder / "m1" / "fixed.ome.tif")
    assert not drop(dock, folder, folder / "m1")
    with qtbot.waitSignal(dock.planner.looked):
        assert drop(dock, folder)
    assert len(dock.model.cells) == 3
    assert dock.page.folder.text() == str(folder)


# --- what goes wrong ---------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not take")
def test_hostile_names_are_shown_and_read(
    dock: Any, write: Any, tmp_path: Path, qtbot: Any
) -> None:
    root = tmp_path / "data"
    names = [
        '=cmd(), "fixed".ome.tif',
        "fixed;\u202e b\u2028.ome.tif",
        "gained\nline.ome.tif",
        " gained é.tif",
    ]
    for seed, name in enumerate(names):
        write(root / name, seed)
    taken(qtbot, dock, root)
    texts = {shown(dock, i, "stack") for i in range(4)}
    assert '=cmd(), "fixed".ome.tif' in texts
    assert "gained\\u000aline.ome.tif" in texts
    assert "fixed;\\u202e b\\u2028.ome.tif" in texts
    assert dock.model.n_wrong == 1  # a name that begins with a space is told
    odd = next(i for i, row in enumerate(dock.model.cells) if row["stack"].startswith(" "))
    assert "no such file" in shown(dock, odd, "state")
    dock.model.remove([odd])
    assert done(qtbot, dock) == "Done: 3 read"
    assert len(read_plan(root / "study" / "plan.csv", read_power_table).stacks) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no Unicode")
def test_a_name_that_is_no_unicode_is_told(
    dock: Any, write: Any, tmp_path: Path, qtbot: Any
) -> None:
    import os

    root = tmp_path / "data"
    write(root / "fixed.tif")
    os.rename(os.fsencode(root / "fixed.tif"), os.fsencode(root) + b"/fixed\xff.tif")  # noqa: PTH104
    write(root / "gained.tif")
    taken(qtbot, dock, root)
    assert "fixed\\udcff.tif" in {shown(dock, i, "stack") for i in range(2)}
    notification_manager.records.clear()
    dock.run()
    assert "cannot be written" in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE


def test_what_to_choose_is_said(dock: Any) -> None:
    assert dock.bar.status.text() == "Choose the folder with the stacks, or a plan"
    assert not dock.bar.run_button.isEnabled()


def test_folders_without_stacks_are_told(dock: Any, tmp_path: Path, qtbot: Any) -> None:
    for path, said in ((tmp_path, "no stack below it"), (tmp_path / "no", "no such folder")):
        notification_manager.records.clear()
        with qtbot.waitSignal(dock.planner.failed):
            dock.page.folder.setText(str(path))
            dock.page.folder.editingFinished.emit()
        assert said in notification_manager.records[-1].message
        assert not dock.bar.run_button.isEnabled()


def test_a_study_that_cannot_be_made_leaves_it_idle(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    dock.page.options.margin_per_100_um.value = "-1"
    notification_manager.records.clear()
    dock.run()
    assert "Margin" in notification_manager.records[-1].message
    dock.page.options.margin_per_100_um.value = ""
    dock.page.study.setText("")
    dock.run()
    assert "no folder for the study" in notification_manager.records[-1].message
    (folder / "taken").write_text("a file")
    dock.page.study.setText(str(folder / "taken"))
    dock.run()
    assert "cannot be written" in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE
    dock.page.study.setText(str(folder / "study"))
    dock.page.options.weights.file.value = folder / "m1" / "fixed.ome.tif"
    with qtbot.waitSignal(dock.runner.failed):
        dock.run()
    assert dock.bar.run_button.isEnabled()


def test_closing_the_dock_ends_the_run(viewer: Any, dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    keys = {s.key().toString(): s for s in dock.findChildren(QShortcut)}
    keys["Ctrl+Return"].activated.emit()
    assert dock.runner.state is State.RUNNING
    assert not dock.page.remove.isEnabled()
    assert not dock.model.setData(dock.model.index(0, KEYS.index("arm")), "gained")
    keys["Esc"].activated.emit()
    assert dock.runner.state is State.STOPPING
    qtbot.waitUntil(lambda: dock.runner.state is State.IDLE)


# --- animals and result ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stacks", "animals"),
    [
        (
            ["mouse1/fixed.tif", "mouse1/gained.tif", "mouse2/fixed.tif"],
            ["mouse1"] * 2 + ["mouse2"],
        ),
        (["fixed_m07.tif", "fixed_m08.tif"], ["m07", "m08"]),
        (["monday/a.tif", "tuesday/a.tif"], ["monday", "tuesday"]),
        (["a.tif", "b.tif"], None),
        (["mouse1/a.tif", "mouse1/b.tif"], None),
    ],
)
def test_animals_are_guessed_from_names(stacks: list[str], animals: list[str] | None) -> None:
    assert guess_animals(stacks) == animals


def test_missing_animals_are_asked_for(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder, answered=False)
    question = dock.page.question
    assert question.isVisibleTo(dock.page.parentWidget())
    notification_manager.records.clear()
    dock.run()
    assert dock.runner.state is State.IDLE
    assert notification_manager.records[-1].message.startswith(
        "it is not known which animal each stack is from. Answer the question above the table"
    )
    assert "By their names: m1, m2" in question.text.text()
    assert not shown(dock, 0, "animal")  # a guess is no answer
    question.use.click()
    assert [shown(dock, row, "animal") for row in range(3)] == ["m1", "m1", "m2"]
    assert not question.isVisibleTo(dock.page.parentWidget())
    enter(dock, 0, "animal", "")
    enter(dock, 1, "animal", "")
    enter(dock, 2, "animal", "")
    question.none.click()
    assert not question.isVisibleTo(dock.page.parentWidget())


def test_an_address_of_workers_that_cannot_be_used(dock: Any, folder: Path, qtbot: Any) -> None:
    taken(qtbot, dock, folder)
    dock.model.remove([2])
    scheduler = dock.page.options.scheduler
    notification_manager.records.clear()
    try:
        scheduler.value = "cluster1"
        dock.run()
        assert "not the address of a scheduler" in notification_manager.records[-1].message
        assert "Scheduler" in notification_manager.records[-1].message
    finally:
        scheduler.value = ""
    assert dock.runner.state is State.IDLE
