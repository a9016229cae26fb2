"""The numbers of a record, in tables for viewing and copying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cop_core.report import tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from cop_core.report import TextTable


class ResultTable(QWidget):
    """One of a record's tables, with a choice of the others; Ctrl+C copies its cells."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tables: Sequence[TextTable] = ()
        self.choice = QComboBox()
        self.choice.setToolTip("Which table to show.")
        self.cells = _Cells()
        self._caption = QLabel()
        self._caption.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.choice, self.cells, self._caption):
            layout.addWidget(part)
        self.choice.currentIndexChanged.connect(self._show)

    def show_record(self, record: Any) -> None:
        """Show the tables of a record, the last one first: it compares the others."""
        self._tables = tables_of(record)
        self.choice.clear()
        self.choice.addItems([table.title for table in self._tables])
        self.choice.setCurrentIndex(len(self._tables) - 1)

    def clear(self) -> None:
        """Clear the numbers."""
        self._tables = ()
        self.choice.clear()

    def text(self) -> str:
        """Return the whole table, tab-separated, with a header row."""
        return self.cells.text()

    def _show(self, number: int) -> None:
        table = self._tables[number] if 0 <= number < len(self._tables) else None
        self.cells.put(table)
        self._caption.setText(table.caption if table else "")


class _Cells(QTableWidget):
    """The cells of a table, one row per component."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.setWordWrap(False)

    def put(self, table: TextTable | None) -> None:
        """Show a table, or nothing."""
        self.clear()
        head, rows = (table.head, table.rows) if table else ((), ())
        self.setColumnCount(len(head))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels([_over_two_lines(text) for text in head])
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.setItem(i, j, _cell(text, first=j == 0))
        self.resizeColumnsToContents()
        self.resizeRowsToContents()

    def text(self) -> str:
        columns = range(self.columnCount())
        model, sideways = self.model(), Qt.Orientation.Horizontal
        header = [model.headerData(j, sideways).replace("\n", " ") for j in columns]
        rows = [[model.index(i, j).data() for j in columns] for i in range(self.rowCount())]
        return _tab_separated([header, *rows])

    def selected_text(self) -> str:
        """Return the selected cells, tab-separated; the whole table if none is selected."""
        cells = {(i.row(), i.column()): i.text() for i in self.selectedItems()}
        if not cells:
            return self.text()
        columns = sorted({j for _, j in cells})
        return _tab_separated(
            [[cells.get((i, j), "") for j in columns] for i in sorted({i for i, _ in cells})]
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Copy, or handle the key as a table does."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)


def _over_two_lines(head: str) -> str:
    """Return a column's title with its unit below it."""
    title, comma, unit = head.partition(", ")
    return f"{title}\n({unit})" if comma else title


def _cell(text: str, *, first: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignLeft if first else Qt.AlignmentFlag.AlignRight
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item


def _tab_separated(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)
