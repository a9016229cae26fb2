"""Table model of the images of a cohort: one row per image, one column per setting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal

from cop_core.cohort import as_value, require_names
from cop_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtWidgets import QWidget

    from cop_core.recipes import CohortPicture, SettingValue

_FIRST: Final = ("Image", "State")


class CohortModel(QAbstractTableModel):
    """Images and their settings.

    Signals
    -------
    edited
        A cell or a column was changed.

    Attributes
    ----------
    pictures : list of CohortPicture
        Images, with all edits.
    settings : list of str
        Columns.
    locked : bool
        Whether editing is disabled, as while a cohort is read.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures: list[CohortPicture] = []
        self.settings: list[str] = []
        self.locked = False
        self._states: dict[str, str] = {}

    def put(self, pictures: Sequence[CohortPicture], settings: Sequence[str] = ()) -> None:
        """Show other images, with columns for some settings and for all stated by the images."""
        stated = (key for one in pictures for key in one.settings)
        self.beginResetModel()
        self.pictures = list(pictures)
        self.settings = list(dict.fromkeys([*settings, *stated]))
        self._states.clear()
        self.endResetModel()
        self.edited.emit()

    def add_setting(self, name: str) -> None:
        """Add an empty column.

        Raises
        ------
        InputError
            The name exists, is empty or cannot be a column of a table.
        """
        name = "_".join(name.lower().split())
        if not name or name in self.settings:
            why = f"there is a setting {name!r} already" if name else "the setting has no name"
            raise InputError(why, advice="enter another name")
        require_names([*self.settings, name], where="settings")
        self.beginResetModel()
        self.settings.append(name)
        self.endResetModel()

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove rows from the table; the files stay."""
        kept = [one for i, one in enumerate(self.pictures) if i not in {*numbers}]
        self.put(kept, self.settings)

    def put_state(self, name: str, text: str) -> None:
        """Show the state of an image."""
        self._states[name] = text
        for row, picture in enumerate(self.pictures):
            if picture.name == name:
                at = self.index(row, 1)
                self.dataChanged.emit(at, at)

    # --- interface of Qt's models ---------------------------------------------------------

    def rowCount(self, _: Any = QModelIndex()) -> int:  # noqa: B008, N802
        return len(self.pictures)

    def columnCount(self, _: Any = QModelIndex()) -> int:  # noqa: B008, N802
        return len(_FIRST) + len(self.settings)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        fixed = self.locked or index.column() < len(_FIRST)
        return flags if fixed else flags | Qt.ItemFlag.ItemIsEditable

    def headerData(self, at: int, sideways: Any, role: int = 0) -> Any:  # noqa: N802
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (*_FIRST, *self.settings)[at] if sideways == Qt.Orientation.Horizontal else at + 1

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        picture, column = self.pictures[index.row()], index.column()
        shown = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole)
        if column == 0 and (shown or role == Qt.ItemDataRole.ToolTipRole):
            source = picture.picture.source or picture.name
            return Path(source).name if shown else source
        if column == 1 and (shown or role == Qt.ItemDataRole.ToolTipRole):
            return self._states.get(picture.name, "")
        return _text(picture.settings.get(self.settings[column - 2])) if shown else None

    def setData(self, index: QModelIndex, value: Any, role: int = 2) -> bool:  # noqa: N802
        if role != Qt.ItemDataRole.EditRole or not self.flags(index) & Qt.ItemFlag.ItemIsEditable:
            return False
        row, name, text = index.row(), self.settings[index.column() - 2], str(value).strip()
        settings = {k: v for k, v in self.pictures[row].settings.items() if k != name}
        if text:
            settings[name] = as_value(text)
        self.pictures[row] = self.pictures[row].but(settings=settings)
        self.dataChanged.emit(index, index)
        self.edited.emit()
        return True


def _text(value: SettingValue | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.10g}"
