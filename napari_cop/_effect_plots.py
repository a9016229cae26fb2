"""What a protocol does to each noise: slopes, R2 and effect sizes, as panels and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QApplication, QTableWidget, QTableWidgetItem

from cop_core.report.figures import draw_effects
from cop_core.report.protocols import label, protocols
from cop_core.report.table import (
    p_text,
    percent_per_100_um,
    plain,
    slope_with_interval,
    value_with_interval,
)
from cop_core.statistics.compare import Comparison
from cop_core.statistics.effect_size import F2_SUFFIX
from napari_cop._plot_canvas import PlotWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from qtpy.QtGui import QKeyEvent, QShowEvent
    from qtpy.QtWidgets import QWidget

    from cop_core.statistics.profile import DepthProfile

_UNIT: Final = "% per 100 µm"


class EffectPlots(PlotWidget):
    """Slopes, R2 and Cohen's d of the noise components.

    Parameters
    ----------
    parent : QWidget or None
        Owner of the widget.
    theme : str
        Id of napari's theme.
    """

    EMPTY = "Compare two stacks to see what differs."
    WIDE: ClassVar = 1.8

    def __init__(self, parent: QWidget | None = None, *, theme: str = "dark") -> None:
        super().__init__(parent, theme=theme)
        self._result: Comparison | None = None
        self._waiting = False
        self.rebuild()

    def rebuild(self) -> None:
        """Draw everything anew; behind another tab only once it is looked at."""
        self._waiting = not self.isVisible()
        if not self._waiting:
            super().rebuild()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what has changed while the widget was hidden."""
        if self._waiting:
            self.rebuild()
        super().showEvent(event)

    def show_result(self, result: Comparison) -> None:
        """Show a comparison."""
        self._result = result
        self.rebuild()

    def clear(self) -> None:
        """Show nothing but what to do next."""
        self._result = None
        self.rebuild()

    def draw_into(self, figure: Figure) -> bool:
        """Draw the three panels, below or beside each other."""
        if self._result is not None:
            draw_effects(figure, self._result, stacked=self.stacked)
        return self._result is not None


class EffectTable(QTableWidget):
    """The numbers behind the plots, one row a component; Ctrl+C copies them.

    Parameters
    ----------
    parent : QWidget or None
        Owner of the widget.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.setWordWrap(False)

    def show_result(self, result: DepthProfile | Comparison) -> None:
        """Show a profile or a comparison."""
        if isinstance(result, Comparison):
            header, rows = _comparison_header(result), _comparison_rows(result)
        else:
            header, rows = _PROFILE_HEADER, _profile_rows(result)
        self.clear()
        self.setColumnCount(len(header))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(header)
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.setItem(i, j, _cell(text, first=j == 0))
        self.resizeColumnsToContents()
        self.resizeRowsToContents()

    def clear(self) -> None:
        """Remove rows and columns."""
        super().clear()
        self.setRowCount(0)
        self.setColumnCount(0)

    def text(self) -> str:
        """Return the whole table, tab-separated, with a header row."""
        columns = range(self.columnCount())
        model, sideways = self.model(), Qt.Orientation.Horizontal
        header = [model.headerData(j, sideways).replace("\n", " ") for j in columns]
        rows = [[model.index(i, j).data() for j in columns] for i in range(self.rowCount())]
        return _tab_separated([header, *rows])

    def selected_text(self) -> str:
        """Return the selected cells, tab-separated; the whole table where none is selected."""
        cells = {(i.row(), i.column()): i.text() for i in self.selectedItems()}
        if not cells:
            return self.text()
        columns = sorted({j for _, j in cells})
        return _tab_separated(
            [[cells.get((i, j), "") for j in columns] for i in sorted({i for i, _ in cells})]
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Copy, or whatever else a table does with a key."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)


_PROFILE_HEADER: Final = ["Component", "Mean\n(%)", f"Slope [95 % CI]\n({_UNIT})", "R²", "Planes"]


def _profile_rows(result: DepthProfile) -> list[list[str]]:
    (protocol,) = protocols(result)
    kept = result.kept
    return [
        [
            label(component),
            plain(100 * result.of(component)[kept].mean() if kept.any() else np.nan, 2),
            slope_with_interval(fit.slope_per_um, fit.slope_ci95) if fit.defined else fit.note,
            plain(fit.r2, 2),
            str(fit.n),
        ]
        for component, fit in protocol.fits.items()
    ]


def _comparison_header(result: Comparison) -> list[str]:
    first, second = (protocol.name for protocol in protocols(result))
    return [
        "Component",
        f"Slope {first}\n({_UNIT})",
        f"Slope {second}\n({_UNIT})",
        f"Difference [95 % CI]\n({_UNIT})",
        "p, naive\n(Holm)" if result.rule == "paper" else "p\n(Holm)",
        f"R²\n{first}",
        f"R²\n{second}",
        "Cohen's d\n[95 % CI]",
        "Class by\nf² rule" if result.rule == "paper" else "Class",
        "Hedges' g",
        "Cohen's f²",
    ]


def _comparison_rows(result: Comparison) -> list[list[str]]:
    return [
        [
            label(effect.component),
            percent_per_100_um(effect.fixed.slope_per_um),
            percent_per_100_um(effect.gained.slope_per_um),
            slope_with_interval(effect.slope_difference_per_um, effect.ci95),
            p_text(effect.p_holm),
            plain(effect.fixed.r2, 2),
            plain(effect.gained.r2, 2),
            value_with_interval(effect.cohen_d, effect.cohen_d_ci95),
            effect.cohen_d_class.removesuffix(F2_SUFFIX),
            plain(effect.hedges_g, 2),
            plain(effect.f2, 3),
        ]
        for effect in result.effects
    ]


def _cell(text: str, *, first: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignLeft if first else Qt.AlignmentFlag.AlignRight
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item


def _tab_separated(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)
