"""The table in which the plan of a study is edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QStyledItemDelegate,
    QTableView,
)

from cop_core.recipes import ARMS
from napari_cop.study.model import KEYS, OFTEN, STATE, PlanModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtCore import QModelIndex
    from qtpy.QtGui import QKeyEvent, QResizeEvent
    from qtpy.QtWidgets import QStyleOptionViewItem, QWidget

_WIDTHS: Final = {"stack": 150, STATE: 150, "name": 90, "note": 90}
_WIDTH: Final = 60
_LEAST_HEIGHT_PX: Final = 160


class PlanTable(QTableView):
    """The table; an entry goes into all selected cells of its column."""

    def __init__(self, model: PlanModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegateForColumn(KEYS.index("arm"), _Arms(self))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        for column, key in enumerate(KEYS):
            self.setColumnWidth(column, _WIDTHS.get(key, _WIDTH))
        header.setToolTip("Right-click for more columns.")
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._further = {key: self._offered(key) for key in KEYS if key not in OFTEN}
        header.setMinimumSectionSize(50)
        header.sectionResized.connect(self.resizeRowsToContents)
        model.modelReset.connect(self.resizeRowsToContents)
        model.dataChanged.connect(self._resize_rows)
        for change in (model.modelReset, model.edited):
            change.connect(self._show_used)
        self.setMinimumHeight(_LEAST_HEIGHT_PX)
        self._show_used()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Give the states the width that other columns leave, and at least what they need."""
        super().resizeEvent(event)
        state = KEYS.index(STATE)
        others = self.horizontalHeader().length() - self.columnWidth(state)
        self.setColumnWidth(state, max(_WIDTHS[STATE], self.viewport().width() - others))

    def _offered(self, key: str) -> QAction:
        """Return the action that shows or hides a column."""
        action = QAction(key, self.horizontalHeader(), checkable=True)
        action.toggled.connect(lambda shown: self.setColumnHidden(KEYS.index(key), not shown))
        self.horizontalHeader().addAction(action)
        self.setColumnHidden(KEYS.index(key), True)
        return action

    def _show_used(self) -> None:
        """Show further columns if used, and names if they must be edited."""
        model = self.model()
        for key, action in self._further.items():
            needed = model.names_matter if key == "name" else model.is_used(key)
            action.setChecked(needed or (action.isChecked() and bool(model.cells)))

    def _resize_rows(self, first: QModelIndex, last: QModelIndex) -> None:
        """Make rows high enough for the text of their problems."""
        for row in range(first.row(), last.row() + 1):
            self.resizeRowToContents(row)

    def selected_rows(self) -> list[int]:
        """Return the rows with a selected cell."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def commitData(self, editor: QWidget) -> None:  # noqa: N802
        """Enter a value into all selected cells of its column."""
        super().commitData(editor)
        at = self.currentIndex()
        self._fill([i for i in self.selectedIndexes() if i.column() == at.column()], at.data(2))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Empty cells, paste from a spreadsheet, or handle the key as a table does."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste(QApplication.clipboard().text())
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._fill(self.selectedIndexes(), "")
        else:
            super().keyPressEvent(event)

    def paste(self, text: str) -> None:
        """Enter cells as copied from a spreadsheet; a single one into all selected cells."""
        lines = [line.split("\t") for line in text.splitlines()]
        if lines and len(lines) == len(lines[0]) == 1:
            self._fill(self.selectedIndexes(), lines[0][0])
            return
        at = self.currentIndex()
        for i, line in enumerate(lines):
            for j, cell in enumerate(line):
                self._fill([at.siblingAtRow(at.row() + i).siblingAtColumn(at.column() + j)], cell)

    def _fill(self, cells: Sequence[QModelIndex], text: str) -> None:
        for index in cells:
            if index.isValid():
                self.model().setData(index, text)


class _Arms(QStyledItemDelegate):
    """Editor that offers the arms of the plan and the usual ones; accepts any name."""

    def createEditor(self, parent: QWidget, _: QStyleOptionViewItem, at: QModelIndex) -> QWidget:  # noqa: N802
        box = QComboBox(parent)
        box.setEditable(True)
        cells = (at.siblingAtRow(row) for row in range(at.model().rowCount()))
        written = (cell.data(Qt.ItemDataRole.EditRole) for cell in cells)
        box.addItems([*dict.fromkeys(["", *ARMS, *filter(None, written)])])
        box.activated.connect(lambda: (self.commitData.emit(box), self.closeEditor.emit(box)))
        return box

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        editor.setCurrentText(index.data(Qt.ItemDataRole.EditRole))

    def setModelData(self, editor: QWidget, model: Any, index: QModelIndex) -> None:  # noqa: N802
        model.setData(index, editor.currentText())
