"""Table model of the plan of a study: one row per stack, with its problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QStyle

from cop_core.recipes import StackOptions
from cop_core.recipes.base import Option
from cop_core.recipes.plan import check_cells, columns
from cop_core.stacks import read_power_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtWidgets import QWidget

    from cop_core.recipes import StudyStack
    from napari_cop.study.looks import Look

STATE: Final = "state"
OFTEN: Final = ("stack", STATE, "arm", "animal", "channel", "power", "z_step_um")
"""Columns always shown, in their order; the others are shown if needed."""
_COLUMNS: Final = {
    **columns(),
    STATE: Option("What the file contains, what is wrong with the row, or its progress.", "State"),
}
KEYS: Final = (*OFTEN, *(key for key in _COLUMNS if key not in OFTEN))
_FAINT: Final = QColor(134, 139, 147)
"""Contrasts with text and background in dark and light themes."""
_FIXED: Final = {"stack", STATE}
_ICONS: Final = {
    "wrong": QStyle.StandardPixmap.SP_MessageBoxWarning,
    "failed": QStyle.StandardPixmap.SP_MessageBoxCritical,
    "done": QStyle.StandardPixmap.SP_DialogApplyButton,
}


class PlanModel(QAbstractTableModel):
    """Rows of a plan.

    Signals
    -------
    edited
        A cell was changed.

    Attributes
    ----------
    folder : Path
        Folder to which paths in the cells are relative.
    cells : list of dict
        Text by column of the plan, one mapping per row.
    defaults : StackOptions
        How stacks are opened if their rows do not say.
    rows : list of StudyStack
        The valid rows; as many as `cells` if all are valid.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path()
        self.cells: list[dict[str, str]] = []
        self.defaults = StackOptions()
        self.rows: list[StudyStack] = []
        self.locked = False
        self._good: dict[int, StudyStack] = {}
        self._wrong: dict[int, str] = {}
        self._looks: dict[str, Look] = {}
        self._states: dict[int, tuple[str, str]] = {}

    def put(self, folder: Path, cells: Sequence[dict[str, str]]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.folder, self.cells = folder, [dict(row) for row in cells]
        self._looks.clear()
        self.check()
        self.endResetModel()

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove rows from the plan; the files stay."""
        self.put(self.folder, [row for i, row in enumerate(self.cells) if i not in {*numbers}])
        self.edited.emit()

    def repeat(self, numbers: Sequence[int]) -> None:
        """Duplicate rows, for example for another channel."""
        again = [{**self.cells[i], "name": ""} for i in numbers]
        self.put(self.folder, [*self.cells, *again])
        self.edited.emit()

    def check(self) -> None:
        """Check the cells, and clear the states of the rows."""
        # problems name other rows by line: these are the numbers at the table's edge
        table = enumerate(self.cells, start=1)
        self.rows, problems = check_cells(table, self.folder, read_power_table, self.defaults)
        self._good = {row.line - 1: row for row in self.rows}
        self._states.clear()
        self._wrong = {
            line - 1: "; ".join(text for n, text in problems if n == line)
            for line in {n for n, _ in problems}
        }

    @property
    def n_wrong(self) -> int:
        """Number of rows that must be edited before the study can be run."""
        return len(self._wrong)

    @property
    def names_matter(self) -> bool:
        """Whether the names of rows, which are made unique automatically, have a problem."""
        return any(" name" in text for text in self._wrong.values())

    @property
    def n_broken(self) -> int:
        """Number of valid rows whose files cannot be opened."""
        looks = [self._looks.get(_key(row.stack)) for row in self.rows]
        return sum(look is not None and bool(look.problem) for look in looks)

    def unseen(self) -> list[StackOptions]:
        """Return the stacks not yet examined with their present options."""
        return [row.stack for row in self.rows if _key(row.stack) not in self._looks]

    def put_look(self, options: StackOptions, look: Look) -> None:
        """Show the findings in a file."""
        key = _key(options)
        self._looks[key] = look
        self._renew(*(number for number, row in self._good.items() if _key(row.stack) == key))

    def change_defaults(self, defaults: StackOptions) -> None:
        """Change how stacks are opened if their rows do not say."""
        if defaults != self.defaults:
            self.defaults = defaults
            self.check()
            self._renew(*range(len(self.cells)))
            self.edited.emit()

    def is_used(self, column: str) -> bool:
        """Whether a column has any text."""
        return any(row.get(column) for row in self.cells)

    def put_state(self, place: str, kind: str, text: str) -> None:
        """Show the state of the stack of a place; a kind is a key of `_ICONS` or empty."""
        numbers = [number for number, row in self._good.items() if row.place == place]
        self._states.update(dict.fromkeys(numbers, (kind, text)))
        self._renew(*numbers)

    def _renew(self, *numbers: int) -> None:
        for number in numbers:
            self.dataChanged.emit(self.index(number, 0), self.index(number, len(KEYS) - 1))

    # --- interface of Qt's models ---------------------------------------------------------

    def rowCount(self, _: Any = QModelIndex()) -> int:  # noqa: B008, N802
        return len(self.cells)

    def columnCount(self, _: Any = QModelIndex()) -> int:  # noqa: B008, N802
        return len(KEYS)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        fixed = self.locked or KEYS[index.column()] in _FIXED
        return flags if fixed else flags | Qt.ItemFlag.ItemIsEditable

    def headerData(self, at: int, sideways: Any, role: int = 0) -> Any:  # noqa: N802
        if sideways == Qt.Orientation.Horizontal:
            option = _COLUMNS[KEYS[at]]
            label = (option.label or KEYS[at].capitalize()).replace(" (", "\n(")
            known = {Qt.ItemDataRole.DisplayRole: label, Qt.ItemDataRole.ToolTipRole: option.help}
            return known.get(role)
        return str(at + 1) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number, key = index.row(), KEYS[index.column()]
        own = self.cells[number].get(key, "")
        kind, state = self._state(number)
        if role == Qt.ItemDataRole.EditRole:
            return own
        if role == Qt.ItemDataRole.DisplayRole:
            return _shown(state if key == STATE else own or self._stated(number).get(key, ""))
        if role == Qt.ItemDataRole.ToolTipRole:
            return _shown(state if key == STATE or kind in ("wrong", "failed") else own)
        if role == Qt.ItemDataRole.ForegroundRole and not own and key != STATE:
            return _FAINT
        if role == Qt.ItemDataRole.DecorationRole and key == STATE and kind:
            return QApplication.style().standardIcon(_ICONS[kind])
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = 2) -> bool:  # noqa: N802
        if role != Qt.ItemDataRole.EditRole or not self.flags(index) & Qt.ItemFlag.ItemIsEditable:
            return False
        key, text = KEYS[index.column()], str(value).strip()
        if self.cells[index.row()].get(key, "") != text:
            self.cells[index.row()][key] = text
            self.check()
            self._renew(*range(len(self.cells)))
            self.edited.emit()
        return True

    def _look(self, number: int) -> Look | None:
        row = self._good.get(number)
        return None if row is None else self._looks.get(_key(row.stack))

    def _stated(self, number: int) -> dict[str, str]:
        look = self._look(number)
        return look.stated if look else {}

    def _state(self, number: int) -> tuple[str, str]:
        """Return kind and text of a row's state."""
        look = self._look(number)
        if number in self._wrong:
            return "wrong", self._wrong[number]
        if number in self._states:
            return self._states[number]
        if look is None:
            return "", ""
        return ("wrong", look.problem) if look.problem else ("", look.planes)


def _key(options: StackOptions) -> str:
    """Return a key for how a stack is opened."""
    return repr(options.but(name=None))


def _shown(text: str) -> str:
    """Return a text on one line; bytes in a file's name that are not Unicode are escaped."""
    safe = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in safe)
